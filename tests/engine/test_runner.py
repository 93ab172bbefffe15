import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from twlv_mm.compat.checkpoints import load_checkpoint
from twlv_mm.engine import launch

from ..payload import Call

QUICK = ['--no-validate', '--cfg-options', 'train_dataloader.num_workers=0']


def log_of(runner):
    return next(Path(runner.log_dir).glob('*.log')).read_text()


@pytest.fixture
def at_epoch_1(tiny_run, tmp_path):
    """A work dir as a run leaves it after its first epoch."""
    shutil.copy(f'{tiny_run}/epoch_1.pth', tmp_path)
    (tmp_path / 'last_checkpoint').write_text(f'{tmp_path}/epoch_1.pth')
    return tmp_path


@pytest.mark.parametrize('other', [['depth=1'], ['depth=3'], ['embed_dims=96', 'cls_head.in_channels=96']])
def test_checkpoint_of_another_model_is_not_tested(other, tiny_config, tiny_run, tmp_path, refused):
    checkpoint = f'{tiny_run}/epoch_3.pth'
    encoder, *head = other
    options = [f'model.backbone.{encoder}', 'model.backbone.arch=vjepa_large', *(f'model.{one}' for one in head)]
    error = refused(launch.main_test, [tiny_config, checkpoint, '--work-dir', str(tmp_path), '--cfg-options', *options])
    assert f'{checkpoint} does not hold the weights' in error
    assert 'encoder vjepa_large; the checkpoint has twlv_base' in error
    assert 'blocks.' in error


def test_checkpoint_of_another_model_is_not_resumed(tiny_config, at_epoch_1, refused):
    error = refused(
        launch.main_train, [tiny_config, '--work-dir', str(at_epoch_1), '--resume', *QUICK, 'model.backbone.depth=1']
    )
    assert 'does not hold the weights' in error


def test_checkpoint_at_another_resolution_is_tested(tiny_config, tiny_run, tmp_path):
    """The encoder resizes its position table while it loads: a difference in shape that is no mistake."""
    arguments = [tiny_config, f'{tiny_run}/epoch_3.pth', '--work-dir', str(tmp_path)]
    metrics = launch.main_test([*arguments, '--cfg-options', 'model.backbone.num_frames=16'])
    assert metrics['acc/top1'] > 0.5


def test_testing_without_a_checkpoint_says_so(tiny_config, tmp_path):
    launch.main_test([tiny_config, '--work-dir', str(tmp_path)])
    (log,) = tmp_path.glob('*/*.log')
    assert 'No checkpoint was given' in log.read_text()


def test_gradients_accumulated_for_another_number_of_processes_are_reported(tiny_config, tmp_path):
    config = tmp_path / 'config.py'
    config.write_text(f"_base_ = '{tiny_config}'\ngpus = 8\n")
    runner = launch.main_train([str(config), '--work-dir', str(tmp_path / 'run'), *QUICK, 'train_cfg.max_epochs=1'])
    assert 'for 8 processes, but there are 1: a batch is 0.125 times as large as intended' in log_of(runner)


def test_resume_without_a_checkpoint_starts_anew_from_load_from(tiny_config, tiny_run, tmp_path):
    options = [f'load_from={tiny_run}/epoch_3.pth', 'model.backbone.depth=1', 'train_cfg.max_epochs=1']
    runner = launch.main_train([tiny_config, '--resume', '--work-dir', str(tmp_path), *QUICK, *options])
    assert (runner.epoch, runner.iter) == (1, 3)
    log = log_of(runner)
    assert f'There is no checkpoint in {tmp_path} to resume from: starting anew' in log
    # A block has 12 tensors; the second has no place in a model of one.
    assert 'fits the model partly: 0 of' in log
    assert '12 of its' in log


def test_lost_checkpoint_is_not_a_new_start(tiny_config, at_epoch_1, refused):
    (at_epoch_1 / 'last_checkpoint').write_text(f'{at_epoch_1}/epoch_2.pth')
    error = refused(launch.main_train, [tiny_config, '--work-dir', str(at_epoch_1), '--resume', *QUICK])
    assert f'To resume from the newest complete checkpoint: --resume {at_epoch_1}/epoch_1.pth' in error


def test_config_text_in_a_checkpoint_does_not_run(tiny_config, at_epoch_1):
    path, marker = at_epoch_1 / 'epoch_1.pth', at_epoch_1 / 'it_ran'
    checkpoint = load_checkpoint(path)
    checkpoint['meta']['config'] = f'import pathlib\npathlib.Path({str(marker)!r}).touch()\n'
    torch.save(checkpoint, path)
    runner = launch.main_train([tiny_config, '--work-dir', str(at_epoch_1), '--resume', *QUICK])
    assert runner.epoch == 3
    assert not marker.exists()


def test_array_of_objects_in_a_checkpoint_is_refused(tiny_config, at_epoch_1, capsys, refused):
    """numpy would make it over bytes of the file, and follow them as pointers."""
    path = at_epoch_1 / 'epoch_1.pth'
    torch.save({**load_checkpoint(path), 'message_hub': Call(np.ndarray, (1,), Call(np.dtype, 'O'), b'A' * 8)}, path)
    work_dir = ['--work-dir', str(at_epoch_1)]
    for run in (
        lambda: launch.main_test([tiny_config, str(path), *work_dir]),
        lambda: launch.main_train([tiny_config, *work_dir, '--resume', *QUICK]),
    ):
        with pytest.raises((SystemExit, pickle.UnpicklingError)) as refused:
            run()
        assert "epoch_1.pth is not loaded: it holds an array of 'O'" in f'{refused.value}{capsys.readouterr().err}'


def test_launcher_that_needs_a_gpu_says_what_to_start_instead(tiny_config, tmp_path, monkeypatch):
    monkeypatch.setattr('twlv_mm.engine.runner.get_device', lambda: 'cpu')
    with pytest.raises(ValueError, match='dist_train.sh'):
        launch.main_train([tiny_config, '--work-dir', str(tmp_path), '--launcher', 'slurm'])


def test_run_that_ends_before_its_warm_up_says_what_to_shorten(tiny_config, tmp_path):
    (tmp_path / 'short.py').write_text(
        f'_base_ = {tiny_config!r}\n'
        "param_scheduler = [dict(type='LinearLR', end=5), dict(type='CosineAnnealingLR', begin=5, T_max=5)]\n"
    )
    with pytest.raises(ValueError, match='begins after the run has ended.*set max_epochs'):
        launch.main_train([str(tmp_path / 'short.py'), '--work-dir', str(tmp_path)])
