"""AVA's files: boxes with actions (csv), excluded time stamps (csv), names of the actions (pbtxt)."""

import re
import sys
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np

from twlv_mm.records import checks, numbered_lines, read_text

# Time stamps are compared in milliseconds, as seconds with decimals have no exact float.
MILLISECONDS = 1000
COLUMNS = 'time stamp', 'x1', 'y1', 'x2', 'y2', 'action', 'person'  # after the video
CHUNK = 20_000  # lines
MAX_NAMES_BYTES = 10_000_000
NAME = r'\bname:\s*"(.*?)"'
PLAIN = re.compile(r'[0-9.eE+ -]*')  # without the _ and non-ASCII digits that Python accepts
SCORE = 'score'  # replaces the person in predictions
LIMITS = {'time stamp': (0, checks.MAX_SECONDS), 'action': (-1, 2**31 - 1), 'person': (-1, 2**31 - 1), SCORE: (0, 1)}


class AVABoxes(NamedTuple):
    """Rows of a csv, in order; a person with several actions has several rows."""

    videos: list[str]  # R video ids
    timestamps: np.ndarray  # (R,) float64 seconds of the film
    boxes: np.ndarray  # (R, 4) float32 x1, y1, x2, y2 normalised to [0, 1]
    actions: np.ndarray  # (R,) int64 ids of actions; -1 where the row has none
    persons: np.ndarray  # (R,) int64 ids of persons within a video; -1 where the row has none


def image_key(video_id, timestamp):
    """The key of a keyframe: video id and milliseconds of the film."""
    return video_id, round(float(timestamp) * MILLISECONDS)


def read_ava_csv(path):
    """Read boxes: rows of video, time stamp, x1, y1, x2, y2, action and perhaps person.

    Empty lines are skipped. A row without values after the time stamp is a keyframe without labels: its box is NaN, its
    action -1. An action or person of -1 is equivalent to an empty cell. A ValueError names the line of an invalid row.
    """
    rows, persons = _read_rows(path, COLUMNS)
    if not rows.videos:
        raise ValueError(f'{path} has no rows: AVA has a line for each action of each person at each keyframe')
    return rows._replace(persons=np.where(np.isnan(persons), -1, persons).astype(np.int64))


def read_ava_predictions(path):
    """Read predictions of a test: rows of video, time stamp, x1, y1, x2, y2, action and score.

    Returns:
        tuple[AVABoxes, ndarray]: the rows, without persons, and (R,) float64 scores from 0 to 1; R may be 0.
    """
    rows, scores = _read_rows(path, (*COLUMNS[:-1], SCORE))
    if np.isnan(scores).any():
        raise ValueError(f'{path} has rows without a {SCORE}: give a predictions.csv that a test has written')
    return rows, scores


def read_excluded(path):
    """Read the keyframes that do not count, rows of video and time stamp, as a set of :func:`image_key`."""
    excluded = set()
    for lines, (names, column) in _chunks(path, 'excluded time stamps', (2,)):
        _check_names(path, lines, names)
        if '' in column:
            raise ValueError(f'{path} has no time stamp in line {lines[column.index("")]}')
        excluded.update(map(image_key, names, _numbers(path, lines, COLUMNS[0], column)))
    return excluded


def read_action_names(path):
    """Read a label map: id -> name of the actions that count, ids ascending.

    A .pbtxt file has items with a name and an id (AVA's lists of 80 and of 60 actions have ``id`` and ``label_id``).
    """
    text = read_text(_existing(path, 'names of the actions'), max_bytes=MAX_NAMES_BYTES)
    # An item may be on one line. Names are removed first, as one may contain what looks like an id.
    names = re.findall(NAME, text)
    numbers = re.findall(r'\b(?:label_)?id:\s*([^\s{}]+)', re.sub(NAME, '', text))
    ids = [checks.count_in(number, f'{path}, an id of an action') for number in numbers]
    for name in names:
        checks.name(name, f'{path}, the name of an action')
    if not ids or len(ids) != len(names):
        raise ValueError(
            f'{path} has {len(ids)} ids and {len(names)} names of actions: give each an item as in\n'
            'item {\n  name: "stand"\n  id: 12\n}'
        )
    if min(ids) < 1 or len(set(ids)) < len(ids):
        raise ValueError(f'{path} has the ids {sorted(ids)}: they must differ and start at 1 or above')
    return dict(sorted(zip(ids, names, strict=True)))


