"""SqueezeTime: official outputs, counts, the encoders' contract, its variants, and ways to run it faster."""

import copy
import os
import pickle
from pathlib import Path

import mmaction.models  # noqa: F401
import pytest
import torch
from mmengine.analysis import FlopAnalyzer
from mmengine.registry import MODELS, init_default_scope
from packaging.version import Version
from torch import nn

import twlv_mm
from twlv_mm.encoders import VideoVisionTransformer, squeezetime
from twlv_mm.encoders.fused_squeezetime import FusedConv

from ..written import official_state, read_golden

TINY = dict(widen_factor=0.125, num_frames=8, pos_dim=(8, 4, 2, 1))
GOLDEN = Path(os.environ.get('TWLV_SHARED', '')) / 'golden/squeezetime.npz'
needs_golden = pytest.mark.skipif(
    'TWLV_SHARED' not in os.environ, reason='TWLV_SHARED names no folder with golden/squeezetime.npz'
)


@pytest.fixture
def video():
    return torch.randn(2, 3, 8, 32, 32, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope='module')
def golden():
    tensors, meta = read_golden(GOLDEN)
    return (
        official_state(tensors),
        tensors,
        {key: meta[key] for key in ('depth', 'widen_factor', 'num_frames', 'pos_dim')},
    )


@pytest.fixture
def tiny(monkeypatch):
    """Makes small models, of five blocks in place of sixteen, with batch norms that do something."""
    monkeypatch.setitem(squeezetime.STAGES, 50, (2, 1, 1, 1))

    def make(statistics=True, **options):
        torch.manual_seed(0)
        model = twlv_mm.get_model('squeezetime_r50', **TINY, **options)
        if statistics:
            with torch.no_grad():
                for _ in range(3):
                    model(torch.randn(4, 3, 8, 32, 32))
        return model.eval()

    return make


@needs_golden
@pytest.mark.parametrize('layout', ['net', 'recognizer', 'network alone'])
def test_official_weights_give_the_official_outputs(golden, layout, tmp_path):
    state, tensors, settings = golden
    if layout == 'recognizer':
        head = {'cls_head.fc_cls.weight': torch.zeros(3, 256), 'cls_head.fc_cls.bias': torch.zeros(3)}
        state = {'state_dict': {f'backbone.{key}': value for key, value in state.items()} | head}
    if layout == 'network alone':  # as trained on ImageNet
        state = {key.removeprefix('net.'): value for key, value in state.items()} | {'fc.weight': torch.zeros(3, 256)}
    torch.save(state, tmp_path / 'official.pth')
    model = twlv_mm.get_model('squeezetime_r50', tmp_path / 'official.pth', **settings).eval()
    for suffix in ('', '_other_size'):
        with torch.no_grad():
            features = model(tensors[f'in/video{suffix}'])
        difference = (features.squeeze(2) - tensors[f'out/features{suffix}']).abs().max().item()
        print(f'squeezetime{suffix}: max abs difference {difference:.1e}')
        assert difference <= 2e-5


@needs_golden
def test_published_recognizer_checkpoint_loads_into_our_config(golden):
    state, tensors, settings = golden
    init_default_scope('mmaction')
    model = MODELS.build(
        dict(
            type='Recognizer3D',
            backbone=dict(type='twlv_mm.SqueezeTime', **settings),
            cls_head=dict(type='I3DHead', num_classes=5, in_channels=256, dropout_ratio=0.5),
        )
    ).eval()
    official = nn.Linear(256, 5)
    head = {f'cls_head.fc_cls.{key}': value for key, value in official.state_dict().items()}
    model.load_state_dict({f'backbone.{key}': value for key, value in state.items()} | head)
    with torch.no_grad():
        scores = model(tensors['in/video'][:, None], stage='head')
        expected = official(tensors['out/features'].mean(dim=(2, 3)))  # the official I2DHead
    torch.testing.assert_close(scores, expected, atol=2e-5, rtol=0)


