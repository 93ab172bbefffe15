"""List files of labelled videos, segments or images, and whether their files are there."""

import os
from typing import NamedTuple

from twlv_mm.records import list_line, read_video_list, writing


class Sample(NamedTuple):
    """One labelled example.

    Attributes:
        file (str): A path, relative to the folder of the files.
        label (int): Class index, from 0.
        segment (tuple[float, float], optional): Start and end in seconds; the whole file if None.
    """

    file: str
    label: int
    segment: tuple[float, float] | None = None


def read_list(path, segments=False):
    """Read a list for training or a test: as :func:`twlv_mm.records.read_video_list`, with one label each.

    Args:
        path (str): A text file.
        segments (bool): Whether the lines have start and end, in seconds.

    Returns:
        list[Sample]: at least one.
    """
    if not os.path.isfile(path):
        raise FileNotFoundError(f'there is no list {path}; tools/data/*/prepare.py write them')
    samples = []
    for line, file, labels, segment in read_video_list(path, segments):
        if len(labels) != 1:
            raise ValueError(
                f"{path}, line {line}: {file!r} is not of the form 'file label': it has {len(labels)} labels"
            )
        samples.append(Sample(file, labels[0], segment))
    if not samples:
        raise ValueError(f'{path} lists nothing: prepare it again, or give another ann_file')
    return samples


def write_list(path, samples):
    """Write what :func:`read_list` reads, times to a thousandth of a second; the file appears when it is complete.

    Args:
        path (str): Where to.
        samples (Iterable[Sample]): All with a segment, or none.
    """
    with writing(path, 'w') as file:
        for file_name, label, segment in samples:
            file.write(f'{list_line(file_name, label, segment)}\n')


def missing_files(paths):
    """Which files are not there. Each folder is listed once, so that 240,000 files take no 240,000 requests.

    Args:
        paths (Iterable[str]): Paths of files.

    Returns:
        list[str]: those without a file, each once, in order.
    """
    listings, missing = {}, {}
    for path in paths:
        folder, name = os.path.split(path)
        if folder not in listings:
            listings[folder] = set(os.listdir(folder or '.')) if os.path.isdir(folder or '.') else set()
        if name not in listings[folder]:
            missing[path] = None
    return list(missing)


def check_files(paths, source):
    """Raise an error if files are not there.

    Args:
        paths (Iterable[str]): Paths of files.
        source (str): What names them, for the error.
    """
    missing = missing_files(paths)
    if missing:
        first = ', '.join(missing[:3]) + (', ...' if len(missing) > 3 else '')
        raise FileNotFoundError(
            f'{len(missing)} of the files that {source} lists are not there: {first}. Set data_prefix to their folder, '
            'or prepare the list again: it then has the files that are there'
        )
