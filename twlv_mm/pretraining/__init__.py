"""Pretraining (paper 2.1): masked modelling with one or several reconstruction targets.

The pretrainer, its masks and targets; their data, samplers and schedules for long runs.
"""

from .masks import Mask, MultiBlockMask, RandomMask, SemanticMask, TubeMask
from .momentum_hook import MomentumScheduleHook
from .predictor import Predictor
from .pretrainer import MaskedPretrainer
from .targets import LatentTarget, PixelTarget, Target, TeacherClip, TeacherTokens, View
from .teacher import Features, Teacher

__all__ = [
    'Features',
    'LatentTarget',
    'Mask',
    'MaskedPretrainer',
    'MomentumScheduleHook',
    'MultiBlockMask',
    'PixelTarget',
    'Predictor',
    'RandomMask',
    'SemanticMask',
    'Target',
    'Teacher',
    'TeacherClip',
    'TeacherTokens',
    'TubeMask',
    'View',
]
