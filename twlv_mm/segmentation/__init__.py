"""Temporal action segmentation (paper 2.6): the action in every frame of a video.

asformer.py is the model (parts: attention, layers, losses). labels.py reads classes, labels and folds; dataset.py,
alignment.py and transforms.py combine them with embeddings. metric.py computes scores (scores.py, on segments.py),
predictions.py stores predictions. inferencer.py processes video files, bars_hook.py draws the results of a test,
comparison.py those of several models.
"""

from .asformer import ASFormer
from .bars_hook import SegmentationVisualizationHook
from .comparison import compare_runs
from .dataset import SegmentationDataset
from .inferencer import SegmentationInferencer
from .metric import SegmentationMetric
from .predictions import read_predictions
from .transforms import AlignFeatures, PackSegmentation

__all__ = [
    'ASFormer',
    'AlignFeatures',
    'PackSegmentation',
    'SegmentationDataset',
    'SegmentationInferencer',
    'SegmentationMetric',
    'SegmentationVisualizationHook',
    'compare_runs',
    'read_predictions',
]
