"""Whether an encoder learns is measured on what was built, and checkpoints record its datasets."""

from types import SimpleNamespace

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner
from torch import nn

import twlv_mm
from twlv_mm.compat.checkpoints import load_checkpoint
from twlv_mm.encoders import file_sha256
from twlv_mm.engine import encoder_training, launch
from twlv_mm.engine.encoder_training import is_frozen, note_weights, training_sets

from ..written import read_results

OF_MMACTION2 = """
model = dict(
    backbone=dict(_delete_=True, type='ResNet3d', depth=18, pretrained=None, base_channels=4, num_stages=1,
                  out_indices=(0,), spatial_strides=(1,), temporal_strides=(1,), dilations=(1,), inflate=(0,)),
    cls_head=dict(in_channels=16))
"""


@pytest.fixture
def probe(tiny_config, tmp_path):
    """A "linear probe" of which a backbone of another kind is a part."""
    path = tmp_path / 'probe.py'
    path.write_text(f'_base_ = {tiny_config!r}\n')
    return str(path)


def model_of(frozen, norm=False):
    model = nn.Module()
    model.backbone = nn.Sequential(nn.Linear(2, 2), *[nn.BatchNorm1d(2)] * norm).requires_grad_(not frozen)
    model.head = nn.Linear(2, 2)
    return model


def test_what_learns_is_measured():
    assert is_frozen(None) is None
    assert is_frozen(model_of(True).backbone) is True
    assert is_frozen(model_of(False).backbone) is False
    model = model_of(False)
    of_head = [dict(params=list(model.head.parameters())), dict(params=list(model.backbone.parameters()), lr=0.0)]
    assert is_frozen(model.backbone, torch.optim.SGD(of_head, lr=0.1)) is True
    assert is_frozen(model.backbone, torch.optim.SGD(model.parameters(), lr=0.1)) is False


def test_layers_that_go_on_counting_are_not_frozen():
    model = model_of(True, norm=True)
    optimizer = torch.optim.SGD(model.head.parameters(), lr=0.1)
    assert is_frozen(model.backbone, optimizer) is False
    model.backbone.eval()
    assert is_frozen(model.backbone, optimizer) is True


def test_probe_that_trains_its_encoder_is_refused_before_the_first_step(probe, tmp_path, capsys):
    options = ['train_dataloader.num_workers=0', 'default_hooks.results.task=recognition_linear']
    for text in ('', OF_MMACTION2):
        with open(probe, 'a') as file:
            file.write(text)
        with pytest.raises(SystemExit, match='2'):
            launch.main_train([probe, '--no-validate', '--work-dir', str(tmp_path / 'run'), '--cfg-options', *options])
        said = capsys.readouterr()
        assert f'the encoder of {probe} learns, but the task of its ResultsHook, recognition_linear' in said.err
        assert "task='recognition_finetune'" in said.err
        assert 'Epoch(train)' not in said.out
    assert not list(tmp_path.glob('run/*.pth'))


def test_fine_tuned_encoder_stays_one_whatever_the_config_of_the_test_says(tiny_config, tiny_run, tmp_path, refused):
    test = [tiny_config, f'{tiny_run}/epoch_3.pth', '--work-dir', str(tmp_path), '--cfg-options']
    other = tmp_path / 'other.pth'  # not what the run started from
    torch.save(twlv_mm.get_model('twlv_base', **TINY).state_dict(), other)
    frozen = ['model.backbone.frozen=True', f'model.backbone.weights={other}']
    error = refused(launch.main_test, [*test, *frozen, 'default_hooks.results.task=recognition_linear'])
    assert 'the encoder has learned in the training of the checkpoint' in error
    launch.main_test([*test, *frozen, 'default_hooks.results.task=detection'])
    record = read_results(tmp_path)
    assert record['encoder']['frozen'] is False
    assert record['protocol']['fine_tuned'] is True
    assert record['encoder']['weights_sha256'] is None


def test_runner_of_mmengine_trains_and_tests_with_the_hook(tiny_config, tmp_path):
    cfg = Config.fromfile(tiny_config)
    cfg.merge_from_dict({'work_dir': str(tmp_path), 'train_cfg.max_epochs': 1, 'train_dataloader.num_workers': 0})
    cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    runner = Runner.from_cfg(cfg)
    runner.train()
    runner.test()
    record = read_results(tmp_path)
    assert (record['encoder']['frozen'], record['training']) == (False, None)


