"""What a test got wrong, task by task in one form: which classes are confused, where, and in which videos most."""

from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import numpy as np

from twlv_mm.records import checks, path_below

from .error_cases import merged
from .errors_of_boxes import box_errors
from .errors_of_segments import action_errors, segmentation_errors
from .errors_of_videos import video_errors
from .run_records import find_runs

# Task -> file of predictions beside results.json, and what reads it.
READERS = {
    'recognition_linear': ('predictions.json', video_errors),
    'recognition_attentive': ('predictions.json', video_errors),
    'recognition_finetune': ('predictions.json', video_errors),
    'recognition_knn': ('predictions.json', video_errors),
    'localization': ('predictions.json', action_errors),
    'segmentation': ('predictions.json', segmentation_errors),
    'detection': ('predictions.csv', box_errors),
}

SCORED = 'localization', 'detection'  # tasks whose predictions count from some score on


class Pair(NamedTuple):
    """Two classes that are confused.

    Attributes:
        true (str): The one that is annotated.
        predicted (str): The one that was predicted.
        amount (float): How often, in the unit of the errors.
        share (float): Of all that is annotated as the former.
        cases (list[Case]): Some of the mistakes, the surest first.
        right (Case | None): For comparison, something of the class that was predicted.
    """

    true: str
    predicted: str
    amount: float
    share: float
    cases: list
    right: object


def find_errors(path, min_score=None):
    """Find the newest test run below a folder, and what it got wrong.

    Args:
        path (str | Path): A results.json, or a folder that is searched for them with its sub-folders. That of a
            cross-validation stands for all of its folds.
        min_score (float, optional): Least score of a prediction that counts, of localization and detection; where F1 is
            highest if None.

    Returns:
        tuple[Run, Errors, list[Run]]: the run, its errors, and older runs that were found.

    Raises:
        FileNotFoundError: if there is no such folder, or no run with a file of predictions in it.
        ValueError: if the file of predictions is damaged, or ``min_score`` is given for a task without scores.
    """
    path = Path(path)
    folder = path.parent if path.is_file() else path
    below = [run for run in find_runs(folder).runs if run.record['task'] in READERS]
    runs = [run for run in below if run.path == path] if path.is_file() else below
    files = {run.path: _files(run, below) for run in runs}
    having = [run for run in runs if files[run.path]]
    if not having:
        tested = f'; {runs[-1].path} is of a test that kept none: run tools/test.py again' if runs else ''
        raise FileNotFoundError(f'there is no results.json with a file of predictions beside it in {path}{tested}')
    run = having[-1]
    task = run.record['task']
    options = {} if min_score is None else dict(min_score=min_score)
    if options and task not in SCORED:
        raise ValueError(f'a least score means nothing for {task}: it is for {" and ".join(SCORED)}')
    if task == 'detection':
        offset = run.record['protocol'].get('offset_seconds', 0)
        options['offset_seconds'] = checks.number(offset, f'{run.path}, its offset_seconds')
    found = [READERS[task][1](file, **options) for file in files[run.path]]
    folds = [file.parent for file in files[run.path]]
    others = [one for one in having[:-1] if one.path.parent not in folds]
    return run, found[0] if len(found) == 1 else merged(found), others


def _files(run, runs):
    """The files of predictions of a run: that beside it, or of a cross-validation those of its folds' latest runs."""
    name = READERS[run.record['task']][0]
    if 'folds' not in run.record:
        return [path_below(run.path.parent, name)] if (run.path.parent / name).is_file() else []
    folders = {}
    for one in runs:  # oldest first
        fold = one.record['protocol'].get('fold')
        if fold is not None and run.path.parent in one.path.parents and (one.path.parent / name).is_file():
            folders[str(fold)] = path_below(one.path.parent, name)
    return [folders[fold] for fold in sorted(folders)]


def confused_pairs(errors, most=12, cases=3):
    """The pairs of classes that are confused most.

    Args:
        errors (Errors): Of a run.
        most (int): Pairs at most.
        cases (int): Mistakes of a pair at most, from different videos as far as there are.

    Returns:
        list[Pair]: the most frequent first.
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
        pairs.append(Pair(true, predicted, amount, share, spread(those, cases), errors.right.get(predicted)))
    return sorted(pairs, key=lambda pair: (-pair.amount, pair.true, pair.predicted))[:most]


def spread(cases, most):
    """Some of the cases, in their order, of as many videos as there are.

    Args:
        cases (list[Case]): In the order of their weight.
        most (int): How many.

    Returns:
        list[Case]: those.
    """
    turns = defaultdict(int)  # how many of its video a case has before it
    order = []
    for place, case in enumerate(cases):
        order.append((turns[case.video_id], place))
        turns[case.video_id] += 1
    return [cases[place] for _, place in sorted(order)[:most]]


def surest_mistakes(errors, most=24):
    """The mistakes with the highest scores, or that last longest where there are no scores.

    Args:
        errors (Errors): Of a run.
        most (int): How many.

    Returns:
        list[Case]: the surest first.
    """
    made = [case for case in errors.mistakes if case.predicted is not None]
    return spread(made, most)


def longest_missed(errors, most=12):
    """What is annotated and was not found, the longest first; of boxes, in the order of the file.

    Args:
        errors (Errors): Of a run.
        most (int): How many.

    Returns:
        list[Case]: those.
    """
    missed = [case for case in errors.mistakes if case.predicted is None]
    return spread(sorted(missed, key=lambda case: case.start - case.end), most)


def shown_matrix(errors):
    """The matrix for a picture, with whole numbers.

    Args:
        errors (Errors): Of a run.

    Returns:
        ndarray: (C, C) int64.
    """
    return np.round(errors.matrix).astype(np.int64)
