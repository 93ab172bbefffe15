"""Pretraining (paper 2.1): masked modelling with one or several reconstruction targets.

mixture.py and sampler.py (over rota.py) say which samples make a batch, sources.py and shards.py where they come from.
"""

from .mixture import MixtureDataset, MixtureError
from .sampler import MixtureSampler, SampleKey
from .shards import index_shards
from .sources import FileListDataset, ShardDataset

__all__ = [
    'FileListDataset',
    'MixtureDataset',
    'MixtureError',
    'MixtureSampler',
    'SampleKey',
    'ShardDataset',
    'index_shards',
]
