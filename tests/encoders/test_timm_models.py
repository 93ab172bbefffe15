"""``timm:NAME``: what timm computes of each frame is what the encoder gives."""

import json
from contextlib import nullcontext

import pytest
import torch
from safetensors.torch import save_file

import twlv_mm
from twlv_mm.compat import torchvision_for_timm

from .test_sources import check

try:
    torchvision_for_timm.apply()
except ModuleNotFoundError:
    pytest.skip("timm is not installed: pip install 'twlv-i[timm]'", allow_module_level=True)
import timm

SMALL = dict(embed_dim=24, depth=2, num_heads=2)
# Model, what makes it small, class tokens and registers of a picture.
MODELS = dict(
    vit=('vit_tiny_patch16_224.augreg_in21k', SMALL, 1, 0),
    registers=('vit_small_patch14_reg4_dinov2.lvd142m', SMALL, 1, 4),
    dinov3=('vit_small_patch16_dinov3', SMALL, 1, 4),
    siglip=('vit_base_patch16_siglip_224', SMALL, 0, 0),
    distilled=('deit_tiny_distilled_patch16_224', SMALL, 2, 0),
    naflex=('naflexvit_base_patch16_gap', SMALL, 0, 4),
    beit=('beit_base_patch16_224', SMALL, 1, 0),
    swin=('swin_tiny_patch4_window7_224', dict(embed_dim=12, depths=(1, 1, 1, 1), num_heads=(1, 2, 3, 6)), 0, 0),
    convnext=('convnext_atto', dict(depths=(1, 1, 1, 1), dims=(8, 16, 24, 32)), 0, 0),
    mobilenet=('mobilenetv3_small_050', {}, 0, 0),
)


@pytest.fixture
def theirs(tmp_path):
    """A kind of the above -> timm's own model with random weights and a classifier, and a file of it."""

    def make(kind):
        name, small, _, _ = MODELS[kind]
        net = timm.create_model(name, num_classes=3, **small).eval()
        with torch.no_grad():
            for key, value in net.state_dict().items():
                if value.is_floating_point() and not key.endswith('running_var'):
                    value.normal_(std=0.1)
        save_file({key: value.contiguous() for key, value in net.state_dict().items()}, tmp_path / 'model.safetensors')
        return net, tmp_path / 'model.safetensors'

    return make


@pytest.mark.parametrize('kind', MODELS)
def test_encoder_is_what_timm_computes_of_each_frame(kind, theirs):
    name, small, class_tokens, registers = MODELS[kind]
    net, weights = theirs(kind)
    settings = dict(small, num_frames=2)
    model = twlv_mm.get_model(f'timm:{name}', weights, frozen=True, **settings)
    assert model.spec == twlv_mm.describe(f'timm:{name}', **settings)
    spec = model.spec
    assert (spec.name, spec.source, spec.per_frame) == (name, f'timm:{name}', True)
    check(model, clips=1)

    torch.manual_seed(0)
    video = torch.randn(1, 3, 2, spec.img_size, spec.img_size)
    with torch.no_grad():
        frames = video[0].transpose(0, 1)
        features = net.forward_features(frames)
        vectors = net.forward_head(features, pre_logits=True)
        ours = model.embed(video)
        print(f'{kind}: {(ours - vectors.mean(0)).abs().max():.1e} of {vectors.abs().max():.2g}')
        torch.testing.assert_close(ours[0], vectors.mean(0), atol=2e-5, rtol=1e-5)
        tokens, map_ = model.tokens(video)[0], model(video)[0]
    if features.ndim == 4:
        expected = features.movedim(-1, 1) if kind == 'swin' else features
        torch.testing.assert_close(map_.transpose(0, 1), expected, atol=2e-5, rtol=1e-5)
        return
    patches = features[:, class_tokens + registers :]
    torch.testing.assert_close(tokens[: 2 * class_tokens], features[:, :class_tokens].flatten(0, 1))
    torch.testing.assert_close(tokens[2 * class_tokens :], patches.flatten(0, 1), atol=2e-5, rtol=1e-5)
    torch.testing.assert_close(map_.flatten(1).T, patches.flatten(0, 1), atol=2e-5, rtol=1e-5)


def test_vision_transformer_takes_other_sizes_as_timm_resizes_it(theirs):
    name, small, _, _ = MODELS['vit']
    net, weights = theirs('vit')
    net.set_input_size((96, 96))
    model = twlv_mm.get_model(f'timm:{name}', weights, frozen=True, img_size=96, num_frames=1, **small)
    assert model.spec.grid == (1, 6, 6)
    frames = torch.randn(1, 3, 96, 96)
    with torch.no_grad():
        expected = net.forward_head(net.forward_features(frames), pre_logits=True)
        torch.testing.assert_close(model.embed(frames.unsqueeze(2)), expected, atol=2e-5, rtol=1e-5)
        assert model(torch.randn(1, 3, 2, 64, 96)).shape == (1, 24, 2, 4, 6)


