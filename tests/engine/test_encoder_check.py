"""A config asks for its encoder when it is parsed; all that depends on it follows, or is an error that names both."""

import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import HOOKS, MODELS, init_default_scope

import twlv_mm
from twlv_mm.encoders import EncoderError, get_architecture, read_config
from twlv_mm.engine import check_encoder, launch
from twlv_mm.synthetic import make_boxes, untrimmed

CONFIGS = Path(__file__).parents[2] / 'configs'
NAMES = sorted(path.relative_to(CONFIGS).as_posix() for path in CONFIGS.rglob('*.py') if '_base_' not in path.parts)
OWN = """
import torch
import twlv_mm

class Colours(twlv_mm.Encoder):
    spec = twlv_mm.EncoderSpec(name='colours of (mine)', num_frames=4, img_size=40, grid=(4, 5, 5), embed_dims=6,
                               num_heads=2, mean=(1.0, 2.0, 3.0), resize='squash', interpolation='area')

    def encode(self, video):
        pooled = torch.nn.functional.adaptive_avg_pool3d(video, (4, 5, 5))
        return torch.cat([pooled, pooled**2], 1).flatten(2).transpose(1, 2), (4, 5, 5)
"""
ENCODERS = (
    'twlv_large',
    'umt_large',
    'clip_large',
    'squeezetime_r50',
    'vjepa2_large',
    'dfn_huge',
    'my_encoders:Colours',
)
FRAMES = {
    'SampleClips': 'num_frames',
    'SegmentSample': 'num_frames',
    'EmbeddingSample': 'num_frames',
    'SampleKeyframeClip': 'clip_len',
    'StillVideo': 'num_frames',
}
# What makes an encoder small enough to take a step here; the rest stays the architecture's own.
SMALL = dict(img_size=32, patch_size=16, embed_dims=48, depth=1, num_heads=4, allow_random=True)


@pytest.fixture
def own_encoder(tmp_path, monkeypatch):
    (tmp_path / 'my_encoders.py').write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)


def child(folder, name, text):
    """A config that inherits one of ours and says ``text``."""
    (folder / 'child.py').write_text(f"_base_ = '{CONFIGS / name}'\n{text}\n")
    return str(folder / 'child.py')


def steps_of(node):
    """All transforms in a part of a config: (type without scope, dict)."""
    if isinstance(node, dict):
        if isinstance(node.get('type'), str):
            yield node['type'].split('.')[-1], node
        node = list(node.values())
    if isinstance(node, list | tuple):
        for value in node:
            yield from steps_of(value)


def step(cfg, name, loader='test_dataloader'):
    return dict(steps_of(cfg[loader].dataset.pipeline))[name]


def options(**values):
    return ['--cfg-options', *(f'{key}={value}' for key, value in values.items())]


def small(**more):
    return {f'encoder_overrides.{key}': value for key, value in {**SMALL, **more}.items()}


def config_of(*arguments):
    """The config that a command of tools/train.py leads to."""
    parser = launch.training_parser('')
    parser.set_defaults(resume=None)
    return launch.train_config(parser.parse_args(list(arguments)))


def check_numbers(cfg, spec):
    assert cfg.spec == dict(vars(spec), tubelet_size=spec.tubelet_size, patch_size=spec.patch_size)
    model, pretraining = cfg.model, 'masks' in cfg.model
    for kind, one in steps_of([cfg.get('train_dataloader'), cfg.get('val_dataloader'), cfg.get('test_dataloader')]):
        if kind in FRAMES:
            assert one[FRAMES[kind]] in ({spec.num_frames, spec.tubelet_size} if pretraining else {spec.num_frames})
        if kind in ('ResizeCrop', 'LongSideCrops', 'Resize', 'RandomRescale') and 'ava21' not in cfg.filename:
            assert one.interpolation == spec.interpolation
            side = one.get('size') or max(one.get('scale') or one.get('scale_range'))
            assert side in {round(spec.img_size * larger / 224) for larger in (224, 256, 286)}
    if model.get('data_preprocessor'):
        assert tuple(model.data_preprocessor.mean) == spec.mean
        assert tuple(model.data_preprocessor.std) == spec.std
    if model.get('backbone'):
        assert model.backbone.source == cfg.encoder == spec.source
    width = spec.embedding_dims if model.get('features') == 'embed' or 'backbone' not in model else spec.embed_dims
    heads = [model, model.get('cls_head'), model.get('decoder'), (model.get('roi_head') or {}).get('bbox_head')]
    for head in filter(None, heads):
        assert {head.get('in_channels', width), head.get('feat_dim', width)} == {width}
    assert not cfg.default_hooks.get('results', {}).get('protocol', {}).keys() - {'recipe'}


