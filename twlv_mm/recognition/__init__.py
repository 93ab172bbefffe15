"""Action recognition (paper 2.2, 2.3): probes on a frozen encoder's live tokens or stored embeddings.

Several views of a video, crops and clips, become one prediction here. live.py has what builds on mmaction2's models and
datasets.
"""

from importlib import import_module

from .attentive_probe import AttentiveProbe, load_official_probe
from .balanced_sampler import ClassBalancedSampler
from .class_metrics import ClassMetric
from .embedding_dataset import LabelledEmbeddings
from .embedding_inferencer import EmbeddingInferencer
from .embedding_probe import CheckEmbeddingsHook, EmbeddingKNN, EmbeddingLinearProbe
from .held_out import ChooseProbeHook, HeldOutMetric, SplitDataset
from .inferencer import RecognitionInferencer
from .knn import knn_votes
from .label_check import CheckLabelsHook, check_labels
from .still_video import ImageDecode, StillVideo
from .zero_shot import ZeroShotInferencer

__all__ = [
    'AttentiveHead',
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
    'ProbeRecognizer',
    'ProbeSweepConstructor',
    'ProbeSweepHead',
    'RecognitionInferencer',
    'SegmentDataset',
    'SegmentSample',
    'SplitDataset',
    'StillVideo',
    'VideoListDataset',
    'ZeroShotInferencer',
    'check_labels',
    'knn_votes',
    'load_official_probe',
]


def __getattr__(name):
    """Import what is in live.py when it is asked for: stored embeddings are classified in less time than that takes."""
    if name in __all__:
        return getattr(import_module('.live', __name__), name)
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
