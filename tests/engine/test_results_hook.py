import hashlib
import json
import logging
import math
import shutil
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest
import torch
from mmengine.config import Config
from torch import nn

import twlv_mm
from twlv_mm.compat.checkpoints import load_checkpoint
from twlv_mm.engine import ResultsHook, launch

from ..written import read_results


class Backbone(nn.Linear):
    spec = twlv_mm.describe('vjepa_large')
    weights_sha256 = 'ab' * 32
    pretraining_sets = ('K710', 'SSv2')


def write(hook, metrics, tmp_path, model=None, cfg=None, logger=None):
    """Run the hook as a test loop does, on stand-ins of runner and model."""
    runner = SimpleNamespace(
        model=model or nn.Identity(),
        cfg=Config(cfg or {}),
        _train_loop=None,
        seed=3,
        world_size=1,
        log_dir=str(tmp_path),
        logger=logger or logging.getLogger('test'),
        test_dataloader=SimpleNamespace(dataset=SimpleNamespace(choices=dict(annotations='a.json'))),
        test_evaluator=SimpleNamespace(metrics=[SimpleNamespace(choices=dict(classes=60)), object()]),
    )
    hook.before_test(runner)
    hook.before_test_epoch(runner)
    hook.after_test_epoch(runner, metrics)
    assert [path.name for path in tmp_path.iterdir()] == ['results.json']
    # Strict JSON: Python's own reader would take NaN.
    return json.loads((tmp_path / 'results.json').read_text(), parse_constant=pytest.fail)


@pytest.fixture
def hook():
    return ResultsHook(task='recognition_finetune', dataset='kinetics400')


def test_test_run_leaves_the_whole_record(tiny_config, tiny_run, tmp_path):
    checkpoint = f'{tiny_run}/epoch_3.pth'
    test = [tiny_config, checkpoint, '--work-dir', str(tmp_path)]
    metrics = launch.main_test([*test, '--cfg-options', 'randomness.seed=5'])
    record = read_results(tmp_path)

    assert record['schema_version'] == 1
    assert (record['task'], record['dataset']) == ('recognition_finetune', 'tiny')
    view = dict(frames=8, frame_interval=1, clips=1, crops=1, resolution=32)
    assert record['protocol'] == view | dict(list='val.txt', classes=2, average_clips='prob')
    assert record['metrics']['acc/top1'] == pytest.approx(100 * metrics['acc/top1'])
    encoder = record['encoder']
    assert encoder['name'] == 'twlv_base'
    weights = load_checkpoint(checkpoint)['state_dict']
    assert encoder['params'] == sum(
        value.numel() for name, value in weights.items() if 'backbone' in name and 'pos_embed' not in name
    )
    digest = hashlib.sha256(Path(checkpoint).read_bytes()).hexdigest()
    assert record['checkpoint'] == dict(path=checkpoint, sha256=digest)
    assert record['seed'] == 0  # of the training
    assert record['config']['path'] == tiny_config
    assert Config.fromstring(record['config']['dump'], '.py').model.backbone.depth == 2
    assert record['versions']['torch'] == torch.__version__
    assert record['versions']['twlv_mm'] == twlv_mm.__version__
    assert record['versions']['mmaction2'] == '1.2.0'
    assert record['decoder'] == dict(name='av', version=av.__version__)
    assert record['wall_seconds'] > 0
    assert record['hardware']['cpu']
    assert datetime.fromisoformat(record['date']).tzinfo is not None


def test_checkpoint_of_an_earlier_run_is_not_the_tested_one(tiny_config, tiny_run, tmp_path):
    shutil.copytree(tiny_run, tmp_path / 'run')
    without = ('checkpoint.type=CheckpointHook', 'checkpoint.interval=9', 'checkpoint.save_last=False')
    options = ['train_cfg.max_epochs=1', *(f'default_hooks.{option}' for option in without)]
    launch.main_train([tiny_config, '--work-dir', f'{tmp_path}/run', '--test', '--cfg-options', *options])
    assert (tmp_path / 'run/epoch_1.pth').exists()
    assert read_results(tmp_path / 'run')['checkpoint'] is None


