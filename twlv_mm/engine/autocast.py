"""Mixed precision on any device: an optimizer wrapper for training, a hook for validation and test.

mmengine's AmpOptimWrapper requires an accelerator, and its loops autocast in float16 only; bfloat16 also pays on a CPU.
"""

import torch
from mmengine.device import get_device
from mmengine.hooks import Hook
from mmengine.optim import AmpOptimWrapper, OptimWrapper
from mmengine.structures import BaseDataElement

from twlv_mm.registry import HOOKS, OPTIM_WRAPPERS

__all__ = ['AutocastHook', 'AutocastOptimWrapper']

DTYPES = {'bfloat16': torch.bfloat16, 'float16': torch.float16}


def check_dtype(name):
    """The torch.dtype of an autocast type; ValueError where the present device cannot run it."""
    if name not in DTYPES:
        raise ValueError(f"dtype is {name!r}; autocast runs in 'bfloat16' or 'float16'.")
    if name == 'float16' and get_device() == 'cpu':
        raise ValueError("dtype 'float16' needs an accelerator, but this machine has only a CPU. Use dtype='bfloat16'.")
    return DTYPES[name]


@OPTIM_WRAPPERS.register_module()
class AutocastOptimWrapper(AmpOptimWrapper):
    """Train under autocast; weights, gradients and optimizer state stay float32.

    Args:
        dtype (str): ``'bfloat16'``, or ``'float16'`` on an accelerator, with a dynamic loss scale that is saved and
            resumed with the optimizer.
        **kwargs: optimizer, accumulative_counts, clip_grad, see OptimWrapper.
    """

    def __init__(self, dtype='bfloat16', **kwargs):
        # Skips AmpOptimWrapper.__init__, which asserts an accelerator and sets up a loss scale; bfloat16, with the
        # range of float32, needs none.
        OptimWrapper.__init__(self, **kwargs)
        self.cast_dtype = check_dtype(dtype)
        self.loss_scaler = torch.amp.GradScaler(get_device(), enabled=dtype == 'float16')
        self._scale_update_param = None


@HOOKS.register_module()
class AutocastHook(Hook):
    """Validate and test under autocast. Outputs are converted back to float32, since numpy has no bfloat16.

    Args:
        dtype (str | None): ``'bfloat16'``, or ``'float16'`` on an accelerator. None takes that of the config's
            AutocastOptimWrapper, or else bfloat16.
    """

    def __init__(self, dtype=None):
        self.dtype = dtype

    def before_val(self, runner):
        self._enter(runner, 'val_step')

    def after_val(self, runner):
        del runner.model.val_step  # uncovers the method of the class

    def before_test(self, runner):
        self._enter(runner, 'test_step')

    def after_test(self, runner):
        del runner.model.test_step

    def _enter(self, runner, name):
        # Around the model's step rather than between an iteration's hooks: autocast is left even on an exception, and
        # metrics compute outside of it.
        step = getattr(runner.model, name)
        dtype = check_dtype(self.dtype or _training_dtype(runner.optim_wrapper))

        def autocast_step(data):
            with torch.autocast(get_device(), dtype=dtype):
                outputs = step(data)
            return _to_float32(outputs)

        setattr(runner.model, name, autocast_step)


def _training_dtype(optim_wrapper):
    # It is still a config dict where nothing was trained.
    if isinstance(optim_wrapper, dict) and 'AutocastOptimWrapper' in str(optim_wrapper.get('type')):
        return optim_wrapper.get('dtype', 'bfloat16')
    if isinstance(optim_wrapper, AutocastOptimWrapper):
        return str(optim_wrapper.cast_dtype).removeprefix('torch.')
    return 'bfloat16'


def _to_float32(data):
    if isinstance(data, torch.Tensor):
        return data.float() if data.dtype in DTYPES.values() else data
    if isinstance(data, BaseDataElement):
        for name, value in data.items():
            data.set_field(_to_float32(value), name)
        return data
    if isinstance(data, dict):
        return {key: _to_float32(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return type(data)(_to_float32(value) for value in data)
    return data
