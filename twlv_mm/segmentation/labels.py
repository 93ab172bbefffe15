"""Labels of every frame, classes and folds, of 50Salads, GTEA and Breakfast, and of own data.

::

    data_root/mapping.txt                     "<label> <name>" per line
    data_root/groundTruth/<video_id>.txt      a class name per line, one for each frame
    data_root/splits/train.split1.bundle      "<video_id>.txt" per line; also test.split1.bundle and the other folds
"""

import re
from pathlib import Path

import numpy as np

from twlv_mm.records import checks, path_below, read_text, relative_name

SHOWN = 5  # names in a message
MAX_BYTES = 100_000_000  # the frames of a day
OTHER = {'train': 'test', 'test': 'train'}


def read_mapping(data_root):
    """Read the names of the C classes, by label, from mapping.txt."""
    path = Path(data_root, 'mapping.txt')
    names = {}
    for number, line in enumerate(_lines(path), 1):
        label, _, name = line.strip().partition(' ')
        name = name.strip()
        where = f'{path}, line {number}, which must be a label and a name as in "0 background"'
        label, name = checks.count_in(label, where), checks.name(name, where)
        if label in names or name in names.values():
            raise ValueError(f'{path}, line {number}: {line!r} repeats a label or a name of an earlier line')
        names[label] = name
    if sorted(names) != list(range(len(names))):
        raise ValueError(
            f'{path} has {len(names)} classes with labels from {min(names)} to {max(names)}: number them from 0 to '
            f'{len(names) - 1}'
        )
    return tuple(names[label] for label in range(len(names)))


def bundle_path(data_root, split, fold):
    return Path(data_root, 'splits', f'{split}.split{fold}.bundle')


def read_split(data_root, split, fold):
    """Read the ids of the videos in a split ('train' or 'test') of a fold, which the other split must not have."""
    if split not in OTHER:
        raise ValueError(f'unknown split {split!r}; choose from {", ".join(map(repr, OTHER))}')
    path = bundle_path(data_root, split, fold)
    if not path.is_file():
        folds = ', '.join(map(str, _list_folds(data_root, split))) or 'none'
        raise FileNotFoundError(f'{path} does not exist: set fold to an existing one ({split}: {folds})')
    video_ids = _read_bundle(path)
    other = bundle_path(data_root, OTHER[split], fold)
    both = sorted(set(video_ids) & set(_read_bundle(other))) if other.is_file() else []
    if both:
        raise ValueError(f'{path} and {other.name} share {shorten(both)}: leave them out of one of the two')
    return video_ids


def check_folds(data_root):
    """Check that the folds of a dataset make a cross-validation, in which no video is tested twice.

    Returns:
        tuple[list[int], list[str]]: numbers of the folds; notes for the log on videos with labels that no fold tests.
    """
    folds = _list_folds(data_root, '*')
    if not folds:
        raise FileNotFoundError(f'no fold in {data_root}: name a folder with splits/test.split1.bundle')
    tested = {}
    for fold in folds:
        for video_id in read_split(data_root, 'test', fold):
            if video_id in tested:
                raise ValueError(
                    f'{data_root}: {video_id} is tested in fold {tested[video_id]} and in fold {fold}, and would count '
                    'twice: leave it out of one of them'
                )
            tested[video_id] = fold
    labelled = {path.stem for path in Path(data_root, 'groundTruth').glob('*.txt')}
    untested = sorted(labelled - tested.keys())
    notes = [f'{data_root}: no fold tests {shorten(untested)}, which have labels.'] if untested else []
    return folds, notes


def check_label_files(data_root, video_ids):
    """Raise FileNotFoundError, with the missing ones listed, if videos have no label file."""
    missing = [video_id for video_id in video_ids if not _label_path(data_root, video_id).is_file()]
    if missing:
        raise FileNotFoundError(
            f'{Path(data_root, "groundTruth")} has no label file of {shorten(missing)}: add <video_id>.txt there, or '
            'remove them from the bundle'
        )


def read_labels(data_root, video_id, classes):
    """Read the labels of a video's F frames: (F,) int32, indices into ``classes``."""
    path = _label_path(data_root, video_id)
    lines = _lines(path)
    places = {name: place for place, name in enumerate(classes)}
    try:
        return np.fromiter(map(places.__getitem__, map(str.strip, lines)), np.int32, len(lines))
    except KeyError as error:
        number = next(number for number, line in enumerate(lines, 1) if line.strip() not in places)
        raise ValueError(
            f'{path}, line {number}: {error.args[0]!r} is not among the {len(places)} classes of mapping.txt: correct '
            'the line, or add the class'
        ) from None


def shorten(names):
    """The number of names and the first of them, for a message: '7 videos (a, b, c, d, e, …)'."""
    shown = ', '.join(names[:SHOWN]) + (', …' if len(names) > SHOWN else '')
    return f'{len(names)} videos ({shown})'


def _read_bundle(path):
    lines = [(number, line.strip().removesuffix('.txt')) for number, line in enumerate(_lines(path), 1)]
    first = {}
    for number, video_id in lines:
        if video_id in first:
            raise ValueError(f'{path}, line {number}: {video_id} is listed already in line {first[video_id]}')
        if video_id:
            relative_name(checks.name(video_id, f'{path}, line {number}'), f'{path}, line {number}')
            first[video_id] = number
    return list(first)


def _list_folds(data_root, split):
    names = (path.name for path in Path(data_root, 'splits').glob(f'{split}.split*.bundle'))
    return sorted({int(match[1]) for name in names if (match := re.search(r'\.split([0-9]{1,9})\.bundle$', name))})


def _label_path(data_root, video_id):
    return path_below(Path(data_root, 'groundTruth'), f'{video_id}.txt')


def _lines(path):
    """The lines of a text file without blank ones at its end; at least one."""
    if not path.exists():
        raise FileNotFoundError(f'{path} does not exist: set data_root to the folder of mapping.txt and groundTruth/')
    text = read_text(path, max_bytes=MAX_BYTES).rstrip()
    if not text:
        raise ValueError(f'{path} is empty: it must have at least one line')
    return text.split('\n')