TINY = dict(img_size=32, num_frames=8, embed_dims=48, depth=2, num_heads=4)


def run(encoder, dataset=None, load_from=None, resume=False):
    """What a training has of a runner."""
    model = nn.Module()
    model.backbone = encoder
    return SimpleNamespace(
        model=model,
        _resume=resume,
        cfg=dict(load_from=load_from, default_hooks=dict(results=dict(dataset='kinetics400'))),
        train_dataloader=SimpleNamespace(dataset=dataset or object()),
    )


@pytest.fixture
def encoder():
    return twlv_mm.get_model('twlv_base', **TINY)


def test_weights_know_what_a_run_has_trained_them_on(tiny_run):
    path = f'{tiny_run}/epoch_3.pth'
    meta = load_checkpoint(path)['meta']
    assert meta['trained_on'] == ['tiny']
    assert meta['encoder_sha256'] is None
    assert 'pretraining_sets' not in meta  # it began at random
    assert twlv_mm.get_model('twlv_base', path, **TINY).pretraining_sets == ('tiny',)


def test_sets_add_up_from_run_to_run(encoder):
    mixture = SimpleNamespace(names=['kinetics710', 'ssv2'])
    assert training_sets(run(encoder, mixture)) == dict(trained_on=['kinetics710', 'ssv2'])
    encoder.pretraining_sets = ('kinetics710', 'ssv2')
    fine_tuned = training_sets(run(encoder))
    assert fine_tuned == dict(pretraining_sets=['kinetics710', 'ssv2'], trained_on=['kinetics400'])
    for same_run, expected in ((False, ('kinetics710', 'ssv2', 'kinetics400')), (True, ('kinetics710', 'ssv2'))):
        encoder.pretraining_sets = None
        note_weights(run(encoder).model, dict(meta=fine_tuned), 'x.pth', same_run)
        assert encoder.pretraining_sets == expected


def test_a_frozen_encoder_learns_nothing_of_the_run(encoder):
    encoder.set_up(frozen=True)
    assert training_sets(run(encoder)) == {}
    encoder.pretraining_sets = ('ssv2',)
    assert training_sets(run(encoder)) == dict(pretraining_sets=['ssv2'])


def test_weights_without_training_sets_stay_unknown(encoder):
    expected = dict(pretraining_sets=['unknown'], trained_on=['kinetics400'])
    assert training_sets(run(encoder, load_from='x.pth')) == expected
    encoder.weights_sha256 = 'ab' * 32
    assert training_sets(run(encoder)) == expected
    encoder.weights_sha256 = None
    assert training_sets(run(encoder, load_from='x.pth', resume=True)) == dict(trained_on=['kinetics400'])


def test_names_of_sets_in_a_file_are_checked(encoder):
    with pytest.raises(ValueError, match=r'x\.pth, meta, trained_on'):
        note_weights(run(encoder).model, dict(meta=dict(trained_on='ssv2')), 'x.pth', False)


def test_weights_of_a_checkpoint_are_recorded_as_its_own(encoder, tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr(encoder_training, 'print_log', lambda message, *_: said.append(message))
    path = tmp_path / 'x.pth'
    path.write_bytes(b'weights')
    state = {f'backbone.{key}': value for key, value in encoder.state_dict().items()}
    encoder.weights_sha256, encoder.pretraining_sets = 'ab' * 32, ('ssv2',)
    model = run(encoder).model
    note_weights(model, dict(meta=dict(encoder_sha256='ab' * 32)), path, True)
    note_weights(model, dict(meta={}), path, True)  # an earlier checkpoint
    note_weights(model, dict(meta={}, state_dict={'cls_head.weight': torch.zeros(1)}), path, False)
    assert (encoder.weights_sha256, encoder.pretraining_sets, said) == ('ab' * 32, ('ssv2',), [])
    meta = dict(encoder_sha256='cd' * 32, pretraining_sets=['kinetics400'], trained_on=['ucf101'])
    note_weights(model, dict(meta=meta, state_dict=state), path, True)
    assert (encoder.weights_sha256, encoder.pretraining_sets) == ('cd' * 32, ('kinetics400',))
    assert 'not those given as encoder_weights' in said[0]
    note_weights(model, dict(meta=meta, state_dict=state), path, False)
    assert encoder.weights_sha256 == file_sha256(path)
    assert encoder.pretraining_sets == ('kinetics400', 'ucf101')
