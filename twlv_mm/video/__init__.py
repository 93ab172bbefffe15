"""Video: everything from a file to a clip, the same for training, tests, extraction and inference.

frame_index.py lists when each frame is on screen; readers (reader.py, pyav_reader.py, decord_reader.py) return frames
checked against it; sampling.py chooses the frames of clips. transforms.py does all this in mmaction2's pipelines,
clip_stream.py in one pass over a video, read_ahead.py in worker processes.
"""

from .clip_stream import ClipSampling, FrameStream, clips_of_frames, iter_frames, stream_frames
from .decoders import DECODERS, check_decoder, open_video
from .errors import ReadFault, VideoError, video_errors
from .frame_cache import CachedFrames
from .frame_index import HIGHEST_RATE, LONGEST_FRAME_SECONDS, index_file, index_part, read_header
from .rand_augment import RandAugment
from .random_erasing import RandomErasing
from .read_ahead import ReaderProcess, read_ahead
from .reader import Reader, Segment
from .resize import crop_offsets, resize_and_crop
from .sampling import clip_windows, frames_at, frames_of_windows, sample_windows
from .transforms import DecodeVideo, EmbeddingSample, LongSideCrops, OpenVideo, ResizeCrop, SampleClips
from .video_files import is_video, passed_over, walk_files
from .writer import write_video

__all__ = [
    'DECODERS',
    'HIGHEST_RATE',
    'LONGEST_FRAME_SECONDS',
    'CachedFrames',
    'ClipSampling',
    'DecodeVideo',
    'EmbeddingSample',
    'FrameStream',
    'LongSideCrops',
    'OpenVideo',
    'RandAugment',
    'RandomErasing',
    'ReadFault',
    'Reader',
    'ReaderProcess',
    'ResizeCrop',
    'SampleClips',
    'Segment',
    'VideoError',
    'check_decoder',
    'clip_windows',
    'clips_of_frames',
    'crop_offsets',
    'frames_at',
    'frames_of_windows',
    'index_file',
    'index_part',
    'is_video',
    'iter_frames',
    'open_video',
    'passed_over',
    'read_ahead',
    'read_header',
    'resize_and_crop',
    'sample_windows',
    'stream_frames',
    'video_errors',
    'walk_files',
    'write_video',
]