def test_full_size_has_the_published_codes_parameters_and_multiply_adds():
    model = twlv_mm.get_model('squeezetime_r50').eval()
    assert sum(parameter.numel() for parameter in model.parameters()) == 28_887_088
    flops = FlopAnalyzer(model, (torch.zeros(1, 3, 16, 224, 224),))
    flops.unsupported_ops_warnings(False)
    flops.uncalled_modules_warnings(False)
    assert flops.total() / 1e9 == pytest.approx(5.506, abs=5e-4)


def test_it_keeps_the_contract_of_the_encoders(tiny, video):
    model = tiny()
    with torch.no_grad():
        feature_map, tokens, vectors = model(video), model.tokens(video), model.embed(video)
    assert feature_map.shape == (2, 256, 1, 1, 1)
    assert tokens.shape == (2, 1, 256)
    assert vectors.shape == (2, 256) == (2, model.arch.embed_dims)
    assert (model.arch_name, model.arch.num_frames, model.arch.img_size) == ('squeezetime_r50', 8, 32)
    with torch.no_grad():
        larger = model(torch.randn(1, 3, 8, 64, 96))
        assert larger.shape == (1, 256, 1, 2, 3)
        assert not torch.allclose(model.embed(video), model.embed(video.flip(2)), atol=1e-3)  # it sees order
        assert torch.equal(model.embed(video, 'frame'), model.embed(video)[:, None])


@pytest.mark.parametrize('branch', ['tfc', 'ioi'])
def test_each_branch_can_be_switched_off(tiny, branch, video):
    alone, both = tiny(branches=(branch,)), tiny()
    assert 0 < sum(p.numel() for p in alone.parameters()) < sum(p.numel() for p in both.parameters())
    names = {'tfc': 'temporal_conv', 'ioi': 'spatial_conv'}
    kept = {name for name in names if any(names[name] in key for key in alone.state_dict())}
    assert kept == {branch}
    with torch.no_grad():
        assert alone(video).shape == (2, 256, 1, 1, 1)
    with pytest.raises(ValueError, match='must be a selection of tfc, ioi'):
        tiny(branches=('tcf',))


def test_detection_variant_keeps_resolution_and_unfolds_time(tiny, video, tmp_path):
    plain = tiny()
    torch.save(plain.state_dict(), tmp_path / 'plain.pth')
    model = twlv_mm.get_model('squeezetime_r50', tmp_path / 'plain.pth', detection=True, **TINY).eval()
    with torch.no_grad():
        maps = model(video)
        assert maps.shape == (2, 32, 8, 2, 2)
        assert torch.equal(maps.flatten(1, 2), model.net(video.flatten(1, 2)))
    for key, value in model.state_dict().items():
        assert torch.equal(value, plain.state_dict()[key]), key


def test_position_tables_keep_the_size_they_were_trained_with(tiny, video, tmp_path):
    source = tiny()
    torch.save(source.state_dict(), tmp_path / 'x.pth')
    model = twlv_mm.get_model('squeezetime_r50', tmp_path / 'x.pth', **TINY | dict(pos_dim=(16, 8, 4, 2))).eval()
    with torch.no_grad():
        torch.testing.assert_close(model(video), source(video))


def test_what_does_not_fit_is_a_clear_error(tiny, tmp_path):
    with pytest.raises(ValueError, match='got 16 frames.*expected 8'):
        tiny(statistics=False)(torch.zeros(1, 3, 16, 32, 32))
    with pytest.raises(TypeError, match='no setting patch_size; these can be set: num_frames, depth, widen'):
        twlv_mm.get_model('squeezetime_r50', patch_size=16)
    with pytest.raises(ValueError, match='squeezetime_r50 is not built by VideoVisionTransformer'):
        VideoVisionTransformer('squeezetime_r50')
    with pytest.raises(ValueError, match=r'pos_dim must have four entries, .* per stage; got \(8, 4\)'):
        twlv_mm.get_model('squeezetime_r50', pos_dim=[8, 4])
    with pytest.raises(ValueError, match='fused already'):
        tiny(statistics=False).fuse().fuse()
    with pytest.raises(ValueError, match='depth=18: must be one of 50'):
        twlv_mm.get_model('squeezetime_r50', depth=18)
    state = tiny(statistics=False).state_dict()
    del state['net.layer4.0.conv3.weight']
    torch.save(state | {'net.surprise': torch.zeros(1)}, tmp_path / 'cut.pth')
    with pytest.raises(ValueError, match=r'(?s)squeezetime_r50.*Missing.*layer4\.0\.conv3.*Unexpected.*net\.surprise'):
        twlv_mm.get_model('squeezetime_r50', tmp_path / 'cut.pth', **TINY)


