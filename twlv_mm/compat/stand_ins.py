"""Stand-ins for the names in a pickle by which numpy would build arrays from untrusted data.

``numpy.ndarray`` and ``numpy.dtype`` can build arrays of objects over arbitrary bytes, and their ``__setstate__`` sets
pointers and sizes, so numpy is never called with arguments from a file. The stand-ins accept booleans, integers and
floats only, check that the number of bytes matches the shape, and build the array themselves.
"""

import inspect
import math
import pickle
from collections import Counter, OrderedDict, defaultdict

import numpy as np
import torch

CODES = {'b1', 'i1', 'i2', 'i4', 'i8', 'u1', 'u2', 'u4', 'u8', 'f2', 'f4', 'f8'}
MAX_DIMS = 32
# Most values in a file, where shared ones count each time: scores of all videos of ActivityNet are 4 million.
MAX_VALUES = 20_000_000
SCALARS = {
    *(type(None), bool, int, float, complex, str, bytes, bytearray, range, slice),
    *(torch.Size, torch.dtype, torch.device, torch.layout, torch.memory_format, torch.qscheme),
    *(np.dtype(code).type for code in CODES),
}
MAPPINGS = {dict, OrderedDict, Counter, defaultdict}
NOT_NUMPYS = 'it holds an array that numpy cannot have written'


class Refused(pickle.UnpicklingError):
    """A pickle asks for something that could do harm."""


class StandIn:
    """Base of the stand-ins; they are not hashable and do not outlive the loading."""

    __slots__ = ()
    __hash__ = None


class Dtype(StandIn):
    """Stand-in for ``numpy.dtype``."""

    __slots__ = ('code', 'order')

    def __new__(cls, code, *flags):
        if type(code) is not str or code not in CODES or not all(flag in (0, 1) for flag in flags):
            raise Refused(f'it holds an array of {code!r:.60}; only booleans, integers and floats are read')
        self = super().__new__(cls)
        self.code, self.order = code, None
        return self

    def __setstate__(self, state):
        if type(state) is not tuple or state[2:] != (None, None, None, -1, -1, 0) or self.order is not None:
            raise Refused('it holds a dtype that numpy cannot have written')
        version, order = state[:2]
        if version != 3 or order not in ('<', '>', '|'):
            raise Refused(f'it holds a dtype of byte order {order!r:.20} and version {version!r:.20}')
        self.order = order

    def read(self, content, count):
        """The array of ``count`` numbers that ``content`` holds, in the byte order of the file."""
        if type(content) is str:  # bytes of Python 2
            content = content.encode('latin1')
        if self.order is None or type(content) not in (bytes, bytearray):
            raise Refused('it holds an array without the bytes of its numbers')
        numbers = np.dtype(self.order + self.code)
        if len(content) != count * numbers.itemsize:
            raise Refused(
                f'it holds {len(content):,} bytes for an array of {count:,} numbers of {numbers.itemsize} bytes'
            )
        # Not copied: a file can refer to the same bytes in any number of arrays.
        return np.frombuffer(content, numbers)


class Filled(StandIn):
    """Base of the stand-ins for objects whose content is set after they are made; None until then."""

    __slots__ = ('value',)

    def __new__(cls):
        self = super().__new__(cls)
        self.value = None
        return self


class Array(Filled):
    """Stand-in for an array whose content is set later, and for ``numpy.ndarray`` itself."""

    __slots__ = ()

    @property
    def size(self):
        return 1 if self.value is None else self.value.size

    def __setstate__(self, state):
        if type(state) is not tuple or len(state) != 5 or self.value is not None:
            raise Refused(NOT_NUMPYS)
        _, shape, numbers, fortran, content = state
        self.value = build(shape, numbers, content, 'F' if fortran is True or fortran == 1 else 'C')


def build(shape, numbers, content, order):
    """Build an array over the bytes of a file, in their byte order.

    Args:
        shape (tuple[int]): Shape.
        numbers (Dtype): Type of the numbers.
        content (bytes | bytearray | str): Exactly their bytes; a str has one byte a character.
        order (str): 'C' or 'F'.

    Returns:
        ndarray
    """
    if (
        type(numbers) is not Dtype
        or type(shape) is not tuple
        or len(shape) > MAX_DIMS
        or not all(type(size) is int and 0 <= size < 1 << 40 for size in shape)
        or order not in ('C', 'F')
    ):
        raise Refused(NOT_NUMPYS)
    return numbers.read(content, math.prod(shape)).reshape(shape, order=order)


