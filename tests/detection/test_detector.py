"""The end-to-end detector: its matching and losses, what its queries see, and what learns."""

import itertools
import math

import pytest
import torch
from mmaction.structures import ActionDataSample
from mmdet.structures.bbox import bbox_cxcywh_to_xyxy
from mmengine.registry import MODELS
from mmengine.structures import InstanceData

from twlv_mm.detection import FactorisedDecoder, SpatioTemporalDetector, TubeletHead

CLASSES, FRAMES, QUERIES, DIMS = 5, 4, 9, 32
ENCODER = dict(
    type='twlv_mm.VideoViT',
    arch='twlv_base',
    img_size=64,
    patch_size=16,
    num_frames=8,
    tubelet_size=2,
    embed_dims=48,
    depth=1,
    num_heads=4,
)


def make_detector(num_frames=FRAMES, **encoder):
    torch.manual_seed(0)
    return SpatioTemporalDetector(
        backbone=ENCODER | encoder,
        decoder=dict(
            type='twlv_mm.FactorisedDecoder',
            in_channels=48,
            num_frames=num_frames,
            num_queries=QUERIES,
            num_layers=2,
            embed_dims=DIMS,
            feedforward_channels=64,
            num_heads=4,
        ),
        head=dict(type='twlv_mm.TubeletHead', num_classes=CLASSES, num_queries=QUERIES, embed_dims=DIMS),
    )


def make_sample(boxes, labels, img_shape=(64, 96), **truth):
    """Of pixel boxes (x1, y1, x2, y2), and lists of labels."""
    sample = ActionDataSample(metainfo=dict(img_shape=img_shape, img_key='film,0902', key_frame=4))
    hot = torch.zeros(len(boxes), CLASSES)
    for row, numbers in zip(hot, labels, strict=True):
        row[numbers] = 1
    boxes = torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4)
    sample.gt_instances = InstanceData(bboxes=boxes, labels=hot, **truth)
    return sample


TWO = ([[8, 8, 40, 60], [50, 10, 90, 50]], [[1, 3], [2]])


def focal(logit, wanted):
    """Of one logit; alpha 0.25, gamma 2."""
    p = 1 / (1 + math.exp(-logit))
    return -0.25 * (1 - p) ** 2 * math.log(p) if wanted else -0.75 * p**2 * math.log(1 - p)


def giou(one, other):
    """Of two boxes by their corners."""
    area = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    wide, high = (min(one[k + 2], other[k + 2]) - max(one[k], other[k]) for k in (0, 1))
    common = max(wide, 0) * max(high, 0)
    union = sum(area) - common
    hull = math.prod(max(one[k + 2], other[k + 2]) - min(one[k], other[k]) for k in (0, 1))
    return common / union - (hull - union) / hull