@pytest.mark.parametrize('place', range(len(NAMES)), ids=NAMES)
def test_every_config_takes_another_encoder_with_all_that_depends_on_it(place, own_encoder):
    name, encoder = NAMES[place], ENCODERS[place % len(ENCODERS)]
    if name == 'squeezetime/ava21_roi.py':
        encoder = 'squeezetime_r50'  # in a variant that others have not
    elif 'frame' in name or (name.startswith('twlv/') and 'finetune' in name):
        encoder = 'umt_large'  # can be set to one frame; has blocks
    cfg = read_config(CONFIGS / name, encoder)
    check_encoder(cfg)
    check_numbers(cfg, twlv_mm.describe(encoder, **cfg.encoder_overrides))
    exec(cfg.pretty_text, {})  # what a run writes into its work dir can be read


@pytest.mark.parametrize('encoder', ENCODERS)
@pytest.mark.parametrize('name', ['in1k_attentive', 'ava_stal', 'thumos14_tal_video'])
def test_a_config_of_each_kind_takes_every_encoder(name, encoder, own_encoder, monkeypatch):
    monkeypatch.setenv('ENCODER', encoder)
    cfg = Config.fromfile(CONFIGS / f'twlv/{name}.py')
    check_encoder(cfg)
    check_numbers(cfg, twlv_mm.describe(encoder))
    assert (
        '768' not in cfg.pretty_text or 'embed_dims=768' in repr(twlv_mm.describe(encoder)) or encoder == 'clip_large'
    )


def test_clips_are_as_long_as_before_whatever_their_frames():
    for encoder, clip_len, interval in (('umt_large', 8, 8), ('vjepa2_large', 64, 1), ('vjepa_large', 16, 4)):
        cfg = read_config(CONFIGS / 'twlv/k400_attentive.py', encoder)
        for loader in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
            sampling = step(cfg, 'SampleClips', loader)
            assert (sampling.num_frames, sampling.frame_interval) == (clip_len, interval)
    cfg = read_config(CONFIGS / 'twlv/ava_stal.py', 'umt_large')
    assert (step(cfg, 'SampleKeyframeClip').clip_len, step(cfg, 'SampleKeyframeClip').seconds) == (8, 2.1)
    assert cfg.model.decoder.num_frames == 8


def test_resolution_is_scaled_and_squashing_encoders_see_the_whole_picture():
    resize = step(read_config(CONFIGS / 'twlv/in1k_linear.py', 'vjepa_huge_384'), 'ResizeCrop')
    assert (resize.size, resize.short_side) == (384, 439)  # 256 x 384 / 224
    cfg = read_config(CONFIGS / 'twlv/ava_stal.py', 'vjepa_huge_384')
    assert step(cfg, 'Resize').scale == (-1, 384)
    assert step(cfg, 'RandomRescale', 'train_dataloader').scale_range == (329, 439)
    assert step(read_config(CONFIGS / 'twlv/in1k_linear.py', 'dfn_huge'), 'ResizeCrop').resize == 'squash'


@pytest.mark.parametrize('way', ['literal', 'child of a child', 'command line', 'environment', 'all of them'])
def test_the_encoder_is_set_in_a_child_config_in_the_environment_or_on_the_command_line(way, tmp_path, monkeypatch):
    path = child(tmp_path, 'twlv/k400_linear.py', "encoder = 'umt_large'" if way == 'literal' else '')
    more = []
    if way == 'child of a child':
        child(tmp_path, 'twlv/k400_linear_large.py', "encoder = 'umt_large'")
        path = str(tmp_path / 'grandchild.py')
        Path(path).write_text("_base_ = 'child.py'\nwork_dir = 'x'\n")
    if way in ('environment', 'all of them'):
        monkeypatch.setenv('ENCODER', 'umt_large' if way == 'environment' else 'twlv_large')
    if way == 'all of them':
        path = child(tmp_path, 'twlv/k400_linear.py', "encoder = 'clip_large'")
    if way in ('command line', 'all of them'):
        more = options(encoder='umt_large')
    cfg = config_of(path, *more)
    assert (cfg.encoder, cfg.model.backbone.source) == ('umt_large', 'umt_large')
    assert cfg.model.cls_head.in_channels == 1024
    assert step(cfg, 'SampleClips').num_frames == 8


