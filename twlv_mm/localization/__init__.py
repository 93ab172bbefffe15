"""Temporal action localization (paper 2.4): actions with their start and end.

actionformer.py is the model (parts: pyramid, local_attention, layers, heads, targets, losses); decoding.py, soft_nms.py
and external_scores.py turn its output into segments. dataset.py, annotations.py and transforms.py provide the data,
metric.py the scores. inferencer.py processes video files, timeline_hook.py draws the results of a test.
"""

from .actionformer import ActionFormer
from .annotations import read_annotations
from .average_precision import average_precision
from .dataset import LocalizationDataset
from .external_scores import ExternalScores
from .inferencer import LocalizationInferencer
from .metric import LocalizationMAP
from .proposal_recall import ProposalRecall
from .timeline_hook import LocalizationVisualizationHook
from .transforms import CropFeatures, PackLocalization, PackProposals, ResizeFeatures

__all__ = [
    'ActionFormer',
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
    'average_precision',
    'read_annotations',
]
