"""Annotations in the formats that this project trains on: of localization, segmentation and detection."""

import math
from itertools import pairwise

from ..class_names import CLASSES_FILE
from ..files import write_json, write_text

BACKGROUND = 'background'
MAX_LABELS = 50_000_000  # of all videos


def write_localization(videos, parts, out):
    """Write ``annotations.json`` in ActivityNet's form, and classes.txt.

    Args:
        videos (list[VideoAnnotations]): With segments.
        parts (dict[str, str]): video id -> its subset.
        out (Path): Folder.

    Returns:
        list[str]: what to tell.
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
    """Write ``mapping.txt``, ``groundTruth/`` and ``splits/``, as of GTEA; frames without a label are background.

    Args:
        videos (list[VideoAnnotations]): With segments and a duration.
        folds (list[dict[str, str]]): Of each fold, video id -> 'train' or 'val', which is tested.
        out (Path): Folder.
        fps (float): Labels a second.
        background (str): Name of the class of frames without a label.

    Returns:
        list[str]: what to tell.

    Raises:
        ValueError: if the duration of a video is not known, or two segments are at the same time.
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
    return [f'{out}: {len(videos)} videos, {len(classes)} classes, {fps:g} labels a second, {len(folds)} folds']


def write_detection(videos, parts, out, every=None):
    """Write AVA's ``train.csv`` and ``val.csv``, and ``actions.pbtxt``.

    Args:
        videos (list[VideoAnnotations]): With boxes.
        parts (dict[str, str]): video id -> 'train' or 'val'.
        out (Path): Folder.
        every (float, optional): Seconds from one keyframe to the next: of the moments with boxes, the nearest to each
            multiple is taken; all of them if None.

    Returns:
        list[str]: what to tell.

    Raises:
        ValueError: if a name has a comma or a quotation mark, which AVA's files have no way to write.
    """
    actions = sorted({box.label for video in videos for box in video.boxes})
    for name, wrong in [*((video.video_id, ',') for video in videos), *((action, '"') for action in actions)]:
        if wrong in name:
            raise ValueError(f"{name!r} has a {wrong}, which cannot be written in AVA's files: rename it")
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
        raise ValueError(f'nothing says how long {video.file} is, and it needs a label for every frame: give --videos')
    count = max(round(video.duration * fps), 1)
    if count > MAX_LABELS:
        raise ValueError(f'{video.file} would have {count:,} labels: give fewer a second')
    for one, other in pairwise(video.segments):
        if one.end - other.start > 1 / fps:
            raise ValueError(
                f'{video.file}: {one.label!r} goes on to {one.end:.3f} s, and {other.label!r} begins at '
                f'{other.start:.3f}: a frame has one label. Take one tier or attribute (--label-from), or correct it'
            )
    labels = [background] * count
    for segment in video.segments:
        # A frame is of the action that its middle is in.
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
