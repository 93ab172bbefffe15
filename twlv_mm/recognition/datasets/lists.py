"""List files of labelled videos, segments or images, and checks that their files exist."""

import os
from typing import NamedTuple

from twlv_mm.records import list_line, read_video_list, writing


class Sample(NamedTuple):
    """One labelled example."""

    file: str  # path relative to the folder of the files
    label: int  # class index, from 0
    segment: tuple[float, float] | None = None  # start and end in seconds; the whole file if None


def read_list(path, segments=False):
    """Read a list for training or testing, with one label per line; see :func:`twlv_mm.records.read_video_list`.

    Returns:
        list[Sample]: at least one, with a segment if ``segments``.
    """
    if not os.path.isfile(path):
        raise FileNotFoundError(f'list {path} does not exist; tools/data/*/prepare.py writes such lists')
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
    """Write samples, all with a segment or none, for :func:`read_list`; times are rounded to milliseconds."""
    with writing(path, 'w') as file:
        for file_name, label, segment in samples:
            file.write(f'{list_line(file_name, label, segment)}\n')


def missing_files(paths):
    """Paths without a file, each once and in order; folders are listed once rather than asked for each file."""
    listings, missing = {}, {}
    for path in paths:
        folder, name = os.path.split(path)
        if folder not in listings:
            listings[folder] = set(os.listdir(folder or '.')) if os.path.isdir(folder or '.') else set()
        if name not in listings[folder]:
            missing[path] = None
    return list(missing)


def check_files(paths, source):
    """Raise an error if files listed by ``source`` do not exist."""
    missing = missing_files(paths)
    if missing:
        first = ', '.join(missing[:3]) + (', ...' if len(missing) > 3 else '')
        raise FileNotFoundError(
            f'{len(missing)} of the files listed in {source} do not exist: {first}. Set data_prefix to their folder, '
            'or prepare the list again, which leaves missing files out'
        )
