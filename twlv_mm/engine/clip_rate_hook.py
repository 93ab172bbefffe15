"""Logs how many clips a second are trained on."""

import time
from collections import deque

from mmengine.dist import get_world_size
from mmengine.hooks import Hook

from twlv_mm.registry import HOOKS


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
