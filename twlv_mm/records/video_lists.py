"""Video lists with classes, in the common text formats."""

import re
from pathlib import PurePath
from typing import NamedTuple

from .checks import count_in, name, shown, time_in
from .reading import read_lines, read_rows

CLASSES = re.compile(r'(.*?\S)((?:\s+-?[0-9]+)*)')
# The decimal point distinguishes times from classes.
SEGMENT = re.compile(r'(.*\S)\s+([0-9]+\.[0-9]+)\s+([0-9]+\.[0-9]+)((?:\s+-?[0-9]+)?)')
ANY_SEGMENT = re.compile(r'(.*\S)\s+(\S+)\s+(\S+)\s+(-?[0-9]+)')
WITH_COMMA = re.compile(r'.*,\s*"?-?[0-9]+"?')
USUAL_FILE, USUAL_LABEL = re.compile(r'[\w./+-]+', re.ASCII), re.compile(r'[0-9]{1,6}')
FILE_COLUMNS = ('path', 'file', 'filename', 'file_name', 'name', 'video', 'video_path', 'video_name')
CLASS_COLUMNS = ('label', 'class', 'class_id', 'label_id', 'target')


class ListedVideo(NamedTuple):
    """A line of a list."""

    line: int  # its number, from 1
    file: str  # as listed
    classes: tuple  # any number, from 0
    segment: tuple[float, float] | None = None  # start and end in seconds; the whole file if None


def read_video_list(path, segments=None):
    """Read a list of videos; file names may contain spaces.

    Lines are ``file``, ``file class ...`` or ``file start end class`` (mmaction2's lists and V-JEPA's .csv); or the
    whole list is ``file,class``, with or without a header.

    Args:
        path (str | Path): A UTF-8 text file.
        segments (bool, optional): Whether lines have start and end in seconds. If None, they do if both have a decimal
            point.

    Returns:
        list[ListedVideo]: one per line that is not blank.
    """
    lines = read_lines(path)
    first = next(iter(lines.values()), '')
    if WITH_COMMA.fullmatch(first) or _is_header(first):
        return _with_commas(path, segments)
    videos = [_parse(text, path, number, segments) for number, text in lines.items()]
    unclear = next((video.line for video in videos if len(video.classes) > 1 and video.segment is None), None)
    if unclear is not None and any(video.segment for video in videos):
        raise ValueError(
            f'{path}, line {unclear}: {shown(lines[unclear])} has numbers without a decimal point in a list of '
            'segments: write the times of every segment with one, such as 2.0'
        )
    return videos


def list_line(file, label, segment=None):
    """A line that :func:`read_video_list` reads back.

    Args:
        file (str): As it is to be listed.
        label (int): Class, from 0.
        segment (tuple[float, float], optional): Start and end in seconds, rounded to milliseconds.

    Returns:
        str: the line, without line end.
    """
    times = ''.join(f'{time:.3f} ' for time in segment or ())
    line = f'{file} {times}{label}'
    if line != line.strip() or _is_header(line):
        raise ValueError(f'{shown(file)} cannot stand in a list of videos: rename it')
    try:
        read = _parse(line, 'the list', 1, segment is not None)
    except ValueError as error:
        raise ValueError(f'{shown(file)} cannot stand in a list of videos: rename it ({error})') from None
    if (read.file, read.classes) != (file, (label,)) or WITH_COMMA.fullmatch(line):
        raise ValueError(f'{shown(file)} cannot stand in a list of videos: rename it')
    return line


def _is_header(text):
    names = [column.strip(' "').lower() for column in text.split(',')]
    return len(names) == 2 and names[0] in FILE_COLUMNS and names[1] in CLASS_COLUMNS


def _with_commas(path, segments):
    videos, rows = [], read_rows(path)
    for position, (number, row) in enumerate(rows.items()):
        if position == 0 and _is_header(','.join(row)):
            continue
        where = f'{path}, line {number}'
        cells = [cell.strip() for cell in row]
        if not any(cells):
            continue
        if len(cells) != 2 or not cells[0] or not re.fullmatch('-?[0-9]+', cells[1]) or segments:
            form = 'file start end label' if segments else 'file,label'
            raise ValueError(f'{where}: {shown(",".join(row))} is not of the form {form!r}')
        videos.append(ListedVideo(number, name(cells[0], f'{where}, file'), _classes(cells[1], where)))
    return videos


def _parse(text, path, number, segments):
    fields = text.split(' ')
    if len(fields) == 2 and USUAL_LABEL.fullmatch(fields[1]) and USUAL_FILE.fullmatch(fields[0]) and not segments:
        return ListedVideo(number, fields[0], (int(fields[1]),))  # fast path for nearly all of millions of lines
    where = f'{path}, line {number}'
    form = ANY_SEGMENT if segments else SEGMENT
    if found := form.fullmatch(text):
        if segments is False:
            raise ValueError(f'{where}: {shown(text)} is a segment, but whole files are expected: use SegmentDataset')
        file, start, end, label = found.groups()
        return ListedVideo(
            number, name(file, f'{where}, file'), _classes(label, where), _segment(start, end, text, where)
        )
    if segments:
        raise ValueError(f"{where}: {shown(text)} is not of the form 'file start end label'")
    file, labels = CLASSES.fullmatch(text).groups()
    numbers = labels.split()
    if len(numbers) > 1 and not PurePath(file).suffix:
        raise ValueError(
            f'{where}: {shown(text)} has several numbers after a name without extension: lists of frame folders are '
            'not supported, and file names need their extension'
        )
    unlabelled = not numbers and any(char.isspace() for char in PurePath(file).suffix)
    if unlabelled or (',' in file and WITH_COMMA.fullmatch(file)):
        raise ValueError(f"{where}: {shown(text)} is not of the form 'file label'")
    return ListedVideo(number, name(file, f'{where}, file'), _classes(labels, where))


def _segment(start, end, text, where):
    start, end = time_in(start, f'{where}, start'), time_in(end, f'{where}, end')
    if not start < end:
        raise ValueError(f'{where}: {shown(text)} has no valid segment: it must end after it starts, in seconds')
    return start, end


def _classes(text, where):
    for label in text.split():
        if label.startswith('-'):
            raise ValueError(f'{where}: label {label} is negative; classes count from 0')
    return tuple(count_in(label, f'{where}, label') for label in text.split())
