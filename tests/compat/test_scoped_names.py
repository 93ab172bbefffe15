"""Names in configs lead to the same classes as before, without importing what is not asked for."""

import pytest
from mmengine.config import Config
from mmengine.hooks import CheckpointHook
from mmengine.model import BaseModel
from mmengine.registry import (
    DATA_SAMPLERS,
    HOOKS,
    METRICS,
    MODELS,
    OPTIM_WRAPPER_CONSTRUCTORS,
    DefaultScope,
)

import twlv_mm  # noqa: F401
from twlv_mm.recognition.probe_sweep import ProbeSweepConstructor

SCRIPT = """
import sys
import twlv_mm
from mmengine.registry import HOOKS, MODELS, init_default_scope
init_default_scope('mmaction')
with MODELS.switch_scope_and_registry(None) as of_mmaction:
    assert of_mmaction.scope == 'mmaction'
    assert of_mmaction.get('mmengine.BaseDataPreprocessor').__module__.startswith('mmengine.')
    assert of_mmaction.get('twlv_mm.VideoViT').__module__ == 'twlv_mm.encoders.vit'
    assert of_mmaction.get('twlv_mm.EmbeddingKNN').__module__ == 'twlv_mm.recognition.embedding_probe'
    assert of_mmaction.get('twlv_mm.ActionFormer').__module__ == 'twlv_mm.localization.actionformer'
    assert not {'mmaction.models', 'mmdet', 'twlv_mm.detection'} & set(sys.modules)
    assert of_mmaction.get('Recognizer3D').__module__.startswith('mmaction.')
    assert of_mmaction.get('twlv_mm.ProbeRecognizer').__module__ == 'twlv_mm.recognition.recognizer'
"""


@pytest.fixture(autouse=True)
def scope():
    with DefaultScope.overwrite_default_scope('mmaction'):
        yield


def of_mmaction(registry, name):
    with registry.switch_scope_and_registry(None) as child:
        assert child.scope == 'mmaction'
        return child.get(name)


def test_name_with_a_scope_imports_no_more_than_its_room(fresh):
    run = fresh.run(SCRIPT)
    assert run.returncode == 0, run.stderr


def test_names_without_a_scope_are_mmactions_first_and_then_mmengines():
    assert of_mmaction(HOOKS, 'VisualizationHook').__module__.startswith('mmaction.')  # there are two of them
    assert of_mmaction(HOOKS, 'CheckpointHook') is CheckpointHook
    assert of_mmaction(METRICS, 'AccMetric').__module__.startswith('mmaction.')


def test_paths_of_classes_are_names_too():
    assert of_mmaction(MODELS, 'mmengine.model.BaseModel') is BaseModel
    assert of_mmaction(MODELS, 'twlv_mm.recognition.recognizer.ProbeRecognizer').__name__ == 'ProbeRecognizer'
    assert of_mmaction(OPTIM_WRAPPER_CONSTRUCTORS, 'twlv_mm.ProbeSweepConstructor') is ProbeSweepConstructor


@pytest.mark.parametrize('name', ['twlv_mm.EmbedingKNN', 'mmengine.EmbeddingKNN', 'EmbeddingKNN', 'other.EmbeddingKNN'])
def test_unknown_name_is_an_error_that_says_where_it_was_looked_for(name):
    with pytest.raises(KeyError, match=f'{name} is not in the mmaction::model registry'):
        MODELS.build(dict(type=name))


def test_registry_without_a_parent_finds_nothing_of_ours():
    from mmaction.registry import TOKENIZER

    assert TOKENIZER.get('twlv_mm.EmbeddingKNN') is None


def test_config_elsewhere_mixes_our_names_with_mmactions(tmp_path):
    (tmp_path / 'project.py').write_text(
        "_base_ = 'twlv_mm::twlv/k400_linear.py'\n"
        "train_dataloader = dict(sampler=dict(type='DefaultSampler', shuffle=False))\n"
        "custom_hooks = [dict(type='twlv_mm.ClipRateHook'), dict(type='mmengine.EmptyCacheHook')]"
    )
    config = Config.fromfile(tmp_path / 'project.py')
    config.model.backbone.update(img_size=32, num_frames=4, embed_dims=48, depth=1, num_heads=4, allow_random=True)
    model = MODELS.build(config.model)
    assert type(model.cls_head).__module__.startswith('mmaction.')
    assert type(model.backbone).__module__.startswith('twlv_mm.')
    hooks = [type(HOOKS.build(hook)).__module__.partition('.')[0] for hook in config.custom_hooks]
    assert hooks == ['twlv_mm', 'mmengine']
    assert list(DATA_SAMPLERS.build(dict(config.train_dataloader.sampler, dataset=[0, 1]))) == [0, 1]
