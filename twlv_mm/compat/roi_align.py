"""RoIAlign in plain torch, with the names and signatures of mmcv's compiled operators (see ``mmcv_ext``).

A point's bilinear weight is the product of a row weight and a column weight, so sampling a RoI is two small matrix
products with the feature map. Average pooling averages the weights first and never computes a single point.
"""

from typing import NamedTuple

import torch

# Largest intermediate tensor, in numbers (64 MiB in float32): RoIs are processed in groups that stay below it.
GROUP_NUMBERS = 2**24
# The compiled operator's initial maximum, which remains where a bin has no larger point.
FLOOR = -10000.0


def roi_align_forward(
    input,
    rois,
    output,
    argmax_y,
    argmax_x,
    aligned_height,
    aligned_width,
    spatial_scale,
    sampling_ratio,
    pool_mode,
    aligned,
):
    """Pool the features of boxes to a fixed size, in float32 or, for such an input, float64.

    Args:
        input (Tensor): (N, C, H, W) features.
        rois (Tensor): (R, 5) index into N, x1, y1, x2, y2; x2 >= x1 and y2 >= y1 if ``aligned``.
        output (Tensor): (R, C, aligned_height, aligned_width), written.
        argmax_y (Tensor): As ``output``, written in max pooling: y of the points that won.
        argmax_x (Tensor): Likewise, x.
        aligned_height (int): Bins of a RoI from top to bottom.
        aligned_width (int): Bins from left to right.
        spatial_scale (float): From box to map coordinates, such as 1 / 16.
        sampling_ratio (int): Points of a bin along each axis; 0 for as many as it spans pixels of the map.
        pool_mode (int): 0 for the maximum of a bin's points, 1 for their average.
        aligned (bool): Whether coordinates are shifted by half a pixel, to pixel centres.

    Source: He et al. 2017, as in mmcv 2.1.0, whose compiled operator gives the same numbers.
    """
    features = input.to(_compute_dtype(input))
    channels, _, width = input.shape[1:]
    # (N, H, C x W): one product for all RoIs of a group.
    flat = features.transpose(1, 2).flatten(2)
    with _full_precision(input):
        for image, group, rows, columns in _groups(
            rois, features, (aligned_height, aligned_width), spatial_scale, sampling_ratio, aligned, pool_mode == 0
        ):
            if pool_mode == 1:
                lines = rows.mean.flatten(0, 1) @ flat[image]
                lines = lines.view(len(group), aligned_height * channels, width) @ columns.mean.transpose(1, 2)
                pooled = lines.view(len(group), aligned_height, channels, aligned_width).transpose(1, 2)
            else:
                lines = rows.weights.flatten(0, 2) @ flat[image]
                lines = lines.view(len(group), -1, width) @ columns.weights.flatten(1, 2).transpose(1, 2)
                pooled, argmax_y[group], argmax_x[group] = _maximum(lines, channels, rows, columns, input.dtype)
            output[group] = pooled.to(output.dtype)


def roi_align_backward(
    grad_output,
    rois,
    argmax_y,
    argmax_x,
    grad_input,
    aligned_height,
    aligned_width,
    spatial_scale,
    sampling_ratio,
    pool_mode,
    aligned,
):
    """Write the gradient of the map, (N, C, H, W), to ``grad_input``; other arguments: :func:`roi_align_forward`."""
    total = torch.zeros_like(grad_input, dtype=_compute_dtype(grad_input))
    channels, height, width = grad_input.shape[1:]
    with _full_precision(grad_input):
        for image, group, rows, columns in _groups(
            rois, total, (aligned_height, aligned_width), spatial_scale, sampling_ratio, aligned, pool_mode == 0
        ):
            grad = grad_output[group].to(total.dtype)
            if pool_mode == 1:
                grad = grad.transpose(1, 2).reshape(len(group), aligned_height * channels, aligned_width)
                lines = (grad @ columns.mean).view(len(group) * aligned_height, channels * width)
                lines = rows.mean.flatten(0, 1).transpose(0, 1) @ lines
                total[image] += lines.view(height, channels, width).transpose(0, 1)
            else:
                _scatter(grad, argmax_y[group], argmax_x[group], total[image])
    grad_input.copy_(total)


class _Axis(NamedTuple):
    """The sampling points of RoIs along one axis of the map; RoIs with fewer points are padded with zero weights.

    points: (R, bins, points) coordinates; taken: (R, points) bool, false for padding; weights: (R, bins, points,
    length) of the map's lines; mean: (R, bins, length), over a bin's points.
    """

    points: torch.Tensor
    taken: torch.Tensor
    weights: torch.Tensor
    mean: torch.Tensor


