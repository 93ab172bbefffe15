"""The configs of spatio-temporal action localization: whole, and from training to resuming to the test on videos."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope

from twlv_mm.detection import ROIDetector, SpatioTemporalDetector
from twlv_mm.engine import launch
from twlv_mm.synthetic import make_boxes

from ..commands import run_together

ROOT = Path(__file__).parents[2]
CONFIGS = ROOT / 'configs'
NAMES = sorted(f'twlv/{path.stem}' for path in CONFIGS.glob('twlv/ava_*.py'))
TINY_ENCODER = {
    'model.backbone.allow_random': True,
    'encoder_overrides.patch_size': 32,
    'encoder_overrides.embed_dims': 48,
    'encoder_overrides.depth': 1,
    'encoder_overrides.num_heads': 4,
    'train_dataloader.batch_size': 2,
    'optim_wrapper.accumulative_counts': 2,
}
TINY = dict(
    ava_stal={
        'model.decoder.num_layers': 2,
        'model.decoder.num_queries': 6,
        'model.head.num_queries': 6,
        'model.head.num_classes': 17,
    },
    ava_roi={
        'model.roi_head.bbox_head.num_classes': 17,
    },
)


@pytest.fixture(scope='module')
def ava(tmp_path_factory):
    """Generated videos under the names of AVA v2.2; the folder in which a config finds them as data/ava."""
    root = tmp_path_factory.mktemp('ava')
    make_boxes(root / 'boxes', num_clips=2, workers=1)
    annotations = root / 'data/ava/annotations'
    annotations.mkdir(parents=True)
    shutil.move(root / 'boxes/videos', root / 'data/ava/videos')
    shutil.copy(root / 'boxes/ava_action_list.pbtxt', annotations / 'ava_action_list_v2.2_for_activitynet_2019.pbtxt')
    for split, official in (('train', 'train'), ('test', 'val')):
        for ours, theirs in (
            (f'ava_{split}.csv', f'ava_{official}_v2.2.csv'),
            (f'ava_{split}_excluded_timestamps.csv', f'ava_{official}_excluded_timestamps_v2.2.csv'),
            (f'ava_dense_proposals_{split}.pkl', f'ava_dense_proposals_{official}.FAIR.recall_93.9.pkl'),
        ):
            shutil.copy(root / 'boxes' / ours, annotations / theirs)
            shutil.copy(root / 'boxes' / ours, annotations / theirs.replace('v2.2', 'v2.1'))
    shutil.copy(root / 'boxes/ava_action_list.pbtxt', annotations / 'ava_action_list_v2.1_for_activitynet_2018.pbtxt')
    return root


def arguments(name, work_dir, epochs, **changes):
    loaders = {f'{loader}_dataloader.num_workers': 0 for loader in ('train', 'val', 'test')}
    loaders |= {f'{loader}_dataloader.persistent_workers': False for loader in ('train', 'val', 'test')}
    # Some keyframes are enough.
    loaders |= {f'{loader}_dataloader.dataset.indices': 4 for loader in ('train', 'val', 'test')}
    options = TINY_ENCODER | TINY[name] | loaders | {'train_cfg.max_epochs': epochs, 'train_cfg.val_interval': epochs}
    options |= {'param_scheduler.0.end': 1, 'param_scheduler.1.begin': 1, 'param_scheduler.1.T_max': 9} | changes
    options = [f'{key}={value}' for key, value in options.items()]
    return [str(CONFIGS / f'twlv/{name}.py'), '--work-dir', str(work_dir), '--cfg-options', *options]


@pytest.mark.parametrize('name', TINY)
def test_run_goes_from_training_over_resuming_to_the_test_on_video_files(name, ava, tmp_path, monkeypatch):
    monkeypatch.chdir(ava)
    launch.main_train(arguments(name, tmp_path, 2))
    config, *options = arguments(name, tmp_path, 3)
    launch.main_train([config, '--resume', *options])
    scores = launch.main_test([config, str(tmp_path / 'epoch_3.pth'), *options, '--show-dir', str(tmp_path / 'seen')])
    record = json.loads(sorted(tmp_path.glob('*/results.json'))[-1].read_text())
    assert record['task'] == 'detection'
    assert record['metrics']['mAP@0.5'] == pytest.approx(100 * scores['mAP@0.5'])
    assert record['encoder']['name'] == 'twlv_base'
    assert list((tmp_path / 'seen').rglob('*.png'))


def test_two_processes_train_and_give_the_test_score_of_one(ava, tmp_path, monkeypatch):
    monkeypatch.chdir(ava)
    config, *options = arguments('ava_stal', tmp_path / 'two', 2, val_cfg=None, val_dataloader=None)
    # Three keyframes to test on: one of the processes gets one of them a second time.
    three = 'test_dataloader.dataset.indices=3'
    options += ['val_evaluator=None', 'default_hooks.checkpoint.save_best=None', three]
    for ended in run_together(2, launch.main_train, [config, '--launcher', 'pytorch', '--test', *options]):
        assert ended.returncode == 0, ended.stderr

    config, _, _, *options = arguments('ava_stal', '', 2)
    checkpoint = str(tmp_path / 'two/epoch_2.pth')
    launch.main_test([config, checkpoint, '--work-dir', str(tmp_path / 'one'), *options, three])
    one, two = (json.loads(next(tmp_path.glob(f'{name}/*/results.json')).read_text()) for name in ('one', 'two'))
    assert two['hardware']['processes'] == 2
    assert two['metrics'] == one['metrics']
    # Of a model that has hardly learned, the score alone may be 0 whatever was predicted.
    one, two = (sorted(next(tmp_path.glob(f'{name}/*/predictions.csv')).read_text().split()) for name in ('one', 'two'))
    assert len(one) > 100
    assert len(two) == len(one)


@pytest.mark.parametrize('name', NAMES)
def test_config_is_whole(name):
    cfg = Config.fromfile(CONFIGS / f'{name}.py')
    init_default_scope('mmaction')
    with torch.device('meta'):
        model = MODELS.build(cfg.model)
    arch = model.backbone.arch
    assert cfg.encoder_weights is None
    assert model.backbone.frozen
    assert tuple(cfg.model.data_preprocessor.mean) == arch.mean
    assert tuple(cfg.model.data_preprocessor.std) == arch.std
    if 'stal' in name:
        assert isinstance(model, SpatioTemporalDetector)
        assert model.decoder.in_channels == arch.embed_dims
        assert model.decoder.num_frames == arch.num_frames // arch.tubelet_size
        assert model.head.num_classes == 81
    else:
        assert isinstance(model, ROIDetector)
        assert model.roi_head.bbox_head.fc_cls.in_features == arch.embed_dims
        assert model.roi_head.bbox_head.num_classes == 81
    for pipeline in (cfg.train_dataloader.dataset.pipeline, cfg.test_dataloader.dataset.pipeline):
        assert pipeline[0].clip_len == arch.num_frames


def test_config_of_squeezetime_trains_and_tests_on_video_files(ava, tmp_path, monkeypatch):
    monkeypatch.chdir(ava)
    changes = {
        'encoder_overrides.widen_factor': 0.125,
        'model.roi_head.bbox_head.num_classes': 17,
        'train_dataloader.batch_size': 2,
        'val_dataloader.batch_size': 2,
        'test_dataloader.batch_size': 2,
        'train_cfg.max_epochs': 2,
        'train_cfg.val_interval': 2,
        'param_scheduler.0.end': 1,
        'param_scheduler.1.begin': 1,
        'param_scheduler.1.T_max': 9,
        'optim_wrapper.optimizer.lr': 0.01,
    } | {
        f'{loader}_dataloader.{key}': value
        for loader in ('train', 'val', 'test')
        for key, value in (('num_workers', 0), ('persistent_workers', False), ('dataset.indices', 4))
    }
    options = ['--work-dir', str(tmp_path), '--cfg-options', *(f'{key}={value}' for key, value in changes.items())]
    config = str(CONFIGS / 'squeezetime/ava21_roi.py')
    runner = launch.main_train([config, *options])
    assert runner.model.backbone.arch.detection
    scores = launch.main_test([config, str(tmp_path / 'epoch_2.pth'), *options])
    assert 0 <= scores['mAP@0.5'] <= 1
    record = json.loads(sorted(tmp_path.glob('*/results.json'))[-1].read_text())
    assert (record['dataset'], record['encoder']['name']) == ('ava_v2.1', 'squeezetime_r50')


def test_config_of_squeezetime_is_whole():
    cfg = Config.fromfile(CONFIGS / 'squeezetime/ava21_roi.py')
    init_default_scope('mmaction')
    with torch.device('meta'):
        model = MODELS.build(cfg.model).eval()
        maps = model.extract_feat(torch.empty(1, 3, 16, 256, 256))[0]
    assert maps.shape == (1, model.roi_head.bbox_head.fc_cls.in_features, 16, 16, 16)
    assert tuple(cfg.model.data_preprocessor.mean) == model.backbone.arch.mean
    assert cfg.train_cfg.max_epochs == sum(step.get('T_max', step.get('end')) for step in cfg.param_scheduler)


def test_wrong_class_count_is_refused_before_training(ava, tmp_path, monkeypatch):
    monkeypatch.chdir(ava)
    with pytest.raises(ValueError, match='17'):
        launch.main_train(arguments('ava_stal', tmp_path, 2, **{'model.head.num_classes': 81}))