def test_encoder_is_read_from_the_backbone(hook, tmp_path):
    model = nn.Module()
    model.backbone = Backbone(4, 5)
    assert write(hook, {}, tmp_path, model)['encoder'] == dict(
        name='vjepa_large',
        source='vjepa_large',
        weights_sha256='ab' * 32,
        params=25,
        pretraining_sets=['K710', 'SSv2'],
        frozen=False,
    )


def test_an_encoder_can_be_given_the_name_that_reports_show(tmp_path):
    hook = ResultsHook('segmentation', 'gtea', label='ours, 2 epochs')
    assert write(hook, {}, tmp_path)['encoder']['label'] == 'ours, 2 epochs'


def test_unknown_facts_are_null(hook, tmp_path):
    record = write(hook, {}, tmp_path)
    assert set(record['encoder'].values()) == {None}
    assert record['checkpoint'] is record['decoder'] is None


@pytest.mark.parametrize(('scale', 'expected'), [(100, 25.0), (1, 0.25)])
def test_metrics_are_scaled_to_percent(scale, expected, tmp_path):
    hook = ResultsHook(task='localization', dataset='thumos14', metric_scale=scale)
    assert write(hook, {'mAP': np.float32(0.25)}, tmp_path)['metrics'] == {'mAP': expected}


@pytest.mark.parametrize(
    ('value', 'written', 'warning'),
    [
        (math.nan, {'mAP': None}, 'null in its place'),
        (-math.inf, {'mAP': None}, 'null in its place'),
        (67.5, {'mAP': 6750.0}, 'metric_scale=1'),
        (np.eye(2), {}, 'not a number'),
    ],
)
def test_odd_metrics_are_warned_about_and_the_file_stays_valid(value, written, warning, hook, tmp_path, caplog):
    assert write(hook, {'mAP': value}, tmp_path)['metrics'] == written
    assert warning in caplog.text


@pytest.mark.parametrize(
    ('pipeline', 'name'),
    [
        ([dict(type='mmaction.PyAVInit'), dict(type='PyAVDecode')], 'av'),
        ([dict(type='OpenCVInit'), dict(type='OpenCVDecode')], 'cv2'),
        ([dict(type='RawFrameDecode')], 'rawframes'),
    ],
)
def test_decoder_is_read_from_the_test_pipeline(pipeline, name, hook, tmp_path):
    dataset = dict(type='RepeatDataset', dataset=dict(type='VideoDataset', pipeline=pipeline))
    decoder = write(hook, {}, tmp_path, cfg=dict(test_dataloader=dict(dataset=dataset)))['decoder']
    assert decoder['name'] == name
    assert (decoder['version'] is None) == (name == 'rawframes')


@pytest.fixture
def test_of(tiny_config, tiny_run, tmp_path):
    """The record of a test of ``tiny_run`` with --cfg-options."""

    def run(*options):
        arguments = [tiny_config, f'{tiny_run}/epoch_3.pth', '--work-dir', str(tmp_path)]
        launch.main_test([*arguments, '--cfg-options', *options])
        return json.loads(next(tmp_path.glob('*/results.json')).read_text())

    return run


def test_protocol_is_that_of_the_pipeline_that_ran(test_of):
    options = ['test_dataloader.dataset.pipeline.1.num_clips=2', 'test_dataloader.dataset.pipeline.1.frame_interval=3']
    protocol = test_of(*options)['protocol']
    assert (protocol['clips'], protocol['frame_interval']) == (2, 3)


def test_protocol_says_that_only_a_part_of_the_samples_was_tested(test_of):
    assert test_of('test_dataloader.dataset.indices=2')['protocol']['samples'] == 2


@pytest.mark.parametrize(
    ('stated', 'message'),
    [('clips=4', 'protocol states clips=4, but the run uses clips=1'), ('shots=5', 'which cannot be verified')],
)
def test_stated_protocol_that_is_not_so_is_refused(stated, message, test_of, refused):
    assert message in refused(test_of, f'default_hooks.results.protocol.{stated}')


def test_statements_that_hold_and_the_recipe_are_kept(test_of):
    protocol = test_of('default_hooks.results.protocol.clips=1', 'default_hooks.results.protocol.recipe=V-JEPA')
    assert protocol['protocol']['recipe'] == 'V-JEPA'


def test_unknown_task_is_refused():
    with pytest.raises(ValueError, match='recognition_linear, recognition_attentive'):
        ResultsHook(task='recognition', dataset='kinetics400')
