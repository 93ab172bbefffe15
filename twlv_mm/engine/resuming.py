"""Resuming a run: the validation that may be missing, and warnings about what differs from before."""

from mmengine.dist import get_world_size
from mmengine.hooks import Hook
from mmengine.optim import OptimWrapperDict
from mmengine.runner import EpochBasedTrainLoop

from .work_dir import ResumeError

# Keys in a checkpoint's message hub; ones that begin with val or train would be logged as metrics.
VALIDATED = 'last_validated_iter'
PROCESSES, SAMPLES = 'processes', 'samples_a_step'


class DueValidationHook(Hook):
    """Before a resumed run trains on, repeat the validation that the killed run may not have finished.

    Checkpoints are saved before the validation of their epoch. If the run was killed during it, the best checkpoint and
    schedules that follow a metric would lack it. A checkpoint that is saved again after it, with a new best score,
    records that it was done.
    """

    priority = 'LOWEST'  # after the checkpoint hook has restored its best score

    def before_train(self, runner):
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
        """Record it for the next checkpoint: the same one, if its score is the best, or a later one."""
        runner.message_hub.update_info(VALIDATED, runner.iter)


def compare_processes(runner, resumed):
    """Warn if a resumed run has another number of processes or another batch size than before, and record those of this
    run.

    The order of the samples follows from the seed and the epoch or step, so a run continues exactly if its total batch
    size is unchanged. What each process draws for itself, such as augmentations and dropout, still differs with the
    number of processes, except in pretraining, where augmentations and masks follow from the sample.
    """
    hub, loader = runner.message_hub, runner.train_dataloader
    before = {name: hub.runtime_info.get(name) for name in (PROCESSES, SAMPLES)}
    # A sampler of whole batches divides each among the processes, so its batch size does not depend on their number.
    samples = None if loader.batch_size is None else loader.batch_size * get_world_size()
    if resumed and None not in (before[SAMPLES], samples) and before[SAMPLES] != samples:
        size, rest = divmod(before[SAMPLES], get_world_size())
        same = f'for the same steps set train_dataloader.batch_size={size}' if not rest else 'it cannot be divided'
        runner.logger.warning(
            f'The run resumes with batches of {samples} samples ({get_world_size()} processes), and the checkpoint '
            f'was trained with {before[SAMPLES]} ({before[PROCESSES]}): an epoch has {len(loader)} steps now, the '
            f"learning rate is the checkpoint's, and schedules that count iterations keep their length; {same}."
        )
    elif resumed and before[PROCESSES] not in (None, get_world_size()):
        runner.logger.warning(
            f'The run resumes with {get_world_size()} processes in place of {before[PROCESSES]}, and with the same '
            'samples in each step. Random numbers of each process, such as those of augmentations and dropout, differ '
            'from those of the uninterrupted run.'
        )
    if resumed and runner.plan and runner.plan['epochs']:  # the plan of the checkpoint
        steps = runner.plan['steps'] // runner.plan['epochs']
        if done := runner.iter % steps:
            runner.logger.warning(
                f'The checkpoint was saved {done} steps into epoch {runner.epoch + 1}, of {steps}. The epoch starts '
                f'anew: the run takes {done} steps more than planned, and schedules of iterations end before it does. '
                'To resume exactly, save checkpoints at the end of epochs (CheckpointHook with by_epoch=True).'
            )
    hub.update_info(PROCESSES, get_world_size())
    hub.update_info(SAMPLES, samples)


def check_optimizer(runner, checkpoint, filename):
    """Refuse to resume from a checkpoint without the state of this optimizer and its schedules. Warn if it has other
    settings than the config, whose settings then have no effect.

    Raises:
        ResumeError: if the run cannot go on from the checkpoint.
    """
    instead = f'For the weights alone, start anew with load_from={filename}'
    wanted = ['optimizer', *(['param_schedulers'] if runner.param_schedulers else [])]
    if missing := [name for name in wanted if name not in checkpoint]:
        raise ResumeError(
            f'{filename} has no {" and ".join(missing)} to resume, as is usual for best_*.pth: give an epoch_*.pth or '
            f'iter_*.pth. {instead}'
        )
    wrapper, state = runner.optim_wrapper, checkpoint['optimizer']
    pairs = [(wrapper, state)]
    if isinstance(wrapper, OptimWrapperDict):
        pairs = [(one, state[name]) for name, one in wrapper.items()]
    differing = {}
    for one, its_state in pairs:
        configured, saved = _settings(one.optimizer.param_groups), _settings(its_state['param_groups'])
        if [one.keys() for one in configured] != [one.keys() for one in saved]:
            raise ResumeError(
                f'{filename} has the state of another kind of optimizer, or of other groups of parameters, than '
                f'optim_wrapper of the config. {instead}'
            )
        for mine, theirs in zip(configured, saved, strict=True):
            changed = (name for name in mine if mine[name] != theirs[name])
            differing |= {name: f'{name}={theirs[name]} (config: {mine[name]})' for name in changed}
    if differing:
        runner.logger.warning(
            'The optimizer resumes with the settings of the checkpoint, not with those of the config: '
            f'{", ".join(sorted(differing.values()))}. {instead}.'
        )


def _settings(groups):
    """The numbers in each group of parameters, such as weight_decay, and lr before any schedule."""
    return [
        {
            name: group.get(f'initial_{name}', value)
            for name, value in group.items()
            if name != 'params' and type(value) in (int, float, tuple) and not name.startswith('initial_')
        }
        for group in groups
    ]
