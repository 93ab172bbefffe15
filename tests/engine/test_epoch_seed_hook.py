import logging
import random
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.runner import Runner

from twlv_mm.engine import EpochSeedHook, launch


class Noise:
    """A dataset whose samples are random numbers of every generator that augmentations use."""

    def __len__(self):
        return 8

    def __getitem__(self, index):
        return random.random(), np.random.rand(), torch.rand(()).item()


def make_runner(iteration, num_workers, persistent_workers=False, seed=0):
    loader = Runner.build_dataloader(
        dict(
            dataset=Noise(),
            sampler=dict(type='DefaultSampler', shuffle=True),
            batch_size=2,
            num_workers=num_workers,
            persistent_workers=persistent_workers,
            multiprocessing_context='fork' if num_workers else None,
        ),
        seed=seed,
    )
    return SimpleNamespace(
        train_dataloader=loader,
        seed=seed,
        iter=iteration,
        logger=logging.getLogger('test'),
        _randomness_cfg=dict(seed=seed),
    )


def draw(runner):
    """The numbers of one epoch."""
    hook = EpochSeedHook()
    hook.before_train(runner)
    hook.before_train_epoch(runner)
    return list(runner.train_dataloader)


@pytest.mark.parametrize('num_workers', [0, 2])
def test_epoch_draws_the_same_numbers_in_a_new_process_and_others_than_the_epoch_before(num_workers):
    first = draw(make_runner(iteration=0, num_workers=num_workers))
    random.seed(), np.random.seed(), torch.seed()
    second = draw(make_runner(iteration=4, num_workers=num_workers))
    random.seed(), np.random.seed(), torch.seed()

    assert draw(make_runner(iteration=0, num_workers=num_workers)) == first
    assert draw(make_runner(iteration=4, num_workers=num_workers)) == second
    numbers = [np.array(epoch, dtype=float).ravel() for epoch in (first, second)]
    assert not np.isin(numbers[0], numbers[1]).any()
    assert len(np.unique(numbers[0])) == numbers[0].size, 'two workers drew the same numbers'


def test_other_seed_draws_other_numbers():
    assert draw(make_runner(0, 0, seed=0)) != draw(make_runner(0, 0, seed=1))


def test_persistent_workers_are_warned_about(caplog):
    EpochSeedHook().before_train(make_runner(0, 2, persistent_workers=True))
    assert 'persistent_workers=True' in caplog.text


BY_ITERATION = """
train_cfg = dict(_delete_=True, type='IterBasedTrainLoop', max_iters=4)
param_scheduler = dict(type='CosineAnnealingLR', T_max=4, by_epoch=False)
train_dataloader = dict(sampler=dict(type='InfiniteSampler'), num_workers=1)
default_hooks = dict(checkpoint=dict(type='CheckpointHook', by_epoch=False, interval=2))
log_processor = dict(by_epoch=False)
randomness = dict(seed=0)
"""


@pytest.mark.parametrize(('text', 'first'), [('randomness = dict(seed=None)', 'epoch_1'), (BY_ITERATION, 'iter_2')])
def test_run_resumes_exactly(text, first, tiny_config, tmp_path):
    config = tmp_path / 'config.py'
    config.write_text(
        f'_base_ = {tiny_config!r}\ntrain_cfg = dict(max_epochs=2)\ntrain_dataloader = dict(num_workers=0)\n{text}'
    )
    arguments = [str(config), '--no-validate', '--cfg-options']
    whole = launch.main_train([*arguments, f'work_dir={tmp_path}/whole'])
    first = f'{tmp_path}/whole/{first}.pth'
    resumed = launch.main_train([*arguments, f'work_dir={tmp_path}/resumed', f'load_from={first}', 'resume=True'])
    assert resumed.seed == whole.seed
    for name, value in whole.model.state_dict().items():
        assert value.equal(resumed.model.state_dict()[name]), name
