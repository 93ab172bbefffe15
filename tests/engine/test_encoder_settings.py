"""One changed line swaps the encoder of a task, and what depends on the encoder follows it or is an error."""

import shutil
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope
from mmengine.runner import Runner

import twlv_mm
from twlv_mm.encoders import get_architecture
from twlv_mm.engine import EncoderError, follow_encoder, launch
from twlv_mm.synthetic import make_boxes, untrimmed

CONFIGS = Path(__file__).parents[2] / 'configs'
NAMES = sorted(path.relative_to(CONFIGS).as_posix() for path in CONFIGS.rglob('*.py') if '_base_' not in path.parts)
# What makes an encoder small enough to take a step here; the rest stays the architecture's own.
SMALL = dict(img_size=32, patch_size=16, embed_dims=48, depth=1, num_heads=4)


def read(name, text='', folder=None):
    """A config, or one that inherits it and says ``text``."""
    if not text:
        return Config.fromfile(CONFIGS / name)
    (folder / 'child.py').write_text(f"_base_ = '{CONFIGS / name}'\n{text}\n")
    return Config.fromfile(folder / 'child.py')


def followed(name, **changes):
    cfg = read(name)
    cfg.merge_from_dict(changes)
    follow_encoder(cfg)
    return cfg


def steps_of(cfg, loader='test_dataloader'):
    return {step.type.split('.')[-1]: step for step in cfg[loader].dataset.pipeline}


def options(**values):
    return ['--cfg-options', *(f'{key}={value}' for key, value in values.items())]


def small(place, **more):
    return {f'{place}.{key}': value for key, value in {**SMALL, 'allow_random': True, **more}.items()}


@pytest.mark.parametrize('name', NAMES)
def test_config_as_it_stands_has_the_numbers_of_its_encoder(name):
    assert follow_encoder(read(name)) == []


@pytest.mark.parametrize(
    'name', [name for name in NAMES if name.startswith('twlv/') and not name.endswith('_large.py')]
)
def test_every_config_takes_another_encoder_with_all_that_depends_on_it(name):
    cfg, arch = followed(name, encoder='dfn_huge'), get_architecture('dfn_huge')
    text = cfg.pretty_text
    if 'backbone' in cfg.model:
        assert cfg.model.backbone.arch == 'dfn_huge'
        assert tuple(cfg.model.data_preprocessor.mean) == arch.mean
        resizing = ("type='Resize'", "type='RandomRescale'", 'ResizeCrop', "resize='short_side'")
        assert text.count("interpolation='bicubic'") == sum(map(text.count, resizing))
    else:
        # Its vectors are as wide as those of twlv_large.
        assert cfg.model.get('in_channels', cfg.model.get('feat_dim', 1024)) == arch.embedding_dims
        assert text.count('_dfn_huge') >= 2
    assert '768' not in text
    assert follow_encoder(cfg) == []


def test_clips_are_as_long_as_before_whatever_their_frames():
    for encoder, clip_len, interval in (('umt_large', 8, 8), ('vjepa2_large', 64, 1), ('vjepa_large', 16, 4)):
        cfg = followed('twlv/k400_attentive.py', encoder=encoder)
        for loader in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
            sampling = steps_of(cfg, loader)['SampleClips']
            assert (sampling.num_frames, sampling.frame_interval) == (clip_len, interval)
        assert cfg.default_hooks.results.protocol.frames == clip_len
        assert cfg.default_hooks.results.protocol.frame_interval == interval
    cfg = followed('twlv/ava_stal.py', encoder='umt_large')
    assert (steps_of(cfg)['SampleKeyframeClip'].clip_len, steps_of(cfg)['SampleKeyframeClip'].seconds) == (8, 2.1)
    assert cfg.model.decoder.num_frames == 8
    cfg = followed('twlv/ek100_linear.py', encoder='umt_large')
    assert (steps_of(cfg)['SegmentSample'].num_frames, steps_of(cfg)['SegmentSample'].clip_seconds) == (8, 64 / 30)


