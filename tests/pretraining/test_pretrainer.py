"""The pretrainer: what the encoder sees, what the targets are, and that one is added without changes elsewhere."""

import copy
from types import SimpleNamespace

import pytest
import torch
from mmengine.registry import MODELS, init_default_scope

import twlv_mm
from twlv_mm.pretraining import MomentumScheduleHook, Target, Teacher

TINY = dict(img_size=32, patch_size=8, num_frames=8, tubelet_size=2, embed_dims=48, depth=2, num_heads=4)
SMALL = dict(TINY, allow_random=True)
TEACHERS = dict(
    image=dict(source='clip_base', **dict(SMALL, tubelet_size=1, embed_dims=24), output_dims=16),
    frame=dict(source='twlv_base', **dict(SMALL, num_frames=1, tubelet_size=1)),
    video=dict(source='umt_base', **dict(SMALL, tubelet_size=1, patch_size=16)),
)
TARGETS = dict(
    pixels=dict(type='twlv_mm.PixelTarget'),
    latent=dict(type='twlv_mm.LatentTarget'),
    image=dict(type='twlv_mm.TeacherTokens', teacher='image'),
    frame=dict(type='twlv_mm.TeacherTokens', teacher='frame', on='masked'),
    video=dict(type='twlv_mm.TeacherTokens', teacher='video'),
    clip=dict(type='twlv_mm.TeacherClip', teacher='image'),
)
RANDOM = dict(type='twlv_mm.RandomMask', ratio=0.75)


def build(targets=None, masks=(RANDOM,), teachers=None, arch='twlv_base', **kwargs):
    init_default_scope('mmaction')
    torch.manual_seed(0)
    targets = TARGETS if targets is None else targets
    wanted = {target.get('teacher') for target in targets.values()} | {mask.get('teacher') for mask in masks}
    model = MODELS.build(
        dict(
            type='twlv_mm.MaskedPretrainer',
            backbone=dict(type='twlv_mm.VideoViT', arch=arch, **dict(TINY, **kwargs)),
            masks=list(masks),
            targets=targets,
            predictor=dict(dims=24, depth=1, num_heads=2),
            teachers={name: TEACHERS[name] for name in TEACHERS if name in wanted} if teachers is None else teachers,
        )
    )
    for target in model.targets.values():
        if hasattr(target, 'momentum'):
            target.momentum = 0.9
    return model


@pytest.fixture
def video():
    noise = torch.randn(2, 3, 2, 4, 4, generator=torch.Generator().manual_seed(0))
    return torch.nn.functional.interpolate(noise, (8, 32, 32), mode='trilinear')


def test_all_targets_at_once_have_a_loss_each_and_reach_every_parameter(video):
    model = build()
    losses = model(video.unsqueeze(1))
    assert set(losses) == {*(f'loss_{name}' for name in TARGETS), 'masked_fraction'}
    assert losses['masked_fraction'] == pytest.approx(0.75)
    model.parse_losses(losses)[0].backward()
    untouched = [name for name, p in model.named_parameters() if p.requires_grad and p.grad is None]
    assert untouched == []
    assert all(p.grad is None for p in model.targets.latent.encoder.parameters())


@pytest.mark.parametrize('name', TARGETS)
def test_each_target_alone_is_learned(name, video):
    model = build({name: TARGETS[name]}).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    losses = []
    for _ in range(30):
        torch.manual_seed(0)  # the same masks
        losses.append(model(video)[f'loss_{name}'])
        optimizer.zero_grad()
        losses[-1].backward()
        optimizer.step()
    assert losses[-1] < 0.85 * losses[0]


def test_weights_scale_losses_and_several_masks_are_averaged(video):
    heavy = {'pixels': dict(TARGETS['pixels'], weight=3.0)}
    once, thrice = build({'pixels': TARGETS['pixels']}), build(heavy)
    samples = [dict(sample_seed=seed) for seed in (1, 2)]
    loss = once(video, samples)['loss_pixels']
    torch.testing.assert_close(thrice(video, samples)['loss_pixels'], 3 * loss)
    tube = dict(type='twlv_mm.TubeMask', ratio=0.75)
    both = build({'pixels': TARGETS['pixels']}, [RANDOM, tube])(video, samples)['loss_pixels']
    other = build({'pixels': TARGETS['pixels']}, [tube])(video, samples)['loss_pixels']
    # Generators go on from mask to mask.
    torch.testing.assert_close(both, (loss + other) / 2, atol=0.05, rtol=0)


