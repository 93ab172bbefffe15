"""Which checkpoint a run resumes from, and that only one run trains in a work dir."""

import logging
import os
import re
import signal
import time

import pytest
import torch

from twlv_mm.engine import launch
from twlv_mm.engine.work_dir import ResumeError, WorkDirError, alone_in, latest_checkpoint

LOGGER = logging.getLogger('test')


@pytest.fixture
def work_dir(tmp_path):
    """Three checkpoints, the last one recorded; in a folder whose name is a pattern."""
    folder = tmp_path / 'run [1]'
    folder.mkdir()
    for epoch in (8, 9, 10):
        path = folder / f'epoch_{epoch}.pth'
        torch.save({'state_dict': {'weight': torch.zeros(100)}}, path)
        os.utime(path, (100 - epoch, 100 - epoch))  # the clock was set back each time
    torch.save({'state_dict': {}}, folder / 'best_acc_epoch_10.pth')
    (folder / 'last_checkpoint').write_text(str(path))
    return folder


def test_recorded_checkpoint_is_the_latest(work_dir, caplog):
    assert latest_checkpoint(work_dir, LOGGER) == f'{work_dir}/epoch_10.pth'
    assert not caplog.text


@pytest.mark.parametrize('damage', ['cut off', 'empty', 'removed'])
def test_damaged_checkpoint_is_an_error_that_names_the_newest_complete_one(damage, work_dir):
    path = work_dir / 'epoch_10.pth'
    if damage == 'removed':
        path.unlink()
    else:
        os.truncate(path, 0 if damage == 'empty' else path.stat().st_size - 10)
    what = 'missing' if damage == 'removed' else 'damaged'
    with pytest.raises(ResumeError, match=re.escape(f'which is {what}')) as caught:
        latest_checkpoint(work_dir, LOGGER)
    assert f'--resume {work_dir}/epoch_9.pth' in str(caught.value)


def test_folder_of_damaged_checkpoints_is_not_started_anew(work_dir):
    (work_dir / 'last_checkpoint').unlink()
    for path in work_dir.glob('epoch_*.pth'):
        os.truncate(path, 10)
    with pytest.raises(ResumeError, match='epoch_10.pth, epoch_8.pth, epoch_9.pth cannot be read'):
        latest_checkpoint(work_dir, LOGGER)


def test_folder_that_was_moved_is_resumed(work_dir):
    moved = work_dir.rename(work_dir.with_name('moved'))
    assert latest_checkpoint(moved, LOGGER) == f'{moved}/epoch_10.pth'


@pytest.mark.parametrize('is_relative', [True, False])
def test_folder_that_was_moved_does_not_resume_a_later_run_in_its_old_place(is_relative, work_dir, monkeypatch):
    monkeypatch.chdir(work_dir.parent)
    moved = work_dir.rename(work_dir.with_name('moved'))
    later = work_dir / 'epoch_10.pth'
    (moved / 'last_checkpoint').write_text(os.path.relpath(later) if is_relative else str(later))
    work_dir.mkdir()
    torch.save({'state_dict': {'weight': torch.ones(100)}}, later)
    assert latest_checkpoint(str(moved), LOGGER) == f'{moved}/epoch_10.pth'
    os.truncate(moved / 'epoch_10.pth', 10)
    with pytest.raises(ResumeError, match='which is damaged'):
        latest_checkpoint(str(moved), LOGGER)


@pytest.mark.parametrize('record', ['', None])
def test_lost_record_does_not_lose_the_checkpoints(record, work_dir, caplog):
    (work_dir / 'last_checkpoint').unlink()
    if record is not None:
        (work_dir / 'last_checkpoint').write_text(record)
    assert latest_checkpoint(work_dir, LOGGER) == f'{work_dir}/epoch_10.pth'
    assert 'complete checkpoint of the highest number' in caplog.text


def test_folder_without_checkpoints_has_no_latest(tmp_path):
    assert latest_checkpoint(tmp_path, LOGGER) is None
    assert latest_checkpoint(tmp_path / 'nowhere', LOGGER) is None


def test_second_training_in_a_work_dir_is_refused_until_the_first_has_died(tiny_config, tmp_path, refused):
    if not (pid := os.fork()):
        with alone_in(tmp_path):
            if not os.fork():  # a worker of a data loader, which outlives a kill
                time.sleep(20)
                os._exit(0)
            (tmp_path / 'ready').touch()
            time.sleep(60)
        os._exit(0)
    try:
        while not (tmp_path / 'ready').exists():
            time.sleep(0.01)
        error = refused(launch.main_train, [tiny_config, '--work-dir', str(tmp_path), '--no-validate'])
        assert f'another run is training in {tmp_path}' in error
        with pytest.raises(WorkDirError), alone_in(tmp_path):
            pass
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    with alone_in(tmp_path):
        pass
