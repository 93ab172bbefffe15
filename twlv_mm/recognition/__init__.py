"""Action recognition (paper 2.2, 2.3): probes on a frozen encoder's live tokens or stored embeddings.

Several views of a video, crops and clips, become one prediction here.
"""

from .attentive_probe import AttentiveProbe, load_official_probe
from .class_metrics import ClassMetric
from .datasets import VideoListDataset
from .embedding_dataset import LabelledEmbeddings
from .embedding_probe import CheckEmbeddingsHook, EmbeddingKNN, EmbeddingLinearProbe
from .held_out import ChooseProbeHook, HeldOutMetric, SplitDataset
from .inferencer import RecognitionInferencer
from .knn import knn_votes, nearest
from .label_check import CheckLabelsHook, check_labels
from .probe_heads import AttentiveHead
from .probe_sweep import ProbeSweepConstructor, ProbeSweepHead
from .recognizer import ProbeRecognizer
from .segment_dataset import SegmentDataset, SegmentSample
from .still_video import ImageDecode, StillVideo

__all__ = [
    'AttentiveHead',
    'AttentiveProbe',
    'CheckEmbeddingsHook',
    'CheckLabelsHook',
    'ChooseProbeHook',
    'ClassMetric',
    'EmbeddingKNN',
    'EmbeddingLinearProbe',
    'HeldOutMetric',
    'ImageDecode',
    'LabelledEmbeddings',
    'ProbeRecognizer',
    'ProbeSweepConstructor',
    'ProbeSweepHead',
    'RecognitionInferencer',
    'SegmentDataset',
    'SegmentSample',
    'SplitDataset',
    'StillVideo',
    'VideoListDataset',
    'check_labels',
    'knn_votes',
    'load_official_probe',
    'nearest',
]