def test_numbers_are_those_of_timm():
    siglip = twlv_mm.describe('timm:vit_base_patch16_siglip_224')
    assert (siglip.num_frames, siglip.img_size, siglip.grid, siglip.embed_dims) == (16, 224, (16, 14, 14), 768)
    assert (siglip.mean, siglip.std) == ((127.5,) * 3, (127.5,) * 3)
    assert (siglip.interpolation, siglip.resize, siglip.class_token) == ('bicubic', 'short_side', False)
    assert twlv_mm.describe('timm:vit_base_patch16_siglip_384').img_size == 384
    mobile = twlv_mm.describe('timm:mobilenetv3_small_050', pretraining_sets=('ImageNet-1K',))
    assert (mobile.embed_dims, mobile.embedding_dims) == (288, 1024)
    assert mobile.pretraining_sets == ('ImageNet-1K',)


def test_weights_are_fetched_only_where_the_user_says_so(theirs, monkeypatch):
    import huggingface_hub

    name, small, _, _ = MODELS['vit']
    _, weights = theirs('vit')
    asked = []
    monkeypatch.setattr(huggingface_hub, 'hf_hub_download', lambda *given: asked.append(given) or str(weights))
    twlv_mm.get_model(f'timm:{name}', **small)
    assert not asked
    model = twlv_mm.get_model(f'timm:{name}', 'pretrained', **small)
    assert asked == [('timm/vit_tiny_patch16_224.augreg_in21k', 'model.safetensors')]
    assert len(model.weights_sha256) == 64

    def offline(*given):
        raise OSError('no network')

    monkeypatch.setattr(huggingface_hub, 'hf_hub_download', offline)
    with pytest.raises(ValueError, match=r'cannot be downloaded from timm/vit_tiny.*no network.*give weights=FILE'):
        twlv_mm.get_model(f'timm:{name}', 'pretrained', **small)


def test_folder_of_weights_with_another_preprocessing_or_architecture_is_refused(theirs, tmp_path):
    name, small, _, _ = MODELS['vit']
    theirs('vit')
    made = dict(tag='mae', mean=[0.5, 0.5, 0.5], std=[0.5, 0.5, 0.5], crop_mode='center', num_classes=0)
    same = dict(architecture='vit_tiny_patch16_224', pretrained_cfg=made)
    for content, message in (
        (same, None),
        (same | dict(architecture='deit_tiny_patch16_224'), "architecture is 'deit_tiny_patch16_224', but"),
        (
            same | dict(pretrained_cfg=dict(made, mean=[0.485, 0.456, 0.406])),
            r'mean is \[0\.485.*vit_tiny_patch16_224\.mae',
        ),
    ):
        (tmp_path / 'config.json').write_text(json.dumps(content))
        with nullcontext() if message is None else pytest.raises(ValueError, match=message):
            twlv_mm.get_model(f'timm:{name}', tmp_path, **small)


def test_other_weights_and_names_are_refused(theirs, tmp_path):
    name, small, _, _ = MODELS['vit']
    net, weights = theirs('vit')
    state = {key: value for key, value in net.state_dict().items() if not key.startswith('blocks.1.')}
    save_file(state, weights)
    with pytest.raises(ValueError, match=r'does not hold the weights of vit_tiny_patch16_224.augreg_in21k:'):
        twlv_mm.get_model(f'timm:{name}', weights, **small)
    with pytest.raises(ValueError, match='has no model vit_tiny_patch16_223: did you mean vit_tiny_patch16_224'):
        twlv_mm.describe('timm:vit_tiny_patch16_223')
    with pytest.raises(ValueError, match='its 50 tokens do not form a grid'):
        twlv_mm.describe('timm:volo_d1_224', img_size=112)
    with pytest.raises(
        TypeError, match="has no setting pretrained: for weights give weights=FILE or weights='pretrained'"
    ):
        twlv_mm.describe(f'timm:{name}', pretrained=True)
    # What we saved ourselves is read as well.
    model = twlv_mm.get_model('timm:convnext_atto', **MODELS['convnext'][1])
    torch.save(dict(state_dict={f'backbone.{k}': v for k, v in model.state_dict().items()}), tmp_path / 'own.pth')
    again = twlv_mm.get_model('timm:convnext_atto', tmp_path / 'own.pth', **MODELS['convnext'][1])
    assert all(torch.equal(a, b) for a, b in zip(again.parameters(), model.parameters(), strict=True))
