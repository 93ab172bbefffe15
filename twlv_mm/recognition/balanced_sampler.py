"""Epochs in which every class occurs equally often."""

import math

import torch
from mmengine.dataset import DefaultSampler

from twlv_mm.registry import DATA_SAMPLERS


@DATA_SAMPLERS.register_module()
class ClassBalancedSampler(DefaultSampler):
    """Draw every class equally often in an epoch, and each of its samples once before any repeats.

    The epoch length is unchanged, and with classes of equal size an epoch is a permutation of the dataset. The same
    seed and epoch give the same order. ``type='twlv_mm.ClassBalancedSampler'``.

    Args:
        dataset (Dataset): With ``labels`` ((N,) of all samples), or samples whose ``get_data_info`` has a label.
        seed (int, optional): As for mmengine's DefaultSampler.
        round_up (bool): As for mmengine's DefaultSampler.
    """

    def __init__(self, dataset, seed=None, round_up=True):
        super().__init__(dataset, shuffle=True, seed=seed, round_up=round_up)
        labels = getattr(dataset, 'labels', None)
        if labels is None:
            labels = [dataset.get_data_info(place)['label'] for place in range(len(dataset))]
        labels = torch.as_tensor(labels)
        self._classes = [(labels == label).nonzero().flatten() for label in labels.unique()]

    def __iter__(self):
        generator = torch.Generator().manual_seed(self.seed + self.epoch)
        each = math.ceil(len(self.dataset) / len(self._classes))
        drawn = []
        for places in self._classes:
            rounds = math.ceil(each / len(places))
            orders = [places[torch.randperm(len(places), generator=generator)] for _ in range(rounds)]
            drawn.append(torch.cat(orders)[:each])
        # One sample of each class in turn, so that the cut at the end of the epoch hits random classes.
        turns = torch.stack(drawn)[torch.randperm(len(drawn), generator=generator)].T.flatten()[: len(self.dataset)]
        order = turns[torch.randperm(len(turns), generator=generator)].tolist()
        order = (order * math.ceil(self.total_size / len(order)))[: self.total_size]
        return iter(order[self.rank : self.total_size : self.world_size])