@pytest.mark.parametrize(('kind', 'interval'), [('SampleFrames', 1), ('SampleAVAFrames', 2)])
def test_clips_are_as_long_as_before_where_the_interval_is_left_out(kind, interval):
    cfg = read('twlv/k400_linear.py')
    cfg.merge_from_dict(dict(encoder='umt_large', train_pipeline=[dict(type=kind, clip_len=16)]))
    follow_encoder(cfg)
    assert cfg.train_pipeline == [dict(type=kind, clip_len=8, frame_interval=2 * interval)]


def test_resolution_is_scaled_and_squashing_encoders_see_the_whole_picture():
    cfg = followed('twlv/in1k_linear.py', encoder='vjepa_huge_384')
    assert steps_of(cfg)['Resize'].scale == (-1, 439)  # 256 x 384 / 224
    assert steps_of(cfg)['CenterCrop'].crop_size == 384
    cfg = followed('twlv/ava_stal.py', encoder='vjepa_huge_384')
    assert steps_of(cfg)['Resize'].scale == (-1, 384)
    assert steps_of(cfg, 'train_dataloader')['RandomRescale'].scale_range == (329, 439)

    cfg = followed('twlv/in1k_linear.py', encoder='dfn_huge')
    resize = steps_of(cfg)['Resize']
    assert (resize.scale, resize.keep_ratio, resize.interpolation) == ((224, 224), False, 'bicubic')
    assert 'CenterCrop' not in steps_of(cfg)
    cfg = followed('twlv/k400_linear.py', encoder='dfn_huge')  # three crops of the long side are what is asked for
    crops = steps_of(cfg)['LongSideCrops']
    assert (crops.size, crops.num_crops, crops.resize, crops.interpolation) == (224, 3, 'short_side', 'bicubic')
    assert steps_of(cfg, 'val_dataloader')['ResizeCrop'].resize == 'squash'


def test_patches_of_another_side_reach_padding_and_regions():
    cfg = followed('twlv/ava_roi.py', encoder='internvideo2_1b')
    assert cfg.model.data_preprocessor.size_divisor == 14
    assert cfg.model.roi_head.bbox_roi_extractor.featmap_stride == 14
    assert cfg.model.roi_head.bbox_head.in_channels == 1408


@pytest.mark.parametrize(
    'line', ["encoder = 'umt_large'", "model = dict(backbone=dict(arch='umt_large'))", 'encoder=umt_large on its own']
)
def test_the_line_may_be_in_a_child_config_or_on_the_command_line(line, tmp_path):
    if line.startswith('encoder='):
        args = [str(CONFIGS / 'twlv/k400_linear.py'), *options(encoder='umt_large')]
    else:
        read('twlv/k400_linear.py', line, tmp_path)
        args = [str(tmp_path / 'child.py')]
    parser = launch.training_parser('')
    parser.set_defaults(resume=None)
    cfg = launch.train_config(parser.parse_args(args))
    assert cfg.model.backbone.arch == 'umt_large'
    assert cfg.model.cls_head.in_channels == 1024
    assert steps_of(cfg)['SampleClips'].num_frames == 8


def test_encoder_of_another_kind_takes_its_type_along():
    cfg = followed('twlv/ava_roi.py', encoder='squeezetime_r50')
    assert cfg.model.backbone.type == 'twlv_mm.SqueezeTime'
    assert cfg.model.roi_head.bbox_head.in_channels == 2048
    assert cfg.model.roi_head.bbox_roi_extractor.featmap_stride == 32
    cfg = followed('squeezetime/k400.py', encoder='umt_base')
    assert cfg.model.backbone.type == 'twlv_mm.VideoViT'
    assert cfg.model.cls_head.in_channels == 768


