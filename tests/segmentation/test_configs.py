"""The configs of temporal action segmentation: they are whole, learn every fold, and resume exactly."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DATASETS, MODELS, init_default_scope

import twlv_mm
from twlv_mm.compat.checkpoints import load_checkpoint
from twlv_mm.embeddings import write_embeddings
from twlv_mm.engine import folds, launch
from twlv_mm.segmentation import ASFormer
from twlv_mm.segmentation.labels import read_mapping
from twlv_mm.synthetic import untrimmed
from twlv_mm.video import clip_windows

from .label_files import needs_shared, unpack, write_labels

CONFIGS = Path(__file__).parents[2] / 'configs'
NAMES = sorted(path.stem for path in CONFIGS.glob('twlv/*_tas*.py'))
FOLDERS = dict(salads50='50Salads', gtea='GTEA', breakfast='Breakfast')
CLASSES, DIMS, STRIDE, CLIP, FPS, EPOCHS = ('pour', 'stir', 'background'), 12, 0.125, 0.5, 15, 12
VIDEOS = [f'video{number}' for number in range(6)]
TINY = {'model.num_classes': 3, 'model.in_channels': DIMS, 'model.channels': 16, 'model.num_layers': 4}


@pytest.fixture(scope='module')
def planted(tmp_path_factory):
    """Labels of six videos in two folds, and embeddings that show them; the folder of both."""
    root = tmp_path_factory.mktemp('planted')
    random = np.random.default_rng(0)
    signal = np.random.default_rng(1).standard_normal((len(CLASSES), DIMS))
    labels = {}
    (root / 'embeddings').mkdir()
    for video_id in VIDEOS:
        lengths = random.integers(20, 60, size=7)
        numbers = np.repeat([2, 0, 1, 2, 1, 0, 2], lengths)
        labels[video_id] = [CLASSES[number] for number in numbers]
        centres = np.arange(CLIP / 2, len(numbers) / FPS - CLIP / 2, STRIDE)
        feats = signal[numbers[(centres * FPS).astype(int)]] + 0.5 * random.standard_normal((len(centres), DIMS))
        np.save(root / f'embeddings/{video_id}_c.npy', feats.astype('f4'))
    halves = VIDEOS[:3], VIDEOS[3:]
    return write_labels(root, labels, train1=halves[0], test1=halves[1], train2=halves[1], test2=halves[0])


def arguments(root, work_dir, epochs=EPOCHS, config=CONFIGS / 'twlv/gtea_tas.py'):
    """Arguments of a run of a config on planted videos."""
    options = TINY | {'train_cfg.max_epochs': epochs, 'optim_wrapper.optimizer.lr': 3e-3}
    for loader in ('train', 'test'):
        options[f'{loader}_dataloader.dataset.data_root'] = root
        options[f'{loader}_dataloader.dataset.folder'] = root / 'embeddings'
    options = [f'{name}={value}' for name, value in options.items()]
    return [str(config), '--work-dir', str(work_dir), '--seed', '0', '--cfg-options', *options]


def test_command_trains_and_tests_every_fold_to_a_high_score(planted, tmp_path):
    config = tmp_path / 'two_folds.py'
    config.write_text(f"_base_ = '{CONFIGS / 'twlv/gtea_tas.py'}'\nfolds = [1, 2]\n")
    record = folds.main_folds(arguments(planted, tmp_path / 'run', config=config))
    assert record['task'] == 'segmentation'
    assert record['protocol']['folds'] == [1, 2]
    for scores in record['folds'].values():
        assert scores['accuracy'] > 90
        assert scores['mF1'] > 80
        assert scores['edit'] > 80
    tested = [
        json.loads(next((tmp_path / f'run/fold{fold}').glob('*/predictions.json')).read_text())['videos']
        for fold in (1, 2)
    ]
    assert [sorted(videos) for videos in tested] == [VIDEOS[3:], VIDEOS[:3]]


def test_training_does_not_import_models_of_live_video(planted, tmp_path, imported_by):
    imported = imported_by('main_train', arguments(planted, tmp_path, epochs=1))
    assert 'twlv_mm.segmentation' in imported
    assert not imported & {'mmdet', 'mmaction.models', 'mmaction.datasets'}


def test_resumed_run_ends_as_the_uninterrupted_one(planted, tmp_path):
    launch.main_train(arguments(planted, tmp_path / 'whole', epochs=4) + ['default_hooks.checkpoint.interval=1'])
    launch.main_train(arguments(planted, tmp_path / 'parts', epochs=2) + ['default_hooks.checkpoint.interval=1'])
    config, *options = arguments(planted, tmp_path / 'parts', epochs=4)
    launch.main_train([config, '--resume', *options, 'default_hooks.checkpoint.interval=1'])
    whole, parts = (load_checkpoint(tmp_path / run / 'epoch_4.pth')['state_dict'] for run in ('whole', 'parts'))
    torch.testing.assert_close(parts, whole, rtol=0, atol=0)


@pytest.mark.parametrize('name', NAMES)
def test_config_is_whole(name):
    cfg = Config.fromfile(CONFIGS / f'twlv/{name}.py')
    init_default_scope('mmaction')
    with torch.device('meta'):
        model = MODELS.build(cfg.model)
        encoder = twlv_mm.get_model('twlv_large' if '_large' in name else 'twlv_base')
    assert isinstance(model, ASFormer)
    assert model.in_channels == encoder.arch.embed_dims
    assert cfg.encoder_weights is None
    train, test = cfg.train_dataloader.dataset, cfg.test_dataloader.dataset
    assert (train.split, test.split) == ('train', 'test')
    assert {key: train[key] for key in train if key != 'split'} == {
        key: test[key] for key in test if key not in ('split', 'test_mode')
    }
    assert 'protocol' not in cfg.default_hooks.results
    if '_video' in name:
        assert (cfg.extraction.clip_seconds, cfg.extraction.stride_seconds) == (
            train.clip_seconds,
            train.stride_seconds,
        )
        assert train.folder == f'{cfg.extraction.out}/multi-clip/train'


@needs_shared
@pytest.mark.parametrize('name', FOLDERS)
def test_config_has_the_classes_and_folds_of_its_data_set(name, tmp_path):
    cfg = Config.fromfile(CONFIGS / f'twlv/{name}_tas.py')
    root = unpack(FOLDERS[name], tmp_path)
    assert cfg.model.num_classes == len(read_mapping(root))
    assert len(list(root.glob('splits/test.split*.bundle'))) == len(cfg.folds)


def test_embeddings_of_another_encoder_are_refused_before_training(planted, tmp_path):
    run = arguments(planted, tmp_path)
    with pytest.raises(ValueError, match='but the model expects 768: set model.in_channels=12'):
        launch.main_train([option for option in run if 'in_channels' not in option])


def test_wrong_class_count_is_refused_before_training(planted, tmp_path):
    with pytest.raises(ValueError, match=r'have 3 classes, the model num_classes=11: set model\.num_classes=3'):
        launch.main_train([option for option in arguments(planted, tmp_path) if 'num_classes' not in option])


def test_generated_videos_config_reads_what_the_generator_writes(tmp_path, monkeypatch):
    cfg = Config.fromfile(CONFIGS / 'synthetic/untrimmed_tas.py')
    init_default_scope('mmaction')
    monkeypatch.setattr(untrimmed, 'VIDEO_SECONDS', (20, 25))
    untrimmed.make_untrimmed(tmp_path / 'videos', num_videos=2, workers=1)
    for split in ('train', 'test'):
        (video,) = (tmp_path / f'videos/videos/{split}').glob('*.mp4')
        seconds = len((tmp_path / f'videos/groundTruth/{video.stem}.txt').read_text().split()) / cfg.videos.fps
        times = clip_windows(seconds, 2.0, 0.25)
        info = dict(duration=seconds, clip_seconds=2.0, sampling='multi-clip')
        write_embeddings(tmp_path / f'embeddings/{split}', video.stem, np.zeros((len(times), 128), 'f4'), times, info)
    for split in ('train', 'test'):
        cfg[f'{split}_dataloader'].dataset.update(data_root=tmp_path / 'videos', folder=tmp_path / 'embeddings')
        dataset = DATASETS.build(cfg[f'{split}_dataloader'].dataset)
        assert len(dataset) == 1
        assert len(dataset.metainfo['classes']) == cfg.model.num_classes
        item = dataset[0]
        assert item['inputs'].shape == (cfg.model.in_channels, len(item['data_samples'].step_labels))
