"""Resumed runs repeat a missing validation, and compare their number of processes."""

import logging
import os
import socket
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.optim import OptimWrapper, OptimWrapperDict
from torch import nn

from twlv_mm.compat.checkpoints import load_checkpoint
from twlv_mm.engine import Runner
from twlv_mm.engine.resuming import check_optimizer
from twlv_mm.engine.work_dir import ResumeError, latest_checkpoint

from ..regression import MeanError, Regressor, loader, regression

PLATEAU = [dict(type='ReduceOnPlateauLR', monitor='mean_error', patience=0, rule='less', threshold=0.5)]


class Killed(BaseException):
    pass


class DiesOnce(MeanError):
    """Ends the run at the n-th validation, after its samples and before its score."""

    def __init__(self, at):
        super().__init__()
        self.left = at

    def compute_metrics(self, results):
        self.left -= 1
        if self.left == 0:
            raise Killed
        return super().compute_metrics(results)


def train(work_dir, metric, by_epoch=True, **kwargs):
    schedule = dict(train_cfg=dict(by_epoch=True, max_epochs=4))
    if not by_epoch:
        schedule = dict(train_cfg=dict(by_epoch=False, max_iters=4, val_interval=1))
    checkpoint = dict(by_epoch=by_epoch, interval=1)
    runner = regression(
        work_dir, 4, checkpoint, Runner, val_evaluator=[metric], **schedule, **dict(param_scheduler=PLATEAU) | kwargs
    )
    runner.train()
    return runner


def state(work_dir):
    (best,) = Path(work_dir).glob('best_*.pth')
    last = load_checkpoint(latest_checkpoint(work_dir, None))
    return best.name, last['state_dict'], last['param_schedulers'], last['message_hub']['runtime_info']['best_score']


@pytest.mark.parametrize(('by_epoch', 'at'), [(True, 1), (True, 2), (True, 4), (False, 2)])
def test_validation_that_was_cut_off_is_repeated(by_epoch, at, tmp_path):
    train(tmp_path / 'whole', MeanError(), by_epoch)
    with pytest.raises(Killed):
        train(tmp_path / 'run', DiesOnce(at), by_epoch)
    moved = (tmp_path / 'run').rename(tmp_path / 'killed')  # mmengine keeps its objects by name
    train(moved, MeanError(), by_epoch, resume='auto')
    (best, weights, *rest), (other_best, other_weights, *other_rest) = state(tmp_path / 'whole'), state(moved)
    assert best == other_best
    assert all(torch.equal(weights[name], other_weights[name]) for name in weights)
    assert rest == other_rest


def test_validation_whose_score_was_the_best_is_not_repeated(tmp_path):
    train(tmp_path / 'run', MeanError())
    moved = (tmp_path / 'run').rename(tmp_path / 'moved')
    runner = train(moved, DiesOnce(1), resume='auto')
    assert runner.epoch == 4


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


def train_processes(work_dir, processes, batch_size, epochs):
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
    train_processes(folder, 1, 4, 4)
    return weights(folder)


