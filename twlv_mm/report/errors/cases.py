"""The errors of a test run, in one form for all tasks."""

from collections import Counter
from typing import NamedTuple

import numpy as np

from .matching import CORRECT, IMPRECISE

MAX_WORST = 8  # videos of a page
NOTHING = '(nothing)'  # stands for a class where something is missed, or where nothing is annotated


class Case(NamedTuple):
    """A prediction, correct or not, or a missed annotation, in a video.

    Attributes:
        video_id (str): The video.
        true (str | None): Annotated class; None where nothing is annotated.
        predicted (str | None): Predicted class; None for a missed annotation.
        score (float | None): Score of the prediction, if it has one.
        amount (float): Its weight in the unit of the errors: 1, or seconds.
        kind (str): Kind of :class:`~twlv_mm.report.errors.matching.Match`; '' where only classes count.
        note (str): Further text.
        start (float | None): First second; None for a whole video.
        end (float | None): Last second.
        boxes (Callable | None): ``boxes()`` -> DrawnBoxes to draw on the frame at ``start``.
    """

    video_id: str
    true: str | None
    predicted: str | None
    score: float | None = None
    amount: float = 1.0
    kind: str = ''
    note: str = ''
    start: float | None = None
    end: float | None = None
    boxes: object = None

    @property
    def moment(self):
        """tuple: key of its picture."""
        return self.video_id, self.start, self.end


class WorstVideo(NamedTuple):
    """A video, or a keyframe of one, with many errors.

    Attributes:
        video_id (str): The video.
        summary (str): Its errors in words.
        quality (float): Its score, to rank it among others.
        draw (Callable | None): ``draw(path, frames, frame_times)`` draws its timeline.
        case (Case | None): For a keyframe: its boxes.
    """

    video_id: str
    summary: str
    quality: float
    draw: object = None
    case: Case | None = None


class Errors(NamedTuple):
    """The errors of a test run.

    Attributes:
        unit (str): What is counted: 'videos', 'actions', 'seconds' or 'boxes'.
        classes (list[str]): Names, including NOTHING for tasks that can miss something.
        matrix (ndarray): (C, C) amount by true class (row) and predicted class (column).
        mistakes (list[Case]): All errors, most confident first.
        right (dict[str, Case]): Class -> its most confident correct prediction.
        worst (list[WorstVideo]): Worst first.
        notes (list[str]): How errors were counted.
        kinds (dict[str, int]): Kind of match -> count.
    """

    unit: str
    classes: list
    matrix: np.ndarray
    mistakes: list
    right: dict
    worst: list
    notes: list
    kinds: dict


def merge_folds(several):
    """Errors of the folds of a cross-validation as those of one test."""
    classes = list(dict.fromkeys(name for one in several for name in one.classes if name != NOTHING))
    classes += [NOTHING] * any(NOTHING in one.classes for one in several)
    matrix, kinds, right = np.zeros((len(classes), len(classes))), Counter(), {}
    for one in several:
        places = [classes.index(name) for name in one.classes]
        matrix[np.ix_(places, places)] += one.matrix
        kinds.update(one.kinds)
        right = one.right | right
    return Errors(
        several[0].unit,
        classes,
        matrix,
        most_confident_first(case for one in several for case in one.mistakes),
        right,
        sorted((video for one in several for video in one.worst), key=lambda video: video.quality)[:MAX_WORST],
        [f'Fold {place}: {note}' for place, one in enumerate(several, 1) for note in one.notes],
        dict(kinds),
    )


def confusion_of(classes, cases):
    """(C, C) float64 confusion matrix of cases; imprecise predictions count as missed."""
    place = {name: index for index, name in enumerate(classes)}
    matrix = np.zeros((len(classes), len(classes)))
    for case in cases:
        predicted = NOTHING if case.kind == IMPRECISE else case.predicted or NOTHING
        matrix[place[case.true or NOTHING], place[predicted]] += case.amount
    return matrix


def split_cases(cases):
    """Errors, most confident first; and the most confident correct case of each predicted class."""
    is_right = [case.true == case.predicted and case.kind in ('', CORRECT) for case in cases]
    wrong = [case for case, ok in zip(cases, is_right, strict=True) if not ok]
    right = [case for case, ok in zip(cases, is_right, strict=True) if ok]
    return most_confident_first(wrong), {case.predicted: case for case in reversed(most_confident_first(right))}


def most_confident_first(cases):
    """Cases by descending score, then those without a score by descending amount."""
    return sorted(cases, key=lambda case: (case.score is None, -(case.score or 0), -case.amount))
