"""Temporal action localization (paper 2.4): which action happens from when to when.

actionformer.py is the model, its parts are in the files beside it (pyramid, local_attention, layers, heads, targets,
losses); decoding.py, soft_nms.py and external_scores.py make segments of what it gives. dataset.py, annotations.py and
transforms.py bring embeddings and actions, metric.py scores. inferencer.py goes from a video file to segments,
timeline_hook.py draws those of a test.
"""

from .actionformer import ActionFormer
from .annotations import Annotations, VideoAnnotation, read_annotations
from .average_precision import average_precision
from .dataset import LocalizationDataset
from .external_scores import ExternalScores
from .inferencer import LocalizationInferencer
from .metric import LocalizationMAP
from .proposal_recall import ProposalRecall
from .soft_nms import suppress
from .timeline_hook import LocalizationVisualizationHook
from .transforms import CropFeatures, PackLocalization, PackProposals, ResizeFeatures

__all__ = [
    'ActionFormer',
    'Annotations',
    'CropFeatures',
    'ExternalScores',
    'LocalizationDataset',
    'LocalizationInferencer',
    'LocalizationMAP',
    'LocalizationVisualizationHook',
    'PackLocalization',
    'PackProposals',
    'ProposalRecall',
    'ResizeFeatures',
    'VideoAnnotation',
    'average_precision',
    'read_annotations',
    'suppress',
]
