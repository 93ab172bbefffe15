"""Probes inside mmaction2: which views belong together, what is averaged, what is trained."""

import mmaction.models  # noqa: F401
import numpy as np
import pytest
import torch
from mmaction.datasets.transforms import FormatShape, PackActionInputs
from mmengine.registry import MODELS, DefaultScope

from twlv_mm.engine import launch

from .test_attentive_probe import official_probe

TINY = dict(img_size=32, patch_size=16, num_frames=4, embed_dims=48, depth=2, num_heads=4)
SIZE, FRAMES, CLASSES = 32, 4, 5
PROBE = dict(type='twlv_mm.AttentiveHead', num_classes=CLASSES, in_channels=48, num_heads=4)
LINEAR = dict(type='I3DHead', num_classes=CLASSES, spatial_type=None, dropout_ratio=0.0, average_clips='prob')


@pytest.fixture(autouse=True)
def mmaction_scope():
    with DefaultScope.overwrite_default_scope('mmaction'):
        yield


def build(recognizer='twlv_mm.ProbeRecognizer', arch='twlv_base', head=PROBE, frozen=True, backbone=(), **kwargs):
    """A recognizer with a tiny encoder and parameters large enough to make views differ."""
    torch.manual_seed(0)
    if recognizer == 'twlv_mm.ProbeRecognizer':
        kwargs = dict(features='tokens') | kwargs
    model = MODELS.build(
        dict(
            type=recognizer,
            backbone=dict(
                type='twlv_mm.VideoViT', arch=arch, frozen=frozen, allow_random=True, **TINY, **dict(backbone)
            ),
            cls_head=head,
            data_preprocessor=dict(type='ActionDataPreprocessor', mean=[127.5], std=[40.0], format_shape='NCTHW'),
            **kwargs,
        )
    )
    for parameter in model.cls_head.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return model.eval()


def make_batch(videos, crops, clips, meta_keys=('img_shape', 'num_clips')):
    """What a data loader gives, through mmaction2's transforms, and its views by video, crop and clip."""
    random = np.random.default_rng(0)
    views = random.integers(0, 256, (videos, crops, clips, FRAMES, SIZE, SIZE, 3), dtype=np.uint8)
    samples = []
    for label, video in enumerate(views):
        # Decoding gives the clips one after the other; a transform like ThreeCrop repeats all of that for each crop.
        results = dict(imgs=list(video.reshape(-1, SIZE, SIZE, 3)), num_clips=clips, clip_len=FRAMES, label=label)
        results = FormatShape('NCTHW')(results | dict(img_shape=(SIZE, SIZE)))
        samples.append(PackActionInputs(meta_keys=meta_keys)(results))
    batch = dict(inputs=[s['inputs'] for s in samples], data_samples=[s['data_samples'] for s in samples])
    return batch, views


def tokens_of(model, view):
    """Tokens (1, L, D) of one view (T, H, W, C), encoded alone."""
    clip = (torch.from_numpy(view).permute(3, 0, 1, 2).float() - 127.5) / 40
    return model.backbone.tokens(clip[None])


def expected_probabilities(model, views):
    """The paper's and V-JEPA's arithmetic, view by view: (videos, classes)."""
    rows = []
    for video in views:
        crops = [torch.cat([tokens_of(model, clip) for clip in crop], dim=1) for crop in video]
        rows.append(sum(model.cls_head.probe(tokens)[0].softmax(0) for tokens in crops) / len(crops))
    return torch.stack(rows)


def scores_of(samples):
    return torch.stack([sample.pred_score for sample in samples])


@pytest.mark.parametrize('arch', ['twlv_base', 'internvideo2_1b'])
@pytest.mark.parametrize(('crops', 'clips'), [(1, 1), (3, 1), (1, 2), (3, 2), (2, 3)])
def test_clips_are_concatenated_and_crops_averaged(arch, crops, clips):
    model = build(arch=arch)
    batch, views = make_batch(videos=2, crops=crops, clips=clips)
    with torch.no_grad():
        samples = model.test_step(batch)
        expected = expected_probabilities(model, views)
        mixed = views.reshape(2, clips, crops, *views.shape[3:]).swapaxes(1, 2)  # clips-major
        assert torch.allclose(expected_probabilities(model, mixed), expected, atol=1e-4) == (1 in (crops, clips))
    assert scores_of(samples).shape == (2, CLASSES)
    torch.testing.assert_close(scores_of(samples), expected)
    torch.testing.assert_close(scores_of(samples).sum(1), torch.ones(2))
    assert [int(sample.pred_label) for sample in samples] == expected.argmax(1).tolist()


