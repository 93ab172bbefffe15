"""Several sets of videos and images as one, for :class:`MixtureSampler`."""

import random

import numpy as np
import torch
from torch.utils.data import Dataset

from twlv_mm.registry import DATASETS
from twlv_mm.video.unreadable_samples import Replacing

KINDS = ('image', 'video')
ENTRY = {'kind', 'weight', 'dataset'}  # of each set


@DATASETS.register_module()
class MixtureDataset(Dataset):
    """A weighted mixture of sets of videos and images, indexed by batches: lists of :class:`SampleKey`.

    Everything random in a sample's transforms follows from its key. An unreadable sample is listed and replaced by a
    random one of its set; ten in a row raise UnreadableError. In a config::

        dataset=dict(type='twlv_mm.MixtureDataset', sets=dict(
            kinetics710=dict(kind='video', weight=0.66, dataset=dict(
                type='twlv_mm.FileListDataset', ann_file=..., data_prefix=..., pipeline=...)),
            cc3m=dict(kind='image', weight=2.88, dataset=dict(
                type='twlv_mm.ShardDataset', shards='data/cc3m/*.tar', pipeline=...))))

    Args:
        sets (dict[str, dict]): Sets by name, which checkpoints record as the encoder's training data (with
            results.json's names, for the report's daggers). Each has kind ('video' or 'image': the clips of a batch are
            of one kind and must have one shape); weight (float), its relative share of all samples; dataset (dict), one
            with mmengine's ``get_data_info`` and ``pipeline``, such as FileListDataset, ShardDataset or
            VideoListDataset.
    """

    def __init__(self, sets):
        if not sets or not isinstance(sets, dict):
            raise ValueError(f'sets of a mixture must be a dict with an entry for each set by name, not {sets}')
        for name, entry in sets.items():
            if not isinstance(entry, dict) or entry.keys() != ENTRY:
                given = sorted(entry) if isinstance(entry, dict) else entry
                raise ValueError(f'the set {name} must have exactly {", ".join(sorted(ENTRY))}; it has {given}')
        self.names = list(sets)
        self.kinds = [entry['kind'] for entry in sets.values()]
        self.weights = [entry['weight'] for entry in sets.values()]
        self.replacing = Replacing()
        for name, kind, weight in zip(self.names, self.kinds, self.weights, strict=True):
            if kind not in KINDS:
                raise ValueError(f"the set {name} is of kind {kind!r}; it must be 'video' or 'image'")
            if not 0 < weight < float('inf'):
                raise ValueError(
                    f'the weight of the set {name} is {weight}; remove the set, or give it a weight above 0'
                )
        self.parts = [DATASETS.build(entry['dataset']) for entry in sets.values()]

    def __len__(self):
        return sum(len(part) for part in self.parts)

    def __getitem__(self, keys):
        """Read a batch of samples of one kind: dicts of inputs (M, 3, T, H, W), uint8, and data_samples.

        Their metainfo has ``sample_seed`` (int) and ``source`` (dict): set, index, file and seed of the sample read,
        and replaced: the number of unreadable ones before it.
        """
        return [self._read(key) for key in keys]

    def _read(self, key):
        part, name = self.parts[key.part], self.names[key.part]

        def read(index):
            _seed(key.seed)
            return part.pipeline(part.get_data_info(index))

        def another(attempt):
            return int(np.random.default_rng([key.seed, attempt]).integers(len(part)))

        sample, index, replaced = self.replacing(part, read, key.index, another, name)
        file = part.get_data_info(index)['filename']
        source = dict(set=name, index=index, file=file, seed=key.seed, replaced=replaced)
        sample['data_samples'].set_metainfo(dict(sample_seed=key.seed, source=source))
        return sample


def _seed(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.default_generator.manual_seed(seed)  # torch.manual_seed, which seeds devices too, takes milliseconds
