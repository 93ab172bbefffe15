"""Attention of each step to its neighbours, in time and memory linear in the number of steps."""

import torch
import torch.nn.functional as F

# Queries that are computed together: smaller blocks have fewer keys out of reach, larger ones faster matrix products.
BLOCK = 32


def local_attention(query, key, value, valid, num_heads, window):
    """Multi-head attention in which a step sees its valid neighbours; 0 for a step that sees none.

    Blocks of queries meet the keys of the block and those within reach on either side, so that no array has more than T
    x (32 + window) numbers per head for windows up to 65.

    Args:
        query, key, value (Tensor): (N, T, D) each.
        valid (Tensor): (N, T) bool, keys that may be seen; the others must be finite.
        num_heads (int): Heads; divides D.
        window (int): Odd: a step sees itself and ``window // 2`` on each side. -1: a step sees all.

    Source: ActionFormer (Zhang et al. 2022), section 3.2; the same result as masked attention over all steps.
    """
    check_window(window)
    if window == -1:
        return _attention(query, key, value, valid[:, None], num_heads)
    reach, length = window // 2, query.shape[1]
    block = max(BLOCK, reach)
    if length <= block:
        places = torch.arange(length, device=query.device)
        near = (places[:, None] - places).abs() <= reach
        return _attention(query, key, value, valid[:, None] & near, num_heads)
    missing = -length % block
    blocks = [F.pad(x, (0, 0, 0, missing)).unflatten(1, (-1, block)) for x in (query, key, value)]
    query, key, value = blocks[0], _with_sides(blocks[1], reach), _with_sides(blocks[2], reach)
    seen = _with_sides(F.pad(valid, (0, missing)).unflatten(1, (-1, block)).unsqueeze(-1), reach).squeeze(-1)
    # Key k of a block is k - reach steps after the block's first query.
    distance = torch.arange(block + 2 * reach, device=query.device) - torch.arange(block, device=query.device)[:, None]
    near = (distance >= 0) & (distance <= 2 * reach)
    query, key, value, seen = (x.flatten(0, 1) for x in (query, key, value, seen[:, :, None] & near))
    return _attention(query, key, value, seen, num_heads).unflatten(0, (len(valid), -1)).flatten(1, 2)[:, :length]


def check_window(window):
    """Refuse a window without a middle step."""
    if window != -1 and (window < 3 or window % 2 == 0):
        raise ValueError(f'window={window} is neither -1 (every step sees all) nor an odd number of at least 3')


def _with_sides(blocks, reach):
    """(N, M, B, D) -> (N, M, reach + B + reach, D): each block with the neighbouring steps, zeros beyond the ends."""
    before = F.pad(blocks[:, :-1, -reach:], (0, 0, 0, 0, 1, 0))
    after = F.pad(blocks[:, 1:, :reach], (0, 0, 0, 0, 0, 1))
    return torch.cat([before, blocks, after], dim=2)


def _attention(query, key, value, seen, num_heads):
    """Attention of (B, Q, D) to (B, K, D) with the mask seen, (B, Q or 1, K)."""
    query, key, value = (x.unflatten(-1, (num_heads, -1)).transpose(1, 2) for x in (query, key, value))
    some = seen.any(dim=-1, keepdim=True)
    # Rows without any key would be NaN in some of PyTorch's kernels, so they see all keys and are then set to 0.
    seen = (seen | ~some).unsqueeze(1).expand(-1, -1, query.shape[2], -1)
    return F.scaled_dot_product_attention(query, key, value, seen).transpose(1, 2).flatten(2) * some
