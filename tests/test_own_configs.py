"""Configs for one's own data: five lines are enough, and what they set takes effect."""

from pathlib import Path

import pytest
import torch
from mmengine.registry import HOOKS, MODELS, init_default_scope

from twlv_mm.engine import check_encoder
from twlv_mm.engine.config_reading import read_with_variables

OWN = Path(__file__).parents[1] / 'configs/own'
NAMES = sorted(path.stem for path in OWN.glob('*.py'))
TRAINED = [name for name in NAMES if name != 'knn']


@pytest.fixture
def child(tmp_path):
    """Writes a config that inherits one of configs/own, beside data of three classes."""
    data = tmp_path / 'dances'
    data.mkdir()
    (data / 'classes.txt').write_text('hop\nstep\nturn\n')
    (data / 'mapping.txt').write_text('0 hop\n1 step\n2 turn\n')
    (data / 'actions.pbtxt').write_text(''.join(f'item {{ name: "{name}" id: {name} }}\n' for name in (1, 2, 5)))

    def write(name, *lines):
        path = tmp_path / 'mine.py'
        text = [f"_base_ = 'twlv_mm::own/{name}.py'", f'data_root = {str(data)!r}', *lines]
        path.write_text(''.join(f'{line}\n' for line in text))
        return read_with_variables(path, {})

    return write


def texts(part):
    """All texts in a part of a config."""
    if isinstance(part, str):
        yield part
    for value in part.values() if isinstance(part, dict) else part if isinstance(part, list | tuple) else ():
        yield from texts(value)


@pytest.mark.parametrize('name', NAMES)
def test_two_lines_lead_to_the_data_and_their_classes(name, child, tmp_path):
    cfg = child(name)
    check_encoder(cfg)
    assert cfg.encoder == 'twlv_small_synthetic'
    assert not [text for text in texts(dict(cfg)) if text.startswith('data/')]
    assert cfg.default_hooks.results.dataset == 'dances'
    assert str(tmp_path / 'dances') in ' '.join(texts(dict(cfg.test_dataloader)))
    init_default_scope('mmaction')
    with torch.device('meta'):
        model = MODELS.build(cfg.model)
    places = (getattr(model, part, None) for part in ('cls_head', 'head'))
    counts = {getattr(place, 'num_classes', None) for place in (model, *places)} - {None}
    assert counts == ({6} if name == 'stal' else {3})  # of boxes the largest id, and no action


@pytest.mark.parametrize('name', TRAINED)
def test_max_epochs_shortens_the_run_with_its_schedule(name, child):
    cfg = child(name, 'max_epochs = 7')
    assert cfg.train_cfg.max_epochs == 7
    for scheduler in cfg.get('param_scheduler') or []:
        assert scheduler.get('begin', 0) + scheduler.get('T_max', 0) <= 7
    if cfg.get('param_scheduler'):
        assert cfg.param_scheduler[-1].get('begin', 0) + cfg.param_scheduler[-1].T_max == 7
    assert 0 < cfg.default_hooks.checkpoint.interval <= 7


def test_patience_ends_with_any_better_score(child):
    assert child('finetune', '').find_unused_parameters  # such as CLIP's projection; without it, DDP ends the run
    (cfg,) = child('finetune', 'patience = 2').custom_hooks
    hook = HOOKS.build(cfg)
    assert [hook._check_stop_condition(score)[0] for score in (0.5, 0.5, 0.51, 0.51, 0.51)] == [False] * 4 + [True]


@pytest.mark.parametrize('name', ['linear', 'knn', 'attentive', 'finetune'])
def test_folds_are_those_of_the_lists(name, child, tmp_path):
    cfg = child(name, 'num_folds = 3')
    assert cfg.folds == [1, 2, 3]
    assert cfg.test_dataloader.dataset.ann_file == f'{tmp_path}/dances/val_fold{{fold}}.txt'
    assert cfg.test_dataloader.dataset.fold == 1


@pytest.mark.parametrize('name', NAMES)
def test_another_encoder_brings_no_weights_of_the_small_one(name, child):
    cfg = child(name, "encoder = 'umt_base'")
    check_encoder(cfg)
    assert cfg.encoder_weights is None
    assert cfg.spec.embed_dims == 768


def test_folder_without_names_of_classes_is_an_error_that_names_the_file(child, tmp_path):
    (tmp_path / 'dances/classes.txt').unlink()
    with pytest.raises(FileNotFoundError, match=r'dances/classes\.txt'):
        child('linear')


def test_official_weights_that_a_config_asks_for_are_a_file_of_the_package(child):
    cfg = child('linear', "encoder_weights = 'official'")
    assert Path(cfg.encoder_weights).is_file()
    assert cfg.extraction.encoder.weights == cfg.encoder_weights
