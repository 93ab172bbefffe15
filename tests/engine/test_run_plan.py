"""Before its first step, a run says how long it is, and warns where that makes no sense."""

from types import SimpleNamespace

import pytest
import torch
from mmengine.registry import PARAM_SCHEDULERS

from twlv_mm.compat.checkpoints import load_checkpoint
from twlv_mm.engine import launch
from twlv_mm.engine.run_plan import plan_warnings, warmup_steps

from ..written import read_results

PLAN = dict(samples=12, epochs=2, steps=6, optimizer_steps=2, warmup_steps=0)
PLAN |= dict(batch=16, per_process=4, accumulation=4, processes=1)


def test_run_says_and_records_how_long_it_is(tiny_config, tmp_path):
    options = ['train_cfg.max_epochs=2', 'optim_wrapper.accumulative_counts=4', 'train_dataloader.num_workers=0']
    launch.main_train([tiny_config, '--no-validate', '--work-dir', str(tmp_path), '--cfg-options', *options])
    (log,) = tmp_path.glob('*/*.log')
    said = log.read_text().partition('Epoch(train)')[0]
    assert 'Training on 12 samples for 2 epochs of 3 steps: 2 optimizer steps, warm-up of 0 steps, 16 samples' in said
    assert 'only 2 optimizer steps' in said
    assert 'optim_wrapper.accumulative_counts=1' in said
    assert 'accumulated over 4 steps, more than the 3 of an epoch' in said
    assert 'A batch of 16 samples is larger than the set of 12' in said

    checkpoint = str(tmp_path / 'epoch_2.pth')
    assert load_checkpoint(checkpoint)['meta']['plan'] == PLAN | dict(frozen=False)
    for epoch in (1, 2):
        folder = str(tmp_path / f'test {epoch}')
        launch.main_test([tiny_config, str(tmp_path / f'epoch_{epoch}.pth'), '--work-dir', folder])
        assert read_results(folder)['training'] == PLAN | dict(frozen=False, trained_steps=3 * epoch)


def warnings_of(epochs, schedule):
    """Of a run of 10 steps an epoch."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    schedules = [PARAM_SCHEDULERS.build({**one, 'optimizer': optimizer}) for one in schedule]
    runner = SimpleNamespace(_train_loop=SimpleNamespace(dataloader=range(10)), param_schedulers=schedules)
    steps, warmup = 10 * epochs, max((10 * one['end'] for one in schedule if one['type'] == 'LinearLR'), default=0)
    length = dict(epochs=epochs, steps=steps, optimizer_steps=steps, warmup_steps=warmup)
    return list(plan_warnings(runner, PLAN | length | dict(samples=100, batch=4, accumulation=1)))


def test_short_schedule_and_warm_up_name_the_variable_that_they_follow():
    warnings = warnings_of(1, [dict(type='LinearLR', end=2), dict(type='CosineAnnealingLR', T_max=9)])
    assert any('warm-up of 20 steps does not end before the run, of 10: set max_epochs' in one for one in warnings)
    assert any('falls for 90 steps, but the run ends after 10: set max_epochs' in one for one in warnings)


def test_run_that_makes_sense_has_no_warning():
    assert warnings_of(30, [dict(type='CosineAnnealingLR', T_max=30)]) == []


@pytest.mark.parametrize(
    ('schedule', 'steps'),
    [
        (dict(type='LinearLR', end=0.15, convert_to_iter_based=True), 1),
        (dict(type='LinearLR', begin=1, end=3, convert_to_iter_based=True), 20),
        (dict(type='mmengine.LinearLR', end=1), 1),
        (dict(type='CosineAnnealingLR', T_max=5), None),
    ],
)
def test_warm_up_is_measured_in_updates_of_the_learning_rate(schedule, steps):
    assert warmup_steps(schedule, SimpleNamespace(dataloader=range(10))) == steps


def test_warm_up_of_one_step_does_not_leave_the_rate_at_its_start(tiny_config, tmp_path):
    config = tmp_path / 'short.py'
    config.write_text(
        f'_base_ = {tiny_config!r}\n'
        "param_scheduler = [dict(type='LinearLR', start_factor=1e-3, end=1 / 3, convert_to_iter_based=True)]\n"
    )
    options = ['train_cfg.max_epochs=1', 'train_dataloader.num_workers=0']
    runner = launch.main_train([str(config), '--no-validate', '--work-dir', str(tmp_path), '--cfg-options', *options])
    assert runner.optim_wrapper.get_lr()['lr'] == [1e-3]
