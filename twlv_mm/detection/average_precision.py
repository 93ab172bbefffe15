"""Average precision of boxes as AVA is scored: which boxes hit, and the area under the curve of a class."""

import numpy as np

TABLE_HEADER = 'id', 'class', 'truth', 'predictions'  # of the tables of classes, before their average precisions


def pair_iou(boxes, others):
    """Intersection over union of each box with each other.

    Args:
        boxes (ndarray): (..., K, 4) float32 x1, y1, x2, y2.
        others (ndarray): (..., G, 4) float32.

    Returns:
        ndarray: (..., K, G) float64; 0 where both are without area.
    """
    one, other = boxes[..., :, None, :], others[..., None, :, :]
    # In float32 up to here, and in float64 from here on, as in AVA's code: thresholds are often met exactly.
    sides = (np.minimum(one[..., 2:], other[..., 2:]) - np.maximum(one[..., :2], other[..., :2])).astype(np.float64)
    shared = np.maximum(sides, 0).prod(axis=-1)
    areas = [(x[..., 2] - x[..., 0]) * (x[..., 3] - x[..., 1]) for x in (one, other)]
    union = areas[0] + areas[1] - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)


def first_hits(overlap, threshold):
    """The predictions of a class that find a true one, in one picture or clip.

    Each prediction is for the true one that it overlaps best. It hits if their IoU reaches the threshold and no better
    prediction has hit that one.

    Args:
        overlap (ndarray): (P, G) IoU of predictions, best first, with the true ones, G >= 1.
        threshold (float): Least IoU.

    Returns:
        ndarray: (P,) bool.
    """
    best = overlap.argmax(axis=1)
    reaching = np.flatnonzero(overlap.max(axis=1) >= threshold)
    hits = np.zeros(len(overlap), dtype=bool)
    hits[reaching[np.unique(best[reaching], return_index=True)[1]]] = True
    return hits


def average_precision(scores, hits, total):
    """Area under the curve of precision over recall, each precision being the highest at that or any higher recall.

    Args:
        scores (ndarray): (P,) scores of the predictions of a class.
        hits (ndarray): (P,) bool, those that hit.
        total (int): True ones.

    Returns:
        float: from 0 to 1; 0 without predictions, NaN without true ones.

    Source: AVA's evaluation, with the precision of PASCAL VOC.
    """
    if not total:
        return np.nan
    # Which of equal scores comes first is left to numpy, exactly as in AVA's code, whose numbers these have to be.
    hits = hits[np.argsort(scores)[::-1]]
    precision = hits.cumsum() / np.arange(1, len(hits) + 1)
    highest = np.maximum.accumulate(precision[::-1])[::-1]
    return float(highest[hits].sum() / total)