def test_masks_follow_from_the_seed_of_a_sample(video):
    model = build({'pixels': TARGETS['pixels']}).eval()
    first = model(video, [dict(sample_seed=1), dict(sample_seed=2)])
    swapped = model(video.flip(0), [dict(sample_seed=2), dict(sample_seed=1)])
    torch.testing.assert_close(first['loss_pixels'], swapped['loss_pixels'])
    assert model(video, [dict(sample_seed=3), dict(sample_seed=4)])['loss_pixels'] != first['loss_pixels']


@pytest.mark.parametrize('arch', ['twlv_base', 'vjepa2_large', 'internvideo2_1b', 'umt_base'])
def test_encoder_sees_nothing_of_what_is_masked(arch, video):
    model = twlv_mm.get_model(arch, **TINY).eval()
    keep = torch.stack([torch.arange(0, 60, 3), torch.arange(1, 61, 3).roll(5)])
    with torch.no_grad():
        seen = model.tokens(video, keep)
        changed = video.clone()
        changed[0, :, :2, :8, 8:16] += 1  # the second patch
        assert torch.equal(model.tokens(changed, keep), seen)
        # All patches, in any order, are what they are without a mask.
        order = torch.randperm(64).expand(2, -1)
        torch.testing.assert_close(
            model.tokens(video, order)[:, -64:],
            model.tokens(video)[:, -64:].gather(1, order[..., None].expand(-1, -1, 48)),
            atol=1e-5,
            rtol=1e-5,
        )


def test_pixels_are_those_of_the_patch_whatever_the_brightness(video):
    model = build({'pixels': TARGETS['pixels']})
    values = model.targets.pixels.values(video, (4, 4, 4), {})
    assert values.shape == (2, 64, 3 * 2 * 8 * 8)
    torch.testing.assert_close(values, model.targets.pixels.values(2 * video + 5, (4, 4, 4), {}), atol=1e-4, rtol=0)
    patch = video[0, 0, 2:4, 8:16, 16:24].flatten()  # time 1, row 1, column 2 of 4 x 4
    torch.testing.assert_close(values[0, 16 + 4 + 2, :128], (patch - patch.mean()) / patch.std(), atol=1e-4, rtol=0)


def test_teachers_describe_the_patches_of_the_student(video):
    student = twlv_mm.get_model('twlv_base', **TINY).spec
    for name, settings in TEACHERS.items():
        teacher = Teacher(student, **settings)
        features = teacher(video, (4, 4, 4), with_attention=True)
        assert features.tokens.shape == (2, 64, teacher.dims), name
        assert features.pooled.shape == (2, teacher.pooled_dims), name
        assert features.attention.shape == (2, 64), name
        still = video[:, :, :2]
        assert teacher(still, (1, 4, 4)).tokens.shape == (2, 16, teacher.dims), name


def test_image_teacher_sees_the_middle_frame_of_each_tubelet_by_itself(video):
    student = twlv_mm.get_model('twlv_base', **TINY).spec
    teacher = Teacher(student, **TEACHERS['frame'])
    tokens = teacher(video, (4, 4, 4)).tokens
    alone = teacher.encoder.tokens(video[:, :, 5:6])
    torch.testing.assert_close(tokens[:, 32:48], alone)
    # CLIP's own colours: normalised as it was trained.
    image = Teacher(student, **TEACHERS['image'])
    colours = torch.rand(1, 3, 8, 32, 32) * 255
    mean, std = (torch.tensor(v).view(3, 1, 1, 1) for v in (student.mean, student.std))
    clip_mean, clip_std = (torch.tensor(v).view(3, 1, 1, 1) for v in (image.encoder.spec.mean, image.encoder.spec.std))
    given = image((colours - mean) / std, (4, 4, 4)).pooled
    own = image.encoder.embed(((colours - clip_mean) / clip_std)[:, :, 1::2])
    torch.testing.assert_close(given, own, atol=1e-4, rtol=1e-4)


def test_attention_is_what_the_last_block_gives(video):
    student = twlv_mm.get_model('twlv_base', **TINY).spec
    teacher = Teacher(student, 'twlv_base', **SMALL)
    block = teacher.encoder.blocks[-1]
    seen = {}
    block.attn.register_forward_pre_hook(lambda _, args: seen.update(x=args[0]))
    received = teacher(video, (4, 4, 4), with_attention=True).attention
    q, k, _ = block.attn.qkv(seen['x']).unflatten(-1, (3, 4, 12)).permute(2, 0, 3, 1, 4)
    expected = (q @ k.transpose(2, 3) / 12**0.5).softmax(-1).mean((1, 2))
    torch.testing.assert_close(received, expected)


