"""Runs the inferencer of any task over video files, and writes json, pictures and a summary.

An inferencer has ``inferencer(path, **options)``, which returns a dict for json; ``draw(path, result, out)``, which
draws a .png or a file of its ``drawing_suffix``; perhaps ``draw_video(path, result, out)``, which draws onto the video;
and ``rows(result)``, lines of summary.csv under the names ``columns``. It raises ReadFault or FileNotFoundError for an
unreadable video.
"""

import json
from pathlib import Path
from typing import NamedTuple

from twlv_mm.embeddings import find_videos, name_fault
from twlv_mm.records import path_below, write_json, write_table, write_text
from twlv_mm.video import VideoError


class InferenceSummary(NamedTuple):
    """Number of videos with a result; video_id, path, stage (of ReadFault) and reason of unreadable ones."""

    done: int
    failures: list


def infer_videos(inferencer, source, out, overlay=False, **options):
    """Write ``<video_id>.json`` and a drawing for each video, and ``summary.csv``.

    A video that cannot be read is listed in ``failures.jsonl``, and does not stop the others.

    Args:
        inferencer (Callable): See the module.
        source (str): A video, a folder, a pattern or a list, see :func:`twlv_mm.embeddings.find_videos`.
        out (str): Folder to write to.
        overlay (bool): Also write ``<video_id>.mp4``, the video with its predictions drawn on it.
        **options: Of the inferencer, such as ``top_k``.
    """
    suffix = getattr(inferencer, 'drawing_suffix', '.png')
    overlay = overlay and suffix != '.mp4'
    if overlay and not hasattr(inferencer, 'draw_video'):
        raise ValueError(f'{type(inferencer).__name__} cannot draw onto videos: leave out overlay')
    suffixes = [suffix, '.mp4'] if overlay else [suffix]
    found, videos, failures, rows = find_videos(source), [], [], []
    for video in found:
        if fault := name_fault(video.video_id, '.json'):
            failures.append(dict(video_id=video.video_id, path=video.path, stage='name', reason=fault))
        else:
            videos.append(video)
    out = Path(out)
    for video in videos:
        for drawing in (Path(f'{path_below(out, video.video_id)}{suffix}') for suffix in suffixes):
            if drawing.exists() and drawing.samefile(video.path):
                raise ValueError(f'{video.path} would be overwritten by a drawing: give another folder to write to')
    out.mkdir(parents=True, exist_ok=True)
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
            # An earlier run's result would pass for this one's.
            for path in (json_file, *drawings):
                path.unlink(missing_ok=True)
            stage = getattr(error, 'stage', 'open')
            failures.append(dict(video_id=video.video_id, path=video.path, stage=stage, reason=str(error)))
            continue
        write_json(json_file, result)
        rows += [(video.video_id, *row) for row in inferencer.rows(result)]
    write_table(out / 'summary.csv', ('video_id', *inferencer.columns), rows)
    write_text(out / 'failures.jsonl', ''.join(json.dumps(failure, sort_keys=True) + '\n' for failure in failures))
    return InferenceSummary(len(found) - len(failures), failures)
