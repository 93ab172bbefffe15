"""Checkpoints say which data sets their encoder was trained on."""

from types import SimpleNamespace

import pytest
from torch import nn

import twlv_mm
from twlv_mm.compat.checkpoints import load_checkpoint
from twlv_mm.engine.training_sets import note_sets, training_sets

TINY = dict(img_size=32, num_frames=8, embed_dims=48, depth=2, num_heads=4)


def run(encoder, dataset=None, load_from=None, resume=False):
    """What a training has of a runner."""
    model = nn.Module()
    model.backbone = encoder
    return SimpleNamespace(
        _unwrapped_model=model,
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
        note_sets(run(encoder)._unwrapped_model, dict(meta=fine_tuned), 'x.pth', same_run)
        assert encoder.pretraining_sets == expected


def test_a_frozen_encoder_learns_nothing_of_the_run(encoder):
    encoder.set_up(frozen=True)
    assert training_sets(run(encoder)) == {}
    encoder.pretraining_sets = ('ssv2',)
    assert training_sets(run(encoder)) == dict(pretraining_sets=['ssv2'])


def test_weights_that_do_not_say_are_unknown_and_remain_so(encoder):
    expected = dict(pretraining_sets=['unknown'], trained_on=['kinetics400'])
    assert training_sets(run(encoder, load_from='x.pth')) == expected
    encoder.weights_sha256 = 'ab' * 32
    assert training_sets(run(encoder)) == expected
    encoder.weights_sha256 = None
    assert training_sets(run(encoder, load_from='x.pth', resume=True)) == dict(trained_on=['kinetics400'])


def test_names_of_sets_in_a_file_are_checked(encoder):
    with pytest.raises(ValueError, match=r'x\.pth, meta, trained_on'):
        note_sets(run(encoder)._unwrapped_model, dict(meta=dict(trained_on='ssv2')), 'x.pth', False)
