"""Every config is whole and consistent, and mmaction2's own entry points take it."""

import re
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope

import twlv_mm
from twlv_mm.encoders import SqueezeTime
from twlv_mm.engine import launch
from twlv_mm.synthetic import item_rng, render_clip, write_video

CONFIGS = Path(__file__).parents[1] / 'configs'
NAMES = sorted(p.relative_to(CONFIGS).as_posix() for p in CONFIGS.rglob('*.py') if '_base_' not in p.parts)
ON_EMBEDDINGS = [name for name in NAMES if name.endswith(('_knn.py', '_offline.py'))]
# These have tests of their own.
OTHER_TASKS = {'tal', 'bmn', 'tas', 'ava', 'roi', 'pretrain', 'own'}
ON_VIDEO = [name for name in NAMES if name not in ON_EMBEDDINGS and not set(re.split('[/_.]', name)) & OTHER_TASKS]
TINY = dict(img_size=224, patch_size=32, embed_dims=48, depth=1, num_heads=4)


@pytest.fixture
def video(tmp_path):
    frames, *_ = render_clip(item_rng(0, 'test', 0), 'test', num_frames=80)
    write_video(str(tmp_path / 'up.mp4'), frames, fps=30)
    return str(tmp_path / 'up.mp4')


@pytest.mark.parametrize('name', ON_EMBEDDINGS)
def test_config_on_embeddings_takes_no_weights(name, refused):
    cfg = Config.fromfile(CONFIGS / name)
    assert cfg.encoder_weights is None
    init_default_scope('mmaction')
    live = Config.fromfile(CONFIGS / name.replace('_knn', '_linear').replace('_offline', ''))
    assert MODELS.build(cfg.model).num_classes == live.model.cls_head.num_classes
    assert cfg.default_hooks.results.dataset == live.default_hooks.results.dataset
    folders = {loader.dataset.data_root for key, loader in cfg.items() if key.endswith('_dataloader')}
    assert folders | {cfg.model.get('bank', {}).get('data_root', *folders)} == folders
    assert len(folders) == 1
    refused(launch.main_test, [str(CONFIGS / name), '--cfg-options', f'encoder_weights={__file__}'])


SIZES = [('CenterCrop', 'crop_size'), ('ResizeCrop', 'size'), ('LongSideCrops', 'size')]


@pytest.mark.parametrize('name', ON_VIDEO)
def test_config_gives_the_encoder_what_it_was_made_for(name):
    cfg = Config.fromfile(CONFIGS / name)
    assert cfg.default_scope == 'mmaction'
    assert cfg.encoder_weights is None
    init_default_scope('mmaction')
    cfg.model.data_preprocessor.pop('blending', None)  # draws from distributions that must have numbers
    with torch.device('meta'):
        model = MODELS.build(cfg.model)
    arch = model.backbone.arch
    assert model.cls_head.in_channels == arch.embed_dims
    assert tuple(cfg.model.data_preprocessor.mean) == arch.mean
    assert tuple(cfg.model.data_preprocessor.std) == arch.std
    for loader in ('train_dataloader', 'test_dataloader'):
        pipeline = [inner for step in cfg[loader].dataset.pipeline for inner in step.get('transforms', [step])]
        steps = {step.type.split('.')[-1]: step for step in pipeline}
        samplers = ('SampleClips', 'EmbeddingSample', 'SegmentSample', 'StillVideo')
        sampler = next(steps[name] for name in samplers if name in steps)
        assert sampler.get('clip_len', sampler.get('num_frames')) == arch.num_frames
        # The official config of HMDB51 tests at 286 pixels.
        side = 286 if (name, loader) == ('squeezetime/hmdb51.py', 'test_dataloader') else arch.img_size
        sizes = [steps.get(kind, {}).get(key) for kind, key in SIZES]
        assert side in (*steps.get('Resize', {}).get('scale', ()), *sizes)
    assert cfg.default_hooks.results.dataset
    if name.endswith('finetune.py'):  # such as CLIP's projection; without it, DDP ends the run
        assert cfg.find_unused_parameters