@pytest.mark.parametrize(('first', 'then'), [(1, 2), (2, 1)])
def test_run_goes_on_exactly_where_the_steps_are_the_same(first, then, whole, tmp_path):
    train_processes(tmp_path, first, 4 // first, 2)
    assert f'in place of {first}' not in logs(tmp_path)
    train_processes(tmp_path, then, 4 // then, 4)
    assert f'The run resumes with {then} processes in place of {first}, and with the same samples' in logs(tmp_path)
    torch.testing.assert_close(weights(tmp_path), whole)


def test_other_batch_size_is_reported_with_the_setting_that_keeps_it(whole, tmp_path):
    train_processes(tmp_path, 1, 4, 2)
    train_processes(tmp_path, 2, 4, 4)
    assert (
        'batches of 8 samples (2 processes), and the checkpoint was trained with 4 (1): an epoch has 2 steps now'
    ) in logs(tmp_path)
    assert 'for the same steps set train_dataloader.batch_size=2' in logs(tmp_path)
    assert not torch.equal(weights(tmp_path), whole)


def test_new_run_beside_checkpoints_of_an_earlier_one_is_warned_about(tmp_path):
    train(tmp_path / 'run', MeanError())
    assert 'of an earlier run' not in logs(tmp_path / 'run')
    moved = (tmp_path / 'run').rename(tmp_path / 'again')  # mmengine keeps its objects by name
    train(moved, MeanError())
    assert 'has checkpoints of an earlier run, which --resume would continue' in logs(moved)


def optimizer(lr, weight_decay):
    return dict(optim_wrapper=dict(optimizer=dict(type='SGD', lr=lr, weight_decay=weight_decay)))


SCHEDULE = [dict(type='CosineAnnealingLR', T_max=4)]


@pytest.mark.parametrize('schedule', [SCHEDULE, None])
@pytest.mark.parametrize(('lr', 'said'), [(0.05, ''), (0.5, 'lr=0.05 (config: 0.5), weight_decay=0.1 (config: 0.2). ')])
def test_settings_of_the_optimizer_that_a_resumed_run_ignores_are_named(lr, said, schedule, tmp_path):
    plateau = dict(type='twlv_mm.ReduceLROnPlateauHook', factor=0.5, patience=0)
    kwargs = dict(param_scheduler=schedule, custom_hooks=[] if schedule else [plateau])
    train(tmp_path / 'run', MeanError(), **kwargs, **optimizer(0.05, 0.1))
    moved = (tmp_path / 'run').rename(tmp_path / 'resumed')  # mmengine keeps its objects by name
    train(moved, MeanError(), **kwargs, **optimizer(lr, 0.2 if said else 0.1), resume='auto')
    assert ('not with those of the config: ' + said in logs(moved)) == bool(said)


@pytest.mark.parametrize(
    ('checkpoint', 'optimizer', 'said'),
    [
        ('best_*.pth', dict(type='SGD', lr=0.05), 'has no optimizer and param_schedulers to resume'),
        ('epoch_4.pth', dict(type='AdamW', lr=0.05), 'has the state of another kind of optimizer'),
    ],
)
def test_state_that_cannot_be_resumed_is_refused(checkpoint, optimizer, said, tmp_path):
    train(tmp_path / 'run', MeanError(), param_scheduler=SCHEDULE)
    (path,) = (tmp_path / 'run').glob(checkpoint)
    wrapper = dict(optimizer=optimizer)
    with pytest.raises(ResumeError, match=f'{said}.* load_from={path}'):
        train(
            tmp_path / 'then',
            MeanError(),
            param_scheduler=SCHEDULE,
            optim_wrapper=wrapper,
            resume=True,
            load_from=str(path),
        )


def test_settings_of_each_optimizer_are_compared(caplog):
    def wrapper(**rates):
        parameter = nn.Parameter(torch.zeros(1))
        return OptimWrapperDict(
            **{name: OptimWrapper(torch.optim.SGD([parameter], lr=rate)) for name, rate in rates.items()}
        )

    runner = SimpleNamespace(optim_wrapper=wrapper(a=1.0, b=3.0), param_schedulers=[], logger=logging.getLogger('test'))
    check_optimizer(runner, dict(optimizer=wrapper(a=1.0, b=2.0).state_dict()), 'epoch_1.pth')
    assert 'lr=2.0 (config: 3.0). For the weights alone, start anew with load_from=epoch_1.pth.' in caplog.text


class Stops(Hook):
    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.iter == 6:
            raise Killed


def test_epoch_that_starts_anew_is_warned_about(tmp_path):
    kwargs = dict(default_hooks=dict(checkpoint=dict(type='CheckpointHook', by_epoch=False, interval=1)))
    with pytest.raises(Killed):
        train(tmp_path / 'run', MeanError(), custom_hooks=[Stops()], **kwargs)
    moved = (tmp_path / 'run').rename(tmp_path / 'resumed')  # mmengine keeps its objects by name
    train(moved, MeanError(), resume='auto', **kwargs)
    assert 'saved 2 steps into epoch 2, of 4. The epoch starts anew: the run takes 2 steps more' in logs(moved)


@pytest.mark.parametrize(('batch_size', 'accumulation'), [(4, 2), (8, 1)])
def test_learning_rate_is_scaled_to_all_samples_of_a_step_of_the_optimizer(batch_size, accumulation, tmp_path):
    wrapper = dict(optimizer=dict(type='SGD', lr=0.05), accumulative_counts=accumulation)
    runner = train(
        tmp_path,
        MeanError(),
        param_scheduler=None,
        train_dataloader=loader(shuffle=True) | dict(batch_size=batch_size),
        optim_wrapper=wrapper,
        auto_scale_lr=dict(enable=True, base_batch_size=16),
    )
    assert runner.optim_wrapper.get_lr()['lr'] == [0.025]
