"""Write annotations in the formats that localization, segmentation and detection train on."""

import math
from itertools import pairwise

from ..class_names import CLASSES_FILE
from ..files import write_json, write_text

BACKGROUND = 'background'
MAX_LABELS = 50_000_000  # per video


def write_localization(videos, parts, out):
    """Write ``annotations.json`` in ActivityNet's format, and classes.txt.

    Args:
        videos (list[VideoAnnotations]): With segments.
        parts (dict[str, str]): video id -> subset.
        out (Path): Folder.

    Returns:
        list[str]: lines of a summary.
    """
    database = {
        video.video_id: dict(subset=parts[video.video_id])
        | ({} if video.duration is None else dict(duration=round(video.duration, 3)))
        | dict(annotations=[dict(label=s.label, segment=[round(s.start, 3), round(s.end, 3)]) for s in video.segments])
        for video in videos
    }
    classes = _write_classes(out, (segment.label for video in videos for segment in video.segments))
    write_json(out / 'annotations.json', dict(database=database), indent=1)
    return [f'{out / "annotations.json"}: {len(videos)} videos, {len(classes)} classes']


def write_segmentation(videos, folds, out, fps, background=BACKGROUND):
    """Write ``mapping.txt``, ``groundTruth/`` and ``splits/`` in GTEA's format.

    Args:
        videos (list[VideoAnnotations]): With segments and durations.
        folds (list[dict[str, str]]): For each fold, video id -> 'train' or 'val' (the test part).
        out (Path): Folder.
        fps (float): Labels per second.
        background (str): Class of frames without a label.

    Returns:
        list[str]: lines of a summary.
    """
    labels = {video.video_id: _frame_labels(video, fps, background) for video in videos}
    names = {name for one in labels.values() for name in one}
    classes = ([background] if background in names else []) + sorted(names - {background})
    for folder in ('groundTruth', 'splits'):
        (out / folder).mkdir(exist_ok=True)
    write_text(out / 'mapping.txt', ''.join(f'{number} {name}\n' for number, name in enumerate(classes)))
    for video_id, one in labels.items():
        write_text(out / 'groundTruth' / f'{video_id}.txt', ''.join(f'{name}\n' for name in one))
    for number, parts in enumerate(folds, 1):
        for part, split in (('train', 'train'), ('val', 'test')):
            listed = ''.join(f'{video_id}.txt\n' for video_id in labels if parts[video_id] == part)
            write_text(out / 'splits' / f'{split}.split{number}.bundle', listed)
    return [f'{out}: {len(videos)} videos, {len(classes)} classes, {fps:g} labels per second, {len(folds)} folds']


def write_detection(videos, parts, out, every=None):
    """Write ``train.csv`` and ``val.csv`` in AVA's format, and ``actions.pbtxt``.

    Args:
        videos (list[VideoAnnotations]): With boxes.
        parts (dict[str, str]): video id -> 'train' or 'val'.
        out (Path): Folder.
        every (float, optional): Seconds between keyframes: of the times with boxes, the nearest to each multiple is
            kept; all if None.

    Returns:
        list[str]: lines of a summary.
    """
    actions = sorted({box.label for video in videos for box in video.boxes})
    for name, wrong in [*((video.video_id, ',') for video in videos), *((action, '"') for action in actions)]:
        if wrong in name:
            raise ValueError(f"{name!r} contains {wrong!r}, which AVA's format cannot represent: rename it")
    number_of = {action: number for number, action in enumerate(actions, 1)}
    counts = {}
    for part in sorted(set(parts.values())):
        rows, moments = [], 0
        for video in videos:
            if parts[video.video_id] != part:
                continue
            boxes, tracks = _at_keyframes(video.boxes, every), {}
            moments += len({box.time for box in boxes})
            for box in boxes:
                person = '' if box.track is None else f',{tracks.setdefault(box.track, len(tracks))}'
                corners = ','.join(f'{edge:.5f}' for edge in box.corners)
                rows.append(f'{video.video_id},{box.time:.4f},{corners},{number_of[box.label]}{person}\n')
        write_text(out / f'{part}.csv', ''.join(rows))
        counts[part] = f'{part}.csv: {moments} keyframes, {len(rows)} boxes'
    items = (f'item {{\n  name: "{action}"\n  id: {number}\n}}\n' for action, number in number_of.items())
    write_text(out / 'actions.pbtxt', ''.join(items))
    return [f'{out}: {len(actions)} actions', *counts.values()]


def _write_classes(out, labels):
    classes = sorted(set(labels))
    write_text(out / CLASSES_FILE, ''.join(f'{name}\n' for name in classes))
    return classes


def _frame_labels(video, fps, background):
    if video.duration is None:
        raise ValueError(f'the duration of {video.file}, whose frames are labelled, is unknown: give --videos')
    count = max(round(video.duration * fps), 1)
    if count > MAX_LABELS:
        raise ValueError(f'{video.file} would have {count:,} labels: choose a lower rate')
    for one, other in pairwise(video.segments):
        if one.end - other.start > 1 / fps:
            raise ValueError(
                f'{video.file}: {one.label!r} ends at {one.end:.3f} s, after {other.label!r} begins at '
                f'{other.start:.3f} s, but a frame has one label: choose one tier or attribute (--label-from), or '
                'correct the annotations'
            )
    labels = [background] * count
    for segment in video.segments:
        # A frame belongs to the action at its centre.
        first, end = (min(max(math.ceil(time * fps - 0.5), 0), count) for time in (segment.start, segment.end))
        labels[first:end] = [segment.label] * (end - first)
    return labels


def _at_keyframes(boxes, every):
    if every is None or not boxes:
        return boxes
    nearest = {}
    for time in sorted({box.time for box in boxes}):
        mark = round(time / every)
        if abs(time - mark * every) < abs(nearest.get(mark, math.inf) - mark * every):
            nearest[mark] = time
    kept = set(nearest.values())
    return [box for box in boxes if box.time in kept]
