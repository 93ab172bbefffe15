"""Which action every frame shows: the label files, classes and folds of 50Salads, GTEA and Breakfast, and of own data.

::

    data_root/mapping.txt                     "<label> <name>" a line
    data_root/groundTruth/<video_id>.txt      a class name a line, one for each frame
    data_root/splits/train.split1.bundle      "<video_id>.txt" a line; so test.split1.bundle and the other folds
"""

import re
from pathlib import Path

import numpy as np

from twlv_mm.records import checks, path_below, read_text, relative_name

SHOWN = 5  # names that a message lists
MAX_BYTES = 100_000_000  # a day's frames
OTHER = {'train': 'test', 'test': 'train'}


def read_mapping(data_root):
    """Read the names of the classes.

    Args:
        data_root (str | Path): The data set.

    Returns:
        tuple[str]: C names; a place in it is the label.

    Raises:
        FileNotFoundError: if there is no mapping.txt.
        ValueError: if a line is not "<label> <name>", a label or name comes twice, or the labels are not 0 to C - 1.
    """
    path = Path(data_root, 'mapping.txt')
    names = {}
    for number, line in enumerate(_lines(path), 1):
        label, _, name = line.strip().partition(' ')
        name = name.strip()
        where = f'{path}, line {number}, which has to be a label and a name as in "0 background"'
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
    """File that lists the videos of a split of a fold: of 'train', fold 1, ``splits/train.split1.bundle``."""
    return Path(data_root, 'splits', f'{split}.split{fold}.bundle')


def read_split(data_root, split, fold):
    """Read which videos a split of a fold has.

    Args:
        data_root (str | Path): The data set.
        split (str): 'train' or 'test'.
        fold (int): Number of the fold.

    Returns:
        list[str]: The video ids, as listed.

    Raises:
        FileNotFoundError: if there is no such fold.
        ValueError: if there is no such split, the list is empty, a video comes twice in it, or the fold has a video in
            both splits.
    """
    if split not in OTHER:
        raise ValueError(f'there is no split {split!r}; there are {" and ".join(map(repr, OTHER))}')
    path = bundle_path(data_root, split, fold)
    if not path.is_file():
        folds = ', '.join(map(str, _list_folds(data_root, split))) or 'none'
        raise FileNotFoundError(f'there is no {path}: set fold to one that is there ({split}: {folds})')
    video_ids = _read_bundle(path)
    other = bundle_path(data_root, OTHER[split], fold)
    both = sorted(set(video_ids) & set(_read_bundle(other))) if other.is_file() else []
    if both:
        raise ValueError(f'{path} and {other.name} share {shorten(both)}: leave them out of one of the two')
    return video_ids


def check_folds(data_root):
    """Check that the folds of a data set make one cross-validation.

    Args:
        data_root (str | Path): The data set.

    Returns:
        tuple[list[int], list[str]]: numbers of the folds; what is odd about them, a sentence each, for the log: videos
        with labels that no fold tests.

    Raises:
        FileNotFoundError: if there is no fold, or one lacks its list of the test.
        ValueError: if a video is tested in two folds, or as for :func:`read_split`.
    """
    folds = _list_folds(data_root, '*')
    if not folds:
        raise FileNotFoundError(f'there is no fold in {data_root}: name a folder with splits/test.split1.bundle')
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
    """Check that videos have label files.

    Args:
        data_root (str | Path): The data set.
        video_ids (Iterable[str]): Its videos.

    Raises:
        FileNotFoundError: if some have none; the message lists them.
    """
    missing = [video_id for video_id in video_ids if not _label_path(data_root, video_id).is_file()]
    if missing:
        raise FileNotFoundError(
            f'{Path(data_root, "groundTruth")} has no label file of {shorten(missing)}: put <video_id>.txt there, or '
            'take them out of the bundle'
        )


def read_labels(data_root, video_id, classes):
    """Read the labels of a video's frames.

    Args:
        data_root (str | Path): The data set.
        video_id (str): Its video.
        classes (Sequence[str]): Names, from :func:`read_mapping`.

    Returns:
        ndarray: (F,) int32, places in ``classes``.

    Raises:
        FileNotFoundError: if the video has no label file.
        ValueError: if it has no labels, or a name that is not among the classes.
    """
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
    """How many there are and the first of them, for a message: '7 videos (a, b, c, d, e, …)'."""
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
    """The lines of a text file without the blank ones at its end; at least one."""
    if not path.exists():
        raise FileNotFoundError(f'there is no {path}: set data_root to the folder of mapping.txt and groundTruth/')
    text = read_text(path, max_bytes=MAX_BYTES).rstrip()
    if not text:
        raise ValueError(f'{path} is empty: it has to have a line at least')
    return text.split('\n')
