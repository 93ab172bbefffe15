"""Video: from a file to clips, by real time stamps.

reader.py decodes a file, segment_reader.py a part of one, sampling.py says which frames make a clip, stream.py hands
clips out in one pass over a video, read_ahead.py does that in worker processes, packets.py tells of a file what can be
known without decoding. For mmaction2's pipelines, transforms.py gives the same clips, seek.py decodes a part of a long
video, rand_augment.py and random_erasing.py augment clips, and cache.py keeps the frames of a small set.
writer.py makes video files of frames.
"""

from .cache import CachedFrames
from .packets import VideoHeader, read_header
from .rand_augment import RandAugment
from .random_erasing import RandomErasing
from .read_ahead import ReaderProcess, ReadFault, read_ahead
from .reader import READERS, Reader, Segment, VideoError, decord_frame_times, open_video, reader_class
from .sampling import clip_windows, frames_of_windows, sample_windows
from .seek import SeekDecode
from .stream import ClipSampling, FrameStream, clips_of_frames, iter_frames, resize_and_crop, stream_frames
from .transforms import EmbeddingSample, LongSideCrops
from .writer import write_video

__all__ = [
    'READERS',
    'CachedFrames',
    'ClipSampling',
    'EmbeddingSample',
    'FrameStream',
    'LongSideCrops',
    'RandAugment',
    'RandomErasing',
    'ReadFault',
    'Reader',
    'ReaderProcess',
    'SeekDecode',
    'Segment',
    'VideoError',
    'VideoHeader',
    'clip_windows',
    'clips_of_frames',
    'decord_frame_times',
    'frames_of_windows',
    'iter_frames',
    'open_video',
    'read_ahead',
    'read_header',
    'reader_class',
    'resize_and_crop',
    'sample_windows',
    'stream_frames',
    'write_video',
]