def _axis(starts, sizes, bins, counts, length):
    step = torch.arange(int(counts.max()), device=starts.device, dtype=starts.dtype)
    place = torch.arange(bins, device=starts.device, dtype=starts.dtype)
    starts, sizes, of_roi = starts[:, None, None], sizes[:, None, None], counts[:, None, None]
    # In the compiled operator's order: the last bit can decide whether a point lies on the map.
    points = starts + place[:, None] * sizes + (step + 0.5) * sizes / of_roi.clamp(min=1)
    taken = step < counts[:, None]
    seen = (points >= -1) & (points <= length) & taken[:, None]
    lines = torch.arange(length, device=starts.device, dtype=starts.dtype)
    distance = (points.clamp(0, length - 1).unsqueeze(-1) - lines).abs()
    weights = (1 - distance).clamp(min=0) * seen.unsqueeze(-1)
    return _Axis(points, taken, weights, weights.sum(2) / of_roi.clamp(min=1))


def _groups(rois, features, bins, spatial_scale, sampling_ratio, aligned, maximum):
    """Yield groups of RoIs of one image: image, indices of the RoIs, their row axis and their column axis."""
    if not len(rois):
        return
    channels, *lengths = features.shape[1:]
    boxes = rois[:, 1:].to(features.dtype) * spatial_scale - (0.5 if aligned else 0.0)
    starts, extents = boxes[:, :2], boxes[:, 2:] - boxes[:, :2]
    images = _check(rois, extents, len(features), aligned)
    if not aligned:
        extents = extents.clamp(min=1)
    # (rows, columns) from here on, as in the map's shape.
    starts, sizes = starts.flip(1), extents.flip(1) / extents.new_tensor(bins)
    counts = torch.full_like(sizes, sampling_ratio) if sampling_ratio > 0 else sizes.ceil()
    rows, columns = (int(most) * number for most, number in zip(counts.amax(0), bins, strict=True))
    kept_rows, kept_columns = (rows, columns) if maximum else bins
    largest = max(rows * lengths[0], columns * lengths[1], channels * kept_rows * max(lengths[1], kept_columns))
    for image in set(images):
        places = torch.tensor([place for place, of in enumerate(images) if of == image], device=rois.device)
        for group in places.split(max(1, GROUP_NUMBERS // max(largest, 1))):
            axes = (
                _axis(starts[group, axis], sizes[group, axis], bins[axis], counts[group, axis], lengths[axis])
                for axis in (0, 1)
            )
            yield image, group, *axes


def _check(rois, extents, images, aligned):
    indices = rois[:, 0].long().tolist()
    for place, index in enumerate(indices):
        if not 0 <= index < images:
            raise ValueError(f'RoI {place} is of image {index}, but the batch has images 0 to {images - 1}')
    if aligned and not (extents >= 0).all():
        place = int((extents >= 0).all(dim=1).logical_not().nonzero()[0])
        raise ValueError(f'RoI {place} is {rois[place, 1:].tolist()} (x1, y1, x2, y2): it ends before it starts')
    return indices


def _maximum(lines, channels, rows, columns, dtype):
    """The largest point of each bin: value, y and x, each (R, C, bins, bins)."""
    number, tall, high = rows.points.shape
    wide, across = columns.points.shape[1:]
    values = lines.view(number, tall, high, channels, wide, across).permute(0, 3, 1, 4, 2, 5)
    taken = rows.taken[:, :, None] & columns.taken[:, None, :]
    values = values.masked_fill(~taken[:, None, None, None], float('-inf')).flatten(-2)
    if not values.shape[-1]:
        return values.new_full(values.shape[:-1], FLOOR).to(dtype), -1, -1
    best, winner = values.max(-1)
    of_row = rows.points[:, None, :, None].expand(-1, channels, -1, wide, -1)
    of_column = columns.points[:, None, None].expand(-1, channels, tall, -1, -1)
    y = of_row.gather(-1, winner.div(across, rounding_mode='floor').unsqueeze(-1)).squeeze(-1)
    x = of_column.gather(-1, winner.remainder(across).unsqueeze(-1)).squeeze(-1)
    won = best > FLOOR
    return best.clamp(min=FLOOR), y.where(won, -1).to(dtype), x.where(won, -1).to(dtype)


def _scatter(grad, y, x, total):
    """Add the gradient of every maximum to the four pixels around its point."""
    channels, height, width = total.shape
    y, x = y.to(total.dtype), x.to(total.dtype)
    # -1 marks the absence of a point, as in the compiled operator.
    seen = (y > -1) & (y <= height) & (x >= -1) & (x <= width)
    y, x = y.clamp(0, height - 1), x.clamp(0, width - 1)
    low_y, low_x = y.floor(), x.floor()
    for row, of_row in ((low_y, 1 - (y - low_y)), (low_y + 1, y - low_y)):
        for column, of_column in ((low_x, 1 - (x - low_x)), (low_x + 1, x - low_x)):
            # Past the last line the weight is 0.
            place = row.clamp(max=height - 1) * width + column.clamp(max=width - 1)
            share = (grad * of_row * of_column * seen).transpose(0, 1).flatten(1)
            total.view(channels, -1).scatter_add_(1, place.long().transpose(0, 1).flatten(1), share)


def _compute_dtype(tensor):
    return torch.promote_types(tensor.dtype, torch.float32)


def _full_precision(tensor):
    # Autocast would run the products in half precision, unlike the compiled operator.
    return torch.autocast(tensor.device.type, enabled=False)
