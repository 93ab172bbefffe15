"""When and how far the moving average of the encoder moves."""

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper

from twlv_mm.registry import HOOKS

from .targets import LatentTarget


@HOOKS.register_module()
class MomentumScheduleHook(Hook):
    """Move the targets of twlv_mm.LatentTarget after each step of the optimizer; their momentum grows linearly.

    Args:
        start (float): Momentum of the first iteration.
        end (float): Momentum that the last iteration would have if the schedule were not stretched.
        stretch (float): The schedule is this many times as long as the training.

    Source: V-JEPA's official configs: 0.998 to 1, with ``ipe_scale`` 1.25.
    """

    def __init__(self, start=0.998, end=1.0, stretch=1.25):
        self.start, self.end, self.stretch = start, end, stretch

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        """Set the momentum."""
        done = runner.iter / (self.stretch * runner.max_iters)
        for target in self._targets(runner):
            target.momentum = self.start + (self.end - self.start) * min(done, 1)

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        """Move the averages, unless gradients are still being accumulated."""
        if runner.optim_wrapper.should_update():
            for target in self._targets(runner):
                target.update(self._model(runner).backbone)

    def _model(self, runner):
        return runner.model.module if is_model_wrapper(runner.model) else runner.model

    def _targets(self, runner):
        return [module for module in self._model(runner).modules() if isinstance(module, LatentTarget)]