@pytest.mark.parametrize('name', ['twlv/k400_linear.py', 'twlv/k400_attentive.py'])
def test_mmaction2_inferences_a_video_with_our_config(name, video):
    from mmaction.apis import inference_recognizer, init_recognizer

    cfg = Config.fromfile(CONFIGS / name)
    cfg.model.backbone.update(TINY, allow_random=True)
    cfg.model.cls_head.in_channels = 48
    scores = inference_recognizer(init_recognizer(cfg, device='cpu'), video).pred_score
    assert scores.shape == (400,)
    assert scores.sum() == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize('head', ['I3DHead', 'TSNHead'])
def test_stock_recognizer_with_our_backbone_trains_and_tests(head, tiny_config, tmp_path):
    options = [f'model.cls_head.type={head}', 'train_cfg.max_epochs=1', 'train_cfg.val_interval=1']
    arguments = ['--work-dir', str(tmp_path), '--cfg-options', *options]
    launch.main_train([tiny_config, *arguments])
    metrics = launch.main_test([tiny_config, str(tmp_path / 'epoch_1.pth'), *arguments])
    assert 0 <= metrics['acc/top1'] <= 1


def test_squeezetime_trains_resumes_and_tests_in_the_stock_recognizer(tiny_config, tmp_path):
    (tmp_path / 'squeezetime.py').write_text(
        f"_base_ = '{tiny_config}'\n"
        "model = dict(backbone=dict(_delete_=True, type='twlv_mm.SqueezeTime', widen_factor=0.125, num_frames=8,\n"
        '                           pos_dim=(8, 4, 2, 1)), cls_head=dict(in_channels=256))\n'
        'train_dataloader = dict(dataset=dict(pipeline=[\n'
        "    dict(type='twlv_mm.OpenVideo'), dict(type='twlv_mm.SampleClips', num_frames=8),\n"
        "    dict(type='twlv_mm.DecodeVideo'), dict(type='Resize', scale=(-1, 36)),\n"
        "    dict(type='MultiScaleCrop', input_size=32, scales=(1, 0.875), random_crop=True),\n"
        "    dict(type='Resize', scale=(32, 32), keep_ratio=False), dict(type='Flip', flip_ratio=0.5),\n"
        "    dict(type='ColorJitter'), dict(type='RandomErasing', erase_prob=1.0, mode='rand'),\n"
        "    dict(type='FormatShape', input_format='NCTHW'), dict(type='PackActionInputs')]))\n"
    )
    arguments = [str(tmp_path / 'squeezetime.py'), '--work-dir', str(tmp_path), '--cfg-options']
    first = launch.main_train([*arguments, 'train_cfg.max_epochs=1', 'train_cfg.val_interval=1'])
    assert isinstance(first.model.backbone, SqueezeTime)
    assert first.model.backbone.net.bn1.num_batches_tracked == 3
    launch.main_train([arguments[0], '--resume', *arguments[1:], 'train_cfg.max_epochs=2'])
    config, *options = arguments
    metrics = launch.main_test([config, str(tmp_path / 'epoch_2.pth'), *options, 'train_cfg.max_epochs=2'])
    assert 0 <= metrics['acc/top1'] <= 1


def test_frozen_encoder_without_weights_is_refused(tiny_config, tmp_path):
    frozen = ['--work-dir', str(tmp_path), '--cfg-options', 'model.backbone.frozen=True']
    with pytest.raises(RuntimeError, match='encoder_weights=PATH'):
        launch.main_train([tiny_config, *frozen])

    overrides = dict(img_size=32, patch_size=16, num_frames=8, embed_dims=48, depth=2, num_heads=4)
    encoder = twlv_mm.get_model('twlv_base', **overrides)
    torch.save(encoder.state_dict(), tmp_path / 'encoder.pth')
    options = [f'encoder_weights={tmp_path}/encoder.pth', 'train_cfg.max_epochs=1']
    runner = launch.main_train([tiny_config, *frozen, *options])
    for name, value in encoder.state_dict().items():
        assert torch.equal(runner.model.backbone.state_dict()[name], value), name
