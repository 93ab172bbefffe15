"""Chooses the samples of each step: an endless stream that any number of processes can enter at any step."""

from typing import NamedTuple

import numpy as np
from mmengine.dist import get_dist_info, sync_random_seed
from torch.utils.data import Sampler

from twlv_mm.registry import DATA_SAMPLERS

from .choice_sequence import ChoiceSequence


class SampleKey(NamedTuple):
    """One sample of a mixture: index of the set, index in it, and seed of everything random in its transforms."""

    part: int
    index: int
    seed: int


@DATA_SAMPLERS.register_module()
class MixtureSampler(Sampler):
    """The batches of a :class:`MixtureDataset`, each of one kind, without end.

    The samples of a step follow from the seed and the step alone, for any number of processes and workers; a process
    takes every W-th of them. A set's share of all samples is its weight; its samples come in random order, each once
    before any is repeated. It yields whole batches, so the dataloader needs ``batch_size=None``. In a config::

        train_dataloader = dict(
            batch_size=None, sampler=dict(type='twlv_mm.MixtureSampler', batch_sizes=dict(video=256, image=1024)),
            dataset=dict(type='twlv_mm.MixtureDataset', ...))

    Args:
        dataset (MixtureDataset): With the sets, their kinds and weights.
        batch_sizes (dict[str, int]): Kind -> samples of a batch, of all processes together.
        seed (int, optional): The same in all processes; by default one that they agree on.

    Attributes:
        start (int): The step that iteration begins at.
    """

    def __init__(self, dataset, batch_sizes, seed=None):
        self.rank, self.world_size = get_dist_info()
        self.seed = sync_random_seed() if seed is None else seed
        self.start = 0
        self.batch_sizes = {kind: batch_sizes.get(kind) for kind in set(dataset.kinds)}
        self._sizes = [len(part) for part in dataset.parts]
        self._weights = np.asarray(dataset.weights, np.float64)
        self._kinds = []  # for each kind the indices of its sets, and the samples of a batch
        for kind in sorted(set(dataset.kinds)):
            size = batch_sizes.get(kind)
            if size is None or size < 1:
                raise ValueError(f'batch_sizes has no number of samples for {kind!r}, a kind of the mixture')
            if size % self.world_size:
                raise ValueError(
                    f'a batch of {size} samples ({kind}) cannot be divided among {self.world_size} processes: '
                    'batch_sizes are those of all processes together'
                )
            self._kinds.append((np.flatnonzero(np.array(dataset.kinds) == kind), size))

    def set_epoch(self, epoch):
        """Called by mmengine's DistSamplerSeedHook; an endless stream has no epochs."""

    def __len__(self):
        """Steps that draw as many samples as there are: an epoch, for mmengine."""
        steps = sum(self._shares()) / self._weights.sum() * sum(self._sizes)
        return max(round(steps), 1)

    def _shares(self):
        # Weights are shares of samples, so a kind with larger batches gets fewer batches.
        return [self._weights[own].sum() / size for own, size in self._kinds]

    def __iter__(self):
        kinds = ChoiceSequence(self._shares(), [self.seed, 0])
        parts = [
            ChoiceSequence(self._weights[own], [self.seed, 1, number]) for number, (own, _) in enumerate(self._kinds)
        ]
        steps = kinds.before(self.start)  # of each kind so far
        drawn = np.zeros(len(self._sizes), np.int64)  # of each set so far
        for sequence, (own, size), count in zip(parts, self._kinds, steps, strict=True):
            drawn[own] = sequence.before(count * size)

        orders, step = {}, self.start
        while True:
            kind = kinds.choices(step, step + 1)[0]
            own, size = self._kinds[kind]
            chosen = own[parts[kind].choices(steps[kind] * size, (steps[kind] + 1) * size)]
            indices = np.empty(size, np.int64)
            for part in np.unique(chosen):
                places = np.flatnonzero(chosen == part)
                indices[places] = self._in_order(part, drawn[part] + np.arange(len(places)), orders)
                drawn[part] += len(places)
            seeds = np.random.SeedSequence([self.seed, 2, step]).generate_state(size)
            keys = zip(chosen.tolist(), indices.tolist(), seeds.tolist(), strict=True)
            yield [SampleKey(*key) for key in list(keys)[self.rank :: self.world_size]]
            steps[kind] += 1
            step += 1

    def _in_order(self, part, draws, orders):
        """Samples of a set's (n,) draws; every pass over the set has its own random order."""
        size = self._sizes[part]
        times = draws // size
        indices = np.empty(len(draws), np.int64)
        for time in np.unique(times):
            known = orders.get(part)
            if known is None or known[0] != time:
                order = np.random.default_rng([self.seed, 3, part, time]).permutation(size).astype(np.uint32)
                known = orders[part] = (time, order)
            indices[times == time] = known[1][draws[times == time] % size]
        return indices
