"""Spatio-temporal action localization (paper 2.5): who does what, where and when.

End to end: detector.py, with decoder.py and tubelet_head.py. With boxes of persons from outside: roi_detector.py.
ava_annotations.py reads AVA's files; ava_dataset.py (on keyframes.py and proposals.py) and transforms.py bring clips
and boxes, data_check.py (on faults.py) looks at all of it before a run. metric.py scores boxes, tube_metric.py tubes.
inferencer.py goes from a video file to boxes, box_video_hook.py draws those of a test.
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
