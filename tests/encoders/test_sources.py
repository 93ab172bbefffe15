"""SOURCE: an encoder gives what its description says, and one's own class is an encoder like ours."""

import sys

import pytest
import torch

import twlv_mm
from twlv_mm.encoders import POOLINGS

from .golden import TINY

OWN = """
import torch
import twlv_mm

SPEC = twlv_mm.EncoderSpec(name='{kind}', num_frames=4, img_size=16, grid={grid}, embed_dims=6, num_heads=2)


class Patches(twlv_mm.Encoder):
    spec = SPEC

    def __init__(self):
        super().__init__()
        self.proj = torch.nn.Conv3d(3, 6, (2, 8, 8), (2, 8, 8))

    def encode(self, video):
        x = self.proj(video)
        return x.flatten(2).transpose(1, 2), tuple(x.shape[2:])


def convolution():
    return twlv_mm.wrap(torch.nn.Conv3d(3, 6, (2, 8, 8), (2, 8, 8)), SPEC)


class Sequence(torch.nn.Conv3d):
    def forward(self, video):
        tokens = super().forward(video).flatten(2).transpose(1, 2)
        return torch.cat([tokens.mean(1, keepdim=True), tokens], dim=1)


def sequence():
    return twlv_mm.wrap(Sequence(3, 6, (2, 8, 8), (2, 8, 8)), SPEC)


def vector():
    return twlv_mm.wrap(torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 4 * 16 * 16, 6)), SPEC)


class Parts(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = torch.nn.Sequential(torch.nn.Conv3d(3, 4, (2, 8, 8), (2, 8, 8)), torch.nn.BatchNorm3d(4))
        self.head = torch.nn.Conv3d(4, 6, 1)

    def forward(self, video):
        return self.head(self.backbone(video))


def parts():
    return twlv_mm.wrap(Parts(), SPEC)


def nothing():
    return torch.nn.Identity()
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    def write(kind='own', grid=(2, 2, 2)):
        (tmp_path / f'their_{kind}.py').write_text(OWN.format(kind=kind, grid=grid))
        return f'their_{kind}'

    monkeypatch.syspath_prepend(tmp_path)
    yield write
    for name in [name for name in sys.modules if name.startswith('their_')]:
        del sys.modules[name]


def check(model, clips=2):
    """The contract: what is described is what comes."""
    spec = model.spec
    video = torch.randn(clips, 3, spec.num_frames, spec.img_size, spec.img_size)
    with torch.no_grad():
        assert model.embed(video).shape == (clips, spec.embedding_dims)
        assert model.tokens(video).shape[-1] == spec.embed_dims
        if spec.pooling in POOLINGS and spec.embedding_dims == spec.embed_dims:
            # Embeddings record the name, so it must be that of the same vector.
            torch.testing.assert_close(model.embed(video), model.embed(video, pooling=spec.pooling))
        if spec.grid is not None:
            assert model(video).shape == (clips, spec.embed_dims, *spec.grid)
            class_tokens = model.tokens(video).shape[1] - torch.Size(spec.grid).numel()
            assert (class_tokens > 0) == spec.class_token


@pytest.mark.parametrize('name', [name for name in twlv_mm.list_models() if name != 'squeezetime_r50'])
def test_description_is_what_the_encoder_gives(name):
    model = twlv_mm.get_model(name, **TINY).eval()
    assert model.spec == twlv_mm.describe(name, **TINY)
    check(model)
    assert model.spec.patch_size == 8
    assert model.spec.tubelet_size == 2


@pytest.mark.parametrize('detection', [False, True])
def test_description_of_squeezetime(detection):
    settings = dict(widen_factor=0.125, num_frames=8, pos_dim=(16, 8, 4, 2), detection=detection)
    model = twlv_mm.get_model('squeezetime_r50', **settings).eval()
    assert model.spec == twlv_mm.describe('squeezetime_r50', **settings)
    check(model)


def test_own_class_keeps_the_contract_and_loads_strictly(own, tmp_path):
    source = f'{own()}:Patches'
    model = twlv_mm.get_model(source).eval()
    check(model)
    assert model.spec == twlv_mm.describe(source)
    assert (model.spec.name, model.spec.source) == ('own', source)

    video = torch.randn(1, 3, 4, 16, 16)
    with pytest.raises(RuntimeError, match='the frozen encoder own has no weights'):
        twlv_mm.get_model(source, frozen=True)(video)
    torch.save({'state_dict': {f'backbone.{k}': v for k, v in model.state_dict().items()}}, tmp_path / 'x.pth')
    frozen = twlv_mm.get_model(source, tmp_path / 'x.pth', frozen=True)
    assert torch.equal(frozen.train()(video), model(video))
    assert not frozen(video).requires_grad
    assert len(frozen.weights_sha256) == 64
    torch.save(dict(model.state_dict(), surprise=torch.zeros(1)), tmp_path / 'x.pth')
    with pytest.raises(ValueError, match=r'does not hold the weights of own:\s*Unexpected key: surprise'):
        twlv_mm.get_model(source, tmp_path / 'x.pth')


@pytest.mark.parametrize('prefix', ['', 'module.', '_orig_mod.', 'backbone.', 'backbone.module.'])
def test_files_of_a_wrapped_module_with_a_backbone_of_its_own_are_read(prefix, own, tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr('twlv_mm.encoders.checkpoint.print_log', lambda message, *_: said.append(message))
    source = f'{own("parts")}:parts'
    model = twlv_mm.get_model(source).eval()
    state = {f'{prefix}{key}': value for key, value in model.module.state_dict().items() if 'num_batches' not in key}
    averages = {key: torch.zeros_like(value) for key, value in state.items()}
    torch.save(dict(model=state, model_ema=averages, optimizer=dict(state={})), tmp_path / 'x.pth')
    video = torch.randn(1, 3, 4, 16, 16)
    assert torch.equal(twlv_mm.get_model(source, tmp_path / 'x.pth', frozen=True)(video), model(video))
    assert said == [f'{tmp_path / "x.pth"}: the weights in model are used, not those in model_ema']
    torch.save(dict(weights=state), tmp_path / 'x.pth')
    with pytest.raises(ValueError, match='holds no weights; its keys are weights'):
        twlv_mm.get_model(source, tmp_path / 'x.pth')


@pytest.mark.parametrize('kind', ['convolution', 'sequence'])
def test_wrapped_module_gives_a_map(kind, own):
    model = twlv_mm.get_model(f'{own(kind)}:{kind}').eval()
    video = torch.randn(1, 3, 4, 16, 32)
    with torch.no_grad():
        assert model(video).shape == (1, 6, 2, 2, 4)
        expected = torch.nn.functional.conv3d(video, model.module.weight, model.module.bias, stride=(2, 8, 8))
        torch.testing.assert_close(model(video), expected)
        torch.testing.assert_close(model.embed(video), expected.mean((2, 3, 4)))


@pytest.mark.parametrize('kind', ['script', 'export'])
def test_programs_of_torch_are_wrapped_like_modules(kind):
    net, video = torch.nn.Conv3d(3, 6, (2, 8, 8), (2, 8, 8)).eval(), torch.randn(2, 3, 4, 16, 16)
    program = torch.jit.trace(net, video) if kind == 'script' else torch.export.export(net, (video,)).module()
    spec = twlv_mm.EncoderSpec(name='p', num_frames=4, img_size=16, grid=(2, 2, 2), embed_dims=6, num_heads=2)
    model = twlv_mm.wrap(program, spec).set_up(frozen=True, allow_random=True)
    assert torch.equal(model.train()(video), net(video))


def test_module_of_vectors_has_no_map_and_says_so(own):
    model = twlv_mm.get_model(f'{own("vector", None)}:vector').eval()
    check(model)
    video = torch.randn(1, 3, 4, 16, 16)
    with pytest.raises(ValueError, match='needs a feature map .* the encoder vector returns only vectors'):
        model(video)
    with pytest.raises(ValueError, match='THUMOS14 needs a feature map'):
        twlv_mm.describe('their_vector:vector').require_map('THUMOS14')
    with pytest.raises(ValueError, match='vector has no feature map: pool by mean'):
        model.embed(video, pooling='frame')


def test_module_that_its_spec_does_not_fit_is_an_error(own):
    model = twlv_mm.get_model(f'{own("vector")}:vector')
    with pytest.raises(ValueError, match=r'returned \(1, 6\), which does not fit its spec: .*grid=\(2, 2, 2\)'):
        model(torch.randn(1, 3, 4, 16, 16))


def test_wrong_sources_are_reported(own):
    module = own()
    for source, message in (
        ('no_such_module:Name', 'cannot be imported .* install its package'),
        (f'{module}:Missing', f'the module {module} has no class or function Missing'),
        (f'{module}:nothing', 'returned a Identity, not a twlv_mm.Encoder'),
        ('twlv_bas', 'did you mean twlv_base'),
        ('a b:c', 'give a name of twlv_mm.list_models'),
    ):
        with pytest.raises(ValueError, match=message):
            twlv_mm.get_model(source)
    with pytest.raises(TypeError, match='does not accept these settings: .*colour'):
        twlv_mm.get_model(f'{module}:Patches', colour=1)


def test_source_whose_library_is_missing_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, 'transformers', None)
    for name in [name for name in sys.modules if name.startswith('twlv_mm.encoders.hf_')]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(ImportError, match=r"'hf:folder' needs transformers, .* pip install 'twlv-i\[hf\]'"):
        twlv_mm.describe('hf:folder')


def test_number_that_cannot_be_is_refused():
    good = dict(name='x', num_frames=4, img_size=16, grid=(2, 2, 2), embed_dims=6, num_heads=2)
    for change, message in (
        (dict(embed_dims=0), 'the encoder x has embed_dims=0; it must be a positive integer'),
        (dict(num_heads=4), 'embed_dims=6 is not a multiple of num_heads=4'),
        (dict(resize='crop'), "x has resize='crop'; it must be one of short_side, squash"),
        (dict(grid=(2, 2)), 'or None without a map'),
        (dict(mean=0.5), 'has mean=0.5; it must be three numbers'),
        (dict(mean=(0.5,) * 3, std=(0.5,) * 3), 'are for values from 0 to 255: multiply those for values from 0 to 1'),
    ):
        with pytest.raises(ValueError, match=message):
            twlv_mm.EncoderSpec(**good | change)


def test_own_encoder_embeds_videos(own):
    from twlv_mm.embeddings import Extractor

    extractor = Extractor(twlv_mm.get_model(f'{own()}:Patches', frozen=True, allow_random=True), device='cpu')
    assert extractor.settings['model'] == 'own'
    assert extractor.settings['frames_per_clip'] == 4
