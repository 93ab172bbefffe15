"""ActionFormer's feature pyramid: embeddings at full rate, then at half the rate from level to level."""

import math

import torch
import torch.nn.functional as F
from torch import nn

from .layers import DepthwiseConv, ScaledDropPath, Steps, TemporalConv
from .local_attention import check_window, local_attention


class ConvAttention(nn.Module):
    """Self-attention with queries, keys and values from depthwise convolutions; stride 2 halves the rate."""

    def __init__(self, channels, num_heads, window, stride):
        super().__init__()
        check_window(window)
        self.num_heads = num_heads
        self.window = window
        for name in ('query', 'key', 'value'):
            self.add_module(f'{name}_conv', DepthwiseConv(channels, stride))
            self.add_module(f'{name}_norm', nn.LayerNorm(channels))
            self.add_module(name, nn.Linear(channels, channels))
        self.proj = nn.Linear(channels, channels)

    def forward(self, x, steps, to):
        """(N, T, D), its steps and those of the result -> (N, T / stride, D)."""
        query = self.query(self.query_norm(self.query_conv(x, steps, to)))
        key = self.key(self.key_norm(self.key_conv(x, steps, to)))
        value = self.value(self.value_norm(self.value_conv(x, steps, to)))
        x = local_attention(query, key, value, to.valid.squeeze(-1), self.num_heads, self.window)
        return self.proj(x) * to.valid


class TransformerBlock(nn.Module):
    """Attention and MLP, each with a residual; stride 2 halves the number of steps.

    ``drop_path`` 0 leaves out the scales of :class:`ScaledDropPath` too, as ActionFormer's code does.
    """

    def __init__(self, channels, num_heads, window, drop_path, stride=1):
        super().__init__()
        self.stride = stride
        self.norm1 = nn.LayerNorm(channels)
        self.attn = ConvAttention(channels, num_heads, window, stride)
        self.norm2 = nn.LayerNorm(channels)
        self.mlp = nn.Sequential(nn.Linear(channels, 4 * channels), nn.GELU(), nn.Linear(4 * channels, channels))
        self.drop_path1, self.drop_path2 = (
            ScaledDropPath(channels, drop_path) if drop_path > 0 else nn.Identity() for _ in range(2)
        )

    def forward(self, x, steps):
        """(N, T, D) and its steps -> (N, T / stride, D), 0 at padding, and its steps."""
        to = steps.halved() if self.stride == 2 else steps
        skipped = x if self.stride == 1 else F.max_pool1d(x.transpose(1, 2), 3, 2, padding=1).transpose(1, 2)
        x = skipped * to.valid + self.drop_path1(self.attn(self.norm1(x), steps, to))
        return x + self.drop_path2(self.mlp(self.norm2(x)) * to.valid), to


class FeaturePyramid(nn.Module):
    """ActionFormer's projection and its feature pyramid without top-down paths, with one norm per level.

    See :class:`ActionFormer` for the arguments. ActionFormer's code pads videos to ``max_length`` steps, and longer
    ones to a common multiple of all strides and windows; where the padding ends affects a video's last steps.

    Source: Zhang et al. 2022 (ActionFormer), section 3.2, and its code.
    """

    def __init__(self, in_channels, channels, num_heads, arch, window, drop_path, max_length):
        super().__init__()
        num_convs, num_blocks, num_halvings = arch
        windows = [window] * (1 + num_halvings) if isinstance(window, int) else list(window)
        _check(channels, num_heads, arch, windows, max_length)
        self.in_channels = in_channels
        self.max_length = max_length
        self.strides = [2**level for level in range(1 + num_halvings)]
        self.multiple = math.lcm(*(s * max(w // 2 * 2, 1) for s, w in zip(self.strides, windows, strict=True)))
        self.convs = nn.ModuleList(
            TemporalConv(in_channels if place == 0 else channels, channels) for place in range(num_convs)
        )
        self.conv_norms = nn.ModuleList(nn.LayerNorm(channels) for _ in range(num_convs))
        self.stem = nn.ModuleList(
            TransformerBlock(channels, num_heads, windows[0], drop_path) for _ in range(num_blocks)
        )
        self.levels = nn.ModuleList(
            TransformerBlock(channels, num_heads, size, drop_path, stride=2) for size in windows[1:]
        )
        self.norms = nn.ModuleList(nn.LayerNorm(channels) for _ in self.strides)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.zeros_(module.bias)

    def batch(self, inputs):
        """Pad videos (D, T_i) to the smallest common length that gives each the result that it has alone.

        Returns (N, T, D) and its steps; T is a multiple of the last level's stride.
        """
        device, coarsest = inputs[0].device, self.strides[-1]
        lengths = [x.shape[1] for x in inputs]
        padded = [
            self.max_length if length <= self.max_length else -(-length // self.multiple) * self.multiple
            for length in lengths
        ]
        # One step of padding on the last level is enough, as no convolution of the pyramid reaches further.
        shown = [(-(-length // coarsest) + 1) * coarsest for length in lengths]
        total = max(min(pair) for pair in zip(padded, shown, strict=True))
        places = torch.arange(total, device=device)[None, :, None]
        valid = places < torch.tensor(lengths, device=device)[:, None, None]
        inside = places < torch.tensor(padded, device=device)[:, None, None] if min(padded) < total else None
        x = torch.stack([F.pad(x, (0, total - x.shape[1])) for x in inputs]).transpose(1, 2)
        return x, Steps(valid, inside)

    def forward(self, x, steps):
        """(N, T, D) and its steps -> (N, T / stride, channels) and the steps of each level, finest first."""
        for conv, norm in zip(self.convs, self.conv_norms, strict=True):
            x = F.relu(norm(conv(x, steps)))
        for block in self.stem:
            x, steps = block(x, steps)
        levels = [(x, steps)]
        for block in self.levels:
            levels.append(block(*levels[-1]))
        return [(norm(x), steps) for norm, (x, steps) in zip(self.norms, levels, strict=True)]


def _check(channels, num_heads, arch, windows, max_length):
    if channels % num_heads:
        raise ValueError(f'channels={channels} is not a multiple of num_heads={num_heads}')
    num_convs, num_blocks, num_halvings = arch
    if num_convs < 1 or num_blocks < 1 or num_halvings < 0:
        raise ValueError(f'arch={tuple(arch)}: there must be a convolution and a block at full rate at least')
    if len(windows) != 1 + num_halvings:
        raise ValueError(
            f'window lists {len(windows)} windows, arch={tuple(arch)} has {1 + num_halvings} levels: give one for the '
            'blocks at full rate and one for each level after it, or a single one for all'
        )
    if max_length < 1 or max_length % 2**num_halvings:
        raise ValueError(f"max_length={max_length} is not a multiple of the last level's stride, {2**num_halvings}")
