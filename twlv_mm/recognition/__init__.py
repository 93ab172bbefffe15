"""Action recognition (paper 2.2, 2.3): probes on a frozen encoder's live tokens or stored embeddings.

The modules that build on mmaction2's models and datasets, and so import mmdet, are not imported here but by
twlv_mm/registry.py when one of their names is used: recognizer, probe_heads, probe_sweep, segment_dataset.
"""

from .attentive_probe import AttentiveProbe, load_official_probe
from .balanced_sampler import ClassBalancedSampler
from .class_metrics import ClassMetric
from .embedding_dataset import LabelledEmbeddings
from .embedding_inferencer import EmbeddingInferencer
from .embedding_probe import CheckEmbeddingsHook, EmbeddingKNN, EmbeddingLinearProbe
from .inferencer import RecognitionInferencer
from .knn import knn_votes
from .label_check import CheckLabelsHook, check_labels
from .probe_selection import ChooseProbeHook, HeldOutMetric, SplitDataset
from .still_video import ImageDecode, StillVideo
from .zero_shot import ZeroShotInferencer

__all__ = [
    'AttentiveProbe',
    'CheckEmbeddingsHook',
    'CheckLabelsHook',
    'ChooseProbeHook',
    'ClassBalancedSampler',
    'ClassMetric',
    'EmbeddingInferencer',
    'EmbeddingKNN',
    'EmbeddingLinearProbe',
    'HeldOutMetric',
    'ImageDecode',
    'LabelledEmbeddings',
    'RecognitionInferencer',
    'SplitDataset',
    'StillVideo',
    'ZeroShotInferencer',
    'check_labels',
    'knn_votes',
    'load_official_probe',
]
