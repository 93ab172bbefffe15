"""Errors of what happens when: of localization, whose actions are found or missed, and of segmentation."""

from collections import Counter

import numpy as np

from twlv_mm.records import checks, parsing, read_json
from twlv_mm.segmentation import read_predictions
from twlv_mm.segmentation.segments import segments_in_seconds
from twlv_mm.visualization import draw_label_bars, draw_timeline

from .error_cases import MAX_WORST, NOTHING, Case, Errors, WorstVideo, best_of_class, count_matrix, surest_first
from .matching import IMPRECISE, MISSED, RIGHT, TWICE, best_threshold, interval_iou, match

LEAST_SCORE = 0.01  # predictions below it are passed over: there are hundreds a video


def action_errors(path, min_score=None):
    """Read the errors of a test of localization.

    Args:
        path (Path): Its predictions.json, in ActivityNet's format, with the truth.
        min_score (float, optional): Least score of a prediction that counts; where F1 is highest if None.

    Returns:
        Errors: counted in actions.

    Raises:
        ValueError: if the file is damaged or has no truth.
    """
    with parsing(path):
        contents = read_json(path, dict)
        truth = checks.instance(contents.get('external_data') or {}, dict, 'external_data').get('truth')
        if truth is None:
            raise ValueError('it has no external_data.truth: run tools/test.py again with this version')
        videos = {
            checks.name(video_id, 'the id of a video'): (_actions(truth[video_id], video_id), _actions(found, video_id))
            for video_id, found in contents['results'].items()
        }
    classes = sorted({action['label'] for both in videos.values() for actions in both for action in actions})
    videos = {
        video_id: (true, [one for one in found if one['score'] >= LEAST_SCORE])
        for video_id, (true, found) in videos.items()
    }
    chosen = best_score(_matches(*both, classes) for both in videos.values()) if min_score is None else min_score
    cases, kinds, of_video = [], Counter(), {}
    for video_id, (true, found) in videos.items():
        found = [one for one in found if one['score'] >= chosen]
        matches = _matches(true, found, classes)[0]
        kinds.update(one.kind for one in matches)
        of_video[video_id] = Counter(one.kind for one in matches)
        cases += [_action_case(video_id, one, true, found) for one in matches if one.kind != TWICE]
    wrong, right = parted(cases)
    worst = [
        WorstVideo(video_id, said_of(counts), f1_of(counts), _timeline(*videos[video_id], chosen, classes))
        for video_id, counts in worst_first(of_video)[:MAX_WORST]
    ]
    names = [*classes, NOTHING]
    matrix = count_matrix(names, cases)
    return Errors('actions', names, matrix, wrong, right, worst, [note_of_score(chosen, min_score)], dict(kinds))


def segmentation_errors(path):
    """Read the errors of a test of segmentation.

    Args:
        path (Path): Its predictions.json.

    Returns:
        Errors: counted in seconds of video.

    Raises:
        ValueError: if the file is damaged.
    """
    predictions = read_predictions(path)
    classes, cases, shares = predictions.classes, [], {}
    for video_id, video in predictions.videos.items():
        pieces = [
            Case(video_id, classes[true], classes[found], amount=(end - start) / video['fps'], start=start, end=end)
            for true, found, start, end in _pieces(video)
        ]
        cases += [one._replace(start=one.start / video['fps'], end=one.end / video['fps']) for one in pieces]
        total = sum(one.amount for one in pieces)
        if total:
            shares[video_id] = sum(one.amount for one in pieces if one.true == one.predicted) / total
    wrong, right = parted(cases)
    worst = [
        WorstVideo(video_id, f'{100 * share:.1f} % of the time is right', share, _bars(predictions, video_id))
        for video_id, share in sorted(shares.items(), key=lambda item: item[1])[:MAX_WORST]
    ]
    seconds, lost = sum(case.amount for case in cases), sum(case.amount for case in wrong)
    notes = [f'{lost:.0f} of {seconds:.0f} labelled seconds have another class than the true one.']
    return Errors('seconds', classes, count_matrix(classes, cases), wrong, right, worst, notes, {})


