"""Text files of other people: json, csv and lines. Whatever the bytes, an error is a ValueError with file and place."""

import csv
import io
import json
import re
import struct
import tokenize
import zipfile
import zlib
from contextlib import contextmanager

from .checks import MAX_INTEGER, MAX_NUMBER, instance, printable, shown
from .files import open_regular, raise_if_system

# ActivityNet's scores of all videos are 30 MB, AVA's boxes of all frames 300 MB.
MAX_BYTES = 1 << 30
SURROGATE = re.compile(r'\\u[dD][89a-fA-F]')


def read_text(path, *, max_bytes=MAX_BYTES):
    """Read a text file in UTF-8; the mark that some editors of Windows put in front is left out.

    Args:
        path (str | Path): A regular file.
        max_bytes (int): Its largest size.

    Returns:
        str: its text.

    Raises:
        FileNotFoundError: if there is no such file.
        OSError: if the system refuses to read it: permission denied, too many open files, a failing disk.
        ValueError: if it is not a regular file, too large or not UTF-8.
    """
    content = read_bytes(path, max_bytes=max_bytes)
    try:
        return content.decode('utf-8-sig')
    except UnicodeDecodeError as error:
        line = content.count(b'\n', 0, error.start) + 1
        raise ValueError(_not_text(path, line, error)) from None


def read_bytes(path, *, max_bytes=MAX_BYTES):
    """Read a file; see :func:`read_text`."""
    try:
        with open_regular(path, max_bytes=max_bytes) as file:
            return file.read()
    except FileNotFoundError:
        raise FileNotFoundError(f'there is no file {path}') from None
    except (OSError, ValueError) as error:
        raise_if_system(error, path)
        raise ValueError(f'{path} cannot be read: {error}') from None


def read_lines(path, *, max_bytes=MAX_BYTES):
    """Read the lines of a text file that are not blank.

    Args:
        path (str | Path): A text file in UTF-8.
        max_bytes (int): Its largest size.

    Returns:
        dict[int, str]: number of a line, from 1 -> its text, without white space around it.

    Raises:
        FileNotFoundError: as :func:`read_text`.
        ValueError: as :func:`read_text`.
    """
    # Not splitlines, which takes other characters for ends of lines as well.
    lines = enumerate(read_text(path, max_bytes=max_bytes).split('\n'), 1)
    return {number: text for number, line in lines if (text := line.strip())}


def numbered_lines(path):
    """Read the lines of a large text file that are not blank one by one; otherwise as :func:`read_lines`.

    Yields:
        tuple[int, str]: number of a line, from 1, and its text, without white space around it.
    """
    with open_regular(path) as file:
        for number, line in enumerate(file, 1):
            try:
                text = line.decode('utf-8-sig' if number == 1 else 'utf-8').strip()
            except UnicodeDecodeError as error:
                raise ValueError(_not_text(path, number, error)) from None
            if text:
                yield number, text


def read_json(path, kind=None, *, max_bytes=MAX_BYTES):
    """Read a json file.

    Args:
        path (str | Path): The file.
        kind (type, optional): ``dict`` or ``list``, what it has to hold.
        max_bytes (int): Its largest size.

    Returns:
        dict | list: its content.

    Raises:
        FileNotFoundError: as :func:`read_text`.
        ValueError: as :func:`read_text` and :func:`parse_json`, or if it holds something else.
    """
    content = parse_json(read_text(path, max_bytes=max_bytes), path)
    if kind is not None:
        instance(content, kind, path)
    return content


def parse_json(text, source):
    """Parse json more strictly than Python does.

    Args:
        text (str): The json.
        source (str | Path): What it is from, for the message.

    Returns:
        Any: its content.

    Raises:
        ValueError: if it is not json, a key comes twice in an object, or a number is NaN, infinite, larger than a
            float32, or a whole number beyond 64 bits.
    """
    try:
        content = json.loads(
            text, object_pairs_hook=_object, parse_constant=_constant, parse_float=_float, parse_int=_integer
        )
        if SURROGATE.search(text):
            json.dumps(content, ensure_ascii=False).encode()
    except RecursionError:
        raise ValueError(f'{source} is not sound json: it is nested too deep') from None
    except UnicodeEncodeError:
        raise ValueError(f'{source} is not sound json: it has half a character, a lone surrogate') from None
    except ValueError as error:  # also what the hooks say
        raise ValueError(f'{source} is not sound json: {error}') from None
    return content


