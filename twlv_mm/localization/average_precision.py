"""Average precision of temporal segments, as in ActivityNet and THUMOS14."""

import numpy as np


def average_precision(predictions, truth, num_classes, iou_thresholds):
    """Average precision of each class at each threshold, (C, T) float64 from 0 to 1.

    In order of score over all videos, each prediction takes the best-overlapping action of its class and video that is
    not yet taken, if their IoU reaches the threshold; otherwise it is a false positive. Precision is interpolated: at
    each recall, the highest precision at that or any higher recall. Ties in score are broken by video id, start and
    end, so that the result does not depend on the order of the input. A class with actions but no predictions has 0,
    one without actions NaN.

    Args:
        predictions (dict[str, tuple]): For each video, segments (P, 2) in seconds, scores (P,) and labels (P,).
        truth (dict[str, tuple]): For each video, segments (G, 2) in seconds and labels (G,).
        num_classes (int): C; labels are from 0 to C - 1.
        iou_thresholds (Sequence[float]): T thresholds, above 0.

    Source: ActivityNet's evaluation of detections, which ActionFormer uses for THUMOS14 too.
    """
    thresholds = np.asarray(iou_thresholds, dtype=np.float64)
    totals = np.zeros(num_classes, dtype=np.int64)
    for _, labels in truth.values():
        totals += np.bincount(labels, minlength=num_classes)
    scores, hits = ([[] for _ in range(num_classes)] for _ in range(2))
    nothing = np.zeros((0, 2)), np.zeros(0, dtype=np.int64)
    for video_id in sorted(predictions):
        segments, video_scores, labels = predictions[video_id]
        true_segments, true_labels = truth.get(video_id, nothing)
        best_first = np.lexsort((segments[:, 1], segments[:, 0], -video_scores))
        for label in np.unique(labels):
            places = best_first[labels[best_first] == label]
            scores[label].append(video_scores[places])
            hits[label].append(_match(segments[places], true_segments[true_labels == label], thresholds))
    precision = np.full((num_classes, len(thresholds)), np.nan)
    for label in np.flatnonzero(totals):
        precision[label] = _interpolated(scores[label], hits[label], totals[label]) if scores[label] else 0
    return precision


def _match(segments, actions, thresholds):
    """(P, T) bool: whether each prediction, best first, takes an action at each threshold."""
    hits = np.zeros((len(segments), len(thresholds)), dtype=bool)
    if not len(actions):
        return hits
    overlap = _iou(segments.astype(np.float64), actions)
    free = np.ones((len(thresholds), len(actions)), dtype=bool)
    rows = np.arange(len(thresholds))
    for place in np.flatnonzero(overlap.max(axis=1) >= thresholds.min()):
        left = overlap[place] * free
        best = left.argmax(axis=1)
        hit = left[rows, best] >= thresholds
        free[rows[hit], best[hit]] = False
        hits[place] = hit
    return hits


def _iou(segments, actions):
    starts, ends = segments[:, :1], segments[:, 1:]
    shared = np.maximum(np.minimum(ends, actions[:, 1]) - np.maximum(starts, actions[:, 0]), 0)
    return shared / ((ends - starts) + (actions[:, 1] - actions[:, 0]) - shared)


def _interpolated(scores, hits, total):
    # Stable: predictions of equal score stay in the order of the videos, and in that within them.
    hits = np.concatenate(hits)[np.argsort(-np.concatenate(scores), kind='stable')]
    precision = hits.cumsum(axis=0) / np.arange(1, len(hits) + 1)[:, None]
    highest = np.maximum.accumulate(precision[::-1], axis=0)[::-1]
    return (highest * hits).sum(axis=0) / total
