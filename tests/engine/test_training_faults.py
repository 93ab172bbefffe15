"""What goes wrong around a training: it is said in a line with what to do next, or only costs a sample."""

import errno
import json
import os
import re
import shutil
import signal
import sys
import traceback

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.registry import HOOKS

from twlv_mm.engine import launch
from twlv_mm.system_errors import run_tool


@HOOKS.register_module()
class Fault(Hook):
    """Does something bad after the first epoch."""

    def __init__(self, kind):
        self.kind = kind

    def after_train_iter(self, runner, batch_idx, **kwargs):
        if (runner.epoch, batch_idx) != (1, 0):
            return
        if self.kind == 'worker':
            for pid in runner.train_loop.dataloader._iterator._workers:
                os.kill(pid.pid, signal.SIGKILL)
        elif self.kind == 'work dir':
            shutil.rmtree(runner.work_dir)
        else:
            os.unlink(self.kind)


def train(tiny_config, folder, kind, workers, text=''):
    config = folder / 'config.py'
    config.write_text(
        f"_base_ = ['{tiny_config}']\n"
        f"custom_hooks = [dict(type='Fault', kind='{kind}')]\n"
        f'train_dataloader = dict(num_workers={workers}, persistent_workers={workers > 0}{text})\n'
    )
    arguments = [str(config), '--work-dir', str(folder / 'run'), '--no-validate']
    run_tool(lambda: launch.main_train(arguments))


@pytest.mark.parametrize(
    ('kind', 'said', 'advice'),
    [
        (
            'worker',
            'DataLoader worker|has died',
            '. The same command with --resume goes on from {folder}/run/epoch_[12].pth',
        ),
        ('work dir', 'No such file or directory', '. {folder}/run was moved or deleted during the run'),
    ],
)
def test_fault_ends_the_run_with_one_line(kind, said, advice, tiny_config, tmp_path):
    # In a process of its own: torch raises what it finds of a killed worker wherever Python is at that moment.
    if not (pid := os.fork()):
        code = 1
        try:
            os.dup2(os.open(tmp_path / 'stderr', os.O_CREAT | os.O_WRONLY), 2)
            sys.stderr = sys.__stderr__
            torch.set_num_threads(1)
            train(tiny_config, tmp_path, kind, workers=1)
            code = 0
        except SystemExit as stopped:
            code = stopped.code
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)  # first of all here: another exception would go on as pytest
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    stderr = (tmp_path / 'stderr').read_text()
    assert code == 2, stderr
    (told,) = re.findall('^error: .*', stderr, re.MULTILINE)  # torch may say it once more
    # Logging drops the error if that is what it interrupts; torch then finds the dead worker an epoch later.
    assert re.search(f'({said}).*{advice.format(folder=tmp_path)}$', told), stderr


def test_video_that_vanishes_during_training_is_listed_and_replaced(tiny_config, tiny_videos, tmp_path):
    videos = shutil.copytree(tiny_videos.folder, tmp_path / 'videos')
    text = (
        f", dataset=dict(type='twlv_mm.VideoListDataset', ann_file='{videos}/train.txt', "
        f"data_prefix=dict(video='{videos}'))"
    )
    train(tiny_config, tmp_path, videos / 'train_3.mp4', 0, text)
    assert (tmp_path / 'run/epoch_3.pth').exists()
    failures = [json.loads(line) for line in (tmp_path / 'run/unreadable_samples.jsonl').read_text().splitlines()]
    assert {failure['file'] for failure in failures} == {f'{videos}/train_3.mp4'}


def test_full_disk_that_the_system_reports_without_a_file_names_the_work_dir(tiny_config, tmp_path, monkeypatch):
    def full(cfg):
        raise OSError(errno.ENOSPC, 'No space left on device')

    monkeypatch.setattr(launch, 'build_runner', full)
    with pytest.raises(OSError, match='No space left') as caught:
        launch.main_train([tiny_config, '--work-dir', str(tmp_path)])
    assert caught.value.filename == str(tmp_path)
