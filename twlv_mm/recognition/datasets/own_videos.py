"""Your own labelled videos: from one folder per class, or a table of files and labels."""

import os
from pathlib import Path
from typing import NamedTuple

from twlv_mm.records import checks, read_json, read_rows, read_table
from twlv_mm.records.video_lists import CLASS_COLUMNS, FILE_COLUMNS
from twlv_mm.video import is_video, walk_files

# Names of parts, of folders above the classes or in a column of the table.
SPLITS = {'train': 'train', 'training': 'train', 'val': 'val', 'valid': 'val', 'validation': 'val', 'test': 'test'}
SPLITS |= {'testing': 'test'}
LABEL_COLUMNS = (*CLASS_COLUMNS, 'label_name', 'class_name', 'labels', 'category', 'action')
SPLIT_COLUMNS = ('split', 'subset')
TIME_COLUMNS = ('start', 'end')


class OwnVideo(NamedTuple):
    """A labelled video, or segment of one."""

    file: str  # path below the folder of the videos
    label: str  # class name
    columns: dict[str, str]  # all columns of its row in the table
    split: str | None = None  # 'train', 'val' or 'test', if the set is already split
    segment: tuple[float, float] | None = None  # start and end in seconds; the whole file if None


class Collected(NamedTuple):
    """Result of a search."""

    videos: list  # sorted
    left_out: list[tuple[str, str]]  # files left out, with the reason


def videos_of_folders(folder):
    """Find the videos in one folder per class, optionally below folders named train, val and test."""
    folder = Path(folder)
    above = {path.name for path in folder.iterdir() if path.is_dir() and not path.name.startswith('.')}
    parts = {SPLITS[name.lower()] for name in above if name.lower() in SPLITS}
    is_split = bool(above) and {name.lower() for name in above} <= SPLITS.keys()
    if len(parts) > 1 and not is_split:  # a single one may be a class, such as the vehicle 'train'
        others = sorted(name for name in above if name.lower() not in SPLITS)
        raise ValueError(
            f'{folder} has folders of a split ({", ".join(sorted(parts))}) beside others such as {others[0]!r}: remove '
            'those, or give the folder of the classes'
        )
    videos, left_out = [], []
    for path in walk_files(folder):
        file = os.path.relpath(path, folder)
        parts = file.split(os.sep)
        if not is_video(path):
            left_out.append((file, 'not a video by its extension'))
        elif len(parts) < 2 + is_split:
            left_out.append((file, 'not in the folder of a class'))
        elif reason := _fault(path, file):
            left_out.append((file, reason))
        else:
            split = SPLITS[parts[0].lower()] if is_split else None
            videos.append(OwnVideo(file, parts[is_split].strip(), {}, split))
    return Collected(sorted(videos, key=_order), left_out)


def videos_of_table(path, folder):
    """Read files and labels from a csv or json.

    A csv without header has the columns file and label. A json is a list of objects with the csv's columns, or an
    object ``{file: label}``. Columns are the file ('path', 'file', 'video', …), the class ('label', 'class', …) and,
    optionally, 'start' and 'end' in seconds, and 'split'; others can serve as groups.

    Args:
        path (str | Path): The table.
        folder (str | Path): Folder of the videos. Names may lack extension or parent folders.

    Returns:
        Collected: the videos, and those that were not found.
    """
    path = Path(path)
    rows = _json_rows(path) if path.suffix.lower() == '.json' else _csv_rows(path)
    files, videos, left_out, first = _index(folder), [], [], {}
    for where, row in rows.items():
        name = checks.name(_pick(row, FILE_COLUMNS), f'{where}, the name of the file').strip()
        label = checks.name(_pick(row, LABEL_COLUMNS), f'{where}, the label').strip()
        below = os.path.relpath(name, folder) if os.path.isabs(name) else os.path.normpath(name)
        found = files.get(below, [])
        if len(found) > 1:
            raise ValueError(f'{where}: {name!r} matches {" and ".join(found[:2])} in {folder}: add its folder')
        reason = _fault(Path(folder, found[0]), found[0]) if found else f'not in {folder}'
        if reason:
            left_out.append((name, reason))
            continue
        segment = _segment(row, where)
        same = found[0], segment
        if same in first:
            if first[same] != label:
                raise ValueError(f'{where}: {name!r} is {label!r} here but {first[same]!r} above: keep one of the two')
            left_out.append((name, 'listed twice'))
            continue
        first[same] = label
        videos.append(OwnVideo(found[0], label, row, _split(row, where), segment))
    if len({video.segment is None for video in videos}) > 1:
        raise ValueError(f'{path} has rows with and without start and end: give times for all rows or none')
    if len({video.split is None for video in videos}) > 1:
        raise ValueError(f'{path} has rows with and without a split: give one for all rows or none')
    return Collected(sorted(videos, key=_order), left_out)