def test_semantic_mask_asks_its_teacher(video):
    mask = dict(type='twlv_mm.SemanticMask', ratio=0.75, teacher='image')
    losses = build({'pixels': TARGETS['pixels']}, [mask])(video)
    assert losses['masked_fraction'] == pytest.approx(0.75)


def test_images_are_clips_of_fewer_frames(video):
    losses = build()(video[:, :, :2])
    assert all(torch.isfinite(value) for value in losses.values())


def test_moving_average_follows_the_encoder(video):
    model = build({'latent': TARGETS['latent']})
    target = model.targets.latent
    before = copy.deepcopy(target.encoder.state_dict())
    with torch.no_grad():
        model.backbone.blocks[0].mlp.fc1.weight.add_(1)
    target.update(model.backbone)
    moved = target.encoder.blocks[0].mlp.fc1.weight - before['blocks.0.mlp.fc1.weight']
    torch.testing.assert_close(moved, torch.full_like(moved, 0.1))
    target.momentum = None
    with pytest.raises(RuntimeError, match='MomentumScheduleHook'):
        model.train()(video)


def test_moving_average_moves_with_the_optimizer_at_a_momentum_that_grows():
    model, hook, moves = build({'latent': TARGETS['latent']}), MomentumScheduleHook(0.9, 1.0, stretch=1.25), []
    target = model.targets.latent
    target.update = moves.append
    wrapper = SimpleNamespace(should_update=lambda: runner.iter % 2 == 1)  # gradients of two batches are accumulated
    runner = SimpleNamespace(model=model, max_iters=8, optim_wrapper=wrapper)
    for step in range(8):
        runner.iter = step
        hook.before_train_iter(runner, step)
        assert target.momentum == pytest.approx(0.9 + 0.1 * step / 10)
        hook.after_train_iter(runner, step)
    assert moves == [model.backbone] * 4


def test_class_token_is_not_taken_for_a_patch(video):
    model = build({'pixels': TARGETS['pixels']}, arch='internvideo2_1b').eval()
    keep, masked = (torch.arange(first, 64, 2).expand(2, -1) for first in (0, 1))
    with torch.no_grad():
        view, tokens = model._look(video, (4, 4, 4), keep, masked), model.encode(video, keep)
    torch.testing.assert_close(view.visible, tokens[:, 1:])


def test_encoder_of_a_checkpoint_loads_with_get_model(tmp_path, video):
    model = build()
    torch.save(dict(state_dict=model.state_dict(), meta=dict(iter=1)), tmp_path / 'iter_1.pth')
    encoder = twlv_mm.get_model('twlv_base', tmp_path / 'iter_1.pth', **TINY).eval()
    assert torch.equal(encoder(video), model.eval()(video, mode='tensor'))
    assert not any(key.startswith('teachers') for key in model.state_dict())


def test_a_new_target_needs_no_change_elsewhere(video):
    @MODELS.register_module(force=True)
    class BrightnessTarget(Target):
        def __init__(self, backbone, predictor_dims):
            super().__init__(backbone.spec.embed_dims, 1, weight=1.0, on='clip')

        def values(self, video, grid, features):
            return video.mean((1, 2, 3, 4)).unsqueeze(1)

        def distance(self, predicted, values):
            return (predicted - values).abs().mean()

    losses = build(dict(brightness=dict(type='mmengine.BrightnessTarget')))(video)
    assert losses['loss_brightness'] > 0


def test_settings_that_do_not_fit_are_refused(video):
    with pytest.raises(ValueError, match="'image' is not among the teachers"):
        build({'image': TARGETS['image']}, teachers={})
    with pytest.raises(ValueError, match="'video' is used by no target"):
        build({'pixels': TARGETS['pixels']}, teachers=dict(video=TEACHERS['video']))
    with pytest.raises(ValueError, match='each frame alone'):
        build({'pixels': TARGETS['pixels']}, arch='clip_base', tubelet_size=1)
    with pytest.raises(ValueError, match="not 'predict'"):
        build({'pixels': TARGETS['pixels']})(video, mode='predict')
    with pytest.raises(RuntimeError, match='no weights'):
        build({'video': TARGETS['video']}, teachers=dict(video=dict(source='umt_base', **TINY)))(video)
