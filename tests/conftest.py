"""Fixtures that several rooms need."""

from functools import cache
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

import twlv_mm  # noqa: F401  isort: skip  before anything that it mends
from mmaction.visualization import ActionVisualizer
from mmengine.config import config
from mmengine.logging import MessageHub, MMLogger
from mmengine.runner import runner
from mmengine.visualization import Visualizer

from twlv_mm.encoders import speed
from twlv_mm.engine import launch

from .commands import Fresh

TINY_CONFIG = """
default_scope = 'mmaction'

model = dict(
    type='Recognizer3D',
    backbone=dict(type='twlv_mm.VideoViT', arch='twlv_base', img_size=32, patch_size=16, num_frames=8,
                  embed_dims=48, depth=2, num_heads=4),
    cls_head=dict(type='I3DHead', num_classes=2, in_channels=48, dropout_ratio=0.5, average_clips='prob'),
    data_preprocessor=dict(type='ActionDataPreprocessor', mean=[127.5] * 3, std=[127.5] * 3, format_shape='NCTHW'))

train_pipeline = [
    dict(type='twlv_mm.OpenVideo'),
    dict(type='twlv_mm.SampleClips', num_frames=8, frame_interval=1, num_clips=1),
    dict(type='twlv_mm.DecodeVideo'),
    dict(type='RandomResizedCrop'),
    dict(type='Resize', scale=(32, 32), keep_ratio=False),
    dict(type='Flip', flip_ratio=0.5),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs')]
test_pipeline = [
    dict(type='twlv_mm.OpenVideo'),
    dict(type='twlv_mm.SampleClips', num_frames=8, frame_interval=1, num_clips=1, test_mode=True),
    dict(type='twlv_mm.DecodeVideo'),
    dict(type='Resize', scale=(32, 32), keep_ratio=False),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs')]
train_dataloader = dict(
    batch_size=4, num_workers=2, persistent_workers=False, sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(type='VideoDataset', ann_file='<train_list>', data_prefix=dict(video='<folder>'),
                 pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=2, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(type='VideoDataset', ann_file='<val_list>', data_prefix=dict(video='<folder>'),
                 pipeline=test_pipeline, test_mode=True))
test_dataloader = val_dataloader
val_evaluator = dict(type='AccMetric')
test_evaluator = val_evaluator

train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=3, val_interval=3)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='AdamW', lr=1e-3), clip_grad=dict(max_norm=10))
param_scheduler = dict(type='CosineAnnealingLR', T_max=3, by_epoch=True)
default_hooks = dict(
    logger=dict(type='LoggerHook', interval=1),
    epoch_seed=dict(type='twlv_mm.EpochSeedHook'),
    results=dict(type='twlv_mm.ResultsHook', task='recognition_finetune', dataset='tiny'))
env_cfg = dict(mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0))
randomness = dict(seed=0)
"""


# Files that take long for their number of tests: one of them at the end would leave the other processes idle.
FIRST = ('test_ray_engine.py', 'test_train_test.py', 'test_drn_stub.py', 'test_own_datasets.py', 'test_surroundings.py')


def pytest_configure(config):
    """Let xdist hand files out in their order here; by itself, it begins with those of the most tests."""
    config.option.loadscopereorder = False


def pytest_collection_modifyitems(items):
    """Put the slowest files first."""
    items.sort(key=lambda item: item.path.name not in FIRST)


@pytest.fixture(autouse=True, scope='session')
def quick_start():
    """Runs do not format their configs and ask compilers for their versions once: most of the time of a short run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(config, 'FormatCode', lambda text, **_: (text, False))
        patch.setattr(runner, 'collect_env', cache(runner.collect_env))
        yield


@pytest.fixture(autouse=True)
def own_logs():
    """A test's runs log into their own folders.

    mmengine names loggers and visualizers by config and second, and reuses those of a run that has the same name.
    """
    for kind in (MMLogger, MessageHub, Visualizer, ActionVisualizer):
        kind._instance_dict.clear()


@pytest.fixture
def logged(monkeypatch):
    """What is logged, a list of lines for each level."""
    lines = dict(debug=[], info=[], warning=[], error=[])

    def handle(record):
        lines[record.levelname.lower()].append(record.getMessage())

    monkeypatch.setattr(MMLogger.get_current_instance(), 'handle', handle)
    return lines


@pytest.fixture
def refused(capsys):
    """Calls what ends the process with code 2, and returns the error that it has printed."""

    def error_of(function, *arguments, code=2, **options):
        with pytest.raises(SystemExit) as stopped:
            function(*arguments, **options)
        assert stopped.value.code == code
        return capsys.readouterr().err

    return error_of


@pytest.fixture
def measured_once(monkeypatch):
    """Speed is measured by one call in place of some seconds of calls."""
    monkeypatch.setattr(speed, 'best_of', lambda function, *_, best_of=speed.best_of, **__: best_of(function, 0, 0))


@pytest.fixture(scope='session')
def fresh():
    """An interpreter that has imported twlv_mm and nothing else since: ``fresh.run(code, *arguments)``."""
    fresh = Fresh()
    yield fresh
    fresh.close()


@pytest.fixture
def imported_by(fresh):
    """The modules that a process has imported after a run: (main_train or main_test, its arguments) -> set[str]."""

    def names(function, arguments):
        code = f'from twlv_mm.engine import launch; launch.{function}(sys.argv[1:])'
        done = fresh.run(f'import sys; {code}; print(); print(*sys.modules)', *arguments)
        assert done.returncode == 0, done.stderr
        return set(done.stdout.splitlines()[-1].split())

    return names


@pytest.fixture(scope='session')
def tiny_videos(tmp_path_factory):
    """12 training and 7 validation videos of 16 noisy frames, 32 x 32; label 0 is dark, 1 is bright.

    Returns:
        SimpleNamespace: folder, train_list, val_list: paths as str; the lists as mmaction2's VideoDataset reads them.
    """
    folder = tmp_path_factory.mktemp('tiny_videos')
    random = np.random.default_rng(0)
    for split, count in (('train', 12), ('val', 7)):
        lines = []
        for number in range(count):
            label = number % 2
            name = f'{split}_{number}.mp4'
            writer = cv2.VideoWriter(str(folder / name), cv2.VideoWriter_fourcc(*'mp4v'), 30, (32, 32))
            for _ in range(16):
                writer.write(random.integers(0, 100, (32, 32, 3), dtype=np.uint8) + np.uint8(120 * label))
            writer.release()
            lines.append(f'{name} {label}\n')
        (folder / f'{split}.txt').write_text(''.join(lines))
    return SimpleNamespace(folder=str(folder), train_list=str(folder / 'train.txt'), val_list=str(folder / 'val.txt'))


@pytest.fixture(scope='session')
def tiny_config(tiny_videos, tmp_path_factory):
    """Path of a config of mmaction2's Recognizer3D on ``tiny_videos``: 3 epochs of 3 iterations, all augmented."""
    path = tmp_path_factory.mktemp('tiny_config') / 'tiny.py'
    text = TINY_CONFIG
    for key, value in vars(tiny_videos).items():
        text = text.replace(f'<{key}>', value)
    path.write_text(text)
    return str(path)


@pytest.fixture(scope='session')
def tiny_run(tiny_config, tmp_path_factory):
    """Work dir of an uninterrupted training run of ``tiny_config``, with epoch_1.pth to epoch_3.pth."""
    work_dir = str(tmp_path_factory.mktemp('tiny_run'))
    launch.main_train([tiny_config, '--work-dir', work_dir])
    return work_dir
