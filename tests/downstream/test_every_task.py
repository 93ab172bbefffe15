"""An encoder of somebody else's goes through tasks to results that have its name (all: benchmarks/every_source.py)."""

import json
import sys
from pathlib import Path

import pytest
import torch

import tools.convert_checkpoint as convert
import twlv_mm
from twlv_mm.encoders.speed import encoder_rate
from twlv_mm.engine import launch
from twlv_mm.synthetic import make_boxes, make_trimmed, make_untrimmed

CONFIGS = Path(__file__).parents[2] / 'configs/synthetic'
SOURCE = 'their_encoders:ConvNet'
SHORT = ('train_cfg.max_epochs=1', 'param_scheduler=None')
NO_WORKERS = ('test_dataloader.num_workers=0', 'test_dataloader.persistent_workers=False')


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    """A few generated videos of each kind, and the encoder's weights."""
    folder = tmp_path_factory.mktemp('data')
    make_trimmed(folder / 'trimmed', num_train=4, num_test=4, workers=1)
    make_untrimmed(folder / 'untrimmed', num_videos=2, workers=1)
    make_boxes(folder / 'boxes', num_clips=3, workers=1)
    sys.path.insert(0, str(Path(__file__).parent))
    torch.manual_seed(0)
    torch.save(twlv_mm.get_model(SOURCE).state_dict(), folder / 'their.pth')
    yield folder
    sys.path.remove(str(Path(__file__).parent))


@pytest.mark.parametrize(
    ('config', 'task'),
    [
        ('motion_attentive', 'recognition_attentive'),
        ('untrimmed_tal', 'localization'),
        ('ava_stal', 'detection'),
    ],
)
def test_task_runs_on_an_encoder_of_another_project(config, task, data, tmp_path, monkeypatch):
    monkeypatch.setenv('SYNTHETIC', str(data))
    monkeypatch.setenv('EMBEDDINGS', str(data / 'embeddings'))
    options = [f'encoder={SOURCE}', f'encoder_weights={data / "their.pth"}', *SHORT, *NO_WORKERS]
    run = ['--work-dir', str(tmp_path), '--no-validate', '--test']
    launch.main_train([str(CONFIGS / f'{config}.py'), *run, '--cfg-options', *options])
    (results,) = map(json.loads, (path.read_text() for path in tmp_path.rglob('results.json')))
    assert results['task'] == task
    assert (results['encoder']['name'], results['encoder']['source']) == ('their_convnet', SOURCE)
    assert len(results['encoder']['weights_sha256']) == 64


def test_it_teaches_in_pretraining(data, tmp_path, monkeypatch):
    monkeypatch.setenv('SYNTHETIC', str(data))
    teacher = f'model.teachers.video.source={SOURCE}', f'model.teachers.video.weights={data / "their.pth"}'
    short = 'train_cfg.max_iters=1', 'param_scheduler=None', 'train_dataloader.sampler.batch_sizes.video=2'
    config = str(CONFIGS / 'pretrain_video_teacher.py')
    launch.main_train([config, '--work-dir', str(tmp_path), '--cfg-options', *teacher, *short])
    assert (tmp_path / 'iter_1.pth').exists()


def test_its_file_is_checked_and_its_speed_measured(data, capsys, measured_once, refused):
    weights = str(data / 'their.pth')
    convert.main([weights, '--check', '--encoder', SOURCE])
    assert 'holds the weights of their_convnet: 6 tensors' in capsys.readouterr().out
    error = refused(convert.main, [weights, '--check', '--encoder', 'twlv_small_synthetic'])
    assert 'does not hold the weights of twlv_small_synthetic' in error
    assert encoder_rate(SOURCE)['frames'] == 8
