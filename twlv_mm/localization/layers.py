"""Layers on sequences of steps, (N, T, D) with the channels last, some of whose steps are padding."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn


class Steps(NamedTuple):
    """The steps of a padded batch that belong to the videos.

    ActionFormer's code masks the output of convolutions, not their input, so the last steps of a padded video see the
    biases that norms make of the padding, but zeros where the padding ends. Trained weights depend on both.
    """

    valid: torch.Tensor  # (N, T, 1) bool, the video's steps; they come first
    # (N, T, 1) bool, the steps before the end of ActionFormer's padding; None if all are
    inside: torch.Tensor | None

    def halved(self):  # every second step
        return Steps(self.valid[:, ::2], None if self.inside is None else self.inside[:, ::2])


def join_levels(levels):
    """Concatenate the levels of a pyramid, so that layers that all levels share run once instead of once per level.

    Args:
        levels (list[tuple[Tensor, Steps]]): (N, T_l, D) of each level, and its steps.

    Returns:
        tuple[Tensor, Steps, Tensor]: (N, T, D) with a step of padding after each level, which keeps convolutions apart;
        its steps; (T,) int64, the level of each step, -1 at that padding.
    """
    parts, valid, inside, numbers = [], [], [], []
    for number, (x, steps) in enumerate(levels):
        parts.append(F.pad(x, (0, 0, 0, 1)))
        valid.append(F.pad(steps.valid, (0, 0, 0, 1)))
        inside.append(F.pad(torch.ones_like(steps.valid) if steps.inside is None else steps.inside, (0, 0, 0, 1)))
        numbers += [number] * x.shape[1] + [-1]
    numbers = torch.tensor(numbers, device=x.device)
    return torch.cat(parts, dim=1), Steps(torch.cat(valid, dim=1), torch.cat(inside, dim=1)), numbers


class TemporalConv(nn.Module):
    """Convolution over three neighbouring steps; padding becomes 0."""

    def __init__(self, in_channels, out_channels, bias=False):
        super().__init__()
        reference = nn.Conv1d(in_channels, out_channels, 3, bias=bias)
        self.weight, self.bias = reference.weight, reference.bias
        if bias:
            nn.init.zeros_(self.bias)

    def forward(self, x, steps):
        x = F.pad(_inside(x, steps), (0, 0, 1, 1))
        # One matrix product is faster on CPUs than the convolution, which also needs two transpositions.
        neighbours = torch.cat([x[:, :-2], x[:, 1:-1], x[:, 2:]], dim=-1)
        return F.linear(neighbours, self.weight.transpose(1, 2).flatten(1), self.bias) * steps.valid


class DepthwiseConv(nn.Module):
    """Convolution of each channel over three neighbouring steps, with stride 1 or 2."""

    def __init__(self, channels, stride=1):
        super().__init__()
        self.weight = nn.Conv1d(channels, channels, 3, groups=channels, bias=False).weight
        self.stride = stride

    def forward(self, x, steps, to):
        """(N, T, D), its steps and those of the result -> (N, T / stride, D)."""
        # As an image of one row with the channels last, which needs no transposed copy.
        image = _inside(x, steps).transpose(1, 2).unsqueeze(2)
        image = F.conv2d(image, self.weight.unsqueeze(2), stride=self.stride, padding=(0, 1), groups=x.shape[-1])
        return image.squeeze(2).transpose(1, 2) * to.valid


class ScaledDropPath(nn.Module):
    """Scale each channel of a residual branch, and drop the branch for some samples of a training batch.

    Source: ActionFormer's affine drop path; scales start at 1e-4 (Touvron et al. 2021, LayerScale).
    """

    def __init__(self, channels, rate):
        super().__init__()
        self.scale = nn.Parameter(torch.full((channels,), 1e-4))
        self.rate = rate

    def forward(self, x):
        x = x * self.scale
        if not self.training:
            return x
        kept = torch.empty(len(x), 1, 1, device=x.device, dtype=x.dtype).bernoulli_(1 - self.rate)
        return x * (kept / (1 - self.rate))


def _inside(x, steps):
    return x if steps.inside is None else x * steps.inside
