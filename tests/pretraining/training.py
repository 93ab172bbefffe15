"""Parts of a training that tell what tests want to know."""

import json
import os
import signal

import twlv_mm  # noqa: F401  isort: skip  before anything that it mends
from mmcv.transforms import BaseTransform
from mmengine.dist import all_reduce, is_main_process
from mmengine.hooks import Hook

from twlv_mm.registry import HOOKS, TRANSFORMS


@TRANSFORMS.register_module()
class ListDecoded(BaseTransform):
    """Write the name of each file that is decoded into a file."""

    def __init__(self, file):
        self.file = file

    def transform(self, results):
        with open(self.file, 'a') as file:
            file.write(f'{results["filename"]}\n')
        return results


@HOOKS.register_module()
class RecordLosses(Hook):
    """Write the losses of each step, the mean of all processes, and its samples, into the work dir's losses.jsonl.

    Args:
        kill_at (int): Step before which the process is killed.
        poison_at (int): Step whose loss is made NaN.
    """

    def __init__(self, kill_at=None, poison_at=None):
        self.kill_at, self.poison_at = kill_at, poison_at

    def before_train(self, runner):
        if self.poison_at is not None:
            model = getattr(runner.model, 'module', runner.model)
            poison = self.poison_at
            model.register_forward_hook(
                lambda m, args, out: (
                    {**out, 'loss_pixels': out['loss_pixels'] * float('nan')} if runner.iter == poison else out
                )
            )

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if runner.iter == self.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        outputs = {key: value.detach().clone() for key, value in outputs.items()}
        for value in outputs.values():
            all_reduce(value, op='mean')
        record = dict(step=runner.iter, clip=list(data_batch['inputs'][0].shape))
        record['samples'] = [sample.source['file'] for sample in data_batch['data_samples']]
        record.update((key, value.item()) for key, value in outputs.items())
        if is_main_process():
            with open(os.path.join(runner.work_dir, 'losses.jsonl'), 'a') as file:
                file.write(json.dumps(record) + '\n')
