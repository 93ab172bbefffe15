"""Losses of the points of a pyramid: sigmoid focal loss of the classes, distance-IoU of the segments."""

import torch
import torch.nn.functional as F
from mmengine.dist import all_reduce
from torch import nn


def sigmoid_focal_loss(logits, targets, alpha=0.25, gamma=2.0):
    """Focal loss of independent classes.

    Args:
        logits (Tensor): Scores before the sigmoid, any shape.
        targets (Tensor): The same shape, in [0, 1].
        alpha (float): Weight of positives; negatives weigh 1 - alpha.
        gamma (float): How little easy ones count.

    Returns:
        Tensor: the sum over all elements, float32.

    Source: Lin et al. 2017, in its form for soft targets.
    """
    logits, targets = logits.float(), targets.float()
    probability = logits.sigmoid()
    entropy = F.binary_cross_entropy_with_logits(logits, targets, reduction='none')
    miss = probability + targets - 2 * probability * targets
    return ((1 - alpha + (2 * alpha - 1) * targets) * miss**gamma * entropy).sum()


def center_diou_loss(offsets, targets, eps=1e-8):
    """Distance-IoU loss of segments that are given by what is before and after a point within both.

    Args:
        offsets (Tensor): (M, 2) predicted distances to start and end, none negative.
        targets (Tensor): (M, 2) true distances, none negative.
        eps (float): Lower bound of the lengths divided by.

    Returns:
        Tensor: the sum over the M segments of 1 - IoU + (distance of centres / length of both together)^2, float32.

    Source: Zheng et al. 2020, in one dimension as in ActionFormer's code.
    """
    offsets, targets = offsets.float(), targets.float()
    overlap = torch.minimum(offsets, targets).sum(dim=1)
    union = (offsets + targets).sum(dim=1) - overlap
    hull = torch.maximum(offsets, targets).sum(dim=1)
    difference = offsets - targets
    distance = (difference[:, 1] - difference[:, 0]) / 2
    return (1 - overlap / union.clamp(min=eps) + (distance / hull.clamp(min=eps)) ** 2).sum()


class LocalizationLoss(nn.Module):
    """Both losses of a batch, divided by a moving average of how many points learn an action.

    Args:
        label_smoothing (float): s; a target t becomes t (1 - s) + s / (C + 1).
        reg_weight (float): Weight of the segments' loss.
        init_norm (float): What the moving average starts from; about the number of such points in a batch.
        momentum (float): Weight of the moving average's last value.

    Source: Zhang et al. 2022 (ActionFormer), section 3.3, and its published code, with TWLV-I's settings as defaults.
    """

    def __init__(self, label_smoothing=0.1, reg_weight=2.0, init_norm=100.0, momentum=0.9):
        super().__init__()
        self.label_smoothing = label_smoothing
        self.reg_weight = reg_weight
        self.momentum = momentum
        # A buffer, so that a resumed run goes on with it.
        self.register_buffer('norm', torch.tensor(float(init_norm)))

    def forward(self, logits, offsets, classes, targets):
        """Losses of a batch; the moving average takes its points in.

        Args:
            logits (Tensor): (M, C) at the valid points of all videos.
            offsets (Tensor): (M, 2) predicted distances to start and end.
            classes (Tensor): (M, C), 1 for what a point learns.
            targets (Tensor): (M, 2) true distances, used where there is a class.

        Returns:
            dict[str, Tensor]: loss_cls and loss_reg, with its weight.
        """
        positive = classes.any(dim=1)
        # The mean over processes: averaged gradients are then those of a single process with all of the videos, and
        # the average that process 0 saves is everybody's.
        count = positive.sum().float()
        all_reduce(count, op='mean')
        self.norm.mul_(self.momentum).add_((1 - self.momentum) * count.clamp(min=1))
        # A copy, since the next batch changes the buffer, perhaps before this one's gradients are there.
        norm = self.norm.clone()
        smooth = classes * (1 - self.label_smoothing) + self.label_smoothing / (classes.shape[1] + 1)
        loss_cls = sigmoid_focal_loss(logits, smooth) / norm
        loss_reg = center_diou_loss(offsets[positive], targets[positive]) / norm
        return dict(loss_cls=loss_cls, loss_reg=self.reg_weight * loss_reg)
