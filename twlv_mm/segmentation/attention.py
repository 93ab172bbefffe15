"""ASFormer's attention: of a block of steps to its surroundings, or of all steps to all."""

import torch
import torch.nn.functional as F

NEVER = -1e4  # score of a masked step before the softmax; finite, so that windows without any step stay finite


def window_attention(query, key, value, valid, size):
    """Attention of each block of ``size`` (even) steps to itself and about half a block on either side: (N, T, C').

    The window of a block begins ``size / 2`` steps before it and ends ``size / 2 - 1`` steps after it. Time and memory
    are linear in T, and the results of a video do not depend on the padding after it, where they are arbitrary.

    Args:
        query, key (Tensor): (N, T, C) each.
        value (Tensor): (N, T, C').
        valid (Tensor | None): (N, T, 1), 1 for steps of the video and 0 for padding; None without padding.

    Source: the sliding window of ASFormer's code, whose mask leaves out a window's last step. There, masked steps still
    have a millionth of the weight; here, they have none.
    """
    batch, length, channels = query.shape
    extra = -length % size
    query = F.pad(query, (0, 0, 0, extra)).view(-1, 1, size, channels)
    key, value = (_windows(x, size, extra) for x in (key, value))
    is_step = query.new_ones(batch, length, 1) if valid is None else valid
    seen = _windows(is_step, size, extra).transpose(-1, -2).bool()
    seen[..., -1] = False
    bias = query.new_zeros(seen.shape).masked_fill(~seen, NEVER).expand(-1, -1, size, -1)
    out = F.scaled_dot_product_attention(query, key, value, attn_mask=bias)
    return out.view(batch, -1, value.shape[-1])[:, :length]


def full_attention(query, key, value, valid):
    """Attention of every step to all steps of its video; arguments as for :func:`window_attention`.

    Source: ASFormer's code; TWLV-I's evaluation code uses it for Breakfast.
    """
    mask = None if valid is None else valid.bool().transpose(1, 2)[:, None]
    query, key, value = (x[:, None] for x in (query, key, value))
    return F.scaled_dot_product_attention(query, key, value, attn_mask=mask)[:, 0]


def _windows(x, size, extra):
    """(N, T, C) -> (N * blocks, 1, 2 * size, C), zero where there is no step."""
    half = size // 2
    halves = F.pad(x, (0, 0, half, extra + half)).view(len(x), -1, half, x.shape[-1])
    # A window has four consecutive half-blocks, and moves by two.
    windows = torch.cat([halves[:, first : halves.shape[1] - 3 + first : 2] for first in range(4)], dim=2)
    return windows.view(-1, 1, 2 * size, x.shape[-1])
