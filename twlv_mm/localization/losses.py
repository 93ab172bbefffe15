"""ActionFormer's losses: sigmoid focal loss of the classes, distance-IoU loss of the segments."""

import torch
import torch.nn.functional as F
from mmengine.dist import all_reduce
from torch import nn


def sigmoid_focal_loss(logits, targets, alpha=0.25, gamma=2.0):
    """Focal loss of independent classes, summed over all elements of logits and targets in [0, 1].

    Source: Lin et al. 2017, in its form for soft targets.
    """
    logits, targets = logits.float(), targets.float()
    probability = logits.sigmoid()
    entropy = F.binary_cross_entropy_with_logits(logits, targets, reduction='none')
    miss = probability + targets - 2 * probability * targets
    return ((1 - alpha + (2 * alpha - 1) * targets) * miss**gamma * entropy).sum()


def center_diou_loss(offsets, targets, eps=1e-8):
    """Distance-IoU loss of segments given by the distances from a point within to both ends, (M, 2), none negative.

    The sum over the M segments of 1 - IoU + (distance of centres / length of the hull)^2.

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
    """Both losses of a batch, divided by a moving average of the number of positive points.

    Args:
        label_smoothing (float): s; a target t becomes t (1 - s) + s / (C + 1).
        reg_weight (float): Weight of the loss of segments.
        init_norm (float): Initial value of the moving average; about the number of positive points in a batch.
        momentum (float): Weight of the last value in the moving average.

    Source: Zhang et al. 2022 (ActionFormer), section 3.3, and its code, with TWLV-I's settings as defaults.
    """

    def __init__(self, label_smoothing=0.1, reg_weight=2.0, init_norm=100.0, momentum=0.9):
        super().__init__()
        self.label_smoothing = label_smoothing
        self.reg_weight = reg_weight
        self.momentum = momentum
        # A buffer, so that a resumed run continues with it.
        self.register_buffer('norm', torch.tensor(float(init_norm)))

    def forward(self, logits, offsets, classes, targets):
        """loss_cls and the weighted loss_reg of a batch, whose M valid points enter the moving average.

        ``logits`` and ``classes`` are (M, C), 1 for the classes of a point; ``offsets`` and ``targets`` (M, 2) are
        distances to start and end, used at points with a class.
        """
        positive = classes.any(dim=1)
        # The mean over processes, so that averaged gradients are those of a single process with all videos, and the
        # moving average is the same in all of them.
        count = positive.sum().float()
        all_reduce(count, op='mean')
        self.norm.mul_(self.momentum).add_((1 - self.momentum) * count.clamp(min=1))
        # A copy, since the next batch changes the buffer, perhaps before the backward pass of this one.
        norm = self.norm.clone()
        smooth = classes * (1 - self.label_smoothing) + self.label_smoothing / (classes.shape[1] + 1)
        loss_cls = sigmoid_focal_loss(logits, smooth) / norm
        loss_reg = center_diou_loss(offsets[positive], targets[positive]) / norm
        return dict(loss_cls=loss_cls, loss_reg=self.reg_weight * loss_reg)
