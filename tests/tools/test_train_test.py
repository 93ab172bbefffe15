"""tools/train.py, tools/test.py and their launchers, as a user runs them."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import mmengine
import numpy as np
import pytest
import torch
from mmengine.hooks import Hook
from mmengine.registry import HOOKS

from twlv_mm.compat.checkpoints import load_checkpoint
from twlv_mm.engine import launch

from ..commands import start_tool
from ..written import read_results

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / 'tools'
ENV = {**os.environ, 'PYTHONPATH': str(ROOT), 'PYTHON': sys.executable}


@HOOKS.register_module()
class KillSwitch(Hook):
    def after_train_iter(self, runner, batch_idx, **kwargs):
        if runner.epoch == 1 and batch_idx == 1:
            os.kill(os.getpid(), signal.SIGKILL)


# What runs last in a process: it was registered first.
THREADS_LEFT = """
import atexit, os, pathlib

def tell():
    names = [path.read_text() for path in pathlib.Path('/proc/self/task').glob('*/comm')]
    pathlib.Path(f'threads_{os.environ["RANK"]}.txt').write_text(''.join(names))

atexit.register(tell)
"""


def assert_same_weights(path, other_path):
    ours, expected = (load_checkpoint(one)['state_dict'] for one in (path, other_path))
    torch.testing.assert_close(ours, expected, rtol=0, atol=0)


def test_killed_and_resumed_run_equals_uninterrupted_one(tiny_config, tiny_run, tmp_path, monkeypatch):
    config = tmp_path / 'killed.py'
    config.write_text(f"_base_ = ['{tiny_config}']\ncustom_hooks = [dict(type='KillSwitch')]\n")
    work_dir = tmp_path / 'work_dir'
    killed = start_tool('train.py', config, '--work-dir', work_dir).finish()
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert (work_dir / 'epoch_1.pth').is_file()
    assert not (work_dir / 'epoch_2.pth').exists()

    now = time.time
    with monkeypatch.context() as clock:  # set back meanwhile, by a day
        clock.setattr(time, 'time', lambda: now() - 86_400)
        runner = launch.main_train([tiny_config, '--work-dir', str(work_dir), '--resume'])

    assert runner.iter == 9
    assert_same_weights(work_dir / 'epoch_3.pth', Path(tiny_run) / 'epoch_3.pth')
    scores = []
    for name, checkpoint in (('resumed', work_dir / 'epoch_3.pth'), ('whole', Path(tiny_run) / 'epoch_3.pth')):
        launch.main_test([tiny_config, str(checkpoint), '--work-dir', str(tmp_path / name)])
        scores.append(read_results(tmp_path / name)['metrics'])
    assert scores[0] == scores[1]


def test_training_that_ends_with_its_test_leaves_what_a_test_of_its_checkpoint_does(tiny_config, tiny_run, tmp_path):
    # Trained already: what is left to do is the test.
    shutil.copytree(tiny_run, tmp_path / 'trained')
    launch.main_train([tiny_config, '--work-dir', str(tmp_path / 'trained'), '--resume', '--no-validate', '--test'])
    launch.main_test([tiny_config, f'{tiny_run}/epoch_3.pth', '--work-dir', str(tmp_path / 'tested')])
    after, alone = read_results(tmp_path / 'trained'), read_results(tmp_path / 'tested')
    assert after['metrics'] == alone['metrics']
    assert after['checkpoint']['sha256'] == alone['checkpoint']['sha256']


def test_two_processes_train_and_give_the_test_score_of_one(tiny_config, tmp_path):
    folder = tmp_path / 'a folder'
    folder.mkdir()
    config = folder / 'my config.py'
    dump = "test_evaluator = [dict(type='AccMetric'), dict(type='DumpResults', out_file_path='two.pkl')]\n"
    config.write_text(f"{Path(tiny_config).read_text()}custom_imports = dict(imports=['threads_left'])\n{dump}")
    (folder / 'threads_left.py').write_text(THREADS_LEFT)
    env = {**ENV, 'PYTHONPATH': f'{ROOT}:{folder}'}

    command = [TOOLS / 'dist_train.sh', config.name, '2', '--work-dir', 'my run', '--test', '--cfg-options']
    options = ['train_cfg.max_epochs=1', 'train_dataloader.batch_size=2', 'val_cfg=None']
    options += ['val_dataloader=None', 'val_evaluator=None']
    trained = subprocess.run(command + options, cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert trained.returncode == 0, trained.stderr
    assert 'Epoch(train) [1][3/3]' in trained.stdout
    # gloo's threads that outlive Python abort the process, now and then.
    if Path('/proc/self/task').is_dir():
        assert 'gloo' not in (folder / 'threads_0.txt').read_text() + (folder / 'threads_1.txt').read_text()

    arguments = [tiny_config, str(folder / 'my run/epoch_1.pth'), '--work-dir', str(folder / 'one')]
    launch.main_test([*arguments, '--dump', str(folder / 'one.pkl')])
    assert read_results(folder / 'my run')['hardware']['processes'] == 2
    assert read_results(folder / 'my run')['metrics'] == read_results(folder / 'one')['metrics']
    one, two = (mmengine.load(folder / f'{name}.pkl') for name in ('one', 'two'))
    assert len(one) == len(two) == 7
    for sample, other in zip(one, two, strict=True):
        assert sample['gt_label'] == other['gt_label']
        np.testing.assert_allclose(sample['pred_score'], other['pred_score'], rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ('script', 'files'),
    [('dist_test.sh', ['my config.py', 'my weights.pth']), ('dist_extract.sh', ['twlv_base', 'my videos'])],
)
def test_launcher_hands_its_arguments_over(script, files, tmp_path):
    python = tmp_path / 'python'
    python.write_text('#!/bin/sh\nfor argument; do echo "$argument"; done\n')
    python.chmod(0o755)
    command = [TOOLS / script, *files, '2', '--out', 'my run']
    given = subprocess.run(command, env={**ENV, 'PYTHON': str(python)}, capture_output=True, text=True, check=True)
    tool = TOOLS / script.removeprefix('dist_').replace('.sh', '.py')
    own = [str(tool), *files, '--launcher', 'pytorch', '--out', 'my run']
    assert given.stdout.splitlines()[-len(own) - 1 :] == ['--nproc_per_node=2', *own]


@pytest.mark.parametrize(
    ('script', 'files'),
    [
        ('slurm_train.sh', ['my config.py']),
        ('slurm_test.sh', ['my config.py', 'my weights.pth']),
        ('slurm_extract.sh', ['twlv_base', 'my videos']),
    ],
)
def test_slurm_launcher_hands_its_arguments_over(script, files, tmp_path):
    srun = tmp_path / 'srun'
    srun.write_text('#!/bin/sh\nfor argument; do echo "$argument"; done\n')
    srun.chmod(0o755)
    env = {**ENV, 'PATH': f'{tmp_path}:{ENV["PATH"]}', 'GPUS': '4', 'GPUS_PER_NODE': '2', 'SRUN_ARGS': '--qos=low -v'}

    command = [TOOLS / script, 'gpu', 'my job', *files, '--work-dir', 'my run']
    given = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=True).stdout.split(
        '\n'
    )

    own = [str(TOOLS / script.removeprefix('slurm_').replace('.sh', '.py')), *files, '--launcher', 'slurm']
    start = given.index(own[0])
    assert given[start : start + len(own) + 2] == [*own, '--work-dir', 'my run']
    assert {'--job-name=my job', '--ntasks=4', '--gres=gpu:2', '--qos=low', '-v'} <= set(given[:start])
    # An exit code says that some videos failed; it must not stop the processes that embed the others.
    assert f'--kill-on-bad-exit={int(script != "slurm_extract.sh")}' in given[:start]
