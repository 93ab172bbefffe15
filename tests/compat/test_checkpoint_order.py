"""Kills and full disks at each moment of saving."""

import errno
import os
import random
import resource
import signal
import time
import zipfile
from pathlib import Path

import pytest
import torch

from twlv_mm.compat import checkpoint_order
from twlv_mm.compat.checkpoints import load_checkpoint

KEEP_ONE = dict(max_keep_ckpts=1, save_best=None, rule=None)
KEEP_BEST = dict(max_keep_ckpts=1)
CHANGES = ('open', 'fsync', 'replace', 'rename', 'remove', 'unlink')


@pytest.fixture(autouse=True)
def imported(make_runner):
    """Runs find everything imported."""
    make_runner('first', 1).train()


def start(function):
    """Run a function in a process of its own, which has one thread; returns its id."""
    if not (pid := os.fork()):
        code = 1
        try:
            torch.set_num_threads(1)
            function()
            code = 0
        finally:
            os._exit(code)
    return pid


def status_of(pid):
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def kill_at(number, folder):
    """Let this process be killed at the n-th step that changes the folder.

    Returns:
        list[str]: the steps so far.
    """
    steps = []

    def dying(name, function):
        def step(*args, **kwargs):
            if str(args[0]).startswith(str(folder)) or name == 'fsync':
                steps.append(name)
                if len(steps) > number:
                    os.kill(os.getpid(), signal.SIGKILL)
            return function(*args, **kwargs)

        return step

    for name in CHANGES:
        setattr(os, name, dying(name, getattr(os, name)))
    return steps


def check(work_dir):
    """Check that every file named as a checkpoint is whole; returns the names of those of the schedule."""
    if (record := work_dir / 'last_checkpoint').exists():
        assert zipfile.is_zipfile(record.read_text()), record.read_text()
    assert all(zipfile.is_zipfile(path) for path in work_dir.glob('*.pth'))
    return {path.name for path in work_dir.glob('epoch_*.pth')}


@pytest.mark.parametrize('hook', [KEEP_ONE, KEEP_BEST])
def test_kill_at_any_step_of_saving_loses_nothing(hook, make_runner, tmp_path):
    whole = tmp_path / 'whole'
    assert status_of(start(lambda: make_runner('whole', 2, hook).train())) == 0
    weights = load_checkpoint(whole / 'epoch_2.pth')['state_dict']

    for number in range(100):
        work_dir = tmp_path / f'run{number}'

        def run(number=number, work_dir=work_dir):
            runner = make_runner(work_dir.name, 2, hook)
            kill_at(number, work_dir)
            runner.train()

        def resume(work_dir=work_dir):
            last = (work_dir / 'last_checkpoint').read_text()
            make_runner(work_dir.name, 2, hook, load_from=last, resume=True).train()

        if (status := status_of(start(run))) == 0:
            break
        assert status == -signal.SIGKILL
        if (work_dir / 'last_checkpoint').exists():
            check(work_dir)
            assert status_of(start(resume)) == 0
            assert check(work_dir) == {'epoch_2.pth'}
            resumed = load_checkpoint(work_dir / 'epoch_2.pth')['state_dict']
            assert all(torch.equal(resumed[name], weights[name]) for name in weights)
            assert hook is KEEP_ONE or list(work_dir.glob('best_*.pth'))
        else:
            assert len(check(work_dir)) <= 1, 'an outdated checkpoint must be named before it is replaced'
    assert number > 12


def test_kill_at_any_time_leaves_the_last_checkpoint(make_runner, tmp_path):
    """20 real kills of runs that do little but save."""
    random.seed(0)
    for number in range(20):
        pid = start(lambda number=number: make_runner(f'run{number}', 10000, KEEP_ONE).train())
        work_dir = tmp_path / f'run{number}'
        while not (work_dir / 'last_checkpoint').exists():
            time.sleep(0.005)
        time.sleep(random.uniform(0, 0.05))
        os.kill(pid, signal.SIGKILL)
        assert status_of(pid) == -signal.SIGKILL
        assert 1 <= len(check(work_dir)) <= 2


@pytest.mark.parametrize('size', [100, 3000])
def test_full_disk_keeps_the_checkpoint_and_names_the_new_one(size, make_runner, tmp_path):
    """A limit on the size of files has the same effect as a full disk, and needs no privileges."""

    def run():
        runner = make_runner('run', 1, KEEP_ONE)
        runner.train()
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
        hook = next(hook for hook in runner.hooks if type(hook).__name__ == 'CheckpointHook')
        with pytest.raises(OSError, match='File too large') as caught:
            hook._save_checkpoint_with_step(runner, 2, {})
        assert caught.value.errno == errno.EFBIG
        assert caught.value.filename == f'{tmp_path}/run/epoch_2.pth'

    assert status_of(start(run)) == 0
    assert check(tmp_path / 'run') == {'epoch_1.pth'}
    assert not list((tmp_path / 'run').glob('.*.part'))


def test_best_checkpoint_that_is_written_again_stays(make_runner):
    runner = make_runner('run', 1)
    runner.train()
    hook = next(hook for hook in runner.hooks if type(hook).__name__ == 'CheckpointHook')
    hook.after_val_epoch(runner, {'mean_error': -1.0})
    assert Path(hook.best_ckpt_path).exists()


def test_applying_again_changes_nothing():
    from mmengine.runner import runner

    before = runner.save_checkpoint
    checkpoint_order.apply()
    assert runner.save_checkpoint is before
