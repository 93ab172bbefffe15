"""Several sets of videos and images as one, for :class:`MixtureSampler`."""

import random

import numpy as np
import torch
from torch.utils.data import Dataset

from twlv_mm.engine.unreadable_samples import Replacing
from twlv_mm.registry import DATASETS

KINDS = ('image', 'video')
ENTRY = {'kind', 'weight', 'dataset'}  # of each set


@DATASETS.register_module()
class MixtureDataset(Dataset):
    """Sets of videos and images with weights.

    It is asked for a batch: a list of :class:`SampleKey`. Everything random in a sample's transforms follows from its
    key. A sample that cannot be read is listed and replaced by another of its set, at random.

    In a config::

        dataset=dict(
            type='twlv_mm.MixtureDataset',
            sets=dict(
                kinetics710=dict(kind='video', weight=0.66, dataset=dict(
                    type='twlv_mm.FileListDataset', ann_file=..., data_prefix=..., pipeline=...)),
                cc3m=dict(kind='image', weight=2.88, dataset=dict(
                    type='twlv_mm.ShardDataset', shards='data/cc3m/*.tar', pipeline=...))))

    Args:
        sets (dict[str, dict]): Of each set, by its name, which checkpoints keep as what the encoder was trained on
            (results.json's name of it, for the report's daggers): kind ('video' or 'image': the clips of a batch are of
            one kind, and have to be of one shape); weight (float), its share of all samples, relative to the others';
            dataset (dict), one with mmengine's ``get_data_info`` and ``pipeline``, such as FileListDataset,
            ShardDataset or VideoListDataset.

    Attributes:
        parts (list[Dataset]): The sets.
        names, kinds, weights (list): Of each.
        replacing (Replacing): Replaces samples that cannot be read.

    Raises:
        ValueError: if there is no set, one has other keys than these, or a kind or weight is none.
        UnreadableError: from a worker, if ten samples of a set in a row cannot be read.
    """

    def __init__(self, sets):
        if not sets or not isinstance(sets, dict):
            raise ValueError(f'sets of a mixture are a dict with an entry for each, by its name; not {sets}')
        for name, entry in sets.items():
            if not isinstance(entry, dict) or entry.keys() != ENTRY:
                given = sorted(entry) if isinstance(entry, dict) else entry
                raise ValueError(f'the set {name} has to have {", ".join(sorted(ENTRY))}, and no more; it has {given}')
        self.names = list(sets)
        self.kinds = [entry['kind'] for entry in sets.values()]
        self.weights = [entry['weight'] for entry in sets.values()]
        self.replacing = Replacing()
        for name, kind, weight in zip(self.names, self.kinds, self.weights, strict=True):
            if kind not in KINDS:
                raise ValueError(f"the set {name} is of kind {kind!r}; there are 'video' and 'image'")
            if not 0 < weight < float('inf'):
                raise ValueError(f'the weight of the set {name} is {weight}; leave the set out, or give it a share')
        self.parts = [DATASETS.build(entry['dataset']) for entry in sets.values()]

    def __len__(self):
        """Samples of all sets."""
        return sum(len(part) for part in self.parts)

    def __getitem__(self, keys):
        """Read a batch.

        Args:
            keys (list[SampleKey]): Samples of one kind.

        Returns:
            list[dict]: inputs (M, 3, T, H, W), uint8, and data_samples, whose metainfo has ``sample_seed`` (int) and
            ``source`` (dict): set, index, file and seed of what was read, and replaced: how many could not be read.
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
    torch.default_generator.manual_seed(seed)  # torch.manual_seed, which sees to devices too, takes milliseconds
