"""Runs that go on with another number of processes, over gloo."""

import os
import socket
from pathlib import Path

import pytest
import torch
from mmengine.hooks import Hook
from torch import nn

from twlv_mm.compat.checkpoints import load_checkpoint
from twlv_mm.engine import Runner

from ..regression import Regressor, loader, regression


class Linear(Regressor):
    """Without batch norm, whose statistics are those of a process."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.net = nn.Linear(4, 1)


class Dies(Hook):
    def __init__(self, epoch):
        self.epoch = epoch

    def before_train_epoch(self, runner):
        if runner.epoch == self.epoch:
            os._exit(0)


def train(work_dir, processes, batch_size, epochs):
    """Train, or go on, up to an epoch of four, where the processes die."""
    with socket.socket() as unused:
        unused.bind(('localhost', 0))
        port = unused.getsockname()[1]
    pids = []
    for rank in range(processes):
        if pid := os.fork():
            pids.append(pid)
            continue
        code = 1
        try:
            torch.set_num_threads(1)
            os.environ.update(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(processes))
            os.environ.update(MASTER_ADDR='localhost', MASTER_PORT=str(port))
            runner = regression(
                work_dir,
                4,
                dict(save_best=None, rule=None),
                Runner,
                model=Linear(),
                train_dataloader=loader(shuffle=True) | dict(batch_size=batch_size),
                train_cfg=dict(by_epoch=True, max_epochs=4, val_interval=100),
                val_cfg=None,
                val_dataloader=None,
                val_evaluator=None,
                launcher='pytorch' if processes > 1 else 'none',
                resume='auto',
                custom_hooks=[Dies(epochs)],
            )
            runner.train()
            code = 0
        finally:
            os._exit(code)
    assert [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids] == [0] * processes


def weights(work_dir):
    return load_checkpoint(Path(work_dir) / 'epoch_4.pth')['state_dict']['net.weight']


def logs(work_dir):
    return ''.join(path.read_text() for path in Path(work_dir).glob('*/*.log'))


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
    """The weights of a run of one process, batches of 4."""
    folder = tmp_path_factory.mktemp('whole')
    train(folder, 1, 4, 4)
    return weights(folder)


@pytest.mark.parametrize(('first', 'then'), [(1, 2), (2, 1)])
def test_run_goes_on_exactly_where_the_steps_are_the_same(first, then, whole, tmp_path):
    train(tmp_path, first, 4 // first, 2)
    assert f'in place of {first}' not in logs(tmp_path)
    train(tmp_path, then, 4 // then, 4)
    assert f'The run goes on with {then} processes in place of {first}, and with the same samples' in logs(tmp_path)
    torch.testing.assert_close(weights(tmp_path), whole)


def test_other_batches_are_said_and_what_makes_them_the_same(whole, tmp_path):
    train(tmp_path, 1, 4, 2)
    train(tmp_path, 2, 4, 4)
    assert (
        'batches of 8 samples (of 2 processes), and the checkpoint was trained with 4 (of 1): an epoch has 2 steps now'
    ) in logs(tmp_path)
    assert 'for the same steps set train_dataloader.batch_size=2' in logs(tmp_path)
    assert not torch.equal(weights(tmp_path), whole)