def test_matching_is_the_cheapest_and_losses_are_those_of_the_matches():
    torch.manual_seed(1)
    head = TubeletHead(num_classes=CLASSES, num_queries=4, embed_dims=DIMS)
    logits, boxes = 2 * torch.randn(1, 1, FRAMES, 4, CLASSES), torch.rand(1, 1, FRAMES, 4, 4) * 0.4 + 0.3
    head.forward = lambda hidden: (logits, boxes)
    sample = make_sample(*TWO)
    losses = head.loss(None, [sample], [2])

    hot = sample.gt_instances.labels.tolist()
    corners = (sample.gt_instances.bboxes / torch.tensor([96, 64, 96, 64])).tolist()
    found = bbox_cxcywh_to_xyxy(boxes[0, 0, 2]).tolist()
    logits, centred = logits[0, 0, 2].tolist(), boxes[0, 0, 2].tolist()

    def distance(query, person):
        x1, y1, x2, y2 = corners[person]
        wanted = ((x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1)
        return sum(abs(a - b) for a, b in zip(centred[query], wanted, strict=True))

    def cost(query, person):
        classes = sum(focal(x, one) for x, one in zip(logits[query], hot[person], strict=True))
        return 2 * classes + 5 * distance(query, person) - 2 * giou(found[query], corners[person])

    matches = min(itertools.permutations(range(4), 2), key=lambda queries: cost(queries[0], 0) + cost(queries[1], 1))
    assert losses['loss_bbox'].item() == pytest.approx(5 * sum(distance(q, p) for p, q in enumerate(matches)) / 2)
    overlap = sum(1 - giou(found[q], corners[p]) for p, q in enumerate(matches))
    assert losses['loss_iou'].item() == pytest.approx(2 * overlap / 2, rel=1e-4)
    wanted = {(query, column) for p, query in enumerate(matches) for column in range(CLASSES) if hot[p][column]}
    total = sum(focal(logits[q][c], (q, c) in wanted) for q in range(4) for c in range(CLASSES))
    assert losses['loss_cls'].item() == pytest.approx(2 * total / 2, rel=1e-4)


def test_every_layer_is_taught_and_everything_that_trains_gets_a_gradient():
    model = make_detector()
    inputs = torch.randn(2, 3, 8, 64, 96)
    losses = model(inputs, [make_sample(*TWO), make_sample(*TWO)], mode='loss')
    assert sorted(losses) == sorted(
        prefix + name for prefix in ('', 'd0.') for name in ('loss_cls', 'loss_bbox', 'loss_iou')
    )
    # The last layer of the box head starts with zeros, which let no gradient through.
    torch.nn.init.normal_(model.head.reg_mlp.layers[-1].weight, std=0.1)
    sum(model(inputs, [make_sample(*TWO), make_sample(*TWO)], mode='loss').values()).backward()
    without = [
        name
        for name, weight in model.named_parameters()
        if weight.requires_grad and not (weight.grad is not None and weight.grad.any())
    ]
    assert without == []


def test_frozen_encoder_gets_no_gradient_and_does_not_move():
    model = make_detector(frozen=True, allow_random=True).train()
    sum(model(torch.randn(1, 3, 8, 64, 96), [make_sample(*TWO)], mode='loss').values()).backward()
    assert all(weight.grad is None for weight in model.backbone.parameters())
    assert any(weight.grad is not None for weight in model.decoder.parameters())
    assert not model.backbone.training


def test_it_overfits_two_people_and_returns_all_boxes_with_their_scores():
    model = make_detector(frozen=True, allow_random=True)
    for part in model.decoder.modules():
        if hasattr(part, 'drop_prob'):
            part.drop_prob = 0
    inputs = torch.randn(1, 3, 8, 64, 96)
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=2e-3)
    for _ in range(150):
        loss = sum(model(inputs, [make_sample(*TWO)], mode='loss').values())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    (sample,) = model.eval()(inputs, [make_sample(*TWO)], mode='predict')
    found = sample.pred_instances
    assert found.bboxes.shape == (QUERIES, 4)
    assert found.scores.shape == (QUERIES, CLASSES)
    assert not found.scores[:, 0].any()
    assert 'tubes' not in found
    best = found.scores.max(dim=1).values.argsort(descending=True)[:2].tolist()
    pixels = found.bboxes * torch.tensor([96, 64, 96, 64])
    for box, labels in zip(*TWO, strict=True):
        near = min(best, key=lambda place: (pixels[place] - torch.tensor(box)).abs().max().item())
        assert (pixels[near] - torch.tensor(box)).abs().max() < 5
        assert found.scores[near].topk(len(labels)).indices.sort().values.tolist() == labels


def test_boxes_of_every_frame_are_taught_where_they_are_known():
    model = make_detector(num_frames=8)
    tubes = torch.tensor(TWO[0], dtype=torch.float32)[:, None].repeat(1, 8, 1)
    valid = torch.ones(2, 8, dtype=torch.bool)
    inputs = torch.randn(1, 3, 8, 64, 96)
    model.eval()

    def box_loss(tubes, valid):
        sample = make_sample(*TWO, tubes=tubes, tube_valid=valid)
        return model(inputs, [sample], mode='loss')['loss_bbox'].item()

    all_frames = box_loss(tubes, valid)
    moved = tubes.clone()
    moved[:, 0] += 20
    assert box_loss(moved, valid) != pytest.approx(all_frames)
    unknown = valid.clone()
    unknown[:, 0] = False
    assert box_loss(moved, unknown) == pytest.approx(box_loss(tubes, unknown))
    (sample,) = model(inputs, [make_sample(*TWO)], mode='predict')
    assert sample.pred_instances.tubes.shape == (QUERIES, 8, 4)
    torch.testing.assert_close(sample.pred_instances.tubes[:, 4], sample.pred_instances.bboxes)
    with pytest.raises(ValueError, match=r'covers 8 frames, the decoder predicts 4: set model\.decoder'):
        make_detector(num_frames=4)(inputs, [make_sample(*TWO, tubes=tubes, tube_valid=valid)], mode='loss')


