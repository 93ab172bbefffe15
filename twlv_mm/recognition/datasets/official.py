"""What the readers of official annotation files share: their result, and errors that name file and entry."""

from collections.abc import Callable
from typing import NamedTuple

from twlv_mm.records import checks, parsing

from .lists import Sample


class Split(NamedTuple):
    """One part of a data set as its annotation files have it.

    Attributes:
        name (str): 'train' or 'val'.
        samples (list[Sample]): Their ``file`` has no suffix. With a folder in it, it is the path below ``folder``;
            without, the file may be in any sub-folder.
        folder (str): Folder of the files below the one that the user gives; '' for that one.
        link (str): Name by which the config finds that folder in its data root.
    """

    name: str
    samples: list[Sample]
    folder: str
    link: str


class DataSet(NamedTuple):
    """A data set and how to read it.

    Attributes:
        name (str): Name of its data root and beginning of its list files.
        title (str): Its name in the paper.
        read (Callable): ``read(annotations, files, kind) -> (list[Split], list[str])``, the second the names of the
            classes; ``annotations`` and ``files`` are folders (Path).
        kinds (dict[str, int | None]): End of the list files' names -> number of classes. Several are several ways to
            label the same samples, the first the default.
        counts (tuple[int, int]): Samples for training and for validation,
        source (str): and who says so.
        suffixes (tuple[str, ...]): Of its files, in lower case.
        list_name (str): Name of a list file.
        choice (str): What several kinds are a choice of, for the command line.
    """

    name: str
    title: str
    read: Callable
    kinds: dict[str, int | None]
    counts: tuple[int, int]
    source: str
    suffixes: tuple[str, ...]
    list_name: str = '{name}_{split}_list_{kind}.txt'
    choice: str = 'what is a class'


def find_file(folder, *names):
    """The first of several names that is a file.

    Args:
        folder (Path): Where to look.
        *names (str): The names under which a file goes around.

    Returns:
        Path: the file.
    """
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise FileNotFoundError(f'{folder} has no {" and no ".join(names)}')


def parse_entries(path, entries, parse):
    """Parse the entries of a file one by one.

    Args:
        path (Path): The file, for errors.
        entries (dict[int, Any] | Iterable): Its rows by line, or in order.
        parse (Callable): Entry -> anything.

    Returns:
        list: what ``parse`` gave.
    """
    place = 'line' if isinstance(entries, dict) else 'entry'
    numbered = entries.items() if isinstance(entries, dict) else enumerate(entries, 1)
    parsed = []
    for number, entry in numbered:
        with parsing(f'{path}, {place} {number}, {checks.shown(entry)}'):
            parsed.append(parse(entry))
    return parsed
