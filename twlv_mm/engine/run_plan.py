"""How long a run trains and in what batches: logged before the first step, with warnings where that makes no sense."""

import math

from mmengine.dist import get_world_size
from mmengine.optim.scheduler.param_scheduler import CosineAnnealingParamScheduler, LinearParamScheduler
from mmengine.runner import EpochBasedTrainLoop

ENOUGH = 200  # optimizer steps; fewer teach a model hardly anything


def run_plan(runner):
    """How long a run trains, and in what batches.

    Args:
        runner (Runner): With its training loop, optimizer and schedules built.

    Returns:
        dict: samples (of the set), epochs (None where the run is one of steps), steps, optimizer_steps, warmup_steps,
        batch (samples of an optimizer step), per_process (samples of a step in one process; the largest where kinds of
        samples differ), accumulation (steps), processes.
    """
    loop, processes = runner._train_loop, get_world_size()
    loader = loop.dataloader
    size = loader.batch_size
    if size is None:
        size = max(loader.sampler.batch_sizes.values()) // processes
    accumulation = getattr(runner.optim_wrapper, '_accumulative_counts', 1)
    warmups = [_steps(one, one.end, loop) for one in _schedules(runner, LinearParamScheduler) if one.end_factor == 1]
    return dict(
        samples=len(loader.dataset),
        epochs=loop.max_epochs if isinstance(loop, EpochBasedTrainLoop) else None,
        steps=loop.max_iters,
        optimizer_steps=math.ceil(loop.max_iters / accumulation),
        warmup_steps=max(warmups, default=0),
        batch=size * accumulation * processes,
        per_process=size,
        accumulation=accumulation,
        processes=processes,
    )


def state_plan(runner):
    """Log the :func:`run_plan` of a run, warn where it makes no sense, and return it."""
    plan = run_plan(runner)
    length = f'{plan["steps"]:,} steps' if plan['epochs'] is None else f'{plan["epochs"]:,} epochs of '
    if plan['epochs'] is not None:
        length += f'{len(runner._train_loop.dataloader):,} steps'
    batch = f'{plan["per_process"]} per step'
    if plan['processes'] > 1:
        batch += f' and process x {plan["processes"]} processes'
    if plan['accumulation'] > 1:
        batch += f' x {plan["accumulation"]} accumulated steps'
    runner.logger.info(
        f'Training on {plan["samples"]:,} samples for {length}: {plan["optimizer_steps"]:,} optimizer steps, warm-up '
        f'of {plan["warmup_steps"]:,} steps, {plan["batch"]:,} samples per batch ({batch}).'
    )
    for warning in plan_warnings(runner, plan):
        runner.logger.warning(warning)
    return plan


def plan_warnings(runner, plan):
    """Yield a sentence on everything that makes no sense in a plan, and what to set instead."""
    loop, by_epoch = runner._train_loop, plan['epochs'] is not None
    epoch, variable = len(loop.dataloader), 'max_epochs' if by_epoch else 'max_iters'
    accumulation = plan['accumulation']
    if plan['optimizer_steps'] < ENOUGH:
        longer = math.ceil(ENOUGH * accumulation / epoch) if by_epoch else ENOUGH * accumulation
        less = ', optim_wrapper.accumulative_counts=1' if accumulation > 1 else ''
        yield (
            f'The run takes only {plan["optimizer_steps"]} optimizer steps, too few to learn much: set a '
            f'smaller train_dataloader.batch_size{less}, or {variable}={longer} for {ENOUGH} steps of the optimizer.'
        )
    if by_epoch and accumulation > max(epoch, 1):
        yield (
            f'Gradients are accumulated over {accumulation} steps, more than the {epoch} of an epoch: set '
            f'optim_wrapper.accumulative_counts to {epoch} or less.'
        )
    if plan['batch'] > plan['samples']:
        yield (
            f'A batch of {plan["batch"]} samples is larger than the set of {plan["samples"]}: set a smaller '
            'train_dataloader.batch_size, or optim_wrapper.accumulative_counts=1, and a lower learning rate with it.'
        )
    if plan['warmup_steps'] >= plan['steps']:
        yield (
            f'The warm-up of {plan["warmup_steps"]:,} steps does not end before the run, of {plan["steps"]:,}: set '
            f'{variable}, which the warm-up follows, instead of train_cfg.{variable}, or shorten param_scheduler.'
        )
    decays = _schedules(runner, CosineAnnealingParamScheduler)
    end = max((_steps(one, one.begin + one.T_max, loop) for one in decays), default=0)
    if end > plan['steps'] + epoch * by_epoch:
        yield (
            f'The learning rate falls for {end:,.0f} steps, but the run ends after {plan["steps"]:,}: set '
            f'{variable}, which the schedule follows, instead of train_cfg.{variable}.'
        )


def warmup_steps(scheduler, loop):
    """Number of updates of the learning rate in a warm-up; None if the scheduler is no warm-up, or has no ``end``."""
    if not isinstance(scheduler, dict) or not str(scheduler.get('type')).endswith('LinearLR') or 'end' not in scheduler:
        return None
    updates = len(loop.dataloader) if scheduler.get('convert_to_iter_based') else 1
    return int(scheduler['end'] * updates) - int(scheduler.get('begin', 0) * updates)


def _schedules(runner, kind):
    schedules = runner.param_schedulers or []
    lists = schedules.values() if isinstance(schedules, dict) else [schedules]
    return [one for schedules in lists for one in schedules if isinstance(one, kind)]


def _steps(schedule, end, loop):
    return end * len(loop.dataloader) if schedule.by_epoch else end
