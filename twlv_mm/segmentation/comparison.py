"""Draws the labels that several models give to a video, one bar above the other (the paper's Figure 5)."""

from typing import NamedTuple

from twlv_mm.inference import VideoStrips
from twlv_mm.records import path_below
from twlv_mm.visualization import draw_label_bars

from .predictions import read_predictions
from .segments import segments_in_seconds


class Comparison(NamedTuple):
    """The outcome of :func:`compare_runs`."""

    drawn: list[str]  # ids of the videos with a picture
    lacking: dict[str, list[str]]  # for each video that is not drawn, the runs without a prediction of it
    frameless: list[tuple[str, str]]  # video id and reason of pictures that lack their frames


def compare_runs(runs, out, videos=None, video_root=None, suffix='.png'):
    """Draw ``<out>/<video_id><suffix>``: the ground truth and, below it, the prediction of each run.

    Args:
        runs (dict[str, str]): predictions.json of each run, by the name to write beside its bar.
        out (str): Folder to draw to.
        videos (Sequence[str], optional): Ids of the videos to draw; all that the runs have by default.
        video_root (str, optional): The video files, see :func:`twlv_mm.embeddings.find_videos`, whose frames are drawn
            above the bars.
        suffix (str): Of a file type that matplotlib writes.
    """
    found = {name: read_predictions(path) for name, path in runs.items()}
    _check_classes(found)
    known = sorted(set().union(*(run.videos for run in found.values())))
    foreign = [video_id for video_id in videos or () if video_id not in known]
    if foreign:
        shown = ', '.join(known[:3]) + (', …' if len(known) > 3 else '')
        raise ValueError(f'no run has {", ".join(foreign)}; their {len(known)} videos are {shown}')
    wanted = known if videos is None else list(dict.fromkeys(videos))
    lacking = {video_id: [name for name, run in found.items() if video_id not in run.videos] for video_id in wanted}
    drawn = [video_id for video_id in wanted if not lacking[video_id]]
    if not drawn:
        raise ValueError(
            f'none of the {len(wanted)} videos is in all runs: give runs that were tested on the same fold'
        )
    for video_id in drawn:
        _check_truth(found, video_id)
    strips = VideoStrips(video_root)
    for video_id in drawn:
        path = path_below(out, f'{video_id}{suffix}')
        path.parent.mkdir(parents=True, exist_ok=True)
        _draw(path, found, video_id, strips(video_id))
    return Comparison(drawn, {video_id: names for video_id, names in lacking.items() if names}, strips.failures)


def _check_classes(runs):
    first = next(iter(runs.values()))
    for run in runs.values():
        if (run.classes, run.background) != (first.classes, first.background):
            raise ValueError(
                f'{run.path} has {len(run.classes)} classes, {first.path} has {len(first.classes)}, and they are not '
                'the same, in the same order, with the same background: give runs of one dataset'
            )


def _check_truth(runs, video_id):
    first = next(iter(runs.values()))
    for run in runs.values():
        for name in ('fps', 'num_frames', 'truth'):
            if run.videos[video_id][name] != first.videos[video_id][name]:
                raise ValueError(
                    f'{run.path} and {first.path} differ in the {name} of {video_id}: give runs that were tested with '
                    'the same labels'
                )


def _draw(path, runs, video_id, strip):
    first = next(iter(runs.values()))
    video = first.videos[video_id]
    bars = [
        ('ground truth', video['truth']),
        *((name, run.videos[video_id]['predicted']) for name, run in runs.items()),
    ]
    draw_label_bars(
        path,
        [(name, segments_in_seconds(segments, video['fps'])) for name, segments in bars],
        video['num_frames'] / video['fps'],
        first.classes,
        title=video_id,
        background=[first.classes.index(name) for name in first.background],
        **strip,
    )
