"""``mmaction:CONFIG``: what mmaction2's own recognizer computes with its backbone is what the encoder gives."""

import pytest
import torch
from mmaction.apis import init_recognizer
from mmaction.registry import MODELS as REGISTRY
from mmengine.config import Config

import twlv_mm
from twlv_mm.encoders.mmaction_models import _path

from .test_sources import check

SIZE = 32
# Config among mmaction2's, frames, the grid expected, and what makes its backbone small.
MODELS = dict(
    swin=(
        'swin/swin-tiny-p244-w877_in1k-pre_8xb8-amp-32x2x1-30e_kinetics400-rgb',
        4,
        (2, 1, 1),
        dict(arch=dict(embed_dims=12, depths=[1, 1, 1, 1], num_heads=[1, 2, 3, 6])),
    ),
    mvit=(
        'mvit/mvit-small-p244_32xb16-16x4x1-200e_kinetics400-rgb',
        4,
        (2, 2, 2),
        dict(arch=dict(embed_dims=12, num_layers=3, num_heads=1, downscale_indices=[1, 2])),
    ),
    slowfast=(
        'slowfast/slowfast_r50_8xb8-4x16x1-256e_kinetics400-rgb',
        16,
        (2, 1, 1),
        dict(
            channel_ratio=2, slow_pathway=dict(depth=18, base_channels=8), fast_pathway=dict(depth=18, base_channels=4)
        ),
    ),
    slowonly=(
        'slowonly/slowonly_r50_8xb16-4x16x1-256e_kinetics400-rgb',
        4,
        (4, 1, 1),
        dict(depth=18, base_channels=8),
    ),
    uniformerv2=(
        'uniformerv2/uniformerv2-base-p16-res224_clip_8xb32-u8_kinetics400-rgb',
        4,
        None,
        dict(width=24, layers=2, heads=2, n_layers=1, n_dim=24, n_head=2, return_list=[1]),
    ),
    timesformer=(
        'timesformer/timesformer_divST_8xb8-8x32x1-15e_kinetics400-rgb',
        4,
        (4, 2, 2),
        dict(embed_dims=24, num_heads=2, num_transformer_layers=2),
    ),
    videomae=(
        'videomae/vit-base-p16_videomae-k400-pre_16x4x1_kinetics-400',
        4,
        (2, 2, 2),
        dict(embed_dims=24, num_heads=2, depth=2),
    ),
    tsn=('tsn/tsn_imagenet-pretrained-r50_8xb32-1x1x3-100e_kinetics400-rgb', 4, (4, 1, 1), dict(depth=18)),
    tsm=('tsm/tsm_imagenet-pretrained-r50_8xb16-1x1x8-50e_kinetics400-rgb', 8, (8, 1, 1), dict(depth=18)),
)
# Their own names of the same two numbers.
TIED = dict(
    uniformerv2=dict(t_size=4, input_resolution=SIZE, clip_pretrained=False),
    timesformer=dict(num_frames=4, img_size=SIZE),
    videomae=dict(num_frames=4, img_size=SIZE),
    mvit=dict(temporal_size=4, spatial_size=SIZE),
)


def changed(settings, changes):
    for key, value in changes.items():
        if isinstance(value, dict) and isinstance(settings.get(key), dict):
            changed(settings[key], value)
        else:
            settings[key] = value


@pytest.fixture
def theirs(tmp_path):
    """name -> mmaction2's recognizer with random weights, and a checkpoint of it."""

    def make(name, spec):
        config, _, _, changes = MODELS[name]
        cfg = Config.fromfile(_path(f':recognition/{config}.py'))
        changed(cfg.model.backbone, changes | TIED.get(name, {}))
        cfg.model.backbone.pretrained = None
        cfg.model.cls_head.in_channels = spec.embedding_dims
        recognizer = init_recognizer(cfg, device='cpu')
        with torch.no_grad():
            for key, value in recognizer.backbone.state_dict().items():
                if value.is_floating_point() and not key.endswith(('running_var', 'pos_embed')):
                    value.normal_(std=0.05)
        path = tmp_path / 'theirs.pth'
        torch.save(dict(state_dict=recognizer.state_dict(), meta=dict(epoch=1)), path)
        return recognizer, path

    return make