def read_rows(path, *, max_bytes=MAX_BYTES):
    """Read a csv file.

    Args:
        path (str | Path): The file.
        max_bytes (int): Its largest size.

    Returns:
        dict[int, list[str]]: number of the line in which a row ends -> its cells; blank lines are left out.

    Raises:
        FileNotFoundError: as :func:`read_text`.
        ValueError: as :func:`read_text`, or if a row is not csv.
    """
    reader = csv.reader(io.StringIO(read_text(path, max_bytes=max_bytes), newline=''), strict=True)
    rows = {}
    try:
        for row in reader:
            if row:
                rows[reader.line_num] = row
    except csv.Error as error:
        raise ValueError(f'{path}, line {reader.line_num}: {error}') from None
    return rows


def read_table(path, *columns, max_bytes=MAX_BYTES):
    """Read a csv file that begins with the names of its columns.

    Args:
        path (str | Path): The file.
        *columns (str): Columns that it must have.
        max_bytes (int): Its largest size.

    Returns:
        dict[int, dict[str, str]]: number of the line in which a row ends -> its cells by column.

    Raises:
        FileNotFoundError: as :func:`read_text`.
        ValueError: as :func:`read_rows`, or if a column is missing or there twice, or a row has another length.
    """
    rows = read_rows(path, max_bytes=max_bytes)
    header = rows.pop(next(iter(rows))) if rows else []
    missing = [column for column in columns if column not in header]
    if missing:
        raise ValueError(f'{path} has no column {", ".join(missing)}; it has {printable(", ".join(header))[:300]}')
    if len(set(header)) < len(header):
        raise ValueError(f'{path} has two columns of the same name: {shown(header)}')
    for line, row in rows.items():
        if len(row) != len(header):
            raise ValueError(f'{path}, line {line}: there are {len(row)} cells under {len(header)} names of columns')
    return {line: dict(zip(header, row, strict=True)) for line, row in rows.items()}


# What Python, numpy and the decompressors raise over damaged content.
_RAISED = (
    *(ArithmeticError, AttributeError, EOFError, LookupError, NotImplementedError, OSError, RecursionError),
    *(SyntaxError, TypeError, ValueError, struct.error, tokenize.TokenError, zipfile.BadZipFile, zlib.error),
)


@contextmanager
def parsing(where):
    """Turn what damaged content makes Python raise into a ValueError that says where it stands.

    Args:
        where (str | Path): The file, and the place in it if that is known.
    """
    try:
        yield
    except _RAISED as error:
        raise_if_system(error, where)
        if isinstance(error, FileNotFoundError):
            raise
        if type(error) is ValueError and str(error).startswith(str(where)):
            raise
        reason = f'there is no {error}' if isinstance(error, KeyError) else str(error) or type(error).__name__
        raise ValueError(f'{where}: {reason}') from error


def _not_text(path, line, error):
    return f'{path}, line {line}: this is not text in UTF-8 ({error.reason}): save it as such'


def _object(pairs):
    content = dict(pairs)
    if len(content) < len(pairs):
        seen = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))
        raise ValueError(f'the key {shown(twice)} comes twice in an object')
    return content


def _constant(text):
    raise ValueError(f'{text} is not a number of json')


def _float(text):
    value = float(text)
    if abs(value) > MAX_NUMBER:
        raise ValueError(f'the number {shown(text)[1:-1]} is too large')
    return value


def _integer(text):
    # Python refuses to parse more than 4,300 digits, in other words.
    if len(text) > 20 or abs(int(text)) > MAX_INTEGER:
        raise ValueError(f'the whole number {shown(text)[1:-1]} is too large')
    return int(text)
