"""Which errors a page shows."""

from collections import defaultdict
from typing import NamedTuple


class ConfusedPair(NamedTuple):
    """A class that is predicted as another.

    Attributes:
        true (str): Annotated class.
        predicted (str): Predicted class.
        amount (float): How often, in the unit of the errors.
        share (float): Fraction of all that is annotated as ``true``.
        cases (list[Case]): Some of the errors, most confident first.
        right (Case | None): A correct prediction of the class ``predicted``, for comparison.
    """

    true: str
    predicted: str
    amount: float
    share: float
    cases: list
    right: object


def confused_pairs(errors, most=12, cases=3):
    """The most frequent confusions of a run, at most ``most``, each with some of its cases.

    Args:
        errors (Errors): Of a run.
        most (int): Maximum number of pairs.
        cases (int): Maximum number of cases of a pair, from different videos where possible.

    Returns:
        list[ConfusedPair]: most frequent first.
    """
    by_pair = defaultdict(list)
    for case in errors.mistakes:
        if case.true is not None and case.predicted is not None and case.true != case.predicted:
            by_pair[case.true, case.predicted].append(case)
    place = {name: index for index, name in enumerate(errors.classes)}
    pairs = []
    for (true, predicted), those in by_pair.items():
        amount = sum(case.amount for case in those)
        share = amount / errors.matrix[place[true]].sum()
        pairs.append(
            ConfusedPair(true, predicted, amount, share, _from_many_videos(those, cases), errors.right.get(predicted))
        )
    return sorted(pairs, key=lambda pair: (-pair.amount, pair.true, pair.predicted))[:most]


def most_confident_errors(errors, most=24):
    """Wrong predictions with the highest scores, or the longest ones where there are no scores."""
    return _from_many_videos([case for case in errors.mistakes if case.predicted is not None], most)


def longest_missed(errors, most=12):
    """Missed annotations, longest first; boxes in the order of their file."""
    missed = [case for case in errors.mistakes if case.predicted is None]
    return _from_many_videos(sorted(missed, key=lambda case: case.start - case.end), most)


def _from_many_videos(cases, most):
    """The first ``most`` cases, taking one of each video before a second one of any."""
    turns = defaultdict(int)  # cases of a video so far
    order = []
    for place, case in enumerate(cases):
        order.append((turns[case.video_id], place))
        turns[case.video_id] += 1
    return [cases[place] for _, place in sorted(order)[:most]]