def class_order(videos):
    """Class names in the order of their numbers: numeric if all are numbers, else alphabetical."""
    names = {video.label for video in videos}
    if all(name.isdecimal() for name in names):
        return sorted(names, key=int)
    return sorted(names)


def unused_columns(row):
    """The columns of a table's row that :func:`videos_of_table` does not read."""
    read = {
        next((name for name in names if name in row), None) for names in (FILE_COLUMNS, LABEL_COLUMNS, SPLIT_COLUMNS)
    }
    return [name for name in row if name not in read | {*TIME_COLUMNS}]


def _order(video):
    return video.file, video.segment or ()


def _fault(path, file):
    """Why a file cannot be a sample; None if it can."""
    try:
        checks.name(file, 'name')
    except ValueError:
        return 'its name has control characters or is not UTF-8: rename it'
    try:
        return None if os.path.getsize(path) else 'empty'
    except OSError:
        return 'a broken link'


def _csv_rows(path):
    """'file, line 3' -> dict of column -> cell."""
    first = next(iter(read_rows(path).values()), [])
    if any(cell.strip().lower() in FILE_COLUMNS for cell in first):
        return {f'{path}, line {line}': _lower(row) for line, row in read_table(path).items()}
    rows = {}
    for line, row in read_rows(path).items():
        if len(row) != 2:
            raise ValueError(
                f'{path}, line {line}: {len(row)} cells; without a header such as "file,label", rows must have two '
                'cells, file and label'
            )
        rows[f'{path}, line {line}'] = dict(zip(('file', 'label'), row, strict=True))
    return rows


def _json_rows(path):
    content = read_json(path)
    if isinstance(content, dict):
        content = [dict(file=file, label=label) for file, label in content.items()]
    rows = {}
    for number, entry in enumerate(checks.instance(content, list, path), 1):
        where = f'{path}, entry {number}'
        cells = {name: value for name, value in checks.instance(entry, dict, where).items() if value is not None}
        for name, value in cells.items():
            if isinstance(value, bool | list | dict):
                raise ValueError(f'{where}, {name}: {checks.shown(value)} is neither text nor a number')
        rows[where] = _lower({name: str(value) for name, value in cells.items()})
    return rows


def _lower(row):
    return {name.strip().lower(): cell for name, cell in row.items()}


def _pick(row, names):
    return next((row[name] for name in names if name in row), None)


def _segment(row, where):
    times = [(row.get(name) or '').strip() for name in TIME_COLUMNS]
    if not any(times):
        return None
    start, end = (checks.time_in(text, f'{where}, {name}') for text, name in zip(times, TIME_COLUMNS, strict=True))
    if round(end, 3) <= round(start, 3):
        raise ValueError(f'{where}: the segment from {start:g} to {end:g} s does not end after it starts')
    return start, end


def _split(row, where):
    text = (_pick(row, SPLIT_COLUMNS) or '').strip().lower()
    if text and text not in SPLITS:
        raise ValueError(f'{where}: unknown split {checks.shown(text)}; choose from train, val and test')
    return SPLITS.get(text)


def _index(folder):
    """Names that a table may use for a file -> paths below the folder."""
    index, exact = {}, {}
    for path in filter(is_video, walk_files(folder)):
        file = os.path.relpath(path, folder)
        exact[file] = [file]
        base = os.path.basename(file)
        for name in {os.path.splitext(file)[0], base, os.path.splitext(base)[0]}:
            index.setdefault(name, []).append(file)
    return index | exact
