"""The losses are what their papers say, and their norm follows the number of positives."""

import pytest
import torch

from twlv_mm.localization.losses import LocalizationLoss, center_diou_loss, sigmoid_focal_loss


def test_focal_loss_of_one_positive_and_one_negative():
    logits, targets = torch.tensor([0.0, 2.0]), torch.tensor([1.0, 0.0])
    p = torch.sigmoid(logits)
    expected = 0.25 * (1 - p[0]) ** 2 * -p[0].log() + 0.75 * p[1] ** 2 * -(1 - p[1]).log()
    torch.testing.assert_close(sigmoid_focal_loss(logits, targets), expected)


def test_focal_loss_without_focus_is_half_the_cross_entropy():
    logits, targets = torch.randn(7, 3), torch.rand(7, 3)
    expected = torch.nn.functional.binary_cross_entropy_with_logits(logits, targets, reduction='sum') / 2
    torch.testing.assert_close(sigmoid_focal_loss(logits, targets, alpha=0.5, gamma=0.0), expected)


def test_diou_of_equal_segments_is_zero():
    offsets = torch.tensor([[1.0, 2.0], [0.5, 0.0], [30.0, 7.0]])
    assert center_diou_loss(offsets, offsets) == 0


def test_diou_of_a_shifted_segment():
    # [-1, 3] and [-2, 1]: 2 of 5 in common, centres 1 and -0.5.
    loss = center_diou_loss(torch.tensor([[1.0, 3.0]]), torch.tensor([[2.0, 1.0]]))
    assert loss.item() == pytest.approx(1 - 2 / 5 + (1.5 / 5) ** 2)


def test_diou_of_segments_without_length_is_finite_with_its_gradient():
    offsets = torch.zeros(1, 2, requires_grad=True)
    center_diou_loss(offsets, torch.zeros(1, 2)).backward()
    assert offsets.grad.isfinite().all()


def test_half_precision_is_computed_in_float32():
    logits = torch.full((4096, 20), -4.59)
    exact = sigmoid_focal_loss(logits, torch.full_like(logits, 0.005))
    half = sigmoid_focal_loss(logits.bfloat16(), torch.full_like(logits, 0.005))
    assert half.dtype == torch.float32
    assert half.item() == pytest.approx(exact.item(), rel=0.02)
    assert center_diou_loss(torch.ones(3, 2).bfloat16(), torch.ones(3, 2)).dtype == torch.float32


def make(positives, points=50):
    classes = torch.zeros(points, 3)
    classes[:positives, 1] = 1
    return torch.randn(points, 3), torch.rand(points, 2), classes, torch.rand(points, 2)


def test_norm_moves_towards_the_number_of_positives_and_survives_a_checkpoint():
    loss = LocalizationLoss(init_norm=100)
    loss(*make(30))
    assert loss.norm.item() == pytest.approx(93)
    loss(*make(0))
    assert loss.norm.item() == pytest.approx(0.9 * 93 + 0.1)
    resumed = LocalizationLoss(init_norm=5)
    resumed.load_state_dict(loss.state_dict())
    assert resumed.norm == loss.norm


def test_losses_are_divided_by_the_norm():
    inputs = make(30)
    small, large = (LocalizationLoss(init_norm=norm, momentum=1.0)(*inputs) for norm in (100, 200))
    for name in ('loss_cls', 'loss_reg'):
        torch.testing.assert_close(small[name], 2 * large[name])


def test_two_batches_can_be_accumulated():
    loss, logits = LocalizationLoss(), torch.randn(50, 3, requires_grad=True)
    total = sum(sum(loss(logits, *make(30)[1:]).values()) for _ in range(2))
    total.backward()
    assert logits.grad.isfinite().all()


def test_label_smoothing_moves_targets_towards_one_in_all_classes_and_none():
    logits, classes = torch.randn(5, 4), torch.eye(4)[[0, 1, 2, 3, 0]]
    loss = LocalizationLoss(label_smoothing=0.1, init_norm=1, momentum=1)
    found = loss(logits, torch.ones(5, 2), classes, torch.ones(5, 2))['loss_cls']
    torch.testing.assert_close(found, sigmoid_focal_loss(logits, 0.9 * classes + 0.1 / 5))