def reconstruct(kind, shape, code):
    """Stand-in for ``numpy.core.multiarray._reconstruct``."""
    if kind is not Array or shape != (0,) or code not in (b'b', 'b'):
        raise Refused(NOT_NUMPYS)
    return Array()


def scalar(numbers, content):
    """Stand-in for ``numpy.core.multiarray.scalar``."""
    return build((1,), numbers, content, 'C')[0]


def frombuffer(content, numbers, shape, order):
    """Stand-in for ``numpy.core.numeric._frombuffer``."""
    return build(shape, numbers, content, order)


NUMPY = {'numpy.ndarray': Array, 'numpy.dtype': Dtype}
for _core in ('numpy.core', 'numpy._core'):  # in numpy 1 and 2
    NUMPY[f'{_core}.multiarray._reconstruct'] = reconstruct
    NUMPY[f'{_core}.multiarray.scalar'] = scalar
    NUMPY[f'{_core}.numeric._frombuffer'] = frombuffer


def owned(array):
    """A copy of an array in the native byte order."""
    return array.astype(array.dtype.newbyteorder('='))


def resolved(root, also=(), most=MAX_VALUES):
    """Replace stand-ins by their arrays, in place, and check that everything else is plain data.

    Args:
        root (object): The result of an unpickler.
        also (Container): Functions that it may contain.
        most (int): Most values allowed, where shared ones count each time.

    Returns:
        object: the data.
    """
    count_values(root, max(most, MAX_VALUES))
    seen, todo = {}, []

    def resolve(value):
        kind = type(value)
        if kind in SCALARS:
            return value
        if id(value) in seen:
            return seen[id(value)][0]
        if kind is tuple:
            result = tuple(resolve(item) for item in value)
        elif kind is Array and value.value is not None:
            result = owned(value.value)
        elif kind is np.ndarray and value.dtype.kind in 'biuf':
            result = value if value.flags.owndata else owned(value)
        elif kind in MAPPINGS or kind in (list, set, frozenset) or isinstance(value, torch.Tensor):
            todo.append(value)
            result = value
        elif callable(getattr(kind, 'resolved', None)):
            result = kind.resolved(value)
        elif inspect.isfunction(value) and value in also:
            result = value
        else:
            name = value.__qualname__ if callable(value) and hasattr(value, '__qualname__') else kind.__qualname__
            raise Refused(f'it holds {name}, which is not data')
        # Keep the value too, so that no other object gets its id.
        seen[id(value)] = result, value
        return result

    root = resolve(root)
    while todo:
        value = todo.pop()
        if isinstance(value, torch.Tensor):
            if value._backward_hooks or value.layout is not torch.strided:
                raise Refused('it holds a sparse tensor, or one with hooks')
            todo.append(vars(value))
        elif type(value) is list:
            value[:] = [resolve(item) for item in value]
        elif type(value) in MAPPINGS:
            for key in value:
                resolve(key)
                value[key] = resolve(value[key])
            if type(value) is OrderedDict:
                if vars(value).keys() - {'_metadata'}:
                    raise Refused('it holds an OrderedDict with attributes')
                todo.append(vars(value))
            if type(value) is defaultdict and value.default_factory not in (None, list, dict, set, int, float, str):
                raise Refused('it holds a defaultdict whose factory is a function')
        else:
            for item in value:
                resolve(item)
    return root


def count_values(root, most=MAX_VALUES):
    """Refuse data that holds more than ``most`` values, shared ones counted each time, or that contains itself."""
    sizes, entered, todo = {}, set(), [(root, None)]
    while todo:
        value, parts = todo.pop()
        if id(value) in sizes:
            continue
        if parts is not None:  # their sizes are known by now
            sizes[id(value)] = 1 + sum(sizes[id(part)] for part in parts)
            entered.discard(id(value))
            if sizes[id(value)] > most:
                raise Refused(f'it holds more than {most:,} values, because some are in many places')
            continue
        if id(value) in entered:
            raise Refused('it holds a container that contains itself')
        parts = _parts(value)
        if parts is None:
            size = len(value) if type(value) is range else getattr(value, 'size', 1)
            sizes[id(value)] = size if type(size) is int else 1
        else:
            entered.add(id(value))
            todo.append((value, parts))
            todo += ((part, None) for part in parts)


def _parts(value):
    """The contents of a container; None for other values."""
    kind = type(value)
    if kind in MAPPINGS:
        parts = [*value, *value.values()]
        return parts + list(vars(value).values()) if kind is OrderedDict else parts
    if kind in (list, tuple, set, frozenset):
        return value
    return list(vars(value).values()) if isinstance(value, torch.Tensor) else None