def test_what_runs_is_what_the_parsed_config_says(monkeypatch):
    for name in ('twlv/k400_attentive_large.py', 'twlv/thumos14_tal.py', 'synthetic/motion_linear.py'):
        monkeypatch.setenv('ENCODER', 'umt_base')
        parsed = Config.fromfile(CONFIGS / name)
        assert parsed.encoder == 'umt_base'
        monkeypatch.delenv('ENCODER')
        runs = config_of(str(CONFIGS / name), '--work-dir', 'here', *options(encoder='umt_base'))
        for key in ('launcher', 'work_dir', 'randomness'):  # of the command
            runs.pop(key)
            parsed.pop(key, None)
        assert runs.pretty_text == parsed.pretty_text


def test_settings_of_the_encoder_are_followed_too(tmp_path, monkeypatch):
    cfg = config_of(
        str(CONFIGS / 'twlv/k400_linear.py'), *options(encoder='vjepa2_large', **{'encoder_overrides.num_frames': 16})
    )
    assert (step(cfg, 'SampleClips').num_frames, cfg.model.backbone.num_frames) == (16, 16)
    path = child(tmp_path, 'twlv/k400_linear.py', 'encoder_overrides = dict(img_size=384, frozen=False)')
    cfg = config_of(path)
    assert (step(cfg, 'LongSideCrops').size, cfg.model.backbone.img_size, cfg.model.backbone.frozen) == (
        384,
        384,
        False,
    )
    # What a config has for the small encoder is not for others; what it has for all can be left out.
    boxes = CONFIGS / 'synthetic/ava_stal.py'
    assert read_config(boxes).spec.img_size == 64
    assert read_config(boxes, 'umt_base').spec.img_size == 224
    monkeypatch.setenv('ENCODER_OVERRIDES', "{'num_frames': None, 'tubelet_size': None}")
    assert read_config(CONFIGS / 'synthetic/motion_single_frame.py').spec.num_frames == 16


def test_weights_reach_the_encoder_of_every_kind_of_config(tmp_path):
    weights = tmp_path / 'weights.pth'
    weights.touch()
    for name, place in (('k400_linear', ('model', 'backbone')), ('gtea_tas_video', ('extraction', 'encoder'))):
        cfg = config_of(str(CONFIGS / f'twlv/{name}.py'), *options(encoder_weights=weights))
        assert cfg[place[0]][place[1]].weights == cfg.encoder_weights == str(weights)
        cfg = config_of(child(tmp_path, f'twlv/{name}.py', f"encoder_weights = '{weights}'"))
        assert cfg[place[0]][place[1]].weights == str(weights)


def test_folders_of_embeddings_follow_one_rule_unless_the_config_names_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def folder(name, encoder):
        return read_config(name, encoder).train_dataloader.dataset.folder

    config = CONFIGS / 'twlv/thumos14_tal.py'
    assert folder(config, 'twlv_large') == 'embeddings/thumos14_twlv_large/multi-clip/train'
    Path('embeddings/thumos14_large').mkdir(parents=True)  # of earlier versions
    assert folder(config, 'twlv_large') == 'embeddings/thumos14_large/multi-clip/train'
    Path('embeddings/thumos14_twlv_large').mkdir()
    assert folder(config, 'twlv_large') == 'embeddings/thumos14_twlv_large/multi-clip/train'
    typed = child(tmp_path, 'twlv/thumos14_tal.py', "train_dataloader = dict(dataset=dict(folder='embeddings/myset'))")
    assert folder(typed, 'umt_large') == 'embeddings/myset'


def test_names_of_own_encoders_are_safe_in_folders(own_encoder):
    cfg = read_config(CONFIGS / 'twlv/thumos14_tal_video.py', 'my_encoders:Colours')
    assert cfg.extraction.out == 'embeddings/thumos14_colours_of_mine'


