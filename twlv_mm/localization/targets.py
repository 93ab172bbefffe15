"""Training targets of ActionFormer: the action that each step of the pyramid learns."""

from typing import NamedTuple

import torch


class Points(NamedTuple):
    """The steps of all levels, one level after the other."""

    places: torch.Tensor  # (P,) in steps at full rate
    strides: torch.Tensor  # (P,) steps at full rate to the next point of the level
    ranges: torch.Tensor  # (P, 2) distances that the level is responsible for, in steps at full rate


def make_points(lengths, strides, ranges, device=None):
    """Points of a pyramid, from the length, the stride and the range of distances of each level."""
    counts = torch.tensor(lengths, device=device)
    places = torch.cat([torch.arange(n, device=device) * stride for n, stride in zip(lengths, strides, strict=True)])
    strides, ranges = (torch.tensor(x, dtype=torch.float32, device=device) for x in (strides, ranges))
    return Points(places.float(), strides.repeat_interleave(counts), ranges.repeat_interleave(counts, dim=0))


def assign_targets(points, segments, labels, num_classes, center_radius):
    """Assign actions to P points.

    A point learns an action if it lies inside it and at most ``center_radius`` of its strides from its centre, and if
    the distance to the farther end of the action is in the range of its level. The shortest of several wins; if several
    are the shortest, it learns the classes of all and the ends of the first.

    ``segments`` (G, 2) are start and end in steps at full rate, ``labels`` (G,) classes. Returns (P, C) float32, 1 for
    the classes of a point, and (P, 2) distances to start and end in strides, meaningful only where there is a class.

    Source: Zhang et al. 2022 (ActionFormer), section 3.3, and its code.
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
    # An action that is annotated again under another class may differ by rounding.
    claims = learns & (lengths <= shortest + 1e-3)
    classes.index_add_(1, labels, claims.float())
    offsets = torch.cat([before.gather(1, first), after.gather(1, first)], dim=1) / strides
    return classes.clamp_(max=1), offsets
