"""The validation that a killed run owes."""

from mmengine.hooks import Hook
from mmengine.runner import EpochBasedTrainLoop

# In a checkpoint's message hub. What begins with val or train is logged as if it were a metric.
VALIDATED = 'last_validated_iter'


class DueValidationHook(Hook):
    """Before a resumed run trains on, repeat the validation that the killed one may not have finished.

    Checkpoints are saved before the validation of their epoch. If the run was killed during it, the best checkpoint and
    schedules that follow a metric would miss it. A checkpoint that was saved again after it, with a new best score,
    says so.
    """

    priority = 'LOWEST'  # after the checkpoint hook has taken up its best score

    def before_train(self, runner):
        """Validate if that is due."""
        loop = runner.train_loop
        if runner.val_loop is None or not loop.iter or runner.message_hub.runtime_info.get(VALIDATED) == loop.iter:
            return
        if getattr(loop, 'dynamic_milestones', None) is not None:
            loop._decide_current_val_interval()
        if isinstance(loop, EpochBasedTrainLoop):
            done, last, name = loop.epoch, loop.max_epochs, 'epoch'
            if loop.iter % len(loop.dataloader):  # saved within an epoch
                return
        else:
            done, last, name = loop.iter, loop.max_iters, 'iteration'
        if done >= loop.val_begin and (done % loop.val_interval == 0 or done == last):
            runner.logger.info(f'The validation of {name} {done} is repeated: the run may have ended before it did.')
            runner.val_loop.run()

    def before_val_epoch(self, runner):
        """Note it for what is saved from now on: the same checkpoint, if its score is the best, or later ones."""
        runner.message_hub.update_info(VALIDATED, runner.iter)