@pytest.mark.parametrize('name', MODELS)
def test_encoder_is_the_backbone_that_mmaction2_builds(name, theirs):
    config, frames, grid, changes = MODELS[name]
    source = f'mmaction::recognition/{config}.py'
    sizes = dict(num_frames=frames, img_size=SIZE, **changes)
    spec = twlv_mm.describe(source, **sizes)
    assert (spec.name, spec.source) == (config.rpartition('/')[2], source)
    assert (spec.num_frames, spec.grid) == (frames, grid)
    recognizer, weights = theirs(name, spec)
    model = twlv_mm.get_model(source, weights, frozen=True, **sizes)
    assert model.spec == spec
    check(model)

    torch.manual_seed(0)
    video = torch.randn(2, 3, frames, SIZE, SIZE)
    pictures = name in ('tsn', 'tsm')
    with torch.no_grad():
        features = recognizer.backbone(video.transpose(1, 2).flatten(0, 1) if pictures else video)
        # Their head on their features, and its last layer on our vector.
        scores = recognizer.cls_head(features, **(dict(num_segs=frames) if pictures else {}))
        ours = recognizer.cls_head.fc_cls(model.embed(video))
    assert scores.std() > 1e-3
    print(f'{name}: {(ours - scores).abs().max():.1e} of {scores.abs().max():.2g}')
    torch.testing.assert_close(ours, scores, atol=2e-5, rtol=0)
    if pictures:
        features = features.unflatten(0, (2, frames)).transpose(1, 2)
    if name in ('swin', 'slowonly', 'tsn', 'tsm'):
        torch.testing.assert_close(model(video), features, atol=2e-5, rtol=0)


def test_numbers_are_those_of_the_config(tmp_path):
    swin = twlv_mm.describe(f'mmaction::recognition/{MODELS["swin"][0]}.py')
    assert (swin.num_frames, swin.img_size, swin.grid, swin.embed_dims) == (32, 224, (16, 7, 7), 768)
    assert swin.mean == (123.675, 116.28, 103.53)
    assert (swin.resize, swin.interpolation, swin.per_frame) == ('short_side', 'bilinear', False)
    assert twlv_mm.describe(f'mmaction::recognition/{MODELS["tsn"][0]}.py').per_frame

    path = tmp_path / 'own.py'
    path.write_text(
        "model = dict(type='Recognizer3D', backbone=dict(type='ResNet3dSlowOnly', depth=18, pretrained=None),\n"
        "             data_preprocessor=dict(type='ActionDataPreprocessor', mean=[1, 2, 3], std=[4, 5, 6],\n"
        "                                    format_shape='NCTHW'))\n"
        "test_pipeline = [dict(type='SampleFrames', clip_len=6, frame_interval=2, num_clips=3),\n"
        "                 dict(type='Resize', scale=(64, 64), keep_ratio=False, interpolation='bicubic')]\n"
    )
    spec = twlv_mm.describe(f'mmaction:{path}')
    assert (spec.name, spec.num_frames, spec.img_size, spec.grid) == ('own', 6, 64, (6, 2, 2))
    assert (spec.mean, spec.std) == ((1, 2, 3), (4, 5, 6))
    assert (spec.resize, spec.interpolation) == ('squash', 'bicubic')


def test_network_that_shifts_channels_between_frames_takes_its_own_number_of_them():
    config, frames, _, changes = MODELS['tsm']
    model = twlv_mm.get_model(f'mmaction::recognition/{config}.py', num_frames=frames, img_size=SIZE, **changes)
    with pytest.raises(ValueError, match='expects clips of 8 frames, not 4: set num_frames=4'):
        model(torch.randn(2, 3, 4, SIZE, SIZE))


def test_checkpoint_of_another_backbone_is_refused_and_heads_are_named(theirs, tmp_path, caplog):
    config, frames, _, changes = MODELS['slowonly']
    source, sizes = f'mmaction::recognition/{config}.py', dict(num_frames=frames, img_size=SIZE, **changes)
    model = twlv_mm.get_model(source, **sizes)
    _, weights = theirs('slowonly', model.spec)
    state = torch.load(weights, weights_only=True)['state_dict']
    del state['backbone.conv1.conv.weight']
    torch.save(state, tmp_path / 'less.pth')
    with pytest.raises(ValueError, match=r'does not hold the weights of slowonly_r50.*\s*Missing key: net.conv1.conv'):
        twlv_mm.get_model(source, tmp_path / 'less.pth', **sizes)
    # Our own checkpoint of a model that has it as backbone.
    own = {f'backbone.{key}': value for key, value in model.state_dict().items()}
    torch.save(dict(state_dict=own | {'cls_head.weight': torch.zeros(1)}), tmp_path / 'own.pth')
    again = twlv_mm.get_model(source, tmp_path / 'own.pth', **sizes)
    assert all(torch.equal(a, b) for a, b in zip(again.parameters(), model.parameters(), strict=True))


