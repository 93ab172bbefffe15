"""Errors of spatio-temporal localization: boxes with actions at keyframes."""

from collections import Counter, defaultdict
from functools import partial
from typing import NamedTuple

import numpy as np

from twlv_mm.detection.ava_annotations import MILLISECONDS, image_key, read_ava_csv, read_ava_predictions
from twlv_mm.detection.average_precision import pair_iou
from twlv_mm.records import checks, path_below, read_table
from twlv_mm.visualization import DrawnBox, class_colour

from .cases import MAX_WORST, NOTHING, Case, Errors, WorstVideo, confusion_of, split_cases
from .matching import (
    DUPLICATE,
    IMPRECISE,
    MISSED,
    best_threshold,
    counts_text,
    f1_score,
    match,
    threshold_note,
    worst_first,
)

LOWEST_SCORE = 0.05  # predictions below it are ignored


class _Rows(NamedTuple):
    """Class names by id, true and predicted boxes, scores, and keyframe -> rows of both."""

    names: dict
    true: object
    found: object
    scores: np.ndarray
    keyframes: dict


def detection_errors(path, min_score=None, offset_seconds=0):
    """Read the errors, in pairs of a box and an action, from the predictions.csv of a test.

    Args:
        path (Path): predictions.csv, with truth.csv and class_ap.csv of the same test beside it.
        min_score (float, optional): Score threshold; by default the one with the highest F1.
        offset_seconds (float): Time stamp in the film of the first frame of each file.

    Raises:
        FileNotFoundError: if there is no truth.csv or class_ap.csv.
        ValueError: if a file is damaged.
    """
    rows = _read(path)
    names, true_rows, found_rows, scores = rows.names, rows.true, rows.found, rows.scores

    def matches(true, found):
        overlap = pair_iou(found_rows.boxes[found], true_rows.boxes[true])
        return match(overlap, found_rows.actions[found], scores[found], true_rows.actions[true])

    chosen = min_score
    if chosen is None:
        both = rows.keyframes.values()
        chosen = best_threshold((matches(true, found), scores[found], len(true)) for true, found in both)
    cases, kinds, of_keyframe = [], Counter(), {}
    for key, (true, found) in rows.keyframes.items():
        found = found[scores[found] >= chosen]
        of_keyframe[key] = Counter()
        drawn = partial(_drawn, rows, true, found)  # deferred: only a few of thousands of keyframes are shown
        for one in matches(true, found):
            kinds[one.kind] += 1
            of_keyframe[key][one.kind] += 1
            if one.kind == DUPLICATE:
                continue
            label = [
                None if place is None else names[boxes.actions[those[place]]]
                for place, boxes, those in ((one.true, true_rows, true), (one.predicted, found_rows, found))
            ]
            note = f'IoU {one.iou:.2f}' if one.kind == IMPRECISE else ''
            score = None if one.kind == MISSED else float(scores[found[one.predicted]])
            time = key[1] / MILLISECONDS - offset_seconds
            cases.append(Case(key[0], *label, score, kind=one.kind, note=note, start=time, end=time, boxes=drawn))
    wrong, right = split_cases(cases)
    case_of = {(case.video_id, round((case.start + offset_seconds) * MILLISECONDS)): case for case in wrong}
    worst = [
        WorstVideo(key[0], counts_text(counts), f1_score(counts), case=case_of[key])
        for key, counts in worst_first(of_keyframe)
        if key in case_of
    ][:MAX_WORST]
    classes = [*names.values(), NOTHING]
    notes = [threshold_note(chosen, min_score)]
    return Errors('boxes', classes, confusion_of(classes, cases), wrong, right, worst, notes, dict(kinds))


def _read(path):
    table = path_below(path.parent, 'class_ap.csv')
    names = {}
    for line, row in read_table(table, 'id', 'class').items():
        names[checks.count_in(row['id'], f'{table}, line {line}')] = checks.name(row['class'], f'{table}, line {line}')
    true = read_ava_csv(path_below(path.parent, 'truth.csv'))
    found, scores = read_ava_predictions(path)
    keyframes = defaultdict(lambda: ([], []))
    for side, rows, kept in ((0, true, np.ones(len(true.videos), bool)), (1, found, scores >= LOWEST_SCORE)):
        for row in np.flatnonzero(kept & np.isin(rows.actions, list(names))).tolist():
            keyframes[image_key(rows.videos[row], rows.timestamps[row])][side].append(row)
    # Keyframes without annotations do not count.
    keyframes = {key: tuple(np.array(rows, int) for rows in both) for key, both in keyframes.items() if both[0]}
    return _Rows(names, true, found, scores, keyframes)


def _drawn(rows, true, found):
    """Boxes of a keyframe: predicted ones in the colour of their best action, annotated ones thin and white."""
    by_box = [defaultdict(list), defaultdict(list)]
    for boxes, several, those in zip((rows.found, rows.true), by_box, (found, true), strict=True):
        for row in those.tolist():
            several[tuple(boxes.boxes[row].tolist())].append(row)
    drawn = []
    for box, those in by_box[0].items():
        those = sorted(those, key=lambda row: -rows.scores[row])
        lines = tuple(f'{rows.names[rows.found.actions[row]]} {rows.scores[row]:.2f}' for row in those)
        colour = class_colour(int(rows.found.actions[those[0]]))
        drawn.append(DrawnBox(np.array(box), lines, colour, score=float(rows.scores[those[0]])))
    annotated = [
        DrawnBox(np.array(box), tuple(rows.names[rows.true.actions[row]] for row in those), below=True)
        for box, those in by_box[1].items()
    ]
    return (*drawn, *annotated)
