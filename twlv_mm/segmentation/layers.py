"""ASFormer's layers. Sequences are (N, T, C); weights have the names and shapes of the official ones."""

from functools import partial

import torch
import torch.nn.functional as F
from torch import nn

from .attention import full_attention, window_attention


class DilatedConv(nn.Module):
    """A convolution over three steps at a distance of ``dilation``, and ReLU."""

    def __init__(self, channels, dilation):
        super().__init__()
        self.layer = nn.Sequential(nn.Conv1d(channels, channels, 3, padding=dilation, dilation=dilation), nn.ReLU())

    def forward(self, x):
        return self.layer(x.transpose(1, 2)).transpose(1, 2)


class Attention(nn.Module):
    """Single-head attention: queries and keys from one sequence, values from the same or another.

    See :class:`ASFormer` for ``reduction``, ``value_reduction`` and ``window``, :func:`window_attention` for ``size``.
    """

    def __init__(self, channels, size, reduction, value_reduction, window):
        super().__init__()
        self.query_conv = nn.Conv1d(channels, channels // reduction, 1)
        self.key_conv = nn.Conv1d(channels, channels // reduction, 1)
        self.value_conv = nn.Conv1d(channels, channels // value_reduction, 1)
        self.conv_out = nn.Conv1d(channels // value_reduction, channels, 1)
        self.size = size
        self.window = window

    def forward(self, x, values_of, valid):
        """Queries and keys from x, values from values_of -> (N, T, C); valid (N, T, 1) is 0 at padding."""
        value = pointwise(self.value_conv, values_of)
        if self.window == 'sliding' and self.size == 1:
            out = value  # a step that attends to itself only
        else:
            query, key = pointwise(self.query_conv, x), pointwise(self.key_conv, x)
            attend = full_attention if self.window == 'full' else partial(window_attention, size=self.size)
            out = attend(query, key, value, valid)
        return pointwise(self.conv_out, F.relu(out))


class AttentionBlock(nn.Module):
    """Dilated convolution, then attention weighted by ``alpha``, each with a residual.

    ``size`` is both the dilation and the steps of an attention block; other arguments as for :class:`Attention`.
    """

    def __init__(self, channels, size, reduction, value_reduction, window, alpha):
        super().__init__()
        self.feed_forward = DilatedConv(channels, size)
        self.att_layer = Attention(channels, size, reduction, value_reduction, window)
        self.conv_1x1 = nn.Conv1d(channels, channels, 1)
        self.dropout = nn.Dropout(0.5)
        self.alpha = alpha

    def forward(self, x, values_of, valid):
        """(N, T, C) -> (N, T, C), 0 at padding; values_of (N, T, C) gives the attention's values, x itself if None."""
        out = self.feed_forward(x)
        normed = masked(instance_norm(out, valid), valid)
        out = out + self.alpha * self.att_layer(normed, normed if values_of is None else values_of, valid)
        return masked(x + self.dropout(pointwise(self.conv_1x1, out)), valid)


def pointwise(conv, x):
    """A convolution with a kernel of 1 on (N, T, C), as a matrix product."""
    return F.linear(x, conv.weight.squeeze(-1), conv.bias)


def masked(x, valid):
    """Set x to 0 where valid is 0; None stands for no padding."""
    return x if valid is None else x * valid


def instance_norm(x, valid, eps=1e-5):
    """Normalise each channel of each video, (N, T, C), to mean 0 and variance 1 over its valid steps."""
    if valid is None:
        variance, mean = torch.var_mean(x, dim=1, correction=0, keepdim=True)
        return (x - mean) * (variance + eps).rsqrt()
    count = valid.sum(dim=1, keepdim=True)
    mean = (x * valid).sum(dim=1, keepdim=True) / count
    variance = ((x - mean).square() * valid).sum(dim=1, keepdim=True) / count
    return (x - mean) * (variance + eps).rsqrt()