def test_settings_of_the_encoder_are_followed_too():
    cfg = followed('twlv/k400_linear.py', **{'encoder': 'vjepa2_large', 'model.backbone.num_frames': 16})
    assert steps_of(cfg)['SampleClips'].num_frames == 16
    cfg = followed('twlv/k400_linear.py', **{'model.backbone.img_size': 384})
    assert steps_of(cfg)['LongSideCrops'].size == 384


def test_number_that_contradicts_the_encoder_is_an_error_that_names_both(tmp_path):
    def error(name, text):
        with pytest.raises(EncoderError) as raised:
            follow_encoder(read(name, text, tmp_path))
        return str(raised.value)

    swap = "encoder = 'umt_large'\n"
    wrong_width = error('twlv/k400_linear.py', f'{swap}model = dict(cls_head=dict(in_channels=512))')
    assert 'model.cls_head.in_channels' in wrong_width
    assert 'is 512, and that of the encoder umt_large is 1024 (twlv_base, which' in wrong_width
    assert '127.5' in error('twlv/k400_linear.py', f'{swap}model = dict(data_preprocessor=dict(mean=[127.5] * 3))')
    sampling = "dict(type='twlv_mm.SampleClips', num_frames=32, frame_interval=2)"
    frames = f'train_dataloader = dict(dataset=dict(pipeline=[{sampling}]))'
    assert 'num_frames' in error('twlv/k400_linear.py', swap + frames)
    crops = "test_dataloader = dict(dataset=dict(pipeline=[dict(type='CenterCrop', crop_size=320)]))"
    assert 'is 320, and that of the encoder vjepa_huge_384 is 384' in error(
        'twlv/k400_linear.py', f"encoder = 'vjepa_huge_384'\n{crops}"
    )
    assert 'model.in_channels' in error('twlv/thumos14_tal.py', f'{swap}model = dict(in_channels=512)')
    assert "encoder is 'umt_large', and arch of the encoder is 'clip_base'" in error(
        'twlv/k400_linear.py', f"{swap}model = dict(backbone=dict(arch='clip_base'))"
    )
    assert 'did you mean umt_large' in error('twlv/k400_linear.py', "encoder = 'umt_lage'")
    assert 'cannot be set so: img_size=224 is not a multiple of patch_size=20' in error(
        'twlv/k400_linear.py', f'{swap}model = dict(backbone=dict(patch_size=20))'
    )


def test_config_of_its_own_may_normalise_as_it_likes_but_not_as_another_encoder():
    model = dict(
        backbone=dict(type='twlv_mm.VideoViT', arch='clip_base'),
        data_preprocessor=dict(type='ActionDataPreprocessor', mean=[127.5] * 3, std=[127.5] * 3),
        cls_head=dict(type='I3DHead', in_channels=768, num_classes=2),
    )
    cfg = Config(dict(model=model))
    assert follow_encoder(cfg) == []
    cfg.model.data_preprocessor.mean = [123.675, 116.28, 103.53]
    with pytest.raises(EncoderError, match='model.data_preprocessor.mean.*set encoder='):
        follow_encoder(cfg)
    with pytest.raises(EncoderError, match='has no encoder of this project'):
        follow_encoder(Config(dict(encoder='umt_base', model=dict(type='TSN', backbone=dict(type='ResNet')))))


def test_a_tool_that_lets_nothing_follow_is_stopped(tiny_config, tmp_path):
    cfg = Config.fromfile(tiny_config)
    cfg.merge_from_dict({'encoder': 'umt_base', 'work_dir': str(tmp_path), 'train_dataloader.num_workers': 0})
    cfg.default_hooks.encoder_settings = dict(type='twlv_mm.EncoderSettingsHook')
    cfg.model.data_preprocessor.update(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375])
    cfg.written_for = 'twlv_base'
    with pytest.raises(
        EncoderError, match=r'numbers of another encoder(.|\n)*follow_encoder\(cfg\)(.|\n)*arch: twlv_base -> umt_base'
    ):
        Runner.from_cfg(cfg).train()
    for name in ('k400_linear', 'thumos14_tal', 'ava_stal'):
        assert read(f'twlv/{name}.py').default_hooks.encoder_settings.type == 'twlv_mm.EncoderSettingsHook'


