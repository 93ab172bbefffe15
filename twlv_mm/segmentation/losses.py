"""ASFormer's losses: cross-entropy of each step, and smoothing between steps."""

import torch
import torch.nn.functional as F

from .segments import UNLABELLED


def segmentation_loss(logits, labels, valid=None, smoothing=0.15, max_change=16.0):
    """Cross-entropy, and the change of log-probabilities from step to step; the mean over the videos of a batch.

    Args:
        logits (Tensor): (N, T, C).
        labels (Tensor): (N, T) int64; -100: not annotated.
        valid (Tensor, optional): (N, T, 1), 0 for padding; None without padding.
        smoothing (float): Weight of the change.
        max_change (float): Upper bound of a squared change.

    Source: Farha and Gall 2019 (MS-TCN), with ASFormer's numbers. The earlier step gets no gradient.
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
