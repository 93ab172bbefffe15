"""Lists of videos with their classes, in the forms in which they are handed around."""

import re
from pathlib import PurePath
from typing import NamedTuple

from .checks import count_in, name, shown, time_in
from .reading import read_lines, read_rows

CLASSES = re.compile(r'(.*?\S)((?:\s+-?[0-9]+)*)')
# Times have a decimal point, which tells them from classes.
SEGMENT = re.compile(r'(.*\S)\s+([0-9]+\.[0-9]+)\s+([0-9]+\.[0-9]+)((?:\s+-?[0-9]+)?)')
ANY_SEGMENT = re.compile(r'(.*\S)\s+(\S+)\s+(\S+)\s+(-?[0-9]+)')
WITH_COMMA = re.compile(r'.*,\s*"?-?[0-9]+"?')
USUAL_FILE, USUAL_LABEL = re.compile(r'[\w./+-]+', re.ASCII), re.compile(r'[0-9]{1,6}')
FILE_COLUMNS = ('path', 'file', 'filename', 'file_name', 'name', 'video', 'video_path', 'video_name')
CLASS_COLUMNS = ('label', 'class', 'class_id', 'label_id', 'target')


class ListedVideo(NamedTuple):
    """A line of a list.

    Attributes:
        line (int): Its number, from 1.
        file (str): As the list names it.
        classes (tuple[int, ...]): None, one or several, from 0.
        segment (tuple[float, float] | None): Start and end in seconds; the whole file if None.
    """

    line: int
    file: str
    classes: tuple
    segment: tuple | None = None


def read_video_list(path, segments=None):
    """Read a list of videos, whose names may hold spaces.

    Its lines are ``file``, ``file class ...`` or ``file start end class`` (mmaction2's lists and V-JEPA's .csv), or
    ``file,class`` in the whole list, with or without names of columns in the first line.

    Args:
        path (str | Path): A text file in UTF-8.
        segments (bool, optional): Whether lines have a start and an end, in seconds. If None, they do where both have a
            decimal point.

    Returns:
        list[ListedVideo]: one a line that is not blank.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if a line has another form; the message has its number.
    """
    lines = read_lines(path)
    first = next(iter(lines.values()), '')
    if WITH_COMMA.fullmatch(first) or _is_header(first):
        return _with_commas(path, segments)
    return [_parse(text, path, number, segments) for number, text in lines.items()]


def list_line(file, label, segment=None):
    """Write what :func:`read_video_list` reads back.

    Args:
        file (str): As the list is to name it.
        label (int): Class, from 0.
        segment (tuple[float, float], optional): Start and end in seconds, which are rounded to thousandths.

    Returns:
        str: a line without its end.

    Raises:
        ValueError: if the reader would read something else, because of spaces or numbers in the name say.
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
        return ListedVideo(number, fields[0], (int(fields[1]),))  # nearly all of millions of lines; quicker
    where = f'{path}, line {number}'
    form = ANY_SEGMENT if segments else SEGMENT
    if found := form.fullmatch(text):
        if segments is False:
            raise ValueError(f'{where}: {shown(text)} is a segment, and whole files are expected: use SegmentDataset')
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
            f'{where}: {shown(text)} has several numbers behind a name without an ending: lists of folders of frames '
            'are not read, and the name of a file needs its ending'
        )
    unlabelled = not numbers and any(char.isspace() for char in PurePath(file).suffix)
    if unlabelled or (',' in file and WITH_COMMA.fullmatch(file)):
        raise ValueError(f"{where}: {shown(text)} is not of the form 'file label'")
    return ListedVideo(number, name(file, f'{where}, file'), _classes(labels, where))


def _segment(start, end, text, where):
    start, end = time_in(start, f'{where}, start'), time_in(end, f'{where}, end')
    if not start < end:
        raise ValueError(f'{where}: {shown(text)} has no segment: it has to end after it starts, in seconds')
    return start, end


def _classes(text, where):
    for label in text.split():
        if label.startswith('-'):
            raise ValueError(f'{where}: label {label} is negative; classes count from 0')
    return tuple(count_in(label, f'{where}, label') for label in text.split())