def test_views_are_classified_alone_where_training_takes_one_clip():
    model = build(head=PROBE | dict(across_clips=False))
    batch, views = make_batch(videos=2, crops=2, clips=3)
    with torch.no_grad():
        expected = expected_probabilities(model, views.reshape(2, 6, 1, *views.shape[3:]))
        torch.testing.assert_close(scores_of(model.test_step(batch)), expected)
        assert not torch.allclose(expected, expected_probabilities(model, views), atol=1e-4)


@pytest.mark.parametrize('views_at_once', [1, 4, 100])
def test_views_encoded_in_parts_give_the_same_prediction(views_at_once):
    model = build()
    batch, _ = make_batch(videos=2, crops=3, clips=2)
    with torch.no_grad():
        whole = scores_of(model.test_step(batch))
        model.test_cfg = dict(max_testing_views=views_at_once)
        sizes = []
        tokens = model.backbone.tokens
        model.backbone.tokens = lambda video: (sizes.append(len(video)), tokens(video))[1]
        parts = scores_of(model.test_step(batch))
    assert max(sizes) == min(views_at_once, 12)
    assert sum(sizes) == 12
    torch.testing.assert_close(parts, whole)


def test_training_loss_is_that_of_the_concatenated_clips_averaged_over_the_crops():
    model = build()
    batch, views = make_batch(videos=2, crops=2, clips=3)
    data = model.data_preprocessor(batch, training=True)
    losses = model(**data, mode='loss')
    rows = []
    for label, video in enumerate(views):
        for crop in video:
            tokens = torch.cat([tokens_of(model, clip) for clip in crop], dim=1)
            rows.append(-model.cls_head.probe(tokens)[0].log_softmax(0)[label])
    torch.testing.assert_close(losses['loss_cls'], torch.stack(rows).mean())
    assert 'top1_acc' in losses


@pytest.mark.parametrize('frozen', [True, False])
def test_gradients_reach_the_encoder_only_if_it_is_not_frozen(frozen):
    model = build(frozen=frozen).train()
    batch, _ = make_batch(videos=2, crops=1, clips=2)
    model(**model.data_preprocessor(batch, training=True), mode='loss')['loss_cls'].backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.cls_head.parameters())
    assert all((p.grad is None) == frozen for p in model.backbone.parameters())


@pytest.mark.parametrize(('crops', 'clips'), [(1, 1), (3, 2)])
def test_stock_recognizer_gives_the_same_without_class_tokens(crops, clips):
    model = build('Recognizer3D', test_cfg=dict(max_testing_views=4))
    batch, views = make_batch(videos=1, crops=crops, clips=clips)
    with torch.no_grad():
        torch.testing.assert_close(scores_of(model.test_step(batch)), expected_probabilities(model, views))


@pytest.mark.parametrize('average', ['score', None])
def test_average_clips_means_what_it_means_in_mmaction2(average):
    model = build(head=dict(PROBE, average_clips=average))
    batch, views = make_batch(videos=2, crops=3, clips=2)
    with torch.no_grad():
        given = scores_of(model.test_step(batch))
        crops = [[torch.cat([tokens_of(model, clip) for clip in crop], dim=1) for crop in video] for video in views]
        scores = torch.stack([torch.cat([model.cls_head.probe(crop) for crop in video]) for video in crops])
    torch.testing.assert_close(given, scores.mean(1) if average else scores)


def test_views_without_a_number_of_clips_are_an_error():
    model = build()
    batch, _ = make_batch(videos=2, crops=2, clips=2, meta_keys=('img_shape',))
    with pytest.raises(ValueError, match=r"4 views.*PackActionInputs\(meta_keys=\('img_shape', 'num_clips'\)\)"):
        model.test_step(batch)
    data = model.data_preprocessor(batch, training=True)
    with pytest.raises(ValueError, match='4 views'):
        model(**data, mode='loss')


def test_clips_that_do_not_fit_the_views_are_an_error():
    model = build()
    batch, _ = make_batch(videos=2, crops=2, clips=2)
    batch['data_samples'][1].set_metainfo(dict(num_clips=4))
    with pytest.raises(ValueError, match=r'4 views and num_clips \[2, 4\]'):
        model.test_step(batch)
    for sample in batch['data_samples']:
        sample.set_metainfo(dict(num_clips=3))
    with pytest.raises(ValueError, match=r'4 views and num_clips \[3\]'):
        model.test_step(batch)


@pytest.mark.parametrize(
    ('arch', 'overrides', 'dims'),
    [
        ('twlv_base', {}, 48),
        ('internvideo2_1b', dict(tubelet_size=1, clip_embed_dims=24), 24),
        ('clip_base', dict(tubelet_size=1, output_dims=20), 20),
    ],
)
def test_linear_probe_uses_the_encoders_own_pooling(arch, overrides, dims):
    model = build(arch=arch, backbone=overrides, features='embed', head=dict(LINEAR, in_channels=dims))
    batch, views = make_batch(videos=2, crops=3, clips=2)
    with torch.no_grad():
        given = scores_of(model.test_step(batch))
        clips = (torch.from_numpy(views).flatten(0, 2).permute(0, 4, 1, 2, 3).float() - 127.5) / 40
        probabilities = model.cls_head.fc_cls(model.backbone.embed(clips)).softmax(1)
    torch.testing.assert_close(given, probabilities.unflatten(0, (2, 6)).mean(1))


