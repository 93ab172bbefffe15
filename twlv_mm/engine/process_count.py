"""What resuming with another number of processes changes."""

from mmengine.dist import get_world_size

PROCESSES, SAMPLES = 'processes', 'samples_a_step'  # in a checkpoint's message hub


def compare_processes(runner, resumed):
    """Warn if a resumed run has other processes or batches than the one before, and note those of this run.

    The order of the samples follows from the seed and the epoch or step, so that a run goes on exactly if its batches,
    those of all processes together, are as large as before. What a process draws for itself, such as augmentations and
    dropout, then still differs, except in pretraining, whose augmentations and masks follow from the sample.

    Args:
        runner (Runner): With its training data loader built.
        resumed (bool): Whether it goes on from a checkpoint.
    """
    hub, loader = runner.message_hub, runner.train_dataloader
    before = {name: hub.runtime_info.get(name) for name in (PROCESSES, SAMPLES)}
    # A sampler of whole batches divides them among the processes; their size does not depend on these.
    samples = None if loader.batch_size is None else loader.batch_size * get_world_size()
    if resumed and None not in (before[SAMPLES], samples) and before[SAMPLES] != samples:
        size, rest = divmod(before[SAMPLES], get_world_size())
        same = f'for the same steps set train_dataloader.batch_size={size}' if not rest else 'it cannot be divided'
        runner.logger.warning(
            f'The run goes on with batches of {samples} samples (of {get_world_size()} processes), and the checkpoint '
            f'was trained with {before[SAMPLES]} (of {before[PROCESSES]}): an epoch has {len(loader)} steps now, the '
            f"learning rate is the checkpoint's, and schedules that count iterations keep their length; {same}."
        )
    elif resumed and before[PROCESSES] not in (None, get_world_size()):
        runner.logger.warning(
            f'The run goes on with {get_world_size()} processes in place of {before[PROCESSES]}, and with the same '
            'samples in each step. What each process draws for itself, such as augmentations and dropout, differs from '
            'what the uninterrupted run would have drawn.'
        )
    hub.update_info(PROCESSES, get_world_size())
    hub.update_info(SAMPLES, samples)
