"""Schedules the momentum of the encoder's moving average, and updates it."""

from mmengine.hooks import Hook

from twlv_mm.engine.wrappers import unwrapped
from twlv_mm.registry import HOOKS

from .targets import LatentTarget


@HOOKS.register_module()
class MomentumScheduleHook(Hook):
    """Update the targets of twlv_mm.LatentTarget after each step of the optimizer.

    Their momentum grows linearly from ``start`` to ``end``, over ``stretch`` times the length of the training.

    Source: V-JEPA's official configs: 0.998 to 1, with ``ipe_scale`` 1.25.
    """

    def __init__(self, start=0.998, end=1.0, stretch=1.25):
        self.start, self.end, self.stretch = start, end, stretch

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        done = runner.iter / (self.stretch * runner.max_iters)
        for target in self._targets(runner):
            target.momentum = self.start + (self.end - self.start) * min(done, 1)

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        """Update the averages, unless gradients are still being accumulated."""
        if runner.optim_wrapper.should_update():
            for target in self._targets(runner):
                target.update(unwrapped(runner.model).backbone)

    def _targets(self, runner):
        return [module for module in unwrapped(runner.model).modules() if isinstance(module, LatentTarget)]
