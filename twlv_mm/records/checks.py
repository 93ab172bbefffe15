"""Checks and conversions of values from other people's files.

Each takes the value and ``where`` it was found, for the message, and returns it or raises a ValueError.
"""

import re
import reprlib
from itertools import chain
from numbers import Integral, Real

import numpy as np

# Twelve days: longer than any video, and few enough clips to fit into memory.
MAX_SECONDS = 1_000_000
# Larger numbers overflow float32.
MAX_NUMBER = 3.4e38
MAX_INTEGER = 2**63 - 1
NUMBER = re.compile(r'[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?', re.ASCII)
_COUNT = re.compile(r'[0-9]{1,18}')
# The full repr of nested, shared values can exceed memory.
_SHORT = reprlib.Repr()
_SHORT.maxlevel, _SHORT.maxstring, _SHORT.maxother = 3, 80, 80
# Control characters (ESC starts terminal commands) and lone surrogates (invalid in file names).
_UNPRINTABLE = re.compile('[\x00-\x1f\x7f-\x9f\ud800-\udfff]')


def number(value, where, *, least=-MAX_NUMBER, most=MAX_NUMBER):
    """A finite number, neither boolean nor text; returned as float."""
    if isinstance(value, bool) or not isinstance(value, Real) or not least <= value <= most:
        raise ValueError(f'{where}: {shown(value)} is not {_range("a finite number", least, most)}')
    return float(value)


def time(value, where):
    """Seconds from 0 to MAX_SECONDS; returned as float."""
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 <= value <= MAX_SECONDS:
        raise ValueError(f'{where}: {shown(value)} is not a time in seconds from 0 to {MAX_SECONDS:,}')
    return float(value)


def count(value, where, *, least=0, most=2**31 - 1):
    """A whole number, neither boolean nor text; returned as int."""
    # numpy integers too; isinstance with an abstract class is slow, and lists have millions of lines.
    whole = type(value) is int or (isinstance(value, Integral) and not isinstance(value, bool))
    if not whole or not least <= value <= most:
        raise ValueError(f'{where}: {shown(value)} is not {_range("a whole number", least, most)}')
    return int(value)


def name(value, where):
    """Text that can name a video, class or file: not blank, without control characters and lone surrogates."""
    if not isinstance(value, str) or not value.strip() or _UNPRINTABLE.search(value):
        raise ValueError(f'{where}: {shown(value)} is not a name: expected text without control characters')
    return value


def instance(value, kind, where):
    """A value of the type ``kind``."""
    if not isinstance(value, kind):
        raise ValueError(f'{where}: {shown(value)} is not a {kind.__name__}')
    return value


def array(values, where, ndim):
    """Nested lists or an array of finite numbers, neither booleans nor text; returned as float64 of ``ndim``
    dimensions.
    """
    try:
        leaves = values if isinstance(values, list | tuple) else ()
        for _ in range(ndim - 1):
            leaves = chain.from_iterable(leaves)
        kinds = set(map(type, leaves))  # before numpy builds an array of deeper lists
        found = np.asarray(values if kinds.isdisjoint({bool, list, tuple}) else None)
        sound = found.ndim == ndim and found.dtype.kind in 'iuf'
    except (TypeError, ValueError, RuntimeError, OverflowError):  # ragged lists, tensors on a GPU
        sound = False
    if not sound:
        shape = {1: 'list', 2: 'list of lists of the same length'}[ndim]
        raise ValueError(f'{where}: {shown(values)} is not a {shape} of numbers')
    found = found.astype(np.float64)
    if not (np.abs(found) <= MAX_NUMBER).all():
        raise ValueError(f'{where}: contains NaN or infinity')
    return found


def number_in(text, where, **limits):
    """The number in a text cell: ASCII digits, without ``_``; returned as float."""
    if not NUMBER.fullmatch(text.strip(' \t')):
        raise ValueError(f'{where}: {shown(text)} is not a number')
    return number(float(text), where, **limits)


def time_in(text, where):
    """The time in seconds in a text cell; returned as float."""
    return time(number_in(text, where), where)


def count_in(text, where, **limits):
    """The whole number in a text cell: ASCII digits only; returned as int."""
    if not _COUNT.fullmatch(text.strip(' \t')):
        raise ValueError(f'{where}: {shown(text)} is not a whole number in digits')
    return count(int(text), where, **limits)


def shown(value, length=80):
    """A value for a message: quoted, without terminal control codes, shortened."""
    try:
        if isinstance(value, str):
            text = (ascii if _UNPRINTABLE.search(value) else repr)(value[: 2 * length])
        else:
            text = printable(_SHORT.repr(value))
    except (RecursionError, ValueError):  # nested too deep, or an integer of more digits than Python prints
        text = f'a {type(value).__name__}'
    return text if len(text) <= length else f'{text[: length - 2]} …'


def printable(text):
    """Text for a terminal: control characters except line ends and tabs, and lone surrogates, as escapes such as
    ``\\x1b``.
    """
    return _UNPRINTABLE.sub(lambda match: match[0] if match[0] in '\n\t' else ascii(match[0])[1:-1], str(text))


def _range(what, least, most):
    if least == -MAX_NUMBER and most == MAX_NUMBER:
        return what
    if most in (MAX_NUMBER, 2**31 - 1):
        return f'{what} from {least:g}'
    return f'{what} from {least:g} to {most:g}'
