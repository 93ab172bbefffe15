"""Pretraining (paper 2.1): masked modelling with one or several reconstruction targets.

The pretrainer, its masks and targets; of its data, mixture.py and sampler.py (over rota.py) say which samples make a
batch, sources.py and shards.py where they come from.
"""

from .masks import Mask, MultiBlockMask, RandomMask, SemanticMask, TubeMask
from .mixture import MixtureDataset
from .momentum_hook import MomentumScheduleHook
from .predictor import Predictor
from .pretrainer import MaskedPretrainer
from .sampler import MixtureSampler, SampleKey
from .shards import index_shards
from .sources import FileListDataset, ShardDataset
from .targets import LatentTarget, PixelTarget, Target, TeacherClip, TeacherTokens, View
from .teacher import Features, Teacher

__all__ = [
    'Features',
    'FileListDataset',
    'LatentTarget',
    'Mask',
    'MaskedPretrainer',
    'MixtureDataset',
    'MixtureSampler',
    'MomentumScheduleHook',
    'MultiBlockMask',
    'PixelTarget',
    'Predictor',
    'RandomMask',
    'SampleKey',
    'SemanticMask',
    'ShardDataset',
    'Target',
    'Teacher',
    'TeacherClip',
    'TeacherTokens',
    'TubeMask',
    'View',
    'index_shards',
]
