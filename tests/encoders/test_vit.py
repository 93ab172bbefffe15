"""What users of the encoders rely on: shapes, freezing, other sizes, training tricks."""

import pytest
import torch
from mmengine.runner.checkpoint import load_state_dict
from torch import nn

import twlv_mm
from twlv_mm.encoders import ARCHITECTURES
from twlv_mm.report.table_layouts import TITLES
from twlv_mm.report.tables import HOLDS

TINY = dict(img_size=32, patch_size=8, num_frames=8, tubelet_size=2, embed_dims=48, depth=2, num_heads=4)
GRID = (4, 4, 4)
NAMES = [name for name in twlv_mm.list_models() if name != 'squeezetime_r50']


@pytest.fixture
def video():
    return torch.randn(2, 3, 8, 32, 32, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize('name', NAMES)
def test_every_encoder_keeps_its_contract(name, video):
    model = twlv_mm.get_model(name, **TINY).eval()
    arch = model.arch
    class_tokens = (GRID[0] if arch.per_frame else 1) if arch.class_token else 0
    with torch.no_grad():
        feature_map, tokens, vectors = model(video), model.tokens(video), model.embed(video)
    assert feature_map.shape == (2, 48, *GRID)
    assert tokens.shape == (2, class_tokens + 64, 48)
    assert vectors.shape == (2, arch.output_dims or arch.clip_embed_dims or 48)
    assert torch.equal(feature_map.flatten(2).transpose(1, 2), tokens[:, class_tokens:])
    assert torch.isfinite(vectors).all()
    assert model.arch_name == name


# Our count; the figure of the official source, in millions, and how far from it ours may be: half a digit of a rounded
# figure, or 2 M where it counts K400's head (0.3 to 0.5 M), is rounded up, and has no biases of keys but LayerScale.
PARAMETERS = {
    'twlv_base': (86_236_416, 86, 0.5),  # TWLV-I, section 2.1
    'twlv_large': (303_885_312, 307, 3.2),  # TWLV-I, section 2.1: the figure of ViT-L/16 for images with its head
    'vjepa_large': (303_885_312, 300, 50),  # the encoder of V-JEPA 2, but for its positions, which are no parameters
    'vjepa_huge': (631_648_000, 600, 50),
    'vjepa_huge_384': (631_648_000, 600, 50),
    'vjepa2_large': (303_885_312, 300, 50),  # README of github.com/facebookresearch/vjepa2
    'vjepa2_huge': (631_648_000, 600, 50),
    'vjepa2_giant': (1_012_173_952, 1000, 50),
    'umt_base': (85_646_592, 87, 2),  # Li et al. 2023
    'umt_large': (303_098_880, 304, 2),
    'videomae_base': (86_236_416, 87, 2),  # Tong et al. 2022
    'videomae_large': (303_885_312, 305, 2),
    'videomae_huge': (631_648_000, 633, 2),
    'videomaev2_giant': (1_011_667_072, 1000, 50),  # "a billion parameters": Wang et al. 2023
    'internvideo2_1b': (1_020_594_560, 1000, 50),  # its name; 7 M of ours are the projector
    'clip_base': (86_191_872, 86.19, 0.005),  # docs/model_profile.csv of github.com/mlfoundations/open_clip
    'clip_large': (303_965_184, 303.97, 0.005),
    'dfn_huge': (632_075_520, 632.08, 0.005),
    'twlv_small_synthetic': (891_776, 0.89, 0.005),  # ours
}


@pytest.mark.parametrize('name', PARAMETERS)
def test_full_size_models_have_the_published_number_of_parameters(name):
    with torch.device('meta'):
        model = twlv_mm.get_model(name)
    parameters, published, tolerance = PARAMETERS[name]
    assert sum(p.numel() for p in model.parameters()) == parameters
    assert parameters / 1e6 == pytest.approx(published, abs=tolerance)


# Sets that no task here is tested on.
UNTESTED = (
    'howto100m howto360k webvid2m webvid10m yt_temporal_1b instagram coco sbu visual_genome cc3m cc12m wit400m dfn5b '
    'synthetic'
)


def test_pretraining_sets_are_named_as_in_results():
    # The report marks a result where the set is among these, which another name would hide.
    known = {*TITLES, *(name for names in HOLDS.values() for name in names), *UNTESTED.split()}
    for name, arch in ARCHITECTURES.items():
        assert set(arch.pretraining_sets or ()) <= known, name


def test_image_encoders_see_one_frame_at_a_time(video):
    model = twlv_mm.get_model('dfn_huge', **dict(TINY, tubelet_size=1), output_dims=24).eval()
    with torch.no_grad():
        frames = torch.stack([model.embed(video[:, :, t : t + 1]) for t in range(8)])
        torch.testing.assert_close(model.embed(video), frames.mean(0))
        torch.testing.assert_close(model.embed(video.flip(2)), model.embed(video))


def test_order_of_frames_matters(video):
    model = twlv_mm.get_model('twlv_base', **TINY).eval()
    with torch.no_grad():
        assert not torch.allclose(model.embed(video), model.embed(video.flip(2)), atol=1e-3)


def test_mean_pooling_is_the_mean_of_the_frames_pooling(video):
    model = twlv_mm.get_model('twlv_base', **TINY).eval()
    with torch.no_grad():
        frames = model.embed(video, pooling='frame')
        assert frames.shape == (2, 4, 48)
        torch.testing.assert_close(frames.mean(1), model.embed(video, pooling='mean'))
        torch.testing.assert_close(frames, model(video).mean((3, 4)).transpose(1, 2))


def test_pooling_that_an_architecture_lacks_is_an_error(video):
    model = twlv_mm.get_model('twlv_base', **TINY)
    with pytest.raises(ValueError, match='no class token'):
        model.embed(video, pooling='class_token')
    with pytest.raises(ValueError, match="unknown pooling 'max'.*mean, frame, class_token"):
        model.embed(video, pooling='max')


def test_class_token_comes_first_and_stays_out_of_the_feature_map(video):
    model = twlv_mm.get_model('internvideo2_1b', **TINY).eval()
    with torch.no_grad():
        tokens = model.tokens(video)
        assert tokens.shape == (2, 65, 48)
        assert model(video).shape == (2, 48, *GRID)
        assert torch.equal(model.embed(video, pooling='class_token'), tokens[:, 0])
        torch.testing.assert_close(model.embed(video, pooling='mean'), tokens[:, 1:].mean(1))


@pytest.mark.parametrize('name', ['twlv_base', 'internvideo2_1b', 'vjepa2_large', 'clip_base'])
def test_other_frame_counts_and_resolutions_are_encoded(name):
    model = twlv_mm.get_model(name, **TINY).eval()
    with torch.no_grad():
        assert model(torch.randn(1, 3, 16, 32, 32)).shape == (1, 48, 8, 4, 4)
        assert model(torch.randn(1, 3, 2, 48, 64)).shape == (1, 48, 1, 6, 8)


def test_position_table_is_resized_in_time(video):
    model = twlv_mm.get_model('twlv_base', **TINY).eval()
    with torch.no_grad():
        # A video that does not change over time gives the same answer, up to the table, with twice the frames.
        still = video[:, :, :1].expand(-1, -1, 8, -1, -1)
        longer = video[:, :, :1].expand(-1, -1, 16, -1, -1)
        torch.testing.assert_close(model.embed(still), model.embed(longer), atol=0.05, rtol=0.05)


def test_clip_that_does_not_fit_the_patches_is_a_clear_error():
    model = twlv_mm.get_model('twlv_base', **TINY)
    with pytest.raises(ValueError, match='7 frames of 32 x 32 pixels cannot be cut into patches of 2 frames'):
        model(torch.zeros(1, 3, 7, 32, 32))
    with pytest.raises(ValueError, match=r'expected \(N, 3, T, H, W\)'):
        model(torch.zeros(1, 8, 3, 32, 32, 1))


def test_unknown_names_and_settings_are_clear_errors():
    with pytest.raises(ValueError, match='did you mean twlv_base'):
        twlv_mm.get_model('twlv_bse')
    with pytest.raises(TypeError, match='no setting embed_dim; these can be set: .*embed_dims'):
        twlv_mm.get_model('twlv_base', embed_dim=48)
    with pytest.raises(ValueError, match='img_size=33 is not a multiple of patch_size=16'):
        twlv_mm.get_model('twlv_base', img_size=33)
    with pytest.raises(TypeError, match='twlv_base has no setting output_dims'):
        twlv_mm.get_model('twlv_base', output_dims=512)


def test_frozen_encoder_stays_in_eval_mode_and_builds_no_graph(video):
    model = nn.Sequential(twlv_mm.get_model('twlv_base', frozen=True, allow_random=True, drop_path_rate=0.5, **TINY))
    model.train()
    assert not any(module.training for module in model[0].modules())
    assert not any(parameter.requires_grad for parameter in model.parameters())
    assert not model(video).requires_grad
    assert torch.equal(model(video), model(video))  # no stochastic depth


def test_frozen_encoder_without_weights_refuses_to_run(video, tmp_path):
    with pytest.raises(RuntimeError, match='encoder_weights=PATH'):
        twlv_mm.get_model('twlv_base', frozen=True, **TINY)(video)

    source = twlv_mm.get_model('twlv_base', **TINY)
    torch.save(source.state_dict(), tmp_path / 'encoder.pth')
    loaded = twlv_mm.get_model('twlv_base', tmp_path / 'encoder.pth', frozen=True, **TINY)
    assert torch.equal(loaded(video), source.eval()(video))

    # Weights that come inside a whole model's checkpoint count as well.
    late = nn.ModuleDict(dict(backbone=twlv_mm.get_model('twlv_base', frozen=True, **TINY)))
    late.load_state_dict({f'backbone.{key}': value for key, value in source.state_dict().items()})
    assert torch.equal(late.backbone(video), source(video))

    # Those of another width do not: a training that starts from load_from only warns of them.
    late = twlv_mm.get_model('twlv_base', frozen=True, **TINY)
    load_state_dict(late, twlv_mm.get_model('twlv_base', **dict(TINY, embed_dims=96)).state_dict(), strict=False)
    with pytest.raises(RuntimeError, match='has no weights'):
        late(video)


def test_stochastic_depth_acts_in_training_only(video):
    torch.manual_seed(0)
    model = twlv_mm.get_model('twlv_base', drop_path_rate=0.5, **TINY)
    video = video[:1].expand(16, -1, -1, -1, -1)
    assert len(model.train().embed(video).unique(dim=0)) > 2  # samples skip either branch of a block, or both
    assert torch.equal(model.eval()(video), model(video))


def test_gradient_checkpointing_gives_the_same_gradients(video):
    torch.manual_seed(0)
    plain = twlv_mm.get_model('twlv_base', **TINY).train()
    recomputed = twlv_mm.get_model('twlv_base', with_cp=True, **TINY).train()
    recomputed.load_state_dict(plain.state_dict())
    calls = []
    recomputed.blocks[0].register_forward_pre_hook(lambda *_: calls.append(1))
    for model in (plain, recomputed):
        model.embed(video).square().sum().backward()
    assert len(calls) == 2  # forward, and again in the backward pass
    for (name, a), b in zip(plain.named_parameters(), recomputed.parameters(), strict=True):
        torch.testing.assert_close(a.grad, b.grad, msg=name)


def test_bf16_autocast_is_close_to_fp32(video):
    model = twlv_mm.get_model('twlv_base', **TINY).eval()
    with torch.no_grad():
        exact = model.embed(video)
        with torch.autocast('cpu', torch.bfloat16):
            dtypes = []
            model.blocks[0].mlp.fc1.register_forward_hook(lambda _m, _i, output: dtypes.append(output.dtype))
            rounded = model.embed(video).float()
    assert dtypes == [torch.bfloat16]
    assert torch.nn.functional.cosine_similarity(exact, rounded).min() > 0.999


@pytest.mark.parametrize('frozen', [False, True])
def test_torch_compile_sees_one_graph(video, frozen):
    torch._dynamo.reset()
    model = twlv_mm.get_model('twlv_base', frozen=frozen, allow_random=True, **TINY).eval()
    compiled = torch.compile(model, backend='aot_eager', fullgraph=True)
    torch.testing.assert_close(compiled(video), model(video))


def test_layer_wise_learning_rate_decay_of_mmaction2_knows_the_blocks():
    import mmaction.engine.optimizers  # noqa: F401
    from mmengine.registry import OPTIM_WRAPPER_CONSTRUCTORS

    constructor = OPTIM_WRAPPER_CONSTRUCTORS.build(
        dict(
            type='mmaction.LearningRateDecayOptimizerConstructor',
            optim_wrapper_cfg=dict(optimizer=dict(type='AdamW', lr=1.0)),
            paramwise_cfg=dict(decay_rate=0.5, decay_type='layer_wise', num_layers=2),
        )
    )
    model = nn.ModuleDict(dict(backbone=twlv_mm.get_model('twlv_base', **TINY), cls_head=nn.Linear(48, 2)))
    groups = constructor(model).optimizer.param_groups
    rate = {name: group['lr'] for group in groups for name in group['param_names']}
    assert rate['backbone.patch_embed.proj.weight'] == 0.5**3
    assert rate['backbone.blocks.0.attn.qkv.weight'] == 0.5**2
    assert rate['backbone.blocks.1.attn.qkv.weight'] == 0.5
    assert rate['cls_head.weight'] == 1


def test_drop_path_grows_linearly_from_block_to_block():
    model = twlv_mm.get_model('twlv_base', drop_path_rate=0.2, **TINY | dict(depth=3))
    rates = [getattr(block.drop_path, 'drop_prob', 0) for block in model.blocks]
    assert rates == pytest.approx([0, 0.1, 0.2])
