"""Read annotation files of any supported tool, and split the videos for training."""

import re
from collections import Counter
from pathlib import Path

from .. import checks
from ..reading import parsing, read_json
from ..splits import split_groups
from .cvat import read_cvat
from .elan import read_elan
from .label_studio import read_label_studio
from .predictions import read_prediction
from .table import read_annotation_table
from .via import read_via

ENDINGS = ('.eaf', '.xml', '.json', '.csv')
# Other files in annotation folders that this project writes.
PASSED_OVER = ('summary.csv', 'conversion.json', 'classes.txt')


def read_annotation_files(sources, context):
    """Read files of ELAN, CVAT, Label Studio, VIA, csv and tools/infer.py, recognised by their content.

    Args:
        sources (Iterable[str | Path]): Files, or folders of them.
        context (Import): Media and options; collects notes.

    Returns:
        list[VideoAnnotations]: sorted by id, each video once.
    """
    videos = {}
    for path in _files(sources):
        with parsing(path):
            found = _read(path, context)
        for video in found:
            if video.video_id not in videos:
                videos[video.video_id] = video
                continue
            context.note('the annotations of a video are merged from several places', f'{path}, {video.file}')
            first = videos[video.video_id]
            for name in ('segments', 'boxes', 'lifetimes'):
                getattr(first, name).extend(getattr(video, name))
            first.segments.sort(key=lambda one: (one.start, one.end))
            first.boxes.sort(key=lambda one: one.time)
    return [videos[video_id] for video_id in sorted(videos)]


def take_lifetimes(videos, context):
    """Use the lifetimes of box tracks as segments if there are no other segments."""
    if any(video.segments for video in videos):
        return
    for video in videos:
        video.segments = sorted(video.lifetimes, key=lambda one: (one.start, one.end))
        for segment in video.segments:
            context.note('the lifetime of a box track is used as a segment', f'{video.file}, {segment.label!r}')


def split_videos(videos, share=0.8, folds=None, group=None, seed=0):
    """Split videos so that every label has its share in each part.

    Args:
        videos (list[VideoAnnotations]): At least two.
        share (float): Share of the training part.
        folds (int, optional): Folds of a cross-validation instead.
        group (str, optional): Regular expression for the recording in a file name; a recording stays on one side.
        seed (int): Random seed.

    Returns:
        list[dict[str, str]]: for each fold (or once): video id -> 'train' or 'val'.
    """
    if folds is None and not 0 < share < 1:
        raise ValueError(f'the share of train is {share}; it must be between 0 and 1')
    if folds is not None and folds < 2:
        raise ValueError(f'folds is {folds}; it must be 2 or more')
    group_of, counts = {}, {}
    for video in videos:
        name = video.file
        if group is not None:
            match = re.search(group, name)
            name = match and (match[1] if match.re.groups else match[0])
            if not name:
                raise ValueError(f'{video.file} does not match the regular expression {group}')
        group_of[video.video_id] = name
        labels = Counter(one.label for one in [*video.segments, *video.boxes]) or Counter({'': 1})
        counts.setdefault(name, Counter()).update(labels)
    if len(counts) < (folds or 2):
        raise ValueError(f'{len(counts)} videos or groups cannot be divided into {folds or 2} parts')
    shares = [share, 1 - share] if folds is None else [1 / folds] * folds
    part_of = split_groups(counts, shares, seed)
    if folds is None:
        return [{video_id: ('train', 'val')[part_of[name]] for video_id, name in group_of.items()}]
    return [
        {video_id: 'val' if part_of[name] == fold else 'train' for video_id, name in group_of.items()}
        for fold in range(folds)
    ]


def _files(sources):
    for source in map(Path, sources):
        if source.is_dir():
            found = sorted(
                path for path in source.rglob('*') if path.suffix.lower() in ENDINGS and path.name not in PASSED_OVER
            )
            if not found:
                raise FileNotFoundError(f'{source} has no file with the extension {", ".join(ENDINGS)}')
            yield from found
        elif source.is_file():
            yield source
        else:
            raise FileNotFoundError(f'file or folder {source} does not exist')


def _read(path, context):
    suffix = path.suffix.lower()
    if suffix == '.eaf':
        return read_elan(path, context)
    if suffix == '.xml':
        return read_cvat(path, context)
    if suffix == '.csv':
        return read_annotation_table(path, context)
    if suffix != '.json':
        raise ValueError(f'{path} has none of the extensions {", ".join(ENDINGS)}')
    content = read_json(path)
    if isinstance(content, list):
        return read_label_studio(path, content, context)
    if {'view', 'metadata', 'attribute'} <= checks.instance(content, dict, path).keys():
        return read_via(path, content, context)
    if 'duration_seconds' in content:
        return read_prediction(path, content, context)
    raise ValueError(
        f'{path} is neither from Label Studio (a list of tasks) nor from VIA (with view, metadata and attribute) nor '
        'from tools/infer.py (with duration_seconds)'
    )
