"""RoIAlign, NMS and soft-NMS with mmcv-lite: the numbers of the compiled operators.

tests/data/mmcv_ops.npz is of the compiled mmcv 2.1.0 on torch 2.13.0 (CPU). RoIAlign: features (3, 2, 9, 11), eleven
RoIs (inside, partly and wholly outside, larger than the picture, a point, a line, below a pixel) over scales 1/16 and
1/8, bins 7 x 7, 8 x 8 and 3 x 5, sampling ratios 0, 2 and 3, average and maximum, aligned or not; the gradient is that
of the cosine of each output's place. NMS: 60 random boxes, and boxes each there three times; soft-NMS: the random ones,
and 60 of whole numbers with five different scores.
"""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from mmcv.ops import batched_nms, nms, roi_align, soft_nms
from torch.autograd import gradcheck

from twlv_mm.compat import _modules
from twlv_mm.compat import roi_align as implementation

GOLDEN = np.load(Path(__file__).parents[1] / 'data/mmcv_ops.npz', allow_pickle=False)
CLOSE = {'rtol': 1e-5, 'atol': 1e-5}

pytestmark = pytest.mark.skipif(_modules.is_installed('mmcv._ext'), reason='the compiled mmcv is installed')


def cases(name):
    """The settings of an operator's golden outputs, each with its number."""
    found = json.loads(str(GOLDEN[f'{name}_cases']))
    return [pytest.param(number, settings, id=str(number)) for number, settings in enumerate(found)]


def pool(features, rois, output_size=(7, 7), spatial_scale=1 / 16, sampling_ratio=0, pool_mode='avg', aligned=True):
    return roi_align(features, rois, tuple(output_size), spatial_scale, sampling_ratio, pool_mode, aligned)


def golden_inputs():
    return torch.from_numpy(GOLDEN['features']).requires_grad_(), torch.from_numpy(GOLDEN['rois'])


@pytest.mark.parametrize(('number', 'settings'), cases('roi_align'))
@pytest.mark.parametrize('numbers_at_once', [implementation.GROUP_NUMBERS, 1])
def test_roi_align_and_its_gradient_are_the_compiled_ones(number, settings, numbers_at_once, monkeypatch):
    monkeypatch.setattr(implementation, 'GROUP_NUMBERS', numbers_at_once)
    features, rois = golden_inputs()
    pooled = pool(features, rois, **settings)
    pooled.backward(torch.arange(pooled.numel()).double().cos().float().view_as(pooled))
    np.testing.assert_allclose(pooled.detach(), GOLDEN[f'roi_align_{number}_pooled'], **CLOSE)
    np.testing.assert_allclose(features.grad, GOLDEN[f'roi_align_{number}_grad'], **CLOSE)


@pytest.mark.parametrize('pool_mode', ['avg', 'max'])
def test_no_rois_give_no_features_and_no_gradient(pool_mode):
    features, _ = golden_inputs()
    pooled = pool(features, torch.zeros(0, 5), pool_mode=pool_mode)
    assert pooled.shape == (0, 2, 7, 7)
    pooled.sum().backward()
    assert not features.grad.any()


def test_gradient_is_the_derivative_of_the_pooled_features():
    features = torch.randn(2, 2, 5, 6, dtype=torch.float64, requires_grad=True)
    rois = torch.tensor([[0, 3.0, 5.0, 60.0, 90.0], [1, -20.0, 10.0, 70.0, 50.0]], dtype=torch.float64)
    assert gradcheck(lambda x: pool(x, rois, (3, 2)), features)
    assert gradcheck(lambda x: pool(x, rois, (3, 2), pool_mode='max', sampling_ratio=2), features)


@pytest.mark.parametrize('pool_mode', ['avg', 'max'])
@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
def test_half_precision_features_are_pooled_in_float32(dtype, pool_mode):
    features, rois = golden_inputs()
    half = features.detach().to(dtype)
    expected = pool(half.float(), rois, pool_mode=pool_mode).to(dtype)
    torch.testing.assert_close(pool(half, rois, pool_mode=pool_mode), expected, rtol=0, atol=0)
    half.requires_grad_()
    pool(half, rois, pool_mode=pool_mode).float().sum().backward()
    assert half.grad.dtype == dtype
    # Half precision also keeps the maxima's points, as the compiled operator does.
    pool(features, rois, pool_mode=pool_mode).sum().backward()
    torch.testing.assert_close(half.grad.float(), features.grad, rtol=0.05, atol=0.2)


