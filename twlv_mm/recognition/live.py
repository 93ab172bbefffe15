"""What brings live video to a probe by mmaction2's models and datasets, and imports mmdet with them: two seconds."""

from .datasets.video_list_dataset import VideoListDataset
from .probe_heads import AttentiveHead
from .probe_sweep import ProbeSweepConstructor, ProbeSweepHead
from .recognizer import ProbeRecognizer
from .segment_dataset import SegmentDataset, SegmentSample

__all__ = [
    'AttentiveHead',
    'ProbeRecognizer',
    'ProbeSweepConstructor',
    'ProbeSweepHead',
    'SegmentDataset',
    'SegmentSample',
    'VideoListDataset',
]
