"""Seeds random numbers from the seed and the point of training alone, so that resuming changes nothing."""

import random

import numpy as np
import torch
from mmengine.dataset import worker_init_fn
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.runner import IterBasedTrainLoop

from twlv_mm.registry import HOOKS


@HOOKS.register_module()
class EpochSeedHook(Hook):
    """Reseed Python, NumPy and torch at the start of every training epoch.

    Checkpoints do not hold the state of the random generators, so a resumed run would draw other augmentations,
    dropouts and drop paths than the uninterrupted one. With this hook every epoch's numbers follow from the seed, the
    iteration at which the epoch starts, and the rank. It also stops mmengine's workers from drawing the same numbers in
    every epoch. A loop of iterations has no epochs, so every iteration's numbers do.
    """

    def before_train(self, runner):
        loader = runner.train_dataloader
        if getattr(loader.worker_init_fn, 'func', None) is worker_init_fn:
            # torch then seeds a worker's generators from the main process's generator and the worker's number.
            loader.worker_init_fn = None
        if loader.persistent_workers:
            runner.logger.warning(
                'train_dataloader has persistent_workers=True: the workers keep their random generators from epoch to '
                'epoch, so the augmentations of a resumed run differ from those of an uninterrupted one. Set it to '
                'False if that matters.'
            )
        sampler = getattr(loader, 'sampler', None)
        if hasattr(sampler, 'seed') and not runner._randomness_cfg.get('diff_rank_seed'):
            # The dataloader was built before a run without a seed took that of the checkpoint it resumes.
            sampler.seed = runner.seed

    def before_train_epoch(self, runner):
        reseed(runner)

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if isinstance(runner.train_loop, IterBasedTrainLoop):
            reseed(runner)


def reseed(runner):
    """Seed this process's generators from the run's seed, the present iteration and the rank."""
    seed = int(np.random.SeedSequence([runner.seed, runner.iter, get_rank()]).generate_state(1)[0])
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
