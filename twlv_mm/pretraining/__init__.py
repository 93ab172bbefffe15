"""Pretraining (paper 2.1): masked modelling with one or several reconstruction targets.

pretrainer.py is the model, with masks.py, predictor.py, teacher.py and targets/. mixture.py and sampler.py (on
choice_sequence.py) choose the samples of a batch, from the datasets of sources.py and shards.py.
"""

from .masks import Mask, MultiBlockMask, RandomMask, SemanticMask, TubeMask
from .mixture import MixtureDataset
from .momentum_hook import MomentumScheduleHook
from .pretrainer import MaskedPretrainer
from .sampler import MixtureSampler, SampleKey
from .shards import index_shards
from .sources import FileListDataset, ShardDataset
from .targets import LatentTarget, PixelTarget, Target, TeacherClip, TeacherTokens
from .teacher import Teacher

__all__ = [
    'FileListDataset',
    'LatentTarget',
    'Mask',
    'MaskedPretrainer',
    'MixtureDataset',
    'MixtureSampler',
    'MomentumScheduleHook',
    'MultiBlockMask',
    'PixelTarget',
    'RandomMask',
    'SampleKey',
    'SemanticMask',
    'ShardDataset',
    'Target',
    'Teacher',
    'TeacherClip',
    'TeacherTokens',
    'TubeMask',
    'index_shards',
]
