"""What the readers of official annotation files share: their result, and errors that name file and entry."""

import csv
import json
from collections.abc import Callable
from typing import NamedTuple

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

    Raises:
        FileNotFoundError: if there is none.
    """
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise FileNotFoundError(f'{folder} has no {" and no ".join(names)}')


def read_table(path, *columns):
    """Read a csv file that begins with the names of its columns.

    Args:
        path (Path): The file.
        *columns (str): Columns that it must have.

    Returns:
        list[dict[str, str]]: its rows.

    Raises:
        ValueError: if a column is missing.
    """
    with open(path, newline='') as file:
        reader = csv.DictReader(file)
        missing = [column for column in columns if column not in (reader.fieldnames or ())]
        if missing:
            raise ValueError(f'{path} has no column {", ".join(missing)}; it has {", ".join(reader.fieldnames or ())}')
        return list(reader)


def read_json(path, kind):
    """Read a json file.

    Args:
        path (Path): The file.
        kind (type): ``list`` or ``dict``, what it must hold.

    Returns:
        list | dict: its content.

    Raises:
        ValueError: if it is no json file or holds something else.
    """
    try:
        content = json.loads(path.read_text())
    except ValueError as error:
        raise ValueError(f'{path} is no json file: {error}') from error
    if not isinstance(content, kind):
        raise ValueError(f'{path} holds a {type(content).__name__}, not a {kind.__name__}: is it the official file?')
    return content


def parse_entries(path, entries, parse):
    """Parse the entries of a file one by one.

    Args:
        path (Path): The file, for errors.
        entries (Iterable): Its rows.
        parse (Callable): Entry -> anything.

    Returns:
        list: what ``parse`` gave.

    Raises:
        ValueError: if it failed, with file, number and content of the entry.
    """
    parsed = []
    for number, entry in enumerate(entries, 1):
        try:
            parsed.append(parse(entry))
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise ValueError(f'{path}, entry {number}, {entry}: {type(error).__name__} {error}') from error
    return parsed


def read_lines(path):
    """Lines of a text file, without empty ones.

    Args:
        path (Path): The file.

    Returns:
        list[str]: its lines.
    """
    return [line.strip() for line in path.read_text().splitlines() if line.strip()]
