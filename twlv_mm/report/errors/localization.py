"""Errors of temporal localization: wrong, missed and false actions."""

from collections import Counter

import numpy as np

from twlv_mm.records import checks, parsing
from twlv_mm.visualization import draw_timeline

from ..localization_predictions import parse_actions, read_localization
from .cases import MAX_WORST, NOTHING, Case, Errors, WorstVideo, confusion_of, split_cases
from .matching import (
    DUPLICATE,
    IMPRECISE,
    MISSED,
    best_threshold,
    counts_text,
    f1_score,
    interval_iou,
    match,
    threshold_note,
    worst_first,
)

LOWEST_SCORE = 0.01  # predictions below it are ignored: there are hundreds per video


def localization_errors(path, min_score=None):
    """Read the errors, in actions, from the predictions.json of a test.

    Args:
        path (Path): predictions.json in ActivityNet's format, with the ground truth.
        min_score (float, optional): Score threshold; by default the one with the highest F1.

    Raises:
        ValueError: if the file is damaged or has no ground truth.
    """
    truth, results = read_localization(path)
    with parsing(path):
        videos = {
            checks.name(video_id, 'the id of a video'): (
                parse_actions(truth[video_id], video_id),
                parse_actions(found, video_id),
            )
            for video_id, found in results.items()
        }
    classes = sorted({action['label'] for both in videos.values() for actions in both for action in actions})
    videos = {
        video_id: (true, [one for one in found if one['score'] >= LOWEST_SCORE])
        for video_id, (true, found) in videos.items()
    }
    chosen = min_score
    if chosen is None:
        chosen = best_threshold(_matches(*both, classes) for both in videos.values())
    cases, kinds, of_video = [], Counter(), {}
    for video_id, (true, found) in videos.items():
        found = [one for one in found if one['score'] >= chosen]
        matches = _matches(true, found, classes)[0]
        kinds.update(one.kind for one in matches)
        of_video[video_id] = Counter(one.kind for one in matches)
        cases += [_case(video_id, one, true, found) for one in matches if one.kind != DUPLICATE]
    wrong, right = split_cases(cases)
    worst = [
        WorstVideo(video_id, counts_text(counts), f1_score(counts), _timeline(*videos[video_id], chosen, classes))
        for video_id, counts in worst_first(of_video)[:MAX_WORST]
    ]
    names = [*classes, NOTHING]
    notes = [threshold_note(chosen, min_score)]
    return Errors('actions', names, confusion_of(names, cases), wrong, right, worst, notes, dict(kinds))


def _matches(true, found, classes):
    """Matches of a video, the scores of its predictions, and the number of its annotated actions."""
    place = {name: index for index, name in enumerate(classes)}
    spans = [np.array([(one['start'], one['end']) for one in those]).reshape(-1, 2) for those in (found, true)]
    labels = [np.array([place[one['label']] for one in those], int) for those in (found, true)]
    scores = np.array([one['score'] for one in found], float)
    return match(interval_iou(*spans), labels[0], scores, labels[1]), scores, len(true)


def _case(video_id, one, true, found):
    of_true = None if one.true is None else true[one.true]
    of_found = None if one.predicted is None else found[one.predicted]
    shown = of_true if one.kind == MISSED else of_found
    note = f'IoU {one.iou:.2f}' if one.kind == IMPRECISE else ''
    return Case(
        video_id,
        of_true and of_true['label'],
        of_found and of_found['label'],
        of_found and of_found['score'],
        kind=one.kind,
        note=note,
        start=shown['start'],
        end=shown['end'],
    )


def _timeline(true, found, min_score, classes):
    def draw(path, frames=None, frame_times=None):
        shown = [one for one in found if one['score'] >= min_score]
        ends = [one['end'] for one in [*true, *shown]]
        # The file does not have the length of the video.
        duration = max([*ends, *([] if frame_times is None else [frame_times[-1] + frame_times[0]]), 1e-3])
        draw_timeline(path, duration, shown, true, frames, frame_times, classes=classes)

    return draw
