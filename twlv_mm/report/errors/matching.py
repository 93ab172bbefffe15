"""Matching predictions with annotations, for actions in time and for boxes."""

from typing import NamedTuple

import numpy as np

MIN_IOU, LEAST_IOU = 0.5, 0.1  # of a correct prediction; of an imprecise one
CORRECT, WRONG_CLASS, IMPRECISE, DUPLICATE, FALSE_POSITIVE, MISSED = (
    'correct',
    'wrong class',
    'imprecise',
    'duplicate',
    'false positive',
    'missed',
)


class Match(NamedTuple):
    """A prediction, or a missed annotation.

    Attributes:
        kind (str): 'correct' (the class, and an IoU of 0.5 or more), 'wrong class' (only the IoU), 'imprecise' (the
            class, and an IoU of 0.1 to 0.5), 'duplicate', 'false positive' or 'missed'.
        predicted (int | None): Index of the prediction; None if missed.
        true (int | None): Index of the annotation; None for a false positive.
        iou (float): Of the two.
    """

    kind: str
    predicted: int | None
    true: int | None
    iou: float


def match(overlap, labels, scores, true_labels):
    """Match the predictions of a video, or of a keyframe, with its annotations.

    Each annotation is matched once: by the best correct prediction, else by one of a wrong class, else by an imprecise
    one.

    Args:
        overlap (ndarray): (P, T) IoU of predictions and annotations.
        labels (ndarray): (P,) int classes of the predictions.
        scores (ndarray): (P,) scores of the predictions.
        true_labels (ndarray): (T,) int classes of the annotations.

    Returns:
        list[Match]: one for each prediction, best first, then one for each missed annotation.
    """
    same = labels[:, None] == true_labels
    taken, found = np.zeros(len(true_labels), bool), {}
    order = np.argsort(-scores, kind='stable').tolist()
    for kind, wanted in (
        (CORRECT, same & (overlap >= MIN_IOU)),
        (WRONG_CLASS, ~same & (overlap >= MIN_IOU)),
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
                found[place] = Match(DUPLICATE, place, best, float(again[best]))
            else:
                found[place] = Match(FALSE_POSITIVE, place, None, 0.0)
    missed = [Match(MISSED, None, place, 0.0) for place in np.flatnonzero(~taken).tolist()]
    return [*(found[place] for place in order), *missed]


def best_threshold(matched):
    """The score threshold that maximises F1.

    Args:
        matched (Iterable[tuple[list[Match], ndarray, int]]): For each video its matches, the scores of its predictions,
            and the number of its annotations.

    Returns:
        float: the threshold; 0 without predictions.
    """
    hits, scores, total = [], [], 0
    for matches, those, count in matched:
        correct = np.zeros(len(those), bool)
        correct[[one.predicted for one in matches if one.kind == CORRECT]] = True
        hits.append(correct)
        scores.append(those)
        total += count
    return threshold_of_best_f1(np.concatenate(hits), np.concatenate(scores), total) if hits else 0.0


def threshold_of_best_f1(hits, scores, total):
    """The score threshold that maximises F1; 0 without scores.

    Args:
        hits (ndarray): (P,) bool, whether each prediction is correct.
        scores (ndarray): (P,) their scores.
        total (int): Number of annotations.
    """
    if not len(scores):
        return 0.0
    order = np.argsort(-scores, kind='stable')
    f1 = 2 * hits[order].cumsum() / (np.arange(1, len(order) + 1) + total)
    ends = np.append(scores[order][1:] != scores[order][:-1], True)  # equal scores pass a threshold together
    return float(scores[order][np.where(ends, f1, -1).argmax()])


def threshold_note(chosen, given):
    """A sentence on the score threshold."""
    how = 'given' if given is not None else 'where F1 is highest'
    return f'Predictions count from a score of {chosen:.2f} ({how}). A correct prediction has an IoU of 0.5 or more.'


def interval_iou(one, other):
    """(P, T) IoU of intervals (P, 2) and (T, 2), start and end; 0 where neither has a length."""
    starts, ends = one[:, :1], one[:, 1:]
    shared = np.clip(np.minimum(ends, other[:, 1]) - np.maximum(starts, other[:, 0]), 0, None)
    union = (ends - starts) + (other[:, 1] - other[:, 0]) - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)


def worst_first(counts_of):
    """Pairs of a key and its Counter of kinds, for those with errors: lowest F1 first, then most matches."""
    wrong = ((key, counts) for key, counts in counts_of.items() if counts.total() > counts[CORRECT])
    return sorted(wrong, key=lambda item: (f1_score(item[1]), -item[1].total()))


def f1_score(counts):
    """F1 of a Counter of kinds."""
    of_both = counts[CORRECT] + counts[WRONG_CLASS] + counts[IMPRECISE]  # each a prediction and an annotation
    return 2 * counts[CORRECT] / max(counts.total() + of_both, 1)


def counts_text(counts):
    """A Counter of kinds in words."""
    return ', '.join(f'{kind}: {count}' for kind, count in counts.most_common())
