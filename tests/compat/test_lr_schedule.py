import os

import pytest


@pytest.fixture
def checkpoint(make_runner):
    runner = make_runner('short', 2)
    runner.train()
    return os.path.join(runner.work_dir, 'epoch_2.pth')


def test_resuming_with_a_longer_schedule_is_reported_once(make_runner, checkpoint, capsys):
    longer = make_runner('longer', 4, load_from=checkpoint, resume=True)
    longer.train()
    out = capsys.readouterr().out

    assert out.count('resumes with the schedule of the checkpoint') == 1
    assert 'T_max=2 (config: 4)' in out
    assert 'load_from' in out


def test_resuming_the_same_schedule_says_nothing(make_runner, checkpoint, capsys):
    make_runner('same', 2, load_from=checkpoint, resume=True).train()
    assert 'resumes with the schedule' not in capsys.readouterr().out


def test_every_scheduler_that_differs_is_named(make_runner, capsys):
    warm_up = {'type': 'LinearLR', 'start_factor': 0.1, 'end': 1}
    first = make_runner(
        'first', 2, param_scheduler=[warm_up, {'type': 'MultiStepLR', 'milestones': [2, 3], 'begin': 1}]
    )
    first.train()
    second = make_runner(
        'second',
        3,
        param_scheduler=[{**warm_up, 'end': 2}, {'type': 'MultiStepLR', 'milestones': [3, 4], 'begin': 1}],
        load_from=os.path.join(first.work_dir, 'epoch_2.pth'),
        resume=True,
    )
    second.train()
    out = capsys.readouterr().out

    assert 'LinearLR resumes' in out
    assert 'end=1 (config: 2)' in out
    assert 'milestones=[2, 3] (config: [3, 4])' in out
    # The checkpoint's schedule still wins.
    assert second.param_schedulers[0].end == 1


def test_starting_from_the_weights_takes_the_new_schedule(make_runner, checkpoint, capsys):
    fresh = make_runner('fresh', 4, load_from=checkpoint)
    fresh.train()
    assert fresh.param_schedulers[0].T_max == 4
    assert 'resumes with the schedule' not in capsys.readouterr().out
