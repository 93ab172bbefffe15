"""The box-given way: mmaction2's RoI head on an encoder of ours, from the config's parts."""

from pathlib import Path

import pytest
import torch
from mmaction.structures import ActionDataSample
from mmengine.registry import MODELS, DefaultScope
from mmengine.structures import InstanceData

import twlv_mm.detection.roi_detector
import twlv_mm.detection.transforms  # noqa: F401  registers the preprocessor of the config
from twlv_mm.encoders import read_config
from twlv_mm.engine.autocast import AutocastOptimWrapper

CONFIG = Path(__file__).parents[2] / 'configs/twlv/ava_roi.py'
CLASSES = 9
TINY = dict(embed_dims=48, depth=1, num_heads=4, img_size=64, patch_size=16, num_frames=8, allow_random=True)


@pytest.fixture
def build():
    """Make the config's detector on a tiny encoder; keyword arguments change the encoder."""

    def make(detector='twlv_mm.ROIDetector', **backbone):
        config = read_config(CONFIG, encoder_overrides=dict(TINY, frozen=False))
        config.merge_from_dict({'model.roi_head.bbox_head.num_classes': CLASSES, 'model.type': detector})
        config.model.backbone.update(backbone)
        torch.manual_seed(0)
        with DefaultScope.overwrite_default_scope('mmaction'):
            return MODELS.build(config.model)

    return make


def sample(seed, boxes=2, proposals=3, shape=(64, 48)):
    """A clip and its boxes; the first proposals are near the first boxes."""
    generator = torch.Generator().manual_seed(seed)
    height, width = shape
    low = torch.rand(boxes, 2, generator=generator) * 20
    truth = torch.cat([low, low + 16 + torch.rand(boxes, 2, generator=generator) * 10], dim=1)
    labels = torch.zeros(boxes, CLASSES)
    labels[torch.arange(boxes), 1 + torch.arange(boxes) % (CLASSES - 1)] = 1
    other = torch.tensor([[1.0, 2.0, 30.0, 40.0], [0.0, 0.0, width, height], [5.0, 5.0, 9.0, 50.0]])
    given = torch.cat([truth + 0.25, other])[:proposals]
    result = ActionDataSample(metainfo=dict(img_shape=shape, img_key=f'video,{900 + seed:04}', flip=False))
    result.gt_instances = InstanceData(bboxes=truth, labels=labels)
    result.proposals = InstanceData(bboxes=given)
    clip = torch.randint(0, 255, (3, 8, height, width), dtype=torch.uint8, generator=generator)
    return clip, result


def batch(model, samples, training=False):
    clips, samples = zip(*samples, strict=True)
    return model.data_preprocessor(dict(inputs=list(clips), data_samples=list(samples)), training)


def losses(model, samples):
    return model(**batch(model, samples, training=True), mode='loss')


def predict(model, samples):
    with torch.no_grad():
        return [found.pred_instances for found in model.eval()(**batch(model, samples), mode='predict')]


@pytest.mark.parametrize('frozen', [True, False])
def test_steps_lower_the_loss_and_leave_a_frozen_encoder_alone(build, frozen):
    model = build(frozen=frozen).train()
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    before = model.backbone.patch_embed.proj.weight.clone()
    wrapper = AutocastOptimWrapper(optimizer=torch.optim.AdamW(parameters, lr=3e-3))
    found = []
    for _ in range(15):
        with wrapper.optim_context(model):
            loss, logged = model.parse_losses(losses(model, [sample(0), sample(1, boxes=1)]))
        wrapper.update_params(loss)
        found.append(logged['loss_action_cls'].item())
    assert found[-1] < found[0] / 2
    assert torch.equal(before, model.backbone.patch_embed.proj.weight) == frozen


@pytest.mark.parametrize('frozen', [True, False])
def test_gradients_reach_all_that_trains(build, frozen):
    model = build(frozen=frozen).train()
    losses(model, [sample(0), sample(1)])['loss_action_cls'].backward()
    for name, parameter in model.named_parameters():
        trains = not frozen or not name.startswith('backbone')
        assert (parameter.grad is not None and bool(parameter.grad.any())) == trains, name


