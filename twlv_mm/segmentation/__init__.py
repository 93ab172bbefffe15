"""Temporal action segmentation (paper 2.6): which action every frame of a video shows.

asformer.py is the model; attention.py, layers.py and losses.py are its parts. labels.py reads classes, labels and
folds, dataset.py, alignment.py and transforms.py bring them together with embeddings. scores.py (on segments.py) and
metric.py score, predictions.py keeps what was found. inferencer.py goes from a video file to segments, bars_hook.py
draws those of a test, comparison.py those of several models.
"""

from .alignment import steps_to_frames
from .asformer import ASFormer
from .bars_hook import SegmentationVisualizationHook
from .comparison import compare_runs
from .dataset import SegmentationDataset
from .inferencer import SegmentationInferencer
from .labels import check_folds
from .metric import SegmentationMetric
from .predictions import read_predictions
from .segments import segments_of
from .transforms import AlignFeatures, PackSegmentation

__all__ = [
    'ASFormer',
    'AlignFeatures',
    'PackSegmentation',
    'SegmentationDataset',
    'SegmentationInferencer',
    'SegmentationMetric',
    'SegmentationVisualizationHook',
    'check_folds',
    'compare_runs',
    'read_predictions',
    'segments_of',
    'steps_to_frames',
]
