"""Annotations in csv: one row per segment or box."""

from .. import checks
from ..reading import read_table
from ..tables import FORMULA, write_table
from ..video_lists import FILE_COLUMNS
from .video_annotations import file_name

SEGMENTS = 'video', 'label', 'start', 'end', 'score'
BOXES = 'video', 'time', 'x1', 'y1', 'x2', 'y2', 'label', 'track', 'score'
VIDEO_COLUMNS = (*FILE_COLUMNS, 'video_id')


def read_annotation_table(path, context):
    """Read a csv with the columns ``SEGMENTS`` or ``BOXES`` (score and track are optional), such as summary.csv of
    tools/infer.py.

    Args:
        path (Path): The file.
        context (Import): Media.

    Returns:
        list[VideoAnnotations]: segments, boxes.
    """
    rows = read_table(path, 'label')
    first = next(iter(rows.values()), {})
    name = next((column for column in VIDEO_COLUMNS if column in first), None)
    kinds = [kind for kind in (SEGMENTS[2:4], BOXES[1:6]) if set(kind) <= first.keys()]
    if rows and (name is None or not kinds):
        raise ValueError(
            f'{path} has the columns {checks.printable(", ".join(first))[:300]}; required are {", ".join(SEGMENTS)} '
            f'for segments, or {", ".join(BOXES)} for boxes'
        )
    videos, written = {}, {}
    for line, row in rows.items():
        where, text = f'{path}, line {line}', _plain(row[name])
        file = file_name(text, f'{where}, {name}')
        if file not in videos:
            videos[file], written[file] = context.video(file), text
        if written[file] != text:
            raise ValueError(
                f'{where}: {checks.shown(written[file])} and {checks.shown(text)} have the same file name, by which '
                'videos are distinguished: rename one of them'
            )
        video, label = videos[file], checks.name(_plain(row['label']), f'{where}, the label')
        score = row.get('score', '').strip()
        score = checks.number_in(score, f'{where}, the score') if score else None
        if kinds[0] == SEGMENTS[2:4]:
            start, end = (checks.number_in(row[end], f'{where}, {end}') for end in kinds[0])
            context.segment(video, label, start, end, where, score)
        else:
            time, *corners = (checks.number_in(row[one], f'{where}, {one}') for one in kinds[0])
            context.box(video, label, time, corners, where, row.get('track', '').strip() or None, score)
    return list(videos.values())


def write_annotation_table(videos, out):
    """Write ``segments.csv`` and ``boxes.csv``, those with rows; returns what is lost: nothing."""
    segments = [
        (video.file, one.label, f'{one.start:.3f}', f'{one.end:.3f}', _number(one.score))
        for video in videos
        for one in video.segments
    ]
    boxes = [
        (video.file, f'{one.time:.4f}', *(f'{edge:.5f}' for edge in one.corners), one.label, one.track or '')
        + (_number(one.score),)
        for video in videos
        for one in video.boxes
    ]
    if segments or not boxes:
        write_table(out / 'segments.csv', SEGMENTS, segments)
    if boxes:
        write_table(out / 'boxes.csv', BOXES, boxes)
    return []


def _plain(text):
    """A cell without the apostrophe that protects it from being run as a formula."""
    text = text.strip()
    return text[1:] if text.startswith("'") and text[1:].startswith(FORMULA) else text


def _number(score):
    return '' if score is None else f'{score:.6f}'