def test_linear_probe_on_embeddings_equals_the_one_on_feature_maps_where_pooling_is_the_mean():
    vectors = build(features='embed', head=dict(LINEAR, in_channels=48))
    maps = build('Recognizer3D', head=dict(LINEAR, in_channels=48, spatial_type='avg'))
    maps.load_state_dict(vectors.state_dict())
    batch, _ = make_batch(videos=2, crops=3, clips=2)
    with torch.no_grad():
        torch.testing.assert_close(scores_of(vectors.test_step(batch)), scores_of(maps.test_step(batch)))


def test_head_of_another_width_than_the_encoder_is_a_clear_error():
    model = build(
        arch='clip_base',
        backbone=dict(tubelet_size=1, output_dims=20),
        features='embed',
        head=dict(LINEAR, in_channels=48),
    )
    batch, _ = make_batch(videos=1, crops=1, clips=1)
    with pytest.raises(ValueError, match=r'clip_base have 20 channels.*set model\.cls_head\.in_channels=20'):
        model.test_step(batch)


def test_unknown_features_are_a_clear_error():
    with pytest.raises(ValueError, match="unknown features 'forward'.*tokens, embed"):
        build(features='forward')


def test_raw_scores_of_each_view_are_what_tensor_mode_gives():
    model = build()
    batch, _ = make_batch(videos=2, crops=1, clips=1)
    data = model.data_preprocessor(batch)
    with torch.no_grad():
        tokens = model(**data)
        assert tokens.shape == (2, 8, 48)
        torch.testing.assert_close(model(**data, stage='head'), model.cls_head.probe(tokens))


def test_head_takes_the_weights_of_an_official_probe(tmp_path):
    checkpoint, _, tokens, expected = official_probe('vjepa2_attentive_probe')
    torch.save(checkpoint, tmp_path / 'probe.pt')
    head = MODELS.build(dict(PROBE, depth=4, weights=str(tmp_path / 'probe.pt'))).eval()
    head.init_weights()
    with torch.no_grad():
        scores = head(tokens)
    torch.testing.assert_close(scores, expected, atol=2e-5, rtol=0)


def test_probe_trains_in_bf16():
    model = build().train()
    batch, _ = make_batch(videos=2, crops=1, clips=2)
    data = model.data_preprocessor(batch, training=True)
    with torch.autocast('cpu', torch.bfloat16):
        loss = model(**data, mode='loss')['loss_cls']
    loss.backward()
    assert torch.isfinite(loss)
    assert all(torch.isfinite(p.grad).all() for p in model.cls_head.parameters())


MULTI_VIEW_CONFIG = """
_base_ = '<tiny_config>'
model = dict(
    type='twlv_mm.ProbeRecognizer',
    features='tokens',
    backbone=dict(frozen=True, allow_random=True),
    cls_head=dict(_delete_=True, type='twlv_mm.AttentiveHead', num_classes=2, in_channels=48, num_heads=4),
    test_cfg=dict(max_testing_views=4))
pipeline = [
    dict(type='twlv_mm.OpenVideo'),
    dict(type='twlv_mm.SampleClips', num_frames=8, frame_interval=1, num_clips=2),
    dict(type='twlv_mm.DecodeVideo'),
    dict(type='Resize', scale=(48, 32), keep_ratio=False),
    dict(type='twlv_mm.LongSideCrops', size=32, num_crops=3),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs', meta_keys=('img_shape', 'num_clips'))]
train_dataloader = dict(num_workers=0, dataset=dict(pipeline=pipeline))
test_dataloader = dict(dataset=dict(pipeline=pipeline))
train_cfg = dict(max_epochs=1)
"""


def test_attentive_probe_trains_and_tests_on_several_crops_and_clips(tiny_config, tmp_path):
    config = tmp_path / 'attentive.py'
    config.write_text(MULTI_VIEW_CONFIG.replace('<tiny_config>', tiny_config))
    arguments = [str(config), '--work-dir', str(tmp_path / 'run')]
    runner = launch.main_train([*arguments, '--no-validate'])
    assert len(runner.optim_wrapper.optimizer.state) == len(list(runner.model.cls_head.parameters()))
    metrics = launch.main_test([*arguments[:1], str(tmp_path / 'run' / 'epoch_1.pth'), *arguments[1:]])
    assert 0 <= metrics['acc/top1'] <= 1
