"""ASFormer's layers. Sequences are (N, T, C); weights have the names and shapes of the official ones."""

from functools import partial

import torch
import torch.nn.functional as F
from torch import nn

from .attention import full_attention, window_attention


class DilatedConv(nn.Module):
    """A convolution over three steps at a distance, and ReLU.

    Args:
        channels (int): C.
        dilation (int): Steps from one to the next of the three.
    """

    def __init__(self, channels, dilation):
        super().__init__()
        self.layer = nn.Sequential(nn.Conv1d(channels, channels, 3, padding=dilation, dilation=dilation), nn.ReLU())

    def forward(self, x):
        """(N, T, C) -> (N, T, C)."""
        return self.layer(x.transpose(1, 2)).transpose(1, 2)


class Attention(nn.Module):
    """Attention of one head: queries and keys from one sequence, values from the same or another.

    Args:
        channels (int): C.
        size (int): Steps of the window, see :func:`window_attention`.
        reduction (int): C over the width of queries and keys (the published r1).
        value_reduction (int): C over the width of values (r2).
        window (str): 'sliding' or 'full'.
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
        """Attend.

        Args:
            x (Tensor): (N, T, C), for queries and keys.
            values_of (Tensor): (N, T, C).
            valid (Tensor | None): (N, T, 1), 0 for padding.

        Returns:
            Tensor: (N, T, C).
        """
        value = pointwise(self.value_conv, values_of)
        if self.window == 'sliding' and self.size == 1:
            out = value  # a step that attends to itself only
        else:
            query, key = pointwise(self.query_conv, x), pointwise(self.key_conv, x)
            attend = full_attention if self.window == 'full' else partial(window_attention, size=self.size)
            out = attend(query, key, value, valid)
        return pointwise(self.conv_out, F.relu(out))


class AttentionBlock(nn.Module):
    """Dilated convolution, then attention, each with what it is given added to what it makes.

    Args:
        channels (int): C.
        size (int): Dilation of the convolution, and steps of the window of the attention.
        reduction (int): See :class:`Attention`.
        value_reduction (int): See :class:`Attention`.
        window (str): See :class:`Attention`.
        alpha (float): Share of the attention.
    """

    def __init__(self, channels, size, reduction, value_reduction, window, alpha):
        super().__init__()
        self.feed_forward = DilatedConv(channels, size)
        self.att_layer = Attention(channels, size, reduction, value_reduction, window)
        self.conv_1x1 = nn.Conv1d(channels, channels, 1)
        self.dropout = nn.Dropout(0.5)
        self.alpha = alpha

    def forward(self, x, values_of, valid):
        """One block.

        Args:
            x (Tensor): (N, T, C), 0 at padding.
            values_of (Tensor | None): (N, T, C), for values of the attention; None to take them from x.
            valid (Tensor | None): (N, T, 1), 0 for padding.

        Returns:
            Tensor: (N, T, C), 0 at padding.
        """
        out = self.feed_forward(x)
        normed = masked(instance_norm(out, valid), valid)
        out = out + self.alpha * self.att_layer(normed, normed if values_of is None else values_of, valid)
        return masked(x + self.dropout(pointwise(self.conv_1x1, out)), valid)


def pointwise(conv, x):
    """A convolution over single steps, as the matrix product that it is.

    Args:
        conv (nn.Conv1d): Kernel of 1.
        x (Tensor): (N, T, C).

    Returns:
        Tensor: (N, T, C').
    """
    return F.linear(x, conv.weight.squeeze(-1), conv.bias)


def masked(x, valid):
    """x with 0 where valid is 0; valid None stands for no padding."""
    return x if valid is None else x * valid


def instance_norm(x, valid, eps=1e-5):
    """Each channel of each video with mean 0 and variance 1 over the video's own steps.

    Args:
        x (Tensor): (N, T, C).
        valid (Tensor | None): (N, T, 1), 0 for padding, which does not count.
        eps (float): Added to the variance.

    Returns:
        Tensor: (N, T, C).
    """
    if valid is None:
        variance, mean = torch.var_mean(x, dim=1, correction=0, keepdim=True)
        return (x - mean) * (variance + eps).rsqrt()
    count = valid.sum(dim=1, keepdim=True)
    mean = (x * valid).sum(dim=1, keepdim=True) / count
    variance = ((x - mean).square() * valid).sum(dim=1, keepdim=True) / count
    return (x - mean) * (variance + eps).rsqrt()
