"""Position tables of the encoders, and how a table is resized to another grid of tokens."""

import torch
import torch.nn.functional as F


def _sincos_1d(dims, positions):
    """(P,) positions -> (P, dims): sines, then cosines, of geometrically spaced frequencies (Vaswani et al. 2017)."""
    frequencies = 10000.0 ** -(torch.arange(dims // 2, dtype=torch.float64) / (dims / 2))
    angles = positions.to(torch.float64)[:, None] * frequencies
    return torch.cat([angles.sin(), angles.cos()], dim=1)


def sincos_3d(dims, grid):
    """Fixed 3D sine-cosine table in V-JEPA's layout.

    A third of the channels each for time, height and width, each third rounded up to an even number, the surplus cut
    off at the end.

    Args:
        dims (int): Channels of a token.
        grid (tuple[int, int, int]): Tokens along time, height and width.

    Returns:
        Tensor: (1, T', H', W', dims) float32.

    Source: Bardes et al. 2024, official implementation with ``uniform_power=True`` (as its pretraining configs set).
    """
    third = -(-dims // 6) * 2
    axes = [_sincos_1d(third, torch.arange(size)) for size in grid]
    time, height, width = (
        axis.view([-1 if i == j else 1 for j in range(3)] + [third]).expand(*grid, third) for i, axis in enumerate(axes)
    )
    return torch.cat([time, height, width], dim=-1)[None, ..., :dims].float()


TABLES = {'sincos_3d': sincos_3d}


def resize_table(table, grid):
    """Resize a position table in time and space by trilinear interpolation.

    Args:
        table (Tensor): (1, T, H, W, D).
        grid (tuple[int, int, int]): Wanted T', H', W'.

    Returns:
        Tensor: (1, T', H', W', D); ``table`` itself where it has that grid.

    Source: V-JEPA's ``interpolate_pos_encoding``.
    """
    if table.shape[1:4] == tuple(grid):
        return table
    resized = F.interpolate(table.float().movedim(-1, 1), size=tuple(grid), mode='trilinear', align_corners=False)
    return resized.movedim(1, -1).to(table.dtype)
