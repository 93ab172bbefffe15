"""Hooks for the speed of training: log clips per second, compile the blocks of an encoder."""

import time
from collections import deque

from mmengine.dist import get_world_size
from mmengine.hooks import Hook

from twlv_mm.registry import HOOKS

from .wrappers import unwrapped


@HOOKS.register_module()
class ClipRateHook(Hook):
    """Log ``clips_per_second`` of all processes, and ``replaced_samples`` of this one once there are any.

    The rate includes everything between two steps: reading, training, and saving.

    Args:
        window (int): Steps to average over.
    """

    def __init__(self, window=20):
        # Time and number of clips at the end of each of window + 1 steps.
        self._ends = deque(maxlen=window + 1)
        self._replaced = 0

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self._ends.append((time.perf_counter(), len(data_batch['inputs'])))
        if len(self._ends) > 1:
            seconds = self._ends[-1][0] - self._ends[0][0]
            clips = sum(count for _, count in self._ends) - self._ends[0][1]
            runner.message_hub.update_scalar('train/clips_per_second', clips * get_world_size() / seconds)
        sources = [sample.get('source') or {} for sample in data_batch.get('data_samples') or []]
        self._replaced += sum(source.get('replaced', 0) for source in sources)
        if self._replaced:
            runner.message_hub.update_scalar('train/replaced_samples', self._replaced)


@HOOKS.register_module()
class CompileBlocksHook(Hook):
    """Compile each block of ``model.backbone.blocks`` with torch.compile before training.

    The blocks are alike, so one compilation serves all of them; mmengine's ``compile`` of a whole step takes minutes
    and recompiles for every shape. Parameter names do not change.

    Args:
        **options: Of torch.compile, such as ``mode='max-autotune-no-cudagraphs'``, ``backend``, ``dynamic``.
    """

    def __init__(self, **options):
        self.options = options

    def before_train(self, runner):
        model = unwrapped(runner.model)
        blocks = getattr(getattr(model, 'backbone', None), 'blocks', None)
        if blocks is None:
            raise ValueError(
                'CompileBlocksHook compiles model.backbone.blocks, but the model has none: remove the hook'
            )
        for block in blocks:
            block.compile(**self.options)
