"""Video: everything from a file to a clip, the same for training, tests, extraction and inference.

Each module may use those before it: errors.py, container.py (open a file, find its video), damage.py and picture.py (a
packet, a decoded frame), index.py (when each frame is on screen), reader.py with pyav_reader.py and decord_reader.py
(frames that are compared with the index), opening.py, sampling.py (which frames make a clip), resize.py, stream.py
(clips in one pass over a video), read_ahead.py (that in worker processes) and transforms.py (the same for mmaction2's
pipelines). Beside that way: rand_augment.py and random_erasing.py augment clips, cache.py keeps the frames of a small
set, finding.py finds video files in folders, writer.py makes video files of frames.
"""

from .cache import CachedFrames
from .errors import ReadFault, VideoError, video_errors
from .finding import is_video, passed_over, video_endings, walk_files
from .index import HIGHEST_RATE, LONGEST_FRAME_SECONDS, FrameIndex, index_file, index_part, read_header
from .opening import DECODERS, check_decoder, open_video
from .rand_augment import RandAugment
from .random_erasing import RandomErasing
from .read_ahead import ReaderProcess, read_ahead
from .reader import Reader, Segment
from .resize import crop_offsets, resize_and_crop, resize_short_side
from .sampling import clip_windows, frames_at, frames_of_windows, sample_windows
from .stream import ClipSampling, FrameStream, clips_of_frames, iter_frames, stream_frames
from .transforms import DecodeVideo, EmbeddingSample, LongSideCrops, OpenVideo, ResizeCrop, SampleClips
from .writer import write_video

__all__ = [
    'DECODERS',
    'HIGHEST_RATE',
    'LONGEST_FRAME_SECONDS',
    'CachedFrames',
    'ClipSampling',
    'DecodeVideo',
    'EmbeddingSample',
    'FrameIndex',
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
    'resize_short_side',
    'sample_windows',
    'stream_frames',
    'video_endings',
    'video_errors',
    'walk_files',
    'write_video',
]
