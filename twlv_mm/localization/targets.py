"""What each step of the pyramid is to learn from a video's actions."""

from typing import NamedTuple

import torch


class Points(NamedTuple):
    """The steps of all levels, one level after the other.

    Attributes:
        places (Tensor): (P,) on the grid of steps at full rate.
        strides (Tensor): (P,) steps at full rate to the next point of the level.
        ranges (Tensor): (P, 2) the distances that the level is responsible for, in steps at full rate.
    """

    places: torch.Tensor
    strides: torch.Tensor
    ranges: torch.Tensor


def make_points(lengths, strides, ranges, device=None):
    """Points of a pyramid.

    Args:
        lengths (Sequence[int]): Steps of each level.
        strides (Sequence[int]): Stride of each level.
        ranges (Sequence[tuple[float, float]]): Shortest and longest distance of each level.
        device (torch.device, optional): Where they are to be.

    Returns:
        Points: float32.
    """
    counts = torch.tensor(lengths, device=device)
    places = torch.cat([torch.arange(n, device=device) * stride for n, stride in zip(lengths, strides, strict=True)])
    strides, ranges = (torch.tensor(x, dtype=torch.float32, device=device) for x in (strides, ranges))
    return Points(places.float(), strides.repeat_interleave(counts), ranges.repeat_interleave(counts, dim=0))


def assign_targets(points, segments, labels, num_classes, center_radius):
    """Assign actions to points.

    A point learns an action if it lies inside it and at most ``center_radius`` of its strides from its centre, and if
    the farther end of the action is at a distance that its level is responsible for. Of several, the shortest wins;
    where several are the shortest, their classes all count, and the ends of the first.

    Args:
        points (Points): P points.
        segments (Tensor): (G, 2) start and end, on the grid of steps at full rate.
        labels (Tensor): (G,) classes.
        num_classes (int): C.
        center_radius (float): In strides.

    Returns:
        tuple[Tensor, Tensor]: (P, C) float32, 1 for the classes that a point learns, and (P, 2) distances to start and
        end in strides, which mean something only where there is a class.

    Source: Zhang et al. 2022 (ActionFormer), section 3.3, and its published code.
    """
    places, strides = points.places[:, None], points.strides[:, None]
    if len(segments) == 0:
        return places.new_zeros(len(places), num_classes), places.new_zeros(len(places), 2)
    start, end = segments.float().T
    length, center = end - start, (start + end) / 2
    before, after = places - start, end - places
    central = (places - center).abs() < strides * center_radius
    farther = torch.maximum(before, after)
    in_range = (farther >= points.ranges[:, :1]) & (farther <= points.ranges[:, 1:])
    learns = central & (before > 0) & (after > 0) & in_range
    lengths = torch.where(learns, length, torch.inf)
    shortest, first = lengths.min(dim=1, keepdim=True)
    classes = places.new_zeros(len(places), num_classes)
    # Annotators' copies of an action under another class differ by rounding.
    claims = learns & (lengths <= shortest + 1e-3)
    classes.index_add_(1, labels, claims.float())
    offsets = torch.cat([before.gather(1, first), after.gather(1, first)], dim=1) / strides
    return classes.clamp_(max=1), offsets
