"""Action recognition (paper 2.2, 2.3): probes on a frozen encoder's live tokens or stored embeddings.

Several views of a video, crops and clips, become one prediction here.
"""

from .attentive_probe import AttentiveProbe, load_official_probe
from .datasets import VideoListDataset
from .embedding_dataset import LabelledEmbeddings
from .embedding_probe import CheckEmbeddingsHook, EmbeddingKNN, EmbeddingLinearProbe
from .knn import knn_votes, nearest
from .label_check import CheckLabelsHook, check_labels
from .probe_heads import AttentiveHead
from .recognizer import ProbeRecognizer
from .segment_dataset import SeekDecode, SegmentDataset, SegmentSample
from .still_video import ImageDecode, StillVideo

__all__ = [
    'AttentiveHead',
    'AttentiveProbe',
    'CheckEmbeddingsHook',
    'CheckLabelsHook',
    'EmbeddingKNN',
    'EmbeddingLinearProbe',
    'ImageDecode',
    'LabelledEmbeddings',
    'ProbeRecognizer',
    'SeekDecode',
    'SegmentDataset',
    'SegmentSample',
    'StillVideo',
    'VideoListDataset',
    'check_labels',
    'knn_votes',
    'load_official_probe',
    'nearest',
]
