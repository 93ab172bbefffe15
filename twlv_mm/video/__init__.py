"""Video: from a file to clips, by real time stamps.

reader.py decodes, sampling.py says which frames make a clip, stream.py hands clips out in one pass over a video, and
transforms.py does the same inside an mmaction2 pipeline.
"""

from .reader import DEFAULT_DECODER, DecordReader, PyAVReader, VideoError, decord_frame_times, open_video
from .sampling import clip_windows, frames_of_windows, sample_windows
from .stream import iter_clips, resize_and_crop
from .transforms import EmbeddingSample, LongSideCrops

__all__ = [
    'DEFAULT_DECODER',
    'DecordReader',
    'EmbeddingSample',
    'LongSideCrops',
    'PyAVReader',
    'VideoError',
    'clip_windows',
    'decord_frame_times',
    'frames_of_windows',
    'iter_clips',
    'open_video',
    'resize_and_crop',
    'sample_windows',
]