def test_number_that_contradicts_the_encoder_is_an_error_that_names_both(tmp_path, own_encoder):
    def error(name, text, *more):
        with pytest.raises((EncoderError, SystemExit)) as raised:
            config_of(child(tmp_path, name, text), *more)
        return str(raised.value)

    swap = "encoder = 'umt_large'\n"
    wrong_width = error('twlv/k400_linear.py', f'{swap}model = dict(cls_head=dict(in_channels=512))')
    assert 'model.cls_head.in_channels=512 does not match encoder umt_large (1024)' in wrong_width
    assert '127.5' in error('twlv/k400_linear.py', f'{swap}model = dict(data_preprocessor=dict(mean=[127.5] * 3))')
    assert 'featmap_stride' in error(
        'twlv/ava_roi.py', f'{swap}model = dict(roi_head=dict(bbox_roi_extractor=dict(featmap_stride=14)))'
    )
    assert 'model.in_channels' in error('twlv/thumos14_tal_video.py', f'{swap}model = dict(in_channels=512)')
    assert 'encoder=umt_large, but its model has the encoder clip_base' in error(
        'twlv/k400_linear.py', f"{swap}model = dict(backbone=dict(source='clip_base'))"
    )
    assert 'encoder my_encoders:Colours has no known number of blocks, which LearningRateDecay' in error(
        'twlv/k400_finetune.py', "encoder = 'my_encoders:Colours'"
    )
    assert 'did you mean umt_large' in error('twlv/k400_linear.py', "encoder = 'umt_lage'")
    assert 'img_size=224 is not a multiple of patch_size=20' in error(
        'twlv/k400_linear.py', 'encoder_overrides = dict(patch_size=20)'
    )
    for more in (options(**{'model.backbone.img_size': 384}), []):
        text = '' if more else 'model = dict(backbone=dict(img_size=384))'
        wrong_size = error('twlv/k400_linear.py', text, *more)
        assert 'img_size=384, but encoder twlv_base has img_size=224. Set encoder_overrides.img_size=384' in wrong_size


def test_encoder_that_comes_too_late_is_an_error_that_says_what_to_set(tmp_path):
    cfg = Config.fromfile(CONFIGS / 'twlv/thumos14_tal.py')
    cfg.merge_from_dict(dict(encoder='umt_large'))  # as mmaction2's tools do
    with pytest.raises(EncoderError, match=r"says encoder='umt_large', but was parsed for 'twlv_base'.*ENCODER=SOURCE"):
        check_encoder(cfg)
    computed = child(tmp_path, 'twlv/k400_linear.py', "import os\nencoder = os.path.join('umt_large')")
    with pytest.raises(EncoderError, match="says encoder='umt_large', but was parsed for 'twlv_base'"):
        config_of(computed)
    (tmp_path / 'finished.py').write_text(Config.fromfile(CONFIGS / 'twlv/thumos14_tal.py').pretty_text)
    with pytest.raises(EncoderError, match='does not ask which encoder it is for'):
        config_of(str(tmp_path / 'finished.py'), *options(encoder='umt_large'))


def test_official_weights_are_no_contradiction(tmp_path):
    text = "encoder = 'twlv_small_synthetic'\nencoder_weights = 'official'"
    cfg = Config.fromfile(child(tmp_path, 'twlv/k400_linear.py', text))
    assert cfg.model.backbone.weights.endswith('twlv_small_synthetic.safetensors')
    check_encoder(cfg)


def test_detection_needs_a_map(tmp_path, monkeypatch):
    (tmp_path / 'vectors.py').write_text(OWN.replace('grid=(4, 5, 5), ', 'grid=None, '))
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ValueError, match=r'Detection needs a feature map.*colours of \(mine\) returns only vectors'):
        config_of(str(CONFIGS / 'twlv/ava_stal.py'), *options(encoder='vectors:Colours'))


def test_other_tools_are_stopped_where_a_config_contradicts_its_encoder():
    cfg = Config.fromfile(CONFIGS / 'synthetic/motion_linear.py')
    hook = HOOKS.build(cfg.default_hooks.encoder)
    hook.before_run(SimpleNamespace(cfg=cfg))
    cfg.encoder = 'umt_base'
    with pytest.raises(EncoderError, match="says encoder='umt_base'"):
        hook.before_run(SimpleNamespace(cfg=cfg))


def test_clips_of_other_frames_than_the_encoders_are_refused(tiny_videos, tmp_path, refused):
    """Whatever transform has chosen them."""
    sampling = "[dict(type='twlv_mm.OpenVideo'), dict(type='SampleFrames', clip_len=4)]"
    text = f'train_dataloader = dict(dataset=dict(pipeline=[*{sampling}, *_base_.augmentation, _base_.pack]))'
    data = {'ann_file': tiny_videos.train_list, 'data_prefix.video': tiny_videos.folder}
    arguments = [child(tmp_path, 'twlv/k400_linear.py', text), '--no-validate', '--work-dir', str(tmp_path)]
    arguments += options(**small(), **{f'train_dataloader.dataset.{key}': value for key, value in data.items()})
    error = refused(launch.main_train, [*arguments, 'train_dataloader.num_workers=0'])
    assert 'have 4 frames, but the encoder twlv_base expects 16' in error


