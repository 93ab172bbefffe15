"""Errors of temporal segmentation: seconds of video with a wrong label."""

import numpy as np

from twlv_mm.segmentation import read_predictions
from twlv_mm.segmentation.segments import segments_in_seconds
from twlv_mm.visualization import draw_label_bars

from .cases import MAX_WORST, Case, Errors, WorstVideo, confusion_of, split_cases


def segmentation_errors(path):
    """Read the errors, in seconds, from the predictions.json of a test."""
    predictions = read_predictions(path)
    classes, cases, shares = predictions.classes, [], {}
    for video_id, video in predictions.videos.items():
        fps = video['fps']
        pieces = [
            Case(video_id, classes[true], classes[found], amount=(end - start) / fps, start=start / fps, end=end / fps)
            for true, found, start, end in _pieces(video)
        ]
        cases += pieces
        total = sum(one.amount for one in pieces)
        if total:
            shares[video_id] = sum(one.amount for one in pieces if one.true == one.predicted) / total
    wrong, right = split_cases(cases)
    worst = [
        WorstVideo(video_id, f'{100 * share:.1f} % of the time is correct', share, _bars(predictions, video_id))
        for video_id, share in sorted(shares.items(), key=lambda item: item[1])[:MAX_WORST]
    ]
    seconds, lost = sum(case.amount for case in cases), sum(case.amount for case in wrong)
    notes = [f'{lost:.0f} of {seconds:.0f} labelled seconds are classified wrongly.']
    return Errors('seconds', classes, confusion_of(classes, cases), wrong, right, worst, notes, {})


def _pieces(video):
    """True label, predicted label, first frame and end frame of each piece in which both labels are constant."""
    lines = np.full((2, video['num_frames']), -1)
    for line, kind in zip(lines, ('truth', 'predicted'), strict=True):
        for label, start, end in video[kind]:
            line[start:end] = label
    edges = np.flatnonzero(np.diff(lines, axis=1).any(axis=0)) + 1
    for start, end in zip([0, *edges.tolist()], [*edges.tolist(), video['num_frames']], strict=True):
        true, found = lines[:, start].tolist()
        if true >= 0 and found >= 0:
            yield true, found, start, end


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
