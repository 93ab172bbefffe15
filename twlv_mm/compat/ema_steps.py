"""EMAHook takes every accumulated step for a step of the optimizer.

With ``accumulative_counts=8``, mmengine 0.10.7's average of the weights moves eight times per step of the optimizer: it
spans an eighth as many of them, and the same batch gives other weights if more GPUs share it. Here it moves once.
"""

import functools

from mmengine.hooks import EMAHook
from mmengine.optim import OptimWrapperDict


def apply():
    """Update the average after steps of the optimizer only."""
    upstream = EMAHook.after_train_iter
    if hasattr(upstream, '__wrapped__'):
        return

    @functools.wraps(upstream)
    def after_train_iter(self, runner, *args, **kwargs):
        wrapper = runner.optim_wrapper
        if isinstance(wrapper, OptimWrapperDict) or wrapper.should_update():
            upstream(self, runner, *args, **kwargs)

    EMAHook.after_train_iter = after_train_iter