def test_recognition_takes_a_step_on_another_encoder(tiny_videos, tmp_path):
    read('twlv/k400_attentive.py', "encoder = 'umt_large'", tmp_path)
    data = {'ann_file': tiny_videos.train_list, 'data_prefix.video': tiny_videos.folder}
    runner = launch.main_train(
        [str(tmp_path / 'child.py'), '--no-validate', '--work-dir', str(tmp_path)]
        + options(
            **small('model.backbone'),
            **{f'train_dataloader.dataset.{key}': value for key, value in data.items()},
            **{'train_dataloader.num_workers': 0, 'train_cfg.max_epochs': 1, 'model.cls_head.num_classes': 2},
        )
    )
    encoder, pipeline = runner.model.backbone, steps_of(runner.cfg, 'train_dataloader')
    assert encoder.arch_name == 'umt_large'
    assert (pipeline['SampleClips'].num_frames, pipeline['SampleClips'].frame_interval) == (8, 8)
    assert pipeline['Resize'].scale == (32, 32)
    assert (runner.model.cls_head.in_channels, runner.cfg.model.cls_head.num_heads) == (48, 4)
    assert runner.iter == 3


def test_localization_embeds_and_takes_a_step_on_another_encoder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    untrimmed.make_untrimmed(tmp_path / 'work_dirs/synthetic/untrimmed', num_videos=2, workers=1)
    read('synthetic/untrimmed_tal.py', "encoder = 'clip_base'", tmp_path)
    runner = launch.main_train(
        ['child.py', '--no-validate', '--work-dir', 'run']
        + options(
            **small('extraction.encoder', num_frames=2, output_dims=24),
            **{'extraction.stride_seconds': 8.0, 'train_cfg.max_epochs': 1, 'param_scheduler': None},
        )
    )
    assert runner.cfg.model.in_channels == 24  # CLIP's projection
    folder = runner.cfg.train_dataloader.dataset.folder
    assert folder == 'work_dirs/synthetic/untrimmed_embeddings_clip_base/multi-clip/train'
    assert list(Path(folder).glob('*_c.npy'))
    assert runner.iter == 1


def test_detection_takes_a_step_on_another_encoder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make_boxes(tmp_path / 'boxes', num_clips=2)
    (tmp_path / 'work_dirs/synthetic').mkdir(parents=True)
    shutil.move(tmp_path / 'boxes', tmp_path / 'work_dirs/synthetic/boxes')
    read('synthetic/ava_stal.py', "encoder = 'internvideo2_1b'", tmp_path)
    runner = launch.main_train(
        ['child.py', '--no-validate', '--work-dir', 'run']
        + options(
            **small('model.backbone', patch_size=16, img_size=96, num_frames=8, tubelet_size=1, clip_embed_dims=24),
            **{'train_dataloader.dataset.indices': 2, 'train_dataloader.num_workers': 0, 'train_cfg.max_epochs': 1},
            **{'train_dataloader.persistent_workers': False, 'param_scheduler': None},
        )
    )
    model, pipeline = runner.model, steps_of(runner.cfg, 'train_dataloader')
    assert model.backbone.arch_name == 'internvideo2_1b'
    assert (model.decoder.in_channels, model.decoder.num_frames) == (48, 8)
    assert model.data_preprocessor.size_divisor == 16
    assert pipeline['CachedFrames'].transforms[0].clip_len == 8
    assert runner.iter == 1


def test_model_of_a_swapped_config_is_whole():
    init_default_scope('mmaction')
    for name, encoder in (('k400_attentive', 'dfn_huge'), ('ava_stal', 'internvideo2_1b'), ('ava_roi', 'umt_large')):
        cfg = followed(f'twlv/{name}.py', encoder=encoder)
        with torch.device('meta'):
            assert MODELS.build(cfg.model).backbone.arch == twlv_mm.encoders.get_architecture(encoder)
