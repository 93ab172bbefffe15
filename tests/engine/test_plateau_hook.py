import json
import math
from pathlib import Path
from types import SimpleNamespace
from uuid import uuid4

import numpy as np
import pytest
import torch
from mmengine.logging import MessageHub
from mmengine.model import BaseModel
from mmengine.optim import OptimWrapper, OptimWrapperDict
from torch.optim.lr_scheduler import ReduceLROnPlateau
from torch.utils.data import Dataset

from twlv_mm.compat.checkpoints import load_checkpoint
from twlv_mm.engine import ReduceLROnPlateauHook, Runner

# Sums of an epoch's losses: rates fall after a plateau, once more after a second, and not for a new best in between.
SUMS = [8.0, 8.0, 7.9999, 8.0, 6.0, 6.5, math.nan, 7.0, 6.1, 6.2]
EPOCHS = len(SUMS)


class Planted(BaseModel):
    """Its losses sum to what is planted for the epoch, whatever its weight."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(1))

    def forward(self, shares, mode):
        planted = SUMS[MessageHub.get_current_instance().get_info('epoch')]
        return dict(loss=self.weight.sum() * 0 + planted * sum(shares))


class Shares(Dataset):
    """Two items an epoch."""

    metainfo = {}

    def __len__(self):
        return 2

    def __getitem__(self, index):
        return dict(shares=(0.25, 0.75)[index])


class Rates(ReduceLROnPlateauHook):
    """Notes the rates that every epoch trains with, and may kill the run."""

    def __init__(self, noted, kill_at=None, **kwargs):
        super().__init__(**kwargs)
        self.noted, self.kill_at = noted, kill_at

    def before_train_epoch(self, runner):
        super().before_train_epoch(runner)
        if runner.epoch == self.kill_at:
            raise KeyboardInterrupt
        self.noted.append([group['lr'] for group in runner.optim_wrapper.optimizer.param_groups])


def build(work_dir, hook, **options):
    model = Planted()
    optimizer = torch.optim.Adam([dict(params=[model.weight], lr=0.1)])
    optimizer.add_param_group(dict(params=[torch.nn.Parameter(torch.ones(1))], lr=0.4))
    return Runner(
        model,
        str(work_dir),
        train_dataloader=dict(
            dataset=Shares(), batch_size=1, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=False)
        ),
        train_cfg=dict(by_epoch=True, max_epochs=EPOCHS),
        optim_wrapper=options.pop('optim_wrapper', None) or OptimWrapper(optimizer),
        default_hooks=dict(checkpoint=dict(type='CheckpointHook', interval=1, save_param_scheduler=False)),
        custom_hooks=[hook],
        experiment_name=uuid4().hex,  # mmengine's logs and message hubs go by it and the second
        **options,
    )


def expected_rates(factor, patience):
    """By torch, from the sums alone."""
    parameter = torch.nn.Parameter(torch.ones(1))
    optimizer = torch.optim.SGD([dict(params=[parameter], lr=0.1)])
    optimizer.add_param_group(dict(params=[torch.nn.Parameter(torch.ones(1))], lr=0.4))
    scheduler = ReduceLROnPlateau(optimizer, mode='min', factor=factor, patience=patience)
    rates = []
    for loss in SUMS:
        rates.append([group['lr'] for group in optimizer.param_groups])
        scheduler.step(loss)
    return rates


@pytest.mark.parametrize(('factor', 'patience'), [(0.5, 1), (0.5, 3), (0.1, 2)])
def test_rates_are_those_of_torch_on_the_sum_of_the_losses(factor, patience, tmp_path):
    rates = []
    build(tmp_path, Rates(rates, factor=factor, patience=patience)).train()
    assert rates == expected_rates(factor, patience)
    assert rates[-1] < rates[0], 'the losses never reached a plateau'


@pytest.mark.parametrize('killed_at', [2, 3, 6])
def test_killed_and_resumed_run_has_the_rates_of_an_uninterrupted_one(killed_at, tmp_path):
    rates = []
    with pytest.raises(KeyboardInterrupt):
        build(tmp_path, Rates(rates, kill_at=killed_at, patience=1)).train()
    assert len(rates) == killed_at
    build(tmp_path, Rates(rates, patience=1), resume=True).train()
    assert rates == expected_rates(0.5, 1)


def test_training_that_starts_from_weights_of_another_run_has_a_count_of_its_own(tmp_path):
    build(tmp_path / 'first', Rates([], patience=1)).train()
    rates = []
    weights = f'{tmp_path}/first/epoch_{EPOCHS}.pth'
    build(tmp_path / 'second', Rates(rates, patience=1), load_from=weights).train()
    assert rates == expected_rates(0.5, 1)


def test_checkpoint_without_a_state_is_resumed_with_a_warning(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        build(tmp_path, Rates([], kill_at=2)).train()
    checkpoint = load_checkpoint(tmp_path / 'epoch_2.pth')
    del checkpoint['reduce_lr_on_plateau']
    torch.save(checkpoint, tmp_path / 'epoch_2.pth')
    runner = build(tmp_path, Rates([]), resume=True)
    runner.train()
    assert 'saved without ReduceLROnPlateauHook' in log_of(runner)


def test_nan_losses_and_fallen_rates_are_logged(tmp_path):
    runner = build(tmp_path, ReduceLROnPlateauHook(patience=1))
    runner.train()
    log = log_of(runner)
    assert 'The training loss of epoch 7 is nan' in log
    assert 'the learning rate falls from 0.1, 0.4 to 0.05, 0.2' in log


def test_state_is_plain_numbers(tmp_path):
    build(tmp_path, ReduceLROnPlateauHook()).train()
    state = load_checkpoint(tmp_path / f'epoch_{EPOCHS}.pth')['reduce_lr_on_plateau']
    assert json.loads(json.dumps(state)) == dict(best=6.0, num_bad_epochs=1)


def test_processes_step_on_the_mean_of_their_losses(monkeypatch):
    def halve(data, op):
        assert op == 'mean'
        data /= 2

    monkeypatch.setattr('twlv_mm.engine.plateau_hook.all_reduce', halve)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=0.1)
    runner = SimpleNamespace(optim_wrapper=OptimWrapper(optimizer), train_loop=None, epoch=0)
    hook, checkpoint = ReduceLROnPlateauHook(), {}
    hook.before_train(runner)
    hook.before_train_epoch(runner)
    for loss in np.float32([1.0, 3.0]):
        hook.after_train_iter(runner, 0, outputs=dict(loss=torch.tensor(loss)))
    hook.after_train_epoch(runner)
    hook.before_save_checkpoint(runner, checkpoint)
    assert checkpoint['reduce_lr_on_plateau']['best'] == 2.0


def test_several_optimizers_and_training_by_iterations_are_refused(tmp_path):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=0.1)
    several = OptimWrapperDict(encoder=OptimWrapper(optimizer), head=OptimWrapper(optimizer))
    with pytest.raises(ValueError, match='one optimizer.*encoder, head'):
        ReduceLROnPlateauHook().before_train(SimpleNamespace(optim_wrapper=several))
    runner = build(tmp_path, ReduceLROnPlateauHook())
    runner._train_loop = dict(type='IterBasedTrainLoop', max_iters=2)
    with pytest.raises(ValueError, match='IterBasedTrainLoop'):
        runner.train()


def log_of(runner):
    return next(Path(runner.log_dir).glob('*.log')).read_text()
