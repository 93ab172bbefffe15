"""Positions of tokens: fixed tables, resizing of tables, and rotary positions."""

import math

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
        grid (tuple[int, int, int]): T', H', W'.

    Returns:
        Tensor: (1, T', H', W', dims) float32.

    Source: Bardes et al. 2024, official implementation with ``uniform_power=True`` (as in its pretraining configs).
    """
    third = -(-dims // 6) * 2
    axes = [_sincos_1d(third, torch.arange(size)) for size in grid]
    time, height, width = (
        axis.view([-1 if i == j else 1 for j in range(3)] + [third]).expand(*grid, third) for i, axis in enumerate(axes)
    )
    return torch.cat([time, height, width], dim=-1)[None, ..., :dims].float()


def sincos_flat(dims, grid):
    """Fixed 1D table over all tokens in order, sines and cosines interleaved; shapes as of :func:`sincos_3d`.

    Source: VideoMAE and UMT, official implementations.
    """
    sines, cosines = _sincos_1d(dims, torch.arange(math.prod(grid))).chunk(2, dim=1)
    return torch.stack([sines, cosines], dim=-1).view(1, *grid, dims).float()


TABLES = {'sincos_3d': sincos_3d, 'sincos_flat': sincos_flat}


def resize_table(table, grid, per_frame=False):
    """Resize a position table (1, T, H, W, D) to a grid T', H', W', itself if it has that grid.

    Trilinear, as V-JEPA's ``interpolate_pos_encoding``; bicubic for the table of images of a ``per_frame`` model (T =
    1), as CLIP's in transformers.
    """
    if table.shape[1:4] == tuple(grid):
        return table
    places, mode = table.float().movedim(-1, 1), 'trilinear'
    if per_frame:
        places, grid, mode = places.squeeze(2), grid[1:], 'bicubic'
    resized = F.interpolate(places, size=tuple(grid), mode=mode, align_corners=False).movedim(1, -1).to(table.dtype)
    return resized.unsqueeze(1) if per_frame else resized


def grid_of_table(length, *grids):
    """The grid T', H', W' of a flat position table of ``length`` tokens.

    ``grids`` are the expected ones, best first; a table for another number of frames, or another square, is recognised
    as well. ValueError if no grid fits, or two do.
    """
    for grid in grids:
        if length == math.prod(grid):
            return grid
    found = []
    for time, height, width in grids:
        if time > 1 and length % (height * width) == 0:
            found.append((length // (height * width), height, width))
        side = math.isqrt(length // time)
        if time * side * side == length:
            found.append((time, side, side))
        if found:
            break
    if len(found) != 1:
        options = ' or '.join(' x '.join(map(str, grid)) for grid in dict.fromkeys(found or grids))
        raise ValueError(
            f'a position table of {length} tokens {"may be" if found else "is not"} for {options}: set num_frames and '
            'img_size to those that the weights were trained with'
        )
    return found[0]


def rope_3d(head_dims, grid, like):
    """Rotary positions in time, height and width.

    Args:
        head_dims (int): Channels of a head. A third each for the three axes, rounded down to an even number; the rest
            is not rotated.
        grid (tuple[int, int, int]): T', H', W'.
        like (Tensor): Gives device and dtype.

    Returns:
        tuple[Tensor, Tensor]: cosines and sines, (T' * H' * W', head_dims) each.

    Source: Assran et al. 2025 (V-JEPA 2), official implementation.
    """
    third = head_dims // 3 // 2 * 2
    frequencies = 10000.0 ** -(torch.arange(third // 2, device=like.device, dtype=like.dtype) / (third / 2))
    places = torch.meshgrid(*(torch.arange(size, device=like.device) for size in grid), indexing='ij')
    # V-JEPA 2 repeats its frequencies although it rotates adjacent pairs; its weights were trained that way.
    angles = [(place.flatten()[:, None] * frequencies).repeat(1, 2) for place in places]
    angles = F.pad(torch.cat(angles, dim=1), (0, head_dims - 3 * third))
    return angles.cos(), angles.sin()


def rotate(x, rotation):
    """Rotate adjacent pairs of channels of (N, heads, L, head_dims) by the result of :func:`rope_3d`."""
    cosines, sines = rotation
    first, second = x.unflatten(-1, (-1, 2)).unbind(-1)
    turned = torch.stack([-second, first], dim=-1).flatten(-2)
    return (x * cosines + turned * sines).to(x.dtype)
