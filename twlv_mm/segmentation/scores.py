"""Scores of a segmented video: frame accuracy, segmental edit score and the counts for F1.

``published=True`` counts as the evaluation code that MS-TCN, ASFormer and TWLV-I share does, which is not sound.
"""

from typing import NamedTuple

import numpy as np

from .alignment import steps_to_frames
from .segments import UNLABELLED, segments_of


class VideoScores(NamedTuple):
    """Counts and edit score of a video, or of several together."""

    frames: np.ndarray  # (C,) labelled frames of each class, including background
    correct: np.ndarray  # (C,) correctly predicted ones
    true: np.ndarray  # (C,) true segments of each class; 0 for background
    predicted: np.ndarray  # (C,) predicted segments
    hits: np.ndarray  # (O, C) true segments that were found, at each overlap
    edit: float  # the segmental edit score, from 0 to 1; NaN for a video without labelled frames

    @property
    def accuracy(self):
        """Share of the labelled frames that are correct; NaN without any."""
        return ratio(self.correct.sum(), self.frames.sum())

    @property
    def f1(self):
        """(O,) F1 at each overlap; NaN without true segments."""
        return f1_score(self.hits.sum(axis=1), self.predicted.sum(), self.true.sum())


def score_video(steps, truth, num_classes, *, subsampling=1, background=(), overlaps=(0.1, 0.25, 0.5), published=False):
    """Compare a prediction with the labels of a video.

    Accuracy counts all labelled frames; the edit score and F1 leave out background. A predicted segment hits the true
    one of its label with which it has the largest IoU, if that reaches the overlap and no earlier one has hit it.

    Args:
        steps (ndarray): (T,) int, the predicted class of each step.
        truth (ndarray): (F,) int, the label of each frame; -100 does not count.
        num_classes (int): C.
        subsampling (int): Frames per step, T = ceil(F / subsampling).
        background (Sequence[int]): Background labels.
        overlaps (Sequence[float]): O minimum IoUs of a match, above 0.
        published (bool): Count as TWLV-I's evaluation code does: a segment at the end of the video is one frame short,
            and steps give all of their frames, even beyond the video's end.

    Source: Lea et al. 2017, the evaluation code of MS-TCN.
    """
    truth = np.asarray(truth, np.int64)
    num_frames = len(steps) * subsampling if published else len(truth)
    frames = np.array(steps_to_frames(np.asarray(steps, np.int64), subsampling, num_frames))
    labelled = np.flatnonzero(truth != UNLABELLED)
    right = labelled[frames[labelled] == truth[labelled]]
    frames[: len(truth)][truth == UNLABELLED] = UNLABELLED
    predicted, true = (_actions(labels, background, published) for labels in (frames, truth))
    found = matched(predicted, true, overlaps)

    def per_class(labels):
        return np.bincount(labels, minlength=num_classes)

    return VideoScores(
        frames=per_class(truth[labelled]),
        correct=per_class(truth[right]),
        true=per_class(true[:, 0]),
        predicted=per_class(predicted[:, 0]),
        hits=np.stack([per_class(true[hit, 0]) for hit in found]),
        edit=edit_score(predicted[:, 0], true[:, 0]) if len(labelled) else np.nan,
    )


def matched(predicted, true, overlaps):
    """Whether each true segment is hit by a predicted one at each of O overlaps: (O, S) bool.

    Segments are (P, 3) and (S, 3), label, start and end. Predicted segments in excess of the hits are false positives.
    """
    hit = np.zeros((len(overlaps), len(true)), bool)
    if not hit.size or not len(predicted):
        return hit
    labels, starts, ends = predicted.T[:, :, None]
    shared = np.minimum(ends, true[:, 2]) - np.maximum(starts, true[:, 1])
    hull = np.maximum(ends, true[:, 2]) - np.minimum(starts, true[:, 1])
    # In TWLV-I's counting, a segment can have 0 frames. Its IoU with itself is NaN, which argmax takes for the
    # best and which is below any overlap: it is never found.
    with np.errstate(invalid='ignore'):
        iou = shared / hull * (labels == true[:, 0])
    best = iou.argmax(axis=1)
    best_iou = iou[np.arange(len(best)), best]
    for row, overlap in zip(hit, overlaps, strict=True):
        row[best[best_iou >= overlap]] = True
    return hit


def edit_score(predicted, true):
    """1 - the Levenshtein distance of (P,) predicted and (S,) true labels / the greater length; 1 if both are empty."""
    short, long = sorted((np.asarray(predicted), np.asarray(true)), key=len)
    if not len(long):
        return 1.0
    places = np.arange(len(long) + 1)
    row = places
    for label in short:
        changed = np.minimum(row[1:] + 1, row[:-1] + (long != label))
        # A step to the right costs 1: after subtracting the places, each cell is a running minimum.
        row = places + np.minimum.accumulate(np.append(row[0] + 1, changed) - places)
    return 1 - int(row[-1]) / len(long)


def f1_score(hits, predicted, true):
    """2 hits / (predicted + true), which is 2PR / (P + R); NaN without true segments."""
    return ratio(2 * hits, np.where(np.greater(true, 0), predicted + true, 0))


def ratio(part, whole):
    """Divide counts; NaN where ``whole`` is 0."""
    with np.errstate(invalid='ignore'):
        return np.true_divide(part, whole)


def _actions(frames, background, published):
    segments = segments_of(frames)
    if published:
        segments[segments[:, 2] == len(frames), 2] -= 1
    return segments[~np.isin(segments[:, 0], background)]
