import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope

from twlv_mm.engine import check_encoder
from twlv_mm.evaluation.encoder import find_encoder
from twlv_mm.evaluation.tasks import generated_tasks, paper_tasks
from twlv_mm.registry import MODELS


@pytest.fixture(scope='module')
def tasks():
    return {task.name: task for task in paper_tasks()}


@pytest.mark.parametrize('name', ['umt_large', 'dfn_huge'])
def test_every_task_has_the_numbers_of_the_encoder(tasks, name):
    """Those of each config are compared in tests/engine/test_encoder_check.py."""
    encoder = find_encoder(name, label='mine')
    for task in list(tasks.values())[:: 2 if name == 'umt_large' else 5]:
        if task.config is None:
            continue
        cfg = task.read(encoder, 'out/embeddings')
        check_encoder(cfg)
        assert (cfg.encoder, cfg.default_hooks.results.label) == (name, 'mine')
        if 'backbone' in cfg.model:
            assert cfg.model.backbone.allow_random
        else:
            assert f"'out/embeddings/{task.extractions[0].name}_{name}" in cfg.pretty_text


def test_every_dataset_with_configs_on_embeddings_is_evaluated_on_them(tasks):
    configs = next(iter(tasks.values())).config.parent
    on_embeddings = {path for kind in ('knn', 'linear_offline') for path in configs.glob(f'*_{kind}.py')}
    assert on_embeddings
    assert on_embeddings <= {task.config for task in tasks.values()}


def test_columns_of_knn_are_read_from_their_own_embeddings(tasks):
    encoder = find_encoder('twlv_base')
    for column, folder in (('uniform', 'uniform/train'), ('clip', 'multi-clip/train'), ('video', 'multi-clip/train')):
        cfg = tasks[f'ssv2_knn_{column}'].read(encoder, 'e')
        assert cfg.model.bank.folder == folder


def test_config_that_is_written_down_has_the_weights_of_any_kind_of_path(tasks, tmp_path):
    torch.save({}, tmp_path / 'encoder.pth')
    cfg = tasks['k400_linear'].read(find_encoder('twlv_base', tmp_path / 'encoder.pth'), 'e')
    (tmp_path / 'config.py').write_text(cfg.pretty_text)
    assert Config.fromfile(tmp_path / 'config.py').encoder_weights == str(tmp_path / 'encoder.pth')


def test_an_encoder_of_a_config_keeps_its_overrides_and_models_can_be_built(tmp_path):
    encoder = find_encoder('configs/synthetic/both_single_frame.py', None, 'frame-wise')
    assert (encoder.overrides, encoder.spec['num_frames']) == (dict(num_frames=1, tubelet_size=1), 1)
    init_default_scope('mmaction')
    for task in generated_tasks(tmp_path):
        if task.config is None:
            continue
        cfg = task.read(encoder, 'e')
        assert cfg.default_hooks.results.label == 'frame-wise'
        assert task.missing(cfg, 'e').startswith(str(tmp_path))
        if 'backbone' in cfg.model:
            assert MODELS.build(cfg.model).backbone.spec.num_frames == 1


def test_an_encoder_that_cannot_be_found_is_an_error_that_says_so(tmp_path):
    with pytest.raises(ValueError, match='unknown model'):
        find_encoder('twlv_bas')
    with pytest.raises(FileNotFoundError, match=r'checkpoint .*no\.pth does not exist'):
        find_encoder('twlv_base', str(tmp_path / 'no.pth'))
    for label in ('a/b', 'lr=0.1'):
        with pytest.raises(ValueError, match='slash or an equals sign'):
            find_encoder('twlv_base', None, label)


def test_config_names_its_encoder_or_has_none(tmp_path):
    config = tmp_path / 'mine.py'
    config.write_text("model = dict(backbone=dict(type='twlv_mm.SqueezeTime', frozen=True))")
    encoder = find_encoder(str(config))
    assert (encoder.source, encoder.overrides) == ('squeezetime_r50', {})
    for text in (
        "model = dict(backbone=dict(type='twlv_mm.VideoViT'))",
        "model = dict(backbone=dict(type='ResNet'))",
        '',
    ):
        config.write_text(text)
        with pytest.raises(ValueError, match=r'mine\.py names no encoder'):
            find_encoder(str(config))
