import logging
import os

import pytest
import torch

from twlv_mm.engine.latest_checkpoint import latest_checkpoint

LOGGER = logging.getLogger('test')


@pytest.fixture
def work_dir(tmp_path):
    """Three checkpoints, the last one recorded; in a folder whose name is a pattern."""
    folder = tmp_path / 'run [1]'
    folder.mkdir()
    for epoch in (8, 9, 10):
        path = folder / f'epoch_{epoch}.pth'
        torch.save({'state_dict': {'weight': torch.zeros(100)}}, path)
        os.utime(path, (epoch, epoch))
    torch.save({'state_dict': {}}, folder / 'best_acc_epoch_10.pth')
    (folder / 'last_checkpoint').write_text(str(path))
    return folder


def test_recorded_checkpoint_is_the_latest(work_dir, caplog):
    assert latest_checkpoint(work_dir, LOGGER) == f'{work_dir}/epoch_10.pth'
    assert not caplog.text


@pytest.mark.parametrize('damage', ['cut off', 'empty', 'removed'])
def test_damaged_checkpoint_is_passed_over_with_a_warning(damage, work_dir, caplog):
    path = work_dir / 'epoch_10.pth'
    if damage == 'removed':
        path.unlink()
    else:
        os.truncate(path, 0 if damage == 'empty' else path.stat().st_size - 10)
    assert latest_checkpoint(work_dir, LOGGER) == f'{work_dir}/epoch_9.pth'
    assert 'The newest complete one is' in caplog.text


@pytest.mark.parametrize('record', ['', None])
def test_lost_record_does_not_lose_the_checkpoints(record, work_dir):
    (work_dir / 'last_checkpoint').unlink()
    if record is not None:
        (work_dir / 'last_checkpoint').write_text(record)
    assert latest_checkpoint(work_dir, LOGGER) == f'{work_dir}/epoch_10.pth'


def test_folder_without_checkpoints_has_no_latest(tmp_path):
    assert latest_checkpoint(tmp_path, LOGGER) is None
    assert latest_checkpoint(tmp_path / 'nowhere', LOGGER) is None
