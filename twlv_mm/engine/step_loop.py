"""Training by steps that can start at any step, without reading again what was trained on."""

from mmengine.dist import broadcast_object_list
from mmengine.hooks import LoggerHook
from mmengine.runner import IterBasedTrainLoop
from mmengine.runner.base_loop import BaseLoop

from twlv_mm.registry import HOOKS, LOOPS

from .epoch_seed_hook import reseed


@LOOPS.register_module()
class StepTrainLoop(IterBasedTrainLoop):
    """Train for a number of steps on a sampler's endless stream of batches.

    A run that is killed and resumed from a checkpoint of any step ends as if it had not been interrupted: the sampler
    starts at that step, where mmengine's loop would read and drop all batches before it, and the random numbers of each
    step follow from the seed, the step and the rank. Workers start when training does.

    Args:
        runner (Runner): The runner.
        dataloader (dict | DataLoader): With ``batch_size=None`` and a sampler of whole batches that has ``start``, such
            as ``twlv_mm.MixtureSampler``.
        max_iters (int): Steps.
        val_interval (int): Steps between validations, where the config has one.
    """

    def __init__(self, runner, dataloader, max_iters, val_interval=1000):
        # Skips IterBasedTrainLoop.__init__, which starts the workers before the checkpoint says at which step.
        BaseLoop.__init__(self, runner, dataloader)
        self._max_iters, self._max_epochs = int(max_iters), 1
        self._iter = self._epoch = 0
        self.val_begin, self.val_interval = 1, val_interval
        self.stop_training = False
        if not hasattr(self.dataloader.sampler, 'start') or self.dataloader.batch_size is not None:
            raise ValueError(
                "StepTrainLoop needs train_dataloader.sampler.type='twlv_mm.MixtureSampler', which makes whole "
                'batches, and train_dataloader.batch_size=None'
            )

    def run(self):
        runner, sampler = self.runner, self.dataloader.sampler
        runner.call_hook('before_train')
        # The dataloader was built before the run may have taken its seed from a checkpoint.
        seed = [runner.seed]
        broadcast_object_list(seed)
        sampler.seed, sampler.start = seed[0], self._iter
        runner.call_hook('before_train_epoch')
        batches = iter(self.dataloader)
        while self._iter < self._max_iters and not self.stop_training:
            runner.model.train()
            batch = next(batches)
            reseed(runner)
            self.run_iter(batch)
            if runner.val_loop is not None and (self._iter % self.val_interval == 0 or self._iter == self._max_iters):
                runner.val_loop.run()
        runner.call_hook('after_train_epoch')
        runner.call_hook('after_train')
        return runner.model


@HOOKS.register_module()
class StepLoggerHook(LoggerHook):
    """mmengine's LoggerHook, which also logs the last step of a run of steps, however short it is."""

    def end_of_epoch(self, dataloader, batch_idx):
        """The end of the run, as the stream of a StepTrainLoop has no epochs."""
        return batch_idx + 1 == self._last_step

    def before_train(self, runner):
        super().before_train(runner)
        self._last_step = runner.max_iters
