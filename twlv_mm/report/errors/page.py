"""The error analysis page of a test run: confused classes with frames of the videos, and the worst videos."""

import numpy as np

from twlv_mm.embeddings.progress import track
from twlv_mm.inference import VideoStrips
from twlv_mm.records import write_text
from twlv_mm.visualization import draw_boxes, draw_confusion_matrix, film_strip, jpeg_uri, resized

from ..figures import as_svg
from ..page import render
from .loading import find_errors
from .ranking import confused_pairs, longest_missed, most_confident_errors

PAGE = 'errors.html'
FRAMES, HEIGHT, GAP = 5, 96, 2  # of a film strip: frames, their height and the gap between them in pixels
TIMELINE_FRAMES = 10
BOX_HEIGHT = 420  # pixels of a keyframe with boxes
CONTEXT = 0.15  # shown before and after an action, as a fraction of its length


def write_errors(run, videos=None, out=None, min_score=None):
    """Write the error analysis page of the newest test run below a folder.

    Args:
        run (str | Path): As for :func:`~twlv_mm.report.errors.loading.find_errors`.
        videos (str, optional): The video files, as for :func:`twlv_mm.embeddings.find_videos`; without them the page
            has no frames.
        out (str | Path, optional): The page; ``errors.html`` beside the run's results.json if None.
        min_score (float, optional): As for :func:`~twlv_mm.report.errors.loading.find_errors`.

    Returns:
        tuple[Path, Errors, list[str]]: the page; the errors; messages about runs that are not shown and videos without
        frames.

    Raises:
        FileNotFoundError: if the folder does not exist, or has no run with predictions or no video.
        ValueError: if the file of predictions is damaged, or the task has no scores for ``min_score``.
    """
    tested, errors, others = find_errors(run, min_score)
    out = tested.path.with_name(PAGE) if out is None else out
    frames = Frames(videos)
    pairs, confident, missed = confused_pairs(errors), most_confident_errors(errors), longest_missed(errors)
    worst = [(one, frames.timeline(one) if one.case is None else frames.strip(one.case)) for one in errors.worst]
    shown = [*(case for pair in pairs for case in (*pair.cases, pair.right) if case), *confident, *missed]
    if videos:
        for case in track(shown, 'frames'):
            frames.strip(case)
    messages = [f'{one.path} is an older run, not shown' for one in others]
    messages += [f'no frames of {video_id}: {reason}' for video_id, reason in dict.fromkeys(frames.failures)]
    write_text(
        out,
        render(
            'errors/page.html',
            run=tested,
            errors=errors,
            matrix=as_svg(lambda folder: _draw_matrix(folder, errors)),
            pairs=pairs,
            confident=confident,
            missed=missed,
            worst=worst,
            strip=frames.strip,
            videos=videos,
            messages=messages,
            amount=lambda value: _amount(value, errors.unit),
        ),
    )
    return out, errors, messages


class Frames:
    """Pictures of cases, each read once.

    Args:
        videos (str, optional): The video files; None for no frames.

    Attributes:
        failures (list[tuple[str, str]]): Video id and reason of each video that could not be read.
    """

    def __init__(self, videos):
        self._strips, self._long = VideoStrips(videos, FRAMES), VideoStrips(videos, TIMELINE_FRAMES)
        self._made = {}

    @property
    def failures(self):
        return self._strips.failures + self._long.failures

    def timeline(self, worst):
        """The timeline of a WorstVideo as ``<svg>``, with frames above it."""
        strip = self._long(worst.video_id)
        if strip:
            strip['frames'] = [resized(frame, HEIGHT) for frame in strip['frames']]

        def draw(folder):
            worst.draw(folder / 'timeline.svg', **strip)
            return folder / 'timeline.svg'

        return as_svg(draw)

    def strip(self, case):
        """Frames of a Case as a data URI, or None."""
        if case.moment not in self._made:
            self._made[case.moment] = self._strip(case)
        return self._made[case.moment]

    def _strip(self, case):
        if case.boxes:
            frames = self._strips(case.video_id, case.start, case.start + 1e-3).get('frames')
            return None if frames is None else jpeg_uri(resized(draw_boxes(frames[0], case.boxes()), BOX_HEIGHT))
        margin = 0 if case.start is None else CONTEXT * (case.end - case.start)
        span = () if case.start is None else (max(case.start - margin, 0), case.end + margin)
        frames = self._strips(case.video_id, *span).get('frames')
        return None if frames is None else jpeg_uri(film_strip(frames, HEIGHT, GAP))


def _amount(value, unit):
    if unit == 'seconds':
        return f'{value:.1f} s'
    return f'{value:.0f} {unit if value != 1 else dict(videos="video", actions="action", boxes="box")[unit]}'


def _draw_matrix(folder, errors):
    matrix = np.round(errors.matrix).astype(np.int64)
    used = np.flatnonzero(matrix.any(axis=0) | matrix.any(axis=1))  # many classes of a model may not occur
    draw_confusion_matrix(folder / 'matrix.svg', matrix[used][:, used], [errors.classes[place] for place in used])
    return folder / 'matrix.svg'