def test_recognition_takes_a_step_on_another_encoder(tiny_videos, tmp_path):
    path = child(tmp_path, 'twlv/k400_attentive.py', "encoder = 'umt_large'")
    data = {'ann_file': tiny_videos.train_list, 'data_prefix.video': tiny_videos.folder}
    runner = launch.main_train(
        [path, '--no-validate', '--work-dir', str(tmp_path)]
        + options(
            **small(),
            **{f'train_dataloader.dataset.{key}': value for key, value in data.items()},
            **{'train_dataloader.num_workers': 0, 'train_cfg.max_epochs': 1, 'model.cls_head.num_classes': 2},
            **{'train_dataloader.batch_size': 4},
        )
    )
    sampling = step(runner.cfg, 'SampleClips', 'train_dataloader')
    assert runner.model.backbone.spec.name == 'umt_large'
    assert (sampling.num_frames, sampling.frame_interval) == (8, 8)
    assert step(runner.cfg, 'Resize', 'train_dataloader').scale == (32, 32)
    assert (runner.model.cls_head.in_channels, runner.cfg.model.cls_head.num_heads) == (48, 4)
    assert runner.iter == 3


def test_localization_embeds_and_takes_a_step_on_another_encoder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    untrimmed.make_untrimmed(tmp_path / 'work_dirs/synthetic/untrimmed', num_videos=2, workers=1)
    runner = launch.main_train(
        [child(tmp_path, 'synthetic/untrimmed_tal.py', "encoder = 'clip_base'"), '--no-validate', '--work-dir', 'run']
        + options(
            **small(num_frames=2, output_dims=24),
            **{'extraction.stride_seconds': 8.0, 'train_cfg.max_epochs': 1, 'param_scheduler': None},
        )
    )
    assert runner.cfg.model.in_channels == 24  # CLIP's projection
    folder = runner.cfg.train_dataloader.dataset.folder
    assert folder == 'work_dirs/synthetic/embeddings/untrimmed_clip_base/multi-clip/train'
    assert list(Path(folder).glob('*_c.npy'))
    assert runner.iter == 1


def test_detection_takes_a_step_on_another_encoder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make_boxes(tmp_path / 'boxes', num_clips=2, workers=1)
    (tmp_path / 'work_dirs/synthetic').mkdir(parents=True)
    shutil.move(tmp_path / 'boxes', tmp_path / 'work_dirs/synthetic/boxes')
    runner = launch.main_train(
        [child(tmp_path, 'synthetic/ava_stal.py', "encoder = 'internvideo2_1b'"), '--no-validate', '--work-dir', 'run']
        + options(
            **small(patch_size=16, img_size=96, num_frames=8, tubelet_size=1, clip_embed_dims=24),
            **{'train_dataloader.dataset.indices': 2, 'train_dataloader.num_workers': 0, 'train_cfg.max_epochs': 1},
            **{'train_dataloader.persistent_workers': False, 'param_scheduler': None},
        )
    )
    model = runner.model
    assert model.backbone.spec.name == 'internvideo2_1b'
    assert (model.decoder.in_channels, model.decoder.num_frames) == (48, 8)
    assert model.data_preprocessor.size_divisor == 16
    assert runner.iter == 1


def test_model_of_another_encoder_is_whole():
    init_default_scope('mmaction')
    for name, encoder in (('k400_attentive', 'dfn_huge'), ('ava_stal', 'internvideo2_1b'), ('ava_roi', 'umt_large')):
        cfg = read_config(CONFIGS / f'twlv/{name}.py', encoder)
        with torch.device('meta'):
            assert MODELS.build(cfg.model).backbone.arch == get_architecture(encoder)


def test_a_config_that_does_not_ask_for_its_encoder_cannot_say_another_one(tmp_path):
    (tmp_path / 'own.py').write_text(
        "encoder = 'umt_base'\nmodel = dict(backbone=dict(type='twlv_mm.VideoViT', arch='twlv_base'))\n"
    )
    with pytest.raises(EncoderError, match="says encoder='umt_base', but its model.backbone is twlv_base"):
        check_encoder(Config.fromfile(tmp_path / 'own.py'))


def test_config_that_was_read_too_early_says_what_to_use(tmp_path):
    child = tmp_path / 'child.py'
    child.write_text(f'_base_ = {str(CONFIGS / "twlv/k400_linear.py")!r}\nmax_epochs = 3\n')
    code = 'import sys; from mmengine.config import Config; Config.fromfile(sys.argv[1])'
    done = subprocess.run([sys.executable, '-c', code, str(child)], capture_output=True, text=True)
    assert 'EncoderError: twlv_mm was not imported before the config was read' in done.stderr