def test_prediction_of_a_batch_is_that_of_each_clip_alone(build):
    model = build()
    samples = [sample(0), sample(1, proposals=0), sample(2, proposals=5, shape=(64, 64)), sample(3)]
    together = predict(model, samples)
    assert [len(found) for found in together] == [3, 0, 5, 3]
    # Of other sizes, as padding changes what the encoder sees.
    same_size = [0, 1, 3]
    together = predict(model, [samples[place] for place in same_size])
    for place, found in zip(same_size, together, strict=True):
        (alone,) = predict(model, [samples[place]])
        torch.testing.assert_close(found.scores, alone.scores)
        torch.testing.assert_close(found.bboxes, alone.bboxes)
        height, width = samples[place][1].img_shape
        shares = samples[place][1].proposals.bboxes / torch.tensor([width, height, width, height])
        torch.testing.assert_close(found.bboxes, shares)
        assert found.scores.shape == (len(shares), CLASSES)
        assert not found.scores[:, 0].any()
        assert (found.scores[:, 1:] > 0).all()


def test_detector_of_mmdet_gives_the_same_for_one_clip(build):
    (ours,), (theirs,) = (predict(build(detector), [sample(0)]) for detector in ('twlv_mm.ROIDetector', 'FastRCNN'))
    torch.testing.assert_close(ours.bboxes, theirs.bboxes)
    torch.testing.assert_close(ours.scores[:, 1:], theirs.scores[:, 1:])


def test_box_gets_the_features_of_its_own_place(build):
    model = build()
    clip, given = sample(0, proposals=0)
    given.proposals = InstanceData(bboxes=torch.tensor([[0.0, 0, 16, 16], [32.0, 48, 48, 64], [32.0, 48, 48, 64]]))
    maps = torch.zeros(1, 48, 4, 4, 3)
    maps[..., 3, 2] = 1
    model.backbone.forward = lambda video: maps
    (found,) = predict(model, [(clip, given)])
    assert not torch.allclose(found.scores[0], found.scores[1])
    torch.testing.assert_close(found.scores[1], found.scores[2])


def test_boxes_on_half_precision_maps_are_pooled_in_float32(build):
    model = build()
    model.backbone.forward = lambda video: torch.zeros(1, 48, 4, 4, 3, dtype=torch.bfloat16)
    # The compiled RoIAlign takes no bfloat16.
    (maps,) = model.extract_feat(torch.zeros(1, 3, 8, 64, 48))
    assert maps.dtype == torch.float32


def test_scores_of_proposals_are_ignored_and_proposals_kept(build):
    model = build()
    clip, given = sample(0)
    (plain,) = predict(model, [(clip, given)])
    given.proposals = InstanceData(bboxes=torch.cat([given.proposals.bboxes, torch.rand(3, 1)], dim=1))
    (scored,) = predict(model, [(clip, given)])
    torch.testing.assert_close(plain.scores, scored.scores)
    first = losses(model, [(clip, given)])
    second = losses(model, [(clip, given)])
    torch.testing.assert_close(first['loss_action_cls'], second['loss_action_cls'])


def test_clip_without_labelled_boxes_or_proposals_changes_nothing(build):
    model = build().eval()  # no dropout
    alone = losses(model, [sample(0)])['loss_action_cls']
    with_empty = losses(model, [sample(1, boxes=0), sample(0)])['loss_action_cls']
    torch.testing.assert_close(alone, with_empty)
    assert torch.isfinite(losses(model, [sample(0, proposals=0)])['loss_action_cls'])


def test_batch_without_labelled_boxes_has_no_loss_and_all_gradients(build):
    model = build(frozen=False)
    loss = losses(model, [sample(0, boxes=0), sample(1, boxes=0, proposals=0)])['loss_action_cls']
    assert loss == 0
    loss.backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


def test_sample_without_proposals_is_named(build):
    model = build()
    clip, given = sample(2)
    del given.proposals
    for run in (losses, predict):
        with pytest.raises(ValueError, match=r'video,0902 has no proposals.*proposal_file'):
            run(model, [sample(0), (clip, given)])


def test_encoder_with_another_patch_names_the_stride_to_set(build):
    model = build(patch_size=8)
    with pytest.raises(ValueError, match=r'maps of \(8, 6\) from images of \(64, 48\).*featmap_stride=8'):
        predict(model, [sample(0)])