@pytest.mark.parametrize('pool_mode', ['avg', 'max'])
def test_autocast_does_not_round_float32_features(pool_mode):
    features, rois = golden_inputs()
    with torch.autocast('cpu', dtype=torch.bfloat16):
        pooled = pool(features, rois, pool_mode=pool_mode)
        pooled.sum().backward()
    rounded = features.grad.clone()
    features.grad = None
    pool(features, rois, pool_mode=pool_mode).sum().backward()
    torch.testing.assert_close(pooled, pool(features, rois, pool_mode=pool_mode))
    torch.testing.assert_close(rounded, features.grad)


def test_bad_roi_is_named():
    features, _ = golden_inputs()
    rois = torch.tensor([[0, 0.0, 0.0, 9.0, 9.0], [3, 0.0, 0.0, 9.0, 9.0]])
    with pytest.raises(ValueError, match='RoI 1 is of image 3, but the batch has images 0 to 2'):
        pool(features, rois)
    rois[1] = torch.tensor([1, 8.0, 0.0, 4.0, 9.0])
    with pytest.raises(ValueError, match=r'RoI 1 is \[8\.0, 0\.0, 4\.0, 9\.0\].*ends before it starts'):
        pool(features, rois)


@pytest.mark.parametrize(('number', 'settings'), cases('nms'))
def test_nms_keeps_the_boxes_of_the_compiled_one(number, settings):
    boxes = settings.pop('boxes')
    kept, places = nms(GOLDEN[f'{boxes}_boxes'], GOLDEN[f'{boxes}_scores'], **settings)
    expected = GOLDEN[f'nms_{number}_dets']
    np.testing.assert_array_equal(kept[:, 4], expected[:, 4])
    np.testing.assert_array_equal(GOLDEN[f'{boxes}_boxes'][places], kept[:, :4])
    if boxes == 'plain':
        np.testing.assert_array_equal(places, GOLDEN[f'nms_{number}_places'])
    # torch's sort orders equal scores in its own way on each kind of processor, for the compiled operator too.
    np.testing.assert_array_equal(np.unique(kept, axis=0), np.unique(expected, axis=0))
    assert len(kept) == len(expected)


@pytest.mark.parametrize(('number', 'settings'), cases('soft_nms'))
def test_soft_nms_gives_the_scores_and_the_order_of_the_compiled_one(number, settings):
    boxes = settings.pop('boxes')
    kept, places = soft_nms(GOLDEN[f'{boxes}_boxes'], GOLDEN[f'{boxes}_scores'], **settings)
    np.testing.assert_array_equal(places, GOLDEN[f'soft_nms_{number}_places'])
    np.testing.assert_allclose(kept, GOLDEN[f'soft_nms_{number}_dets'], **CLOSE)


def test_boxes_of_no_area_do_not_make_each_other_nan():
    boxes = torch.tensor([[3.0, 1.0, 3.0, 1.0]] * 3)
    kept, _ = soft_nms(boxes, torch.tensor([0.5, 0.9, 0.4]), method='gaussian')
    torch.testing.assert_close(kept[:, 4], torch.tensor([0.9, 0.5, 0.4]))


@pytest.mark.parametrize('kind', [{'type': 'nms'}, {'type': 'soft_nms', 'method': 'linear', 'min_score': 0.0}])
def test_boxes_of_different_classes_do_not_compete(kind):
    boxes, scores = (torch.from_numpy(GOLDEN[f'plain_{name}']) for name in ('boxes', 'scores'))
    classes = torch.arange(len(boxes)) % 3
    kept, places = batched_nms(boxes, scores, classes, {**kind, 'iou_threshold': 0.3})
    alone = [
        batched_nms(boxes[classes == of], scores[classes == of], classes[classes == of], {**kind, 'iou_threshold': 0.3})
        for of in range(3)
    ]
    expected = torch.cat([dets for dets, _ in alone])
    torch.testing.assert_close(kept, expected[expected[:, 4].argsort(descending=True)], rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(boxes[places], kept[:, :4])


@pytest.mark.parametrize('suppress', [nms, soft_nms])
def test_no_boxes_give_no_boxes(suppress):
    kept, places = suppress(torch.zeros(0, 4), torch.zeros(0), 0.5)
    assert kept.shape == (0, 5)
    assert places.shape == (0,)
    assert places.dtype == torch.long
