"""A learning rate that falls when the training loss no longer does."""

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
    (the mean of the processes'). mmengine's ReduceOnPlateauLR is for validation metrics only. A resumed run goes on as
    the uninterrupted one.

    In a config::

        custom_hooks = [dict(type='twlv_mm.ReduceLROnPlateauHook', factor=0.5, patience=3)]

    Args:
        factor (float): What the rates are multiplied by, in (0, 1).
        patience (int): Epochs without improvement that are allowed; the rates fall at the next one.

    Raises:
        ValueError: before training, if there are several optimizers, training is not by epochs, or the factor is not
            below 1.

    Source: ASFormer's published training code, whose factor and patience are the defaults.
    """

    # CheckpointHook (VERY_LOW) saves at the end of the same epoch: what it saves has to be past the step.
    priority = 'LOW'

    def __init__(self, factor=0.5, patience=3):
        self.factor = factor
        self.patience = patience
        self._loaded = None

    def after_load_checkpoint(self, runner, checkpoint):
        """Keep the state that the checkpoint has."""
        self._loaded = checkpoint.get(KEY)

    def before_train(self, runner):
        """Build the scheduler, with the checkpoint's state if the run is resumed."""
        if isinstance(runner.optim_wrapper, OptimWrapperDict):
            raise ValueError(
                f'ReduceLROnPlateauHook is for one optimizer, and the optim_wrapper of the config has several '
                f'({", ".join(runner.optim_wrapper.keys())}): use param_scheduler for these'
            )
        if isinstance(runner.train_loop, IterBasedTrainLoop):
            raise ValueError(
                'ReduceLROnPlateauHook compares epochs, and an IterBasedTrainLoop has none: '
                "set train_cfg.type='EpochBasedTrainLoop'"
            )
        self._scheduler = ReduceLROnPlateau(
            runner.optim_wrapper.optimizer, mode='min', factor=self.factor, patience=self.patience
        )
        # Training that starts from load_from is at epoch 0, with an optimizer of its own: the state is another run's.
        if runner.epoch == 0:
            return
        if self._loaded is None:
            runner.logger.warning(
                'The checkpoint was saved without ReduceLROnPlateauHook: it counts the epochs without improvement '
                'from here.'
            )
        else:
            self._scheduler.load_state_dict(self._loaded)

    def before_train_epoch(self, runner):
        """Start the sum."""
        self._loss = 0.0

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        """Add a loss.

        Args:
            runner (Runner): Not used.
            batch_idx (int): Not used.
            data_batch (Any): Not used.
            outputs (dict[str, Tensor]): With the total ``loss`` of the iteration.
        """
        # A tensor until the epoch's end: to read a number off a GPU would wait for the iteration.
        self._loss = self._loss + outputs['loss'].detach().double()

    def after_train_epoch(self, runner):
        """Step."""
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
        """Save what the next step depends on, as plain numbers; the rates are in the optimizer's state."""
        checkpoint[KEY] = dict(best=self._scheduler.best, num_bad_epochs=self._scheduler.num_bad_epochs)


def _show(rates):
    return ', '.join(f'{rate:g}' for rate in dict.fromkeys(rates))
