"""Box NMS without compiled code, with the names and signatures of mmcv's operators (see ``mmcv_ext``).

No config of this package calls it; it stays because mmdet's person detectors do, which give the boxes that AVA's RoI
head classifies. It runs on the CPU, one step per kept box, and orders equal scores as the compiled operators do.
"""

import numpy as np
import torch

NAIVE, LINEAR = 0, 1  # mmcv's codes of the soft methods; 2 is gaussian


def nms(boxes, scores, iou_threshold, offset):
    """Drop boxes that overlap a better one.

    Args:
        boxes (Tensor): (N, 4) x1, y1, x2, y2.
        scores (Tensor): (N,).
        iou_threshold (float): Boxes that overlap a kept one by more are dropped.
        offset (int): Added to widths and heights: 1 if x2 and y2 are the last pixels inside, else 0.

    Returns:
        Tensor: int64 indices of the kept boxes, best first.
    """
    order = scores.sort(descending=True).indices
    left = np.arange(len(order))
    columns = _columns(boxes[order], offset)
    threshold = np.float32(iou_threshold)
    kept = []
    while len(left):
        kept.append(left[0])
        overlap = _overlap(columns[:, 0], columns[:, 1:], offset)
        apart = ~(overlap > threshold)
        left, columns = left[1:][apart], columns[:, 1:][:, apart]
    return order[torch.from_numpy(np.array(kept, dtype=np.int64)).to(order.device)]


def softnms(boxes, scores, dets, iou_threshold, sigma, min_score, method, offset):
    """Lower the scores of boxes that overlap a better one, and drop those that fall too low.

    Unlike in the compiled operator, boxes of zero area do not turn each other's score into NaN (gaussian).

    Args:
        boxes (Tensor): (N, 4) x1, y1, x2, y2, on the CPU.
        scores (Tensor): (N,).
        dets (Tensor): (N, 5), written: the first M rows become the kept boxes with their new scores, best first.
        iou_threshold (float): Naive and linear: the minimum overlap that counts.
        sigma (float): Gaussian: a score is multiplied by exp(-IoU^2 / sigma).
        min_score (float): Boxes with lower scores are dropped.
        method (int): 0 naive (the score becomes 0), 1 linear (it is multiplied by 1 - IoU), 2 gaussian.
        offset (int): As in :func:`nms`.

    Returns:
        Tensor: (M,) int64 indices of the kept boxes, best first.
    """
    count = len(boxes)
    ids = np.arange(count)
    columns = np.concatenate([_columns(boxes, offset), scores.detach().float().cpu().numpy()[None]])
    threshold, sigma, min_score = np.float32(iou_threshold), np.float32(sigma), np.float32(min_score)
    pick = 0
    while pick < count:
        best = pick + int(columns[-1, pick:count].argmax())
        columns[:, [pick, best]] = columns[:, [best, pick]]
        ids[[pick, best]] = ids[[best, pick]]
        rivals = slice(pick + 1, count)
        overlap = _overlap(columns[:-1, pick], columns[:-1, rivals], offset)
        columns[-1, rivals] *= _decay(overlap, method, threshold, sigma)
        order = _without(columns[-1, rivals] < min_score)
        count = pick + 1 + len(order)
        columns[:, pick + 1 : count] = columns[:, rivals][:, order]
        ids[pick + 1 : count] = ids[rivals][order]
        pick += 1
    dets[:count] = torch.from_numpy(np.concatenate([columns[:4, :count], columns[-1:, :count]]).T.copy()).to(dets)
    return torch.from_numpy(ids[:count].copy())


def _columns(boxes, offset):
    """(N, 4) -> (5, N) float32: x1, y1, x2, y2, area."""
    x1, y1, x2, y2 = columns = boxes.detach().float().cpu().numpy().T
    return np.concatenate([columns, ((x2 - x1 + offset) * (y2 - y1 + offset))[None]])


def _overlap(box, others, offset):
    width = np.minimum(box[2], others[2]) - np.maximum(box[0], others[0]) + offset
    height = np.minimum(box[3], others[3]) - np.maximum(box[1], others[1]) + offset
    shared = np.maximum(width, 0) * np.maximum(height, 0)
    union = box[4] + others[4] - shared
    with np.errstate(invalid='ignore', divide='ignore'):
        return shared / union  # NaN, which exceeds no threshold, for two boxes of zero area


def _decay(overlap, method, threshold, sigma):
    if method == NAIVE:
        return np.where(overlap >= threshold, np.float32(0), np.float32(1))
    if method == LINEAR:
        return np.where(overlap >= threshold, 1 - overlap, np.float32(1))
    overlap = np.nan_to_num(overlap)
    # Rounded once, as in C: the last bit decides between boxes of equal score.
    return np.exp((-(overlap * overlap) / sigma).astype(np.float64)).astype(np.float32)


def _without(dropped):
    """Indices of the remaining boxes in the compiled operator's order: the last one fills the first gap, and so on."""
    count = len(dropped) - int(dropped.sum())
    order = np.arange(count)
    gaps = dropped[:count].nonzero()[0]
    order[gaps] = count + (~dropped[count:]).nonzero()[0][::-1]
    return order
