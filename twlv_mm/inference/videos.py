"""From a trained model and video files to json, pictures and a summary: what the inferencers of all tasks share.

An inferencer is called with a video and gives a dict that is ready for json, ``inferencer(path, **options)``. It draws
that dict, ``inferencer.draw(path, result, out)``, a .png or what its ``drawing_suffix`` says, perhaps onto the video
too, ``inferencer.draw_video(path, result, out)``, and makes lines of summary.csv of it, ``inferencer.rows(result)``
under the names ``inferencer.columns``. A video that it cannot read is a ReadFault or a FileNotFoundError.
"""

import json
from pathlib import Path
from typing import NamedTuple

from twlv_mm.embeddings import find_videos
from twlv_mm.records import path_below, write_json, write_table, write_text
from twlv_mm.video import VideoError

SEGMENT_COLUMNS = ('label', 'index', 'start', 'end', 'score')


class InferenceSummary(NamedTuple):
    """What became of some videos.

    Attributes:
        done (int): Videos with a result.
        failures (list[dict]): video_id, path, stage ('open', 'decode', … as :class:`~twlv_mm.video.ReadFault` has them)
            and reason of those that could not be read.
    """

    done: int
    failures: list


def infer_videos(inferencer, source, out, overlay=False, **options):
    """Write ``<video_id>.json`` and a drawing for each video, and ``summary.csv`` with a line for each row of its.

    A video that cannot be read is listed in ``failures.jsonl``, and the rest goes on.

    Args:
        inferencer (Callable): What is called and draws; the module says how.
        source (str): As for :func:`twlv_mm.embeddings.find_videos`: a video, a folder, a pattern or a list.
        out (str): Folder to write to.
        overlay (bool): Also write ``<video_id>.mp4``, the video with what was found drawn on it.
        **options: What the inferencer is called with besides the video, ``top_k`` say.

    Returns:
        InferenceSummary: how many were done, and what failed.

    Raises:
        FileNotFoundError: if there is no such source, or no video in it.
        ValueError: as from calling the inferencer, if it draws on no videos, or if a video would be overwritten.
    """
    suffix = getattr(inferencer, 'drawing_suffix', '.png')
    overlay = overlay and suffix != '.mp4'
    if overlay and not hasattr(inferencer, 'draw_video'):
        raise ValueError(f'{type(inferencer).__name__} draws on no videos: leave out overlay')
    suffixes = [suffix, '.mp4'] if overlay else [suffix]
    videos = find_videos(source)
    out = Path(out)
    for video in videos:
        for drawing in (Path(f'{path_below(out, video.video_id)}{suffix}') for suffix in suffixes):
            if drawing.exists() and drawing.samefile(video.path):
                raise ValueError(f'{video.path} would be overwritten by what is drawn: give another folder to write to')
    out.mkdir(parents=True, exist_ok=True)
    rows, failures = [], []
    for video in videos:
        stem = path_below(out, video.video_id)
        stem.parent.mkdir(parents=True, exist_ok=True)
        # Names may have dots, so with_suffix would cut them.
        json_file, *drawings = (Path(f'{stem}{suffix}') for suffix in ('.json', *suffixes))
        try:
            result = inferencer(video.path, **options)
            inferencer.draw(video.path, result, drawings[0])
            if overlay:
                inferencer.draw_video(video.path, result, drawings[1])
        except (VideoError, FileNotFoundError) as error:
            # A result of an earlier run would look like this one's.
            for path in (json_file, *drawings):
                path.unlink(missing_ok=True)
            stage = getattr(error, 'stage', 'open')
            failures.append(dict(video_id=video.video_id, path=video.path, stage=stage, reason=str(error)))
            continue
        write_json(json_file, result)
        rows += [(video.video_id, *row) for row in inferencer.rows(result)]
    write_table(out / 'summary.csv', ('video_id', *inferencer.columns), rows)
    write_text(out / 'failures.jsonl', ''.join(json.dumps(failure, sort_keys=True) + '\n' for failure in failures))
    return InferenceSummary(len(videos) - len(failures), failures)


def segment_rows(result):
    """Lines of a summary, for a result whose predictions have a start and an end.

    Args:
        result (dict): What calling an inferencer gave.

    Returns:
        list[tuple]: the values of SEGMENT_COLUMNS for each prediction.
    """
    return [
        (one['label'], one['index'], *(f'{one[name]:.3f}' for name in ('start', 'end')), f'{one["score"]:.6f}')
        for one in result['predictions']
    ]