def _existing(path, what):
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f'file of {what} {path} does not exist')
    return path


def _read_rows(path, columns):
    """AVABoxes without persons, and the numbers of the last column: (R,) float64."""
    videos, parts = [], [np.zeros((len(columns), 0))]
    for lines, (names, *cells) in _chunks(path, 'annotations', (2, 6, 7, 8)):
        # The same few ids are repeated: keep one string of each.
        videos += map(sys.intern, names)
        _check_names(path, lines, names)
        parts.append([_numbers(path, lines, *column) for column in zip(columns, cells, strict=True)])
        _check_rows(path, lines, columns[-1], *parts[-1])
    timestamps, *corners, actions, last = (np.concatenate(column) for column in zip(*parts, strict=True))
    boxes = np.stack(corners, axis=1).astype(np.float32)
    actions = np.where(np.isnan(actions), -1, actions).astype(np.int64)
    return AVABoxes(videos, timestamps, boxes, actions, np.full(len(videos), -1)), last


def _chunks(path, what, widths):
    """Numbers of the non-empty lines, and their columns, some lines at a time; short lines are padded with empty cells.

    These files have no quotes, and the csv module takes ten times as long.
    """
    numbered = numbered_lines(_existing(path, what))
    while chunk := list(islice(numbered, CHUNK)):
        numbers, lines = zip(*chunk, strict=True)
        found = [line.count(',') + 1 for line in lines]
        if not set(found) <= set(widths):
            place = next(place for place, width in enumerate(found) if width not in widths)
            raise ValueError(
                f'{path} has {found[place]} columns in line {numbers[place]}; {what} have '
                f'{" or ".join(map(str, widths))}'
            )
        width = widths[-1]
        cells = ','.join(map(str.__add__, lines, [',' * (width - count) for count in found])).split(',')
        yield numbers, [cells[column::width] for column in range(width)]


def _check_names(path, lines, names):
    for name, line in dict(zip(names, lines, strict=True)).items():
        checks.name(name, f'{path}, line {line}, the video')


def _numbers(path, lines, name, column):
    """(R,) float64, NaN for empty cells."""
    least, most = LIMITS.get(name, (-checks.MAX_NUMBER, checks.MAX_NUMBER))
    if PLAIN.fullmatch(''.join(column)):
        with suppress(ValueError):
            numbers = np.array([cell or 'nan' for cell in column] if '' in column else column, dtype=np.float64)
            if ((numbers >= least) & (numbers <= most)).sum() == len(column) - column.count(''):
                return numbers
    for cell, line in zip(column, lines, strict=True):
        if cell:
            checks.number_in(cell, f'{path}, line {line}, the {name}', least=least, most=most)
    raise ValueError(f'{path}, lines {lines[0]} to {lines[-1]}: the {name} is not a number everywhere')


def _check_rows(path, lines, last, timestamps, x1, y1, x2, y2, actions, numbers):
    edges = 4 - np.isnan([x1, y1, x2, y2]).sum(axis=0)
    for wrong, what in (
        (np.isnan(timestamps), 'no time stamp'),
        ((edges > 0) & (edges < 4), 'a part of a box'),
        ((edges == 0) & (actions >= 0), 'an action without a box'),
        (actions % 1 > 0, 'an action that is not a whole number'),
        ((last != SCORE) & (numbers % 1 > 0), f'a {last} that is not a whole number'),
    ):
        if wrong.any():
            raise ValueError(f'{path} has {what} in line {lines[int(wrong.argmax())]}')