def test_what_is_found_does_not_depend_on_padding():
    model = make_detector().eval()
    features = torch.randn(1, 48, 4, 4, 6)
    alone = model.decoder(features, torch.zeros(1, 4, 6, dtype=torch.bool))
    padded = torch.randn(1, 48, 4, 6, 9)
    padded[..., :4, :6] = features
    padding = torch.ones(1, 6, 9, dtype=torch.bool)
    padding[:, :4, :6] = False
    torch.testing.assert_close(model.decoder(padded, padding), alone, atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_query_sees_its_own_frame_and_its_own_kind():
    torch.manual_seed(0)
    decoder = FactorisedDecoder(8, FRAMES, QUERIES, num_layers=1, embed_dims=DIMS, feedforward_channels=32, num_heads=4)
    decoder.eval()
    features, padding = torch.randn(1, 8, FRAMES, 3, 3), torch.zeros(1, 3, 3, dtype=torch.bool)
    before = decoder(features, padding)
    features[:, :, 1] += 1
    changed = (decoder(features, padding) - before).abs().amax(dim=(0, 1, 4)) > 1e-6
    # One layer: frame 1's queries see frame 1's tokens; the others would hear of it in a second layer.
    assert changed[1].all()
    assert not changed[[0, 2, 3]].any()


def test_tokens_have_the_code_of_their_centres():
    decoder = FactorisedDecoder(8, 1, QUERIES, num_layers=1, embed_dims=DIMS, num_heads=4)
    rows, columns = torch.meshgrid(*((torch.arange(side) + 0.5) / side for side in (4, 6)), indexing='ij')
    codes = decoder.token_position(torch.zeros(1, 4, 6, dtype=torch.bool))[0].flatten(1).T
    expected = decoder._position_code(torch.stack([columns, rows], dim=-1).flatten(0, 1))
    torch.testing.assert_close(codes, expected, atol=1e-4, rtol=0)


@pytest.mark.parametrize('size', [(12, 12), (9, 16)])
def test_queries_begin_by_reading_around_their_anchors(size):
    torch.manual_seed(0)
    decoder = FactorisedDecoder(8, 1, 16, num_layers=1, feedforward_channels=32).eval()
    head = TubeletHead(num_classes=CLASSES, num_queries=16)
    features = torch.randn(1, 8, 1, *size, requires_grad=True)
    hidden = decoder(features, torch.zeros(1, *size, dtype=torch.bool))
    rows, columns = ((torch.arange(side) + 0.5) / side for side in size)
    shares = []
    for query, (x, y) in enumerate(head.anchors[:, :2].sigmoid().tolist()):
        (read,) = torch.autograd.grad(hidden[0, 0, 0, query].square().sum(), features, retain_graph=True)
        read = read.abs().sum(dim=(0, 1, 2))
        near = ((rows - y).abs() < 0.25)[:, None] & ((columns - x).abs() < 0.25)
        shares.append(read[near].mean() / read[~near].mean())
    # Queries that do not know where they start read as much from anywhere.
    assert torch.stack(shares).median() > 2


def test_clip_without_people_teaches_that_there_are_none():
    model = make_detector(frozen=True, allow_random=True)
    losses = model(torch.randn(1, 3, 8, 64, 96), [make_sample([], [])], mode='loss')
    assert losses['loss_bbox'] == losses['loss_iou'] == 0
    assert losses['loss_cls'] > 0


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (dict(in_channels=32), r'has 48 channels, the decoder expects 32: set model\.decoder\.in_channels=48'),
        (dict(num_frames=6), r'6 frames cannot be made from the 4 time steps.* a multiple of 4'),
        (dict(num_queries=3), r'has 3 queries of 32 dimensions, the head expects 9 of 32: set the same num_queries'),
        (dict(embed_dims=16, num_heads=4), r'queries of 16 dimensions, the head expects 9 of 32'),
    ],
)
def test_parts_that_do_not_fit_are_named(change, message):
    model = make_detector(frozen=True, allow_random=True)
    model.decoder = FactorisedDecoder(
        **dict(in_channels=48, num_frames=4, num_queries=QUERIES, embed_dims=DIMS) | change
    )
    with pytest.raises(ValueError, match=message):
        model(torch.randn(1, 3, 8, 64, 96), [make_sample(*TWO)], mode='loss')


@pytest.mark.parametrize('mode', ['loss', 'predict'])
def test_diverged_detector_says_so(mode):
    model = make_detector(frozen=True, allow_random=True)
    torch.nn.init.constant_(model.head.fc_cls.bias, torch.nan)
    with pytest.raises(ValueError, match='training diverged'):
        model(torch.randn(1, 3, 8, 64, 96), [make_sample(*TWO)], mode=mode)


def test_config_can_change_losses_and_matching():
    head = MODELS.build(
        dict(
            type='twlv_mm.TubeletHead',
            num_classes=CLASSES,
            loss_iou=dict(type='mmdet.GIoULoss', loss_weight=7.0),
            assigner=dict(type='mmdet.HungarianAssigner', match_costs=[dict(type='mmdet.IoUCost', iou_mode='giou')]),
        )
    )
    assert head.loss_iou.loss_weight == 7
    assert len(head.assigner.match_costs) == 1
