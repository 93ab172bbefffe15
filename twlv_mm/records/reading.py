"""Text, json and csv files from other people: whatever the bytes, an error is a ValueError with file and line."""

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
    """Read a UTF-8 text file of at most ``max_bytes``, without a byte order mark."""
    content = read_bytes(path, max_bytes=max_bytes)
    try:
        return content.decode('utf-8-sig')
    except UnicodeDecodeError as error:
        line = content.count(b'\n', 0, error.start) + 1
        raise ValueError(_not_text(path, line, error)) from None


def read_bytes(path, *, max_bytes=MAX_BYTES):
    """Read a file of at most ``max_bytes``."""
    try:
        with open_regular(path, max_bytes=max_bytes) as file:
            return file.read()
    except FileNotFoundError:
        raise FileNotFoundError(f'file {path} does not exist') from None
    except (OSError, ValueError) as error:
        raise_if_system(error, path)
        raise ValueError(f'{path} cannot be read: {error}') from None


def read_lines(path, *, max_bytes=MAX_BYTES):
    """Read the lines of a text file that are not blank.

    Returns:
        dict[int, str]: line number, from 1 -> text without surrounding white space.
    """
    # Not splitlines, which also splits at other characters.
    lines = enumerate(read_text(path, max_bytes=max_bytes).split('\n'), 1)
    return {number: text for number, line in lines if (text := line.strip())}


def numbered_lines(path):
    """Like :func:`read_lines`, one by one for large files: yields line number and text."""
    with open_regular(path) as file:
        for number, line in enumerate(file, 1):
            try:
                text = line.decode('utf-8-sig' if number == 1 else 'utf-8').strip()
            except UnicodeDecodeError as error:
                raise ValueError(_not_text(path, number, error)) from None
            if text:
                yield number, text


def read_json(path, kind=None, *, max_bytes=MAX_BYTES):
    """Read a json file of at most ``max_bytes``; its content must be of the type ``kind`` (dict or list), if given."""
    content = parse_json(read_text(path, max_bytes=max_bytes), path)
    if kind is not None:
        instance(content, kind, path)
    return content


def parse_json(text, source):
    """Parse json text more strictly than Python does; ``source`` is its file, for messages."""
    try:
        content = json.loads(
            text, object_pairs_hook=_object, parse_constant=_constant, parse_float=_float, parse_int=_integer
        )
        if SURROGATE.search(text):
            json.dumps(content, ensure_ascii=False).encode()
    except RecursionError:
        raise ValueError(f'{source} is not valid json: nested too deeply') from None
    except UnicodeEncodeError:
        raise ValueError(f'{source} is not valid json: it has a lone surrogate, half a character') from None
    except ValueError as error:  # also from the hooks
        raise ValueError(f'{source} is not valid json: {error}') from None
    return content


def read_rows(path, *, max_bytes=MAX_BYTES):
    """Read a csv file of at most ``max_bytes``.

    Returns:
        dict[int, list[str]]: number of a row's last line -> its cells, without blank lines.
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
    """Read a csv file with a header.

    Args:
        path (str | Path): The file.
        *columns (str): Columns it must have.
        max_bytes (int): Its largest size.

    Returns:
        dict[int, dict[str, str]]: number of a row's last line -> column -> cell.
    """
    rows = read_rows(path, max_bytes=max_bytes)
    header = rows.pop(next(iter(rows))) if rows else []
    missing = [column for column in columns if column not in header]
    if missing:
        raise ValueError(
            f'{path} has no column {", ".join(missing)}; its columns: {printable(", ".join(header))[:300]}'
        )
    if len(set(header)) < len(header):
        raise ValueError(f'{path} has two columns with the same name: {shown(header)}')
    for line, row in rows.items():
        if len(row) != len(header):
            raise ValueError(f'{path}, line {line}: {len(row)} cells, but the header has {len(header)} columns')
    return {line: dict(zip(header, row, strict=True)) for line, row in rows.items()}


# What Python, numpy and the decompressors raise on damaged content.
_RAISED = (
    *(ArithmeticError, AttributeError, EOFError, LookupError, NotImplementedError, OSError, RecursionError),
    *(SyntaxError, TypeError, ValueError, struct.error, tokenize.TokenError, zipfile.BadZipFile, zlib.error),
)


@contextmanager
def parsing(where):
    """Turn any error that damaged content causes in the block into a ValueError that begins with ``where``."""
    try:
        yield
    except _RAISED as error:
        raise_if_system(error, where)
        if isinstance(error, FileNotFoundError):
            raise
        if type(error) is ValueError and str(error).startswith(str(where)):
            raise
        reason = f'{error} is missing' if isinstance(error, KeyError) else str(error) or type(error).__name__
        raise ValueError(f'{where}: {reason}') from error


def _not_text(path, line, error):
    return f'{path}, line {line}: not UTF-8 text ({error.reason}): save it as UTF-8'


def _object(pairs):
    content = dict(pairs)
    if len(content) < len(pairs):
        seen = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))
        raise ValueError(f'duplicate key {shown(twice)}')
    return content


def _constant(text):
    raise ValueError(f'{text} is not a json number')


def _float(text):
    value = float(text)
    if abs(value) > MAX_NUMBER:
        raise ValueError(f'the number {shown(text)[1:-1]} is too large')
    return value


def _integer(text):
    # Python refuses to parse more than 4,300 digits with another message.
    if len(text) > 20 or abs(int(text)) > MAX_INTEGER:
        raise ValueError(f'the whole number {shown(text)[1:-1]} is too large')
    return int(text)
