"""What ASFormer trains on: the class of each step, and few changes from step to step."""

import torch
import torch.nn.functional as F

from .segments import UNLABELLED


def segmentation_loss(logits, labels, valid=None, smoothing=0.15, max_change=16.0):
    """Cross-entropy, and what log-probabilities change from a step to the next.

    Each video of a batch counts the same: the loss of a batch is the mean of those of its videos alone.

    Args:
        logits (Tensor): (N, T, C).
        labels (Tensor): (N, T) int64; -100 where there is none.
        valid (Tensor, optional): (N, T, 1), 0 for padding; None if there is none.
        smoothing (float): Weight of the change.
        max_change (float): What a squared change counts at most.

    Returns:
        tuple[Tensor, Tensor]: cross-entropy, and weighted change, each a number.

    Source: Farha and Gall 2019 (MS-TCN), with ASFormer's numbers. The step before gets no gradient.
    """
    batch, length, classes = logits.shape
    log_probs = logits.float().log_softmax(dim=-1)
    losses = F.nll_loss(log_probs.transpose(1, 2), labels, ignore_index=UNLABELLED, reduction='none')
    labelled = (labels != UNLABELLED).sum(dim=1).clamp(min=1)
    change = (log_probs[:, 1:] - log_probs[:, :-1].detach()).square().clamp(max=max_change)
    if valid is None:
        steps = torch.full((batch,), length, device=logits.device)
    else:
        change, steps = change * valid[:, 1:], valid.sum(dim=(1, 2))
    change = change.sum(dim=(1, 2)) / (classes * (steps - 1).clamp(min=1))
    return (losses.sum(dim=1) / labelled).mean(), smoothing * change.mean()