def test_it_is_built_without_memory_where_the_default_device_is_meta():
    with torch.device('meta'):
        model = twlv_mm.get_model(f'mmaction::recognition/{MODELS["swin"][0]}.py')
    assert model.spec.grid == (16, 7, 7)
    assert all(tensor.is_meta for tensor in (*model.parameters(), *model.buffers()))


def test_what_is_no_encoder_of_rgb_clips_is_refused(tmp_path):
    path = tmp_path / 'flow.py'
    for text, message in (
        ('x = 1', 'is not a config of a recognizer'),
        ("model = dict(type='Recognizer3D', backbone=dict(type='C3D'))", 'does not determine num_frames'),
        (
            "model = dict(type='Recognizer3D', backbone=dict(type='C3D'), data_preprocessor=dict(mean=[1, 1]))",
            'does not accept clips of RGB frames',
        ),
        ("model = dict(type='Recognizer3D', backbone=dict(type='Nothing'))", 'mmaction2 has no backbone Nothing'),
    ):
        path.write_text(text)
        sizes = dict(num_frames=4, img_size=32) if 'Nothing' in text else {}
        with pytest.raises(ValueError, match=message):
            twlv_mm.describe(f'mmaction:{path}', **sizes)
    with pytest.raises(FileNotFoundError, match='config .* does not exist'):
        twlv_mm.describe('mmaction::recognition/swin/none.py')
    with pytest.raises(FileNotFoundError, match='config .* does not exist'):
        twlv_mm.describe(f'mmaction:{tmp_path}/none.py')
    with pytest.raises(TypeError, match='surprise'):
        twlv_mm.describe(f'mmaction::recognition/{MODELS["slowonly"][0]}.py', surprise=1)


def test_config_of_a_clone_is_found_beside_the_package(tmp_path, monkeypatch):
    for name in ('cloned/__init__.py', 'configs/recognition/mine.py'):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.syspath_prepend(tmp_path)
    assert _path('cloned::recognition/mine.py') == tmp_path / 'configs/recognition/mine.py'


def test_recognizer_trains_on_the_encoder():
    """As a backbone in a config, without weights, it is initialised as mmaction2 does it."""
    config, frames, _, changes = MODELS['slowonly']
    source = f'mmaction::recognition/{config}.py'
    cfg = Config(
        dict(
            type='Recognizer3D',
            backbone=dict(type='Encoder', source=source, num_frames=frames, img_size=SIZE, **changes),
            cls_head=dict(type='I3DHead', num_classes=2, in_channels=64),
        )
    )
    model = REGISTRY.build(cfg)
    before = model.backbone.net.conv1.conv.weight.clone()
    model.init_weights()
    assert not torch.equal(model.backbone.net.conv1.conv.weight, before)
    loss = model.cls_head(model.backbone(torch.randn(2, 3, frames, SIZE, SIZE))).sum()
    loss.backward()
    assert model.backbone.net.conv1.conv.weight.grad is not None


def test_checkpoint_of_mmaction2_is_one_of_videomae(theirs, tmp_path):
    _, frames, _, settings = MODELS['videomae']
    settings = dict(settings, num_frames=frames, img_size=SIZE)
    recognizer, weights = theirs('videomae', twlv_mm.describe('videomae_base', **settings))
    model = twlv_mm.get_model('videomae_base', weights, frozen=True, **settings)
    video = torch.randn(2, 3, frames, SIZE, SIZE)
    with torch.no_grad():
        torch.testing.assert_close(model.embed(video), recognizer.backbone(video), atol=2e-5, rtol=0)
        recognizer.backbone.return_feat_map = True
        torch.testing.assert_close(model(video), recognizer.backbone(video), atol=2e-5, rtol=0)

    with pytest.raises(ValueError, match='holds the weights of VideoMAE, not those of twlv_base'):
        twlv_mm.get_model('twlv_base', weights, **settings)
    state = torch.load(weights, weights_only=True)['state_dict']
    torch.save(dict(state_dict=state | {'backbone.surprise': torch.zeros(1)}), weights)
    with pytest.raises(ValueError, match='Unexpected key: surprise'):
        twlv_mm.get_model('videomae_base', weights, **settings)
