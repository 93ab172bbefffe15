"""Spatio-temporal action localization (paper 2.5): boxes of persons with actions, in space and time.

End to end: detector.py, with decoder.py and tubelet_head.py; on given boxes of persons: roi_detector.py.
ava_annotations.py reads AVA's files; ava_dataset.py (on keyframes.py and proposals.py) and transforms.py provide the
data, data_check.py checks them before a run (on ava_checks.py). metric.py scores boxes, tube_metric.py tubes.
inferencer.py processes video files, box_video_hook.py draws the results of a test.
"""

from .ava_dataset import AVAVideoDataset
from .box_video_hook import DetectionVisualizationHook
from .data_check import CheckAVAHook
from .decoder import FactorisedDecoder
from .detector import SpatioTemporalDetector
from .inferencer import DetectionInferencer
from .metric import FrameMAP
from .roi_detector import ROIDetector
from .transforms import DetectionPreprocessor, PackDetection, SampleKeyframeClip
from .tube_metric import TubeMAP
from .tubelet_head import TubeletHead

__all__ = [
    'AVAVideoDataset',
    'CheckAVAHook',
    'DetectionInferencer',
    'DetectionPreprocessor',
    'DetectionVisualizationHook',
    'FactorisedDecoder',
    'FrameMAP',
    'PackDetection',
    'ROIDetector',
    'SampleKeyframeClip',
    'SpatioTemporalDetector',
    'TubeMAP',
    'TubeletHead',
]
