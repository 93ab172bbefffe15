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


def test_run_without_a_seed_resumes_exactly(tiny_config, tmp_path):
    options = ['randomness.seed=None', 'train_dataloader.num_workers=0', 'train_cfg.max_epochs=2']
    arguments = [tiny_config, '--no-validate', '--cfg-options', *options]
    whole = launch.main_train([*arguments, f'work_dir={tmp_path}/whole'])
    first = f'{tmp_path}/whole/epoch_1.pth'
    resumed = launch.main_train([*arguments, f'work_dir={tmp_path}/resumed', f'load_from={first}', 'resume=True'])
    assert resumed.seed == whole.seed
    for name, value in whole.model.state_dict().items():
        assert value.equal(resumed.model.state_dict()[name]), name
