"""Label Studio's JSON: timeline labels and video rectangles (frames from 1), and regions in seconds."""

import re
from itertools import pairwise
from urllib.parse import unquote

from .. import checks
from .video_annotations import MAX_BOXES, MAX_FRAME, Clock, file_name

UPLOADED = re.compile(r'^[0-9a-f]{8}-(?=.)')


def read_label_studio(path, tasks, context):
    """Read an export ('JSON', not 'JSON-MIN').

    Of several annotations of a task, the ground truth is used, else the first that was not cancelled. Rectangles are
    interpolated linearly between keyframes, up to one that is not enabled.

    Args:
        path (Path): The file.
        tasks (list): Its content.
        context (Import): ``fps`` is the ``frameRate`` of the labelling interface, by which frames are numbered whatever
            the video's own rate; needed unless a rectangle states the number of frames.

    Returns:
        list[VideoAnnotations]: segments, boxes and lifetimes.
    """
    videos = []
    for number, task in enumerate(tasks, 1):
        where = f'{path}, task {number}'
        checks.instance(task, dict, where)
        name = _video_name(task, where)
        video = context.video(name)
        annotations = [
            checks.instance(one, dict, f'{where}, an annotation')
            for one in checks.instance(task.get('annotations'), list, f'{where}, annotations')
        ]
        kept = [one for one in annotations if one.get('was_cancelled') is not True]
        chosen = next((one for one in kept if one.get('ground_truth') is True), kept[0] if kept else None)
        if len(kept) > 1:
            context.note('a task has several annotations; one is used', where)
        videos.append(video)
        if chosen is None:
            context.note('a task without annotations becomes a video without actions', where)
            continue
        regions = [
            checks.instance(one, dict, f'{where}, region {place}')
            for place, one in enumerate(checks.instance(chosen.get('result'), list, f'{where}, result'), 1)
        ]
        clock = _clock(regions, context, where)
        for place, region in enumerate(regions, 1):
            _read_region(region, video, clock, f'{where}, region {place}', context)
        video.boxes.sort(key=lambda one: one.time)
        video.segments.sort(key=lambda one: (one.start, one.end))
    return videos


def _video_name(task, where):
    data = checks.instance(task.get('data'), dict, f'{where}, data')
    texts = [text for text in (task.get('file_upload'), data.get('video'), *data.values()) if isinstance(text, str)]
    if not texts:
        raise ValueError(f'{where}: data names no video')
    text = unquote(texts[0]).rpartition('?d=')[2].partition('?')[0]
    # Uploaded files get a prefix of eight hex digits.
    return UPLOADED.sub('', file_name(text, f'{where}, its video'))


def _clock(regions, context, where):
    """Clock of the frame numbers of a task; None if unknown."""
    fps = context.fps
    for region in regions:
        value = region.get('value')
        if fps is None and isinstance(value, dict) and value.get('duration') and value.get('framesCount'):
            count = checks.number(value['framesCount'], f'{where}, framesCount', least=1, most=MAX_FRAME)
            fps = count / checks.number(value['duration'], f'{where}, duration', least=1e-3, most=checks.MAX_SECONDS)
    return None if fps is None else Clock(fps=fps)


def _read_region(region, video, clock, where, context):
    kind = checks.name(region.get('type'), f'{where}, its type')
    value = checks.instance(region.get('value'), dict, f'{where}, its value')
    score = region.get('score')
    score = None if score is None else checks.number(score, f'{where}, its score')
    labels = [
        checks.name(label, f'{where}, a label')
        for label in checks.instance(value.get(kind, value.get('labels', [])), list, f'{where}, its labels')
    ]
    if not labels:
        context.note('a region without a label is left out', where)
    elif kind in ('timelinelabels', 'videorectangle') and clock is None:
        raise ValueError(
            f'{where}: frames are numbered at the frameRate of the labelling interface, which the file does not '
            'contain: give it with --fps'
        )
    elif kind == 'timelinelabels':
        for one in checks.instance(value.get('ranges'), list, f'{where}, its ranges'):
            checks.instance(one, dict, f'{where}, a range')
            first, last = (_frame(one.get(end), f'{where}, its {end}') for end in ('start', 'end'))
            if last < first:
                raise ValueError(f'{where}: it ends at frame {last + 1}, before it starts at {first + 1}')
            for label in labels:
                context.segment(video, label, clock.span(first, where)[0], clock.span(last, where)[1], where, score)
    elif kind == 'videorectangle':
        _read_rectangle(value, labels, region.get('id'), score, video, clock, where, context)
    elif {'start', 'end'} <= value.keys():
        for label in labels:
            context.segment(video, label, value['start'], value['end'], where, score)
    else:
        context.note(f'a region of the type {checks.shown(kind)} is left out', where)


def _frame(value, where):
    return checks.count(value, where, least=1, most=MAX_FRAME) - 1


def _read_rectangle(value, labels, track, score, video, clock, where, context):
    listed = []
    for one in checks.instance(value.get('sequence'), list, f'{where}, its sequence'):
        checks.instance(one, dict, f'{where}, its sequence')
        if one.get('rotation') not in (None, 0):
            raise ValueError(f'{where}: rotated rectangles are not supported')
        x, y, width, height = (
            checks.number(one.get(side), f'{where}, its {side}', least=-1e4, most=1e4) / 100
            for side in ('x', 'y', 'width', 'height')
        )
        enabled = one.get('enabled', True) is not False
        listed.append((_frame(one.get('frame'), f'{where}, its frame'), (x, y, x + width, y + height), enabled))
    listed.sort(key=lambda one: one[0])
    track = None if track is None else checks.name(str(track), f'{where}, its id')
    runs = []
    for (frame, corners, enabled), following in pairwise([*listed, None]):
        ending = following[0] if enabled and following is not None else frame + 1
        if len(video.boxes) + (ending - frame) * len(labels) > MAX_BOXES:
            raise ValueError(f'{where}: {video.file} has more than {MAX_BOXES:,} boxes')
        for at in range(frame, ending):
            share = (at - frame) / (ending - frame) if at > frame else 0
            between = corners
            if share:
                between = [a + share * (b - a) for a, b in zip(corners, following[1], strict=True)]
            time = sum(clock.span(at, where)) / 2
            for label in labels:
                context.box(video, label, time, between, where, track, score)
        if runs and frame - runs[-1][1] <= 1:
            runs[-1][1] = max(ending - 1, frame)
        else:
            runs.append([frame, max(ending - 1, frame)])
    for first, last in runs:
        for label in labels:
            start, end = clock.span(first, where)[0], clock.span(last, where)[1]
            context.segment(video, label, start, end, where, score, lifetime=True)
