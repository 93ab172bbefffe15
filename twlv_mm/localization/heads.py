"""ActionFormer's heads, shared by all levels of the pyramid: classes of a step, and distances to start and end."""

import math

import torch
import torch.nn.functional as F
from torch import nn

from .layers import TemporalConv


class ConvTower(nn.Module):
    """Convolutions over time, with norms and ReLU between them: (N, T, channels) -> (N, T, out_channels)."""

    def __init__(self, channels, out_channels, num_layers):
        super().__init__()
        self.convs = nn.ModuleList(TemporalConv(channels, channels) for _ in range(num_layers - 1))
        self.norms = nn.ModuleList(nn.LayerNorm(channels) for _ in range(num_layers - 1))
        self.last = TemporalConv(channels, out_channels, bias=True)

    def forward(self, x, steps):
        """(N, T, D) -> (N, T, D'), 0 at padding."""
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x = F.relu(norm(conv(x, steps)))
        return self.last(x, steps)


class ClassificationHead(ConvTower):
    """Scores of the classes at each step; ``prior`` is the probability of a class before training (Lin et al. 2017)."""

    def __init__(self, channels, num_classes, num_layers, prior):
        super().__init__(channels, num_classes, num_layers)
        nn.init.constant_(self.last.bias, -math.log((1 - prior) / prior))


class RegressionHead(ConvTower):
    """Distances from each step to the start and end of its action, in steps of the level.

    Each of ``num_levels`` levels learns a factor; ``start`` is the distance that is predicted before training.
    """

    def __init__(self, channels, num_levels, num_layers, start):
        super().__init__(channels, 2, num_layers)
        nn.init.constant_(self.last.bias, start)
        self.scales = nn.Parameter(torch.ones(num_levels))

    def forward(self, x, steps, levels):
        """(N, T, D) and the level (T,) of each step -> (N, T, 2), none negative."""
        return F.relu(super().forward(x, steps) * self.scales[levels, None])
