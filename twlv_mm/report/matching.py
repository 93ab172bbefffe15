"""Which predictions are right, which are confused, and what is missed: of actions in time and of boxes alike."""

from typing import NamedTuple

import numpy as np

MIN_IOU, LEAST_IOU = 0.5, 0.1  # of a hit; of a prediction that is about an annotated one at all
RIGHT, CONFUSED, IMPRECISE, TWICE, FALSE_ALARM, MISSED = (
    'right',
    'another class',
    'inexact',
    'found twice',
    'false alarm',
    'missed',
)


class Match(NamedTuple):
    """What became of a prediction, or of something annotated that was not predicted.

    Attributes:
        kind (str): 'right' (the class is, and the IoU is 0.5 or more), 'another class' (the IoU is, the class is not),
            'inexact' (the class is right, the IoU is 0.1 to 0.5), 'found twice', 'false alarm' or 'missed'.
        predicted (int | None): Place of the prediction; None where something is missed.
        true (int | None): Place of what is annotated; None for a false alarm.
        iou (float): Of the two.
    """

    kind: str
    predicted: int | None
    true: int | None
    iou: float


def match(overlap, labels, scores, true_labels):
    """Explain the predictions of a video, or of a keyframe.

    Each of the annotated is explained once: by the best right prediction, else by one of another class in its place,
    else by an inexact one.

    Args:
        overlap (ndarray): (P, T) IoU of predictions and annotated ones.
        labels (ndarray): (P,) int classes of the predictions.
        scores (ndarray): (P,) theirs.
        true_labels (ndarray): (T,) int.

    Returns:
        list[Match]: one for each prediction, best first, and one for each of the annotated that is missed.
    """
    same = labels[:, None] == true_labels
    taken, found = np.zeros(len(true_labels), bool), {}
    order = np.argsort(-scores, kind='stable').tolist()
    for kind, wanted in (
        (RIGHT, same & (overlap >= MIN_IOU)),
        (CONFUSED, ~same & (overlap >= MIN_IOU)),
        (IMPRECISE, same & (overlap >= LEAST_IOU)),
    ):
        for place in order:
            left = np.where(wanted[place] & ~taken, overlap[place], -1)
            if place not in found and len(left) and left.max() >= 0:
                best = int(left.argmax())
                taken[best] = True
                found[place] = Match(kind, place, best, float(left[best]))
    for place in order:
        if place not in found:
            again = np.where(same[place], overlap[place], 0)
            best = int(again.argmax()) if len(again) else None
            if best is not None and again[best] >= LEAST_IOU:
                found[place] = Match(TWICE, place, best, float(again[best]))
            else:
                found[place] = Match(FALSE_ALARM, place, None, 0.0)
    missed = [Match(MISSED, None, place, 0.0) for place in np.flatnonzero(~taken).tolist()]
    return [*(found[place] for place in order), *missed]


def best_threshold(hits, scores, total):
    """The score from which on predictions are best counted, because F1 is highest.

    Args:
        hits (ndarray): (P,) bool, whether a prediction is right.
        scores (ndarray): (P,).
        total (int): How many are annotated.

    Returns:
        float: the threshold; 0 without predictions.
    """
    if not len(scores):
        return 0.0
    order = np.argsort(-scores, kind='stable')
    f1 = 2 * hits[order].cumsum() / (np.arange(1, len(order) + 1) + total)
    ends = np.append(scores[order][1:] != scores[order][:-1], True)  # equal scores are above it together
    return float(scores[order][np.where(ends, f1, -1).argmax()])


def interval_iou(one, other):
    """IoU of intervals of time.

    Args:
        one (ndarray): (P, 2) start and end.
        other (ndarray): (T, 2).

    Returns:
        ndarray: (P, T); 0 where neither has a length.
    """
    starts, ends = one[:, :1], one[:, 1:]
    shared = np.clip(np.minimum(ends, other[:, 1]) - np.maximum(starts, other[:, 0]), 0, None)
    union = (ends - starts) + (other[:, 1] - other[:, 0]) - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
