"""What the errors of every task are made of."""

from collections import Counter
from typing import NamedTuple

import numpy as np

from .matching import IMPRECISE

MAX_WORST = 8  # videos of a page
NOTHING = '(nothing)'  # in the place of a class: what is missed, or where nothing is annotated


class Case(NamedTuple):
    """A mistake, or something that was right, in a video.

    Attributes:
        video_id (str): The video.
        true (str | None): Class that is annotated; None where nothing is.
        predicted (str | None): Class that was predicted; None where something is missed.
        score (float | None): Of the prediction, if it has one.
        amount (float): What it counts, in the unit of the errors: 1, or seconds.
        kind (str): What became of it, as :class:`~twlv_mm.report.matching.Match` has it; '' where only classes count.
        note (str): What else is to be said.
        start (float | None): Seconds of the video at which it begins; None for a whole video.
        end (float | None): Seconds at which it ends.
        boxes (Callable | None): ``boxes()`` -> DrawnBoxes, to be drawn on the picture at ``start``.
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
        """tuple: what its picture is known by."""
        return self.video_id, self.start, self.end


class WorstVideo(NamedTuple):
    """A video, or a keyframe of one, with many mistakes.

    Attributes:
        video_id (str): The video.
        said (str): How bad it is.
        good (float): How good it is, to compare it with others.
        draw (Callable | None): ``draw(path, **strip)`` draws a timeline, with frames and frame_times in ``strip`` where
            there are any.
        case (Case | None): In its place, the boxes of a keyframe.
    """

    video_id: str
    said: str
    good: float
    draw: object = None
    case: Case | None = None


class Errors(NamedTuple):
    """What a test got wrong.

    Attributes:
        unit (str): What is counted: 'videos', 'actions', 'seconds' or 'boxes'.
        classes (list[str]): Names, NOTHING among them where something can be missed.
        matrix (ndarray): (C, C) how much of a true class (row) was predicted as a class (column).
        mistakes (list[Case]): All of them, the surest first.
        right (dict[str, Case]): Class -> something of it that was predicted right, the surest.
        worst (list[WorstVideo]): The worst first.
        notes (list[str]): How it was counted, and what was decided.
        kinds (dict[str, int]): What is wrong -> how often.
    """

    unit: str
    classes: list
    matrix: np.ndarray
    mistakes: list
    right: dict
    worst: list
    notes: list
    kinds: dict


def merged(several):
    """Errors of the folds of a cross-validation as those of one test.

    Args:
        several (list[Errors]): Of each fold, whose videos are others.

    Returns:
        Errors: of all their videos.
    """
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
        surest_first(case for one in several for case in one.mistakes),
        right,
        sorted((video for one in several for video in one.worst), key=lambda video: video.good)[:MAX_WORST],
        [f'Fold {place}: {note}' for place, one in enumerate(several, 1) for note in one.notes],
        dict(kinds),
    )


def count_matrix(classes, cases):
    """Count cases by their classes.

    Args:
        classes (Sequence[str]): Names; NOTHING stands for None.
        cases (Iterable[Case]): Right ones and mistakes.

    Returns:
        ndarray: (C, C) float64; what was found inexactly counts as missed.
    """
    place = {name: index for index, name in enumerate(classes)}
    matrix = np.zeros((len(classes), len(classes)))
    for case in cases:
        predicted = NOTHING if case.kind == IMPRECISE else case.predicted or NOTHING
        matrix[place[case.true or NOTHING], place[predicted]] += case.amount
    return matrix


def surest_first(cases):
    """Cases by score, or by what they count where they have none.

    Args:
        cases (Iterable[Case]): In any order.

    Returns:
        list[Case]: those without a score after those with one.
    """
    return sorted(cases, key=lambda case: (case.score is None, -(case.score or 0), -case.amount))


def best_of_class(cases):
    """The surest case of each predicted class.

    Args:
        cases (Iterable[Case]): Right ones.

    Returns:
        dict[str, Case]: by class.
    """
    return {case.predicted: case for case in reversed(surest_first(cases))}