def test_frozen_encoder_keeps_its_statistics_and_requires_weights(tiny, video, tmp_path):
    with pytest.raises(RuntimeError, match='encoder_weights=PATH'):
        twlv_mm.get_model('squeezetime_r50', frozen=True, **TINY)(video)
    source = tiny()
    torch.save(source.state_dict(), tmp_path / 'x.pth')
    model = nn.Sequential(twlv_mm.get_model('squeezetime_r50', tmp_path / 'x.pth', frozen=True, **TINY)).train()
    assert torch.equal(model(video), source(video))
    assert not model(video).requires_grad
    assert torch.equal(model[0].net.bn1.running_mean, source.net.bn1.running_mean)


@pytest.mark.parametrize('options', [{}, dict(branches=['tfc']), dict(branches=['ioi']), dict(detection=True)], ids=str)
def test_fused_model_gives_the_same_outputs(tiny, options, video):
    model = tiny(**options)
    fused = model.fuse()
    assert not any(isinstance(module, nn.BatchNorm2d) for module in fused.modules())
    for clips in (video, torch.randn(1, 3, 8, 64, 48), video):
        with torch.no_grad():
            torch.testing.assert_close(fused(clips), model(clips), atol=2e-5, rtol=0)
            rounded = model.fuse(torch.bfloat16).embed(clips)
            assert rounded.dtype == torch.float32
            assert torch.nn.functional.cosine_similarity(rounded, model.embed(clips)).min() > 0.999


def test_fused_model_can_be_copied_and_sent_to_other_processes_after_use(tiny, video):
    fused = tiny().fuse()
    with torch.no_grad():
        expected = fused(video)
        for again in (copy.deepcopy(fused), pickle.loads(pickle.dumps(fused))):
            assert torch.equal(again(video), expected)


def test_fused_model_without_onednn_gives_the_same_outputs(tiny, video, monkeypatch):
    model = tiny()
    monkeypatch.setattr(torch.backends.mkldnn, 'is_available', lambda: False)
    monkeypatch.setattr(FusedConv, '_weight_for', None)
    with torch.no_grad():
        torch.testing.assert_close(model.fuse()(video), model(video), atol=2e-5, rtol=0)


@pytest.mark.skipif(Version(torch.__version__) < Version('2.7'), reason="torch 2.6's exporter fails on SqueezeTime")
def test_onnx_runtime_gives_the_same_scores_from_pixels(tiny, tmp_path):
    onnxruntime = pytest.importorskip('onnxruntime')
    from twlv_mm.encoders.onnx_export import export_onnx

    model = tiny()
    head = MODELS.build(dict(type='mmaction.I3DHead', num_classes=5, in_channels=256))
    path = str(tmp_path / 'model.onnx')
    assert export_onnx(model, path, head, size=(48, 64)) <= 2e-5
    pixels = torch.randint(0, 256, (3, 3, 8, 48, 64)).float()
    (found,) = onnxruntime.InferenceSession(path).run(None, {'video': pixels.numpy()})
    mean, std = (torch.tensor(values).view(3, 1, 1, 1) for values in (model.arch.mean, model.arch.std))
    with torch.no_grad():
        expected = head(model((pixels - mean) / std))
    torch.testing.assert_close(torch.from_numpy(found), expected, atol=2e-5, rtol=1e-4)
