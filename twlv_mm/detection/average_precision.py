"""Average precision of boxes, as in AVA's evaluation."""

import numpy as np

TABLE_HEADER = 'id', 'class', 'truth', 'predictions'  # first columns of the tables of classes


def pair_iou(boxes, others):
    """IoU (..., K, G), float64, of all pairs of boxes (..., K, 4) and (..., G, 4); 0 where both have no area."""
    one, other = boxes[..., :, None, :], others[..., None, :, :]
    # float32 up to here and float64 from here on, as in AVA's code: thresholds are often met exactly.
    sides = (np.minimum(one[..., 2:], other[..., 2:]) - np.maximum(one[..., :2], other[..., :2])).astype(np.float64)
    shared = np.maximum(sides, 0).prod(axis=-1)
    areas = [(x[..., 2] - x[..., 0]) * (x[..., 3] - x[..., 1]) for x in (one, other)]
    union = areas[0] + areas[1] - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)


def first_hits(overlap, threshold):
    """Find the predictions of a class that hit a true one, in one image or clip: (P,) bool.

    Each prediction is assigned to the true one that it overlaps best. It hits if their IoU reaches the threshold and no
    better prediction has hit that one. ``overlap`` is the IoU (P, G) of predictions, best first, with true ones, G >=
    1.
    """
    best = overlap.argmax(axis=1)
    reaching = np.flatnonzero(overlap.max(axis=1) >= threshold)
    hits = np.zeros(len(overlap), dtype=bool)
    hits[reaching[np.unique(best[reaching], return_index=True)[1]]] = True
    return hits


def average_precision(scores, hits, total):
    """Area under the interpolated precision-recall curve of a class: 0 without predictions, NaN without true ones.

    ``scores`` and ``hits`` (P,) are those of the predictions, ``total`` is the number of true ones.

    Source: AVA's evaluation, with the precision of PASCAL VOC.
    """
    if not total:
        return np.nan
    # numpy decides the order of equal scores, exactly as in AVA's code, whose numbers these must equal.
    hits = hits[np.argsort(scores)[::-1]]
    precision = hits.cumsum() / np.arange(1, len(hits) + 1)
    highest = np.maximum.accumulate(precision[::-1])[::-1]
    return float(highest[hits].sum() / total)
