"""Description of a dataset, and helpers of the readers of official annotation files."""

from collections.abc import Callable
from typing import NamedTuple

from twlv_mm.records import checks, parsing

from .lists import Sample


class Split(NamedTuple):
    """One part of a dataset, by its annotation files."""

    name: str  # 'train' or 'val'
    # Their ``file`` has no extension. With a folder, it is the path below ``folder``; without, the file may be in any
    # sub-folder.
    samples: list[Sample]
    folder: str  # folder of the files below the user's; '' for that one
    link: str  # name of that folder in the data root of the config


class DataSet(NamedTuple):
    """A dataset and its reader."""

    name: str  # name of its data root and prefix of its list files
    title: str  # its name in the paper
    # ``read(annotations, files, kind) -> (list[Split], list[str])``, the second the class names; ``annotations`` and
    # ``files`` are folders (Path).
    read: Callable
    # End of the list files' names -> number of classes: alternative labellings of the same samples, the first being
    # the default.
    kinds: dict[str, int | None]
    counts: tuple[int, int]  # published numbers of samples for training and validation
    source: str  # where these numbers come from
    suffixes: tuple[str, ...]  # extensions of its files, in lower case
    list_name: str = '{name}_{split}_list_{kind}.txt'  # name of a list file
    choice: str = 'what is a class'  # what ``kinds`` are a choice of, for the command line


def find_file(folder, *names):
    """The first of several names that is a file in a folder (Path)."""
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise FileNotFoundError(f'{folder} has no {" and no ".join(names)}')


def parse_entries(path, entries, parse):
    """Parse the entries of a file (a dict by line, or an iterable in order) one by one, with the place in errors."""
    place = 'line' if isinstance(entries, dict) else 'entry'
    numbered = entries.items() if isinstance(entries, dict) else enumerate(entries, 1)
    parsed = []
    for number, entry in numbered:
        with parsing(f'{path}, {place} {number}, {checks.shown(entry)}'):
            parsed.append(parse(entry))
    return parsed