def best_score(matched):
    """The least score that gives the highest F1.

    Args:
        matched (Iterable[tuple[list[Match], ndarray, int]]): Of each video its matches, the scores of its predictions,
            and how many are annotated.

    Returns:
        float: see :func:`best_threshold`.
    """
    hits, scores, total = [], [], 0
    for matches, those, count in matched:
        right = np.zeros(len(those), bool)
        right[[one.predicted for one in matches if one.kind == RIGHT]] = True
        hits.append(right)
        scores.append(those)
        total += count
    return best_threshold(np.concatenate(hits), np.concatenate(scores), total) if hits else 0.0


def note_of_score(chosen, given):
    """What to say of the least score of the predictions that count."""
    how = 'given' if given is not None else 'at which F1 is highest'
    return f'Predictions count from a score of {chosen:.2f}, {how}. A prediction is right with an IoU of 0.5 or more.'


def parted(cases):
    """Mistakes, the surest first, and the surest right one of each class."""
    is_right = [case.true == case.predicted and case.kind in ('', RIGHT) for case in cases]
    wrong = [case for case, right in zip(cases, is_right, strict=True) if not right]
    return surest_first(wrong), best_of_class(case for case, right in zip(cases, is_right, strict=True) if right)


def worst_first(of_video):
    """Pairs of what a video is known by and its counts by kind; those with the lowest F1, then most mistakes, first."""

    wrong = ((name, counts) for name, counts in of_video.items() if counts.total() > counts[RIGHT])
    return sorted(wrong, key=lambda item: (f1_of(item[1]), -item[1].total()))


def f1_of(counts):
    """F1 from counts by kind."""
    return 2 * counts[RIGHT] / max(counts.total() + counts[RIGHT], 1)


def said_of(counts):
    """Counts by kind in words."""
    return ', '.join(f'{kind}: {count}' for kind, count in counts.most_common())


def _actions(entries, video_id):
    """Of each action label, start, end, and a score if there is one."""
    actions = []
    for one in checks.instance(entries, list, video_id):
        start, end = (checks.time(value, f'{video_id}, a time') for value in one['segment'])
        if end < start:
            raise ValueError(f'{video_id} has an action that ends at {end:g} s, before it starts at {start:g} s')
        action = dict(label=checks.name(one['label'], f'{video_id}, a class'), start=start, end=end)
        actions.append(action | ({'score': checks.number(one['score'], video_id)} if 'score' in one else {}))
    return actions


def _matches(true, found, classes):
    """Matches of a video, the scores of its predictions, and how many actions are annotated."""
    place = {name: index for index, name in enumerate(classes)}
    spans = [np.array([(one['start'], one['end']) for one in those]).reshape(-1, 2) for those in (found, true)]
    labels = [np.array([place[one['label']] for one in those], int) for those in (found, true)]
    scores = np.array([one['score'] for one in found], float)
    return match(interval_iou(*spans), labels[0], scores, labels[1]), scores, len(true)


def _action_case(video_id, one, true, found):
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
        # How long the video is stands nowhere in the file.
        duration = max([*ends, *([] if frame_times is None else [frame_times[-1] + frame_times[0]]), 1e-3])
        draw_timeline(path, duration, shown, true, frames, frame_times, classes=classes)

    return draw


def _bars(predictions, video_id):
    def draw(path, frames=None, frame_times=None):
        video = predictions.videos[video_id]
        rows = [
            (name, segments_in_seconds(video[kind], video['fps']))
            for name, kind in (('ground truth', 'truth'), ('prediction', 'predicted'))
        ]
        background = [predictions.classes.index(name) for name in predictions.background]
        draw_label_bars(
            path,
            rows,
            video['num_frames'] / video['fps'],
            predictions.classes,
            background=background,
            frames=frames,
            frame_times=frame_times,
        )

    return draw


def _pieces(video):
    """Label, predicted label, first frame and the frame after the last of each piece in which neither changes."""
    lines = np.full((2, video['num_frames']), -1)
    for line, kind in zip(lines, ('truth', 'predicted'), strict=True):
        for label, start, end in video[kind]:
            line[start:end] = label
    edges = np.flatnonzero(np.diff(lines, axis=1).any(axis=0)) + 1
    for start, end in zip([0, *edges.tolist()], [*edges.tolist(), video['num_frames']], strict=True):
        true, found = lines[:, start].tolist()
        if true >= 0 and found >= 0:
            yield true, found, start, end
