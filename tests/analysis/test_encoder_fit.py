import copy

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope

from twlv_mm.analysis.encoder_fit import find_encoder, fit_config
from twlv_mm.analysis.evaluation_tasks import generated_tasks, paper_tasks
from twlv_mm.registry import MODELS

ENCODERS = {'twlv_large': 1024, 'umt_base': 768, 'vjepa2_large': 1024, 'dfn_huge': 1024, 'internvideo2_1b': 768}


@pytest.fixture(scope='module')
def tasks():
    return {task.name: task for task in paper_tasks()}


def fitted(tasks, name, encoder):
    cfg = copy.deepcopy(tasks[name].config)
    fit_config(cfg, encoder)
    return cfg


def steps(cfg, loader='test_dataloader'):
    return {step['type'].split('.')[-1]: step for step in cfg[loader]['dataset']['pipeline']}


@pytest.mark.parametrize('name', ENCODERS)
def test_clips_have_the_frames_and_pixels_of_the_encoder_and_their_length_in_time(tasks, name):
    encoder = find_encoder(name)
    arch = encoder.architecture
    for loader in ('train_dataloader', 'test_dataloader'):
        sample = steps(fitted(tasks, 'k400_linear', encoder), loader)['SampleClips']
        assert sample['num_frames'] == arch.num_frames
        assert sample['num_frames'] * sample['frame_interval'] == 64
    test = steps(fitted(tasks, 'k400_linear', encoder))
    assert test['LongSideCrops']['resize'] == 'short_side'
    assert test['LongSideCrops']['size'] == arch.img_size
    assert steps(fitted(tasks, 'in1k_linear', encoder))['StillVideo']['num_frames'] == arch.num_frames
    assert steps(fitted(tasks, 'ek100_attentive', encoder))['SegmentSample']['num_frames'] == arch.num_frames
    assert fitted(tasks, 'k400_linear', encoder).default_hooks.results.protocol.frames == arch.num_frames


@pytest.mark.parametrize('name', ENCODERS)
def test_heads_take_what_the_encoder_gives(tasks, name):
    encoder = find_encoder(name)
    arch = encoder.architecture
    assert arch.embedding_dims == ENCODERS[name]
    for task in ('k400_linear_offline', 'thumos14_tal', 'gtea_tas'):
        assert fitted(tasks, task, encoder).model.in_channels == arch.embedding_dims
    linear = fitted(tasks, 'ssv2_linear', encoder).model
    assert linear.cls_head.in_channels == (arch.embed_dims if arch.pooling == 'mean' else arch.embedding_dims)
    attentive = fitted(tasks, 'ssv2_attentive', encoder).model
    assert attentive.cls_head.in_channels == arch.embed_dims
    assert arch.embed_dims % attentive.cls_head.num_heads == 0
    assert list(arch.mean) == attentive.data_preprocessor.mean
    detector = fitted(tasks, 'ava_stal', encoder).model
    assert detector.decoder.in_channels == arch.embed_dims
    assert detector.decoder.num_frames * arch.tubelet_size == arch.num_frames
    assert fitted(tasks, 'ava_roi', encoder).model.roi_head.bbox_roi_extractor.featmap_stride == arch.patch_size


def test_config_that_is_written_down_has_the_weights_of_any_kind_of_path(tasks, tmp_path):
    torch.save({}, tmp_path / 'encoder.pth')
    cfg = fitted(tasks, 'k400_linear', find_encoder('twlv_base', tmp_path / 'encoder.pth'))
    (tmp_path / 'config.py').write_text(cfg.pretty_text)
    assert Config.fromfile(tmp_path / 'config.py').encoder_weights == str(tmp_path / 'encoder.pth')


def test_an_encoder_of_a_config_keeps_its_overrides_and_models_can_be_built(tmp_path):
    encoder = find_encoder('configs/synthetic/both_single_frame.py', None, 'frame-wise')
    assert (encoder.overrides, encoder.architecture.num_frames) == (dict(num_frames=1, tubelet_size=1), 1)
    init_default_scope('mmaction')
    for task in generated_tasks(tmp_path):
        if task.config is None:
            continue
        fit_config(task.config, encoder)
        assert task.config.default_hooks.results.label == 'frame-wise'
        if 'backbone' in task.config.model:
            assert MODELS.build(task.config.model).backbone.arch.num_frames == 1


def test_an_encoder_that_cannot_be_found_is_an_error_that_says_so(tmp_path):
    with pytest.raises(ValueError, match='there is no model'):
        find_encoder('twlv_bas')
    with pytest.raises(ValueError, match=r'has no model\.backbone of type'):
        find_encoder('configs/twlv/k400_knn.py')
    with pytest.raises(FileNotFoundError, match=r'there is no checkpoint .*no\.pth'):
        find_encoder('twlv_base', str(tmp_path / 'no.pth'))
    for label in ('a/b', 'lr=0.1'):
        with pytest.raises(ValueError, match='slash or an equals sign'):
            find_encoder('twlv_base', None, label)


def test_config_names_its_encoder_or_has_none(tmp_path):
    config = tmp_path / 'mine.py'
    config.write_text("model = dict(backbone=dict(type='twlv_mm.SqueezeTime', frozen=True))")
    encoder = find_encoder(str(config))
    assert (encoder.arch, encoder.overrides) == ('squeezetime_r50', {})
    config.write_text("model = dict(backbone=dict(type='twlv_mm.VideoViT'))")
    with pytest.raises(ValueError, match=r'mine\.py has no model\.backbone of type .* with an arch'):
        find_encoder(str(config))
