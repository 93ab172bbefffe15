"""Lowers the learning rate when the training loss stops falling."""

import math

import torch
from mmengine.dist import all_reduce
from mmengine.hooks import Hook
from mmengine.optim import OptimWrapperDict
from mmengine.runner import IterBasedTrainLoop
from torch.optim.lr_scheduler import ReduceLROnPlateau

from twlv_mm.registry import HOOKS

KEY = 'reduce_lr_on_plateau'


@HOOKS.register_module()
class ReduceLROnPlateauHook(Hook):
    """Multiply every learning rate by ``factor`` once the training loss has not improved for ``patience`` epochs.

    It is torch's ReduceLROnPlateau, stepped at the end of every training epoch with the sum of the iterations' losses
    (averaged over processes); mmengine's ReduceOnPlateauLR is for validation metrics only. In a config::

        custom_hooks = [dict(type='twlv_mm.ReduceLROnPlateauHook', factor=0.5, patience=3)]

    Args:
        factor (float): In (0, 1).
        patience (int): Epochs without improvement that are allowed; the rates fall at the next one.

    Source: ASFormer's training code, for the defaults.
    """

    # Before CheckpointHook (VERY_LOW), which saves at the end of the same epoch.
    priority = 'LOW'

    def __init__(self, factor=0.5, patience=3):
        self.factor = factor
        self.patience = patience
        self._loaded = None

    def after_load_checkpoint(self, runner, checkpoint):
        self._loaded = checkpoint.get(KEY)

    def before_train(self, runner):
        if isinstance(runner.optim_wrapper, OptimWrapperDict):
            raise ValueError(
                f'ReduceLROnPlateauHook supports one optimizer, but the optim_wrapper of the config has several '
                f'({", ".join(runner.optim_wrapper.keys())}): use param_scheduler for these'
            )
        if isinstance(runner.train_loop, IterBasedTrainLoop):
            raise ValueError(
                'ReduceLROnPlateauHook compares epochs, but an IterBasedTrainLoop has none: '
                "set train_cfg.type='EpochBasedTrainLoop'"
            )
        self._scheduler = ReduceLROnPlateau(
            runner.optim_wrapper.optimizer, mode='min', factor=self.factor, patience=self.patience
        )
        if runner.epoch == 0:  # started from load_from, so the loaded state is another run's
            for group in runner.optim_wrapper.optimizer.param_groups:
                group.setdefault('initial_lr', group['lr'])  # as schedules do, to compare with it on resuming
            return
        if self._loaded is None:
            runner.logger.warning(
                'The checkpoint was saved without ReduceLROnPlateauHook, which counts epochs without improvement from '
                'here on.'
            )
        else:
            self._scheduler.load_state_dict(self._loaded)

    def before_train_epoch(self, runner):
        self._loss = 0.0

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        # A tensor until the epoch's end: reading a number off a GPU would wait for the iteration.
        self._loss = self._loss + outputs['loss'].detach().double()

    def after_train_epoch(self, runner):
        loss = torch.as_tensor(self._loss)
        all_reduce(loss, op='mean')
        loss = loss.item()
        if not math.isfinite(loss):
            runner.logger.warning(
                f'The training loss of epoch {runner.epoch + 1} is {loss}: it counts as an epoch without improvement.'
            )
        groups = runner.optim_wrapper.optimizer.param_groups
        before = [group['lr'] for group in groups]
        self._scheduler.step(loss)
        after = [group['lr'] for group in groups]
        if after != before:
            runner.logger.info(
                f'The training loss has not improved for more than {self.patience} epochs (sum {loss:.6g}, best '
                f'{self._scheduler.best:.6g}): the learning rate falls from {_show(before)} to {_show(after)}.'
            )

    def before_save_checkpoint(self, runner, checkpoint):
        # Plain numbers; the rates are in the optimizer's state.
        checkpoint[KEY] = dict(best=self._scheduler.best, num_bad_epochs=self._scheduler.num_bad_epochs)


def _show(rates):
    return ', '.join(f'{rate:g}' for rate in dict.fromkeys(rates))
