"""Stand-ins for the names in a pickle by which numpy would build arrays from whatever the file says.

``numpy.ndarray`` and ``numpy.dtype`` build arrays of objects over bytes of the file's choice, and their
``__setstate__`` sets pointers and sizes: any use of such an array is a crash or worse. So nothing of numpy is called
with arguments from a file. What stands here takes plain values, knows booleans, integers and floats by their codes,
checks that there are exactly as many bytes as the shape says, and then builds the array itself.
"""

import inspect
import math
import pickle
from collections import Counter, OrderedDict, defaultdict

import numpy as np
import torch

CODES = {'b1', 'i1', 'i2', 'i4', 'i8', 'u1', 'u2', 'u4', 'u8', 'f2', 'f4', 'f8'}
MAX_DIMS = 32
# Values in a file, however few bytes say so: scores of all videos of ActivityNet are 4 million.
MAX_VALUES = 20_000_000
SCALARS = {
    *(type(None), bool, int, float, complex, str, bytes, bytearray, range, slice),
    *(torch.Size, torch.dtype, torch.device, torch.layout, torch.memory_format, torch.qscheme),
    *(np.dtype(code).type for code in CODES),
}
MAPPINGS = {dict, OrderedDict, Counter, defaultdict}


class Refused(pickle.UnpicklingError):
    """A pickle asks for something that it could do harm with."""


class StandIn:
    """Base of the stand-ins; none can be a key or outlive the loading."""

    __slots__ = ()
    __hash__ = None


class Dtype(StandIn):
    """Stands for ``numpy.dtype``."""

    __slots__ = ('code', 'order')

    def __new__(cls, code, *flags):
        if type(code) is not str or code not in CODES or not all(flag in (0, 1) for flag in flags):
            raise Refused(f'it holds an array of {code!r:.60}; booleans, integers and floats are read')
        self = super().__new__(cls)
        self.code, self.order = code, None
        return self

    def __setstate__(self, state):
        if type(state) is not tuple or state[2:] != (None, None, None, -1, -1, 0) or self.order is not None:
            raise Refused('it describes the numbers of an array in a way that numpy does not write')
        version, order = state[:2]
        if version != 3 or order not in ('<', '>', '|'):
            raise Refused(f'its numbers have byte order {order!r:.20} of version {version!r:.20}')
        self.order = order

    def read(self, content, count):
        """As many numbers as are expected of the bytes of an array, in the byte order of the file."""
        if type(content) is str:  # bytes of Python 2
            content = content.encode('latin1')
        if self.order is None or type(content) not in (bytes, bytearray):
            raise Refused('it holds an array without the bytes of its numbers')
        numbers = np.dtype(self.order + self.code)
        if len(content) != count * numbers.itemsize:
            raise Refused(
                f'it holds {len(content):,} bytes for an array of {count:,} numbers of {numbers.itemsize} bytes'
            )
        # Not copied: a file can name the same bytes for any number of arrays.
        return np.frombuffer(content, numbers)


class Filled(StandIn):
    """Base of the stand-ins for objects whose content comes after they are made; None until then."""

    __slots__ = ('value',)

    def __new__(cls):
        self = super().__new__(cls)
        self.value = None
        return self


class Array(Filled):
    """Stands for an array whose content comes later, and for ``numpy.ndarray`` itself."""

    __slots__ = ()

    @property
    def size(self):
        """Its numbers."""
        return 1 if self.value is None else self.value.size

    def __setstate__(self, state):
        if type(state) is not tuple or len(state) != 5 or self.value is not None:
            raise Refused('it describes an array in a way that numpy does not write')
        _, shape, numbers, fortran, content = state
        self.value = build(shape, numbers, content, 'F' if fortran is True or fortran == 1 else 'C')


def build(shape, numbers, content, order):
    """An array of plain numbers.

    Args:
        shape (tuple[int]): Its shape.
        numbers (Dtype): Their kind.
        content (bytes | bytearray | str): Exactly their bytes; a str has one byte a character.
        order (str): 'C' or 'F'.

    Returns:
        np.ndarray: the array, on the memory of the bytes and in their byte order.
    """
    if (
        type(numbers) is not Dtype
        or type(shape) is not tuple
        or len(shape) > MAX_DIMS
        or not all(type(size) is int and 0 <= size < 1 << 40 for size in shape)
        or order not in ('C', 'F')
    ):
        raise Refused('it describes an array in a way that numpy does not write')
    return numbers.read(content, math.prod(shape)).reshape(shape, order=order)


def reconstruct(kind, shape, code):
    """Stands for ``numpy.core.multiarray._reconstruct``."""
    if kind is not Array or shape != (0,) or code not in (b'b', 'b'):
        raise Refused('it builds an array in a way that numpy does not write')
    return Array()


def scalar(numbers, content):
    """Stands for ``numpy.core.multiarray.scalar``."""
    return build((1,), numbers, content, 'C')[0]


def frombuffer(content, numbers, shape, order):
    """Stands for ``numpy.core.numeric._frombuffer``."""
    return build(shape, numbers, content, order)


NUMPY = {'numpy.ndarray': Array, 'numpy.dtype': Dtype}
for _core in ('numpy.core', 'numpy._core'):  # as numpy 1 and 2 call it
    NUMPY[f'{_core}.multiarray._reconstruct'] = reconstruct
    NUMPY[f'{_core}.multiarray.scalar'] = scalar
    NUMPY[f'{_core}.numeric._frombuffer'] = frombuffer


def owned(array):
    """A copy of an array in this machine's byte order."""
    return array.astype(array.dtype.newbyteorder('='))


def settled(root, also=(), most=MAX_VALUES):
    """Put the arrays where their stand-ins are, and see that nothing else than plain data is there.

    Args:
        root (object): What an unpickler returned.
        also (Container): Functions that may be in it.
        most (int): Values that it may have, where one that is shared counts in each place.

    Returns:
        object: the data; containers are changed in place.

    Raises:
        pickle.UnpicklingError: if there is a class, a function or an object that is no data.
    """
    count_values(root, max(most, MAX_VALUES))
    seen, todo = {}, []

    def settle(value):
        kind = type(value)
        if kind in SCALARS:
            return value
        if id(value) in seen:
            return seen[id(value)][0]
        if kind is tuple:
            result = tuple(settle(item) for item in value)
        elif kind is Array and value.value is not None:
            result = owned(value.value)
        elif kind is np.ndarray and value.dtype.kind in 'biuf':
            result = value if value.flags.owndata else owned(value)
        elif kind in MAPPINGS or kind in (list, set, frozenset) or isinstance(value, torch.Tensor):
            todo.append(value)
            result = value
        elif callable(getattr(kind, 'settled', None)):
            result = kind.settled(value)
        elif inspect.isfunction(value) and value in also:
            result = value
        else:
            name = value.__qualname__ if callable(value) and hasattr(value, '__qualname__') else kind.__qualname__
            raise Refused(f'it holds {name}, which is no data')
        # The value is kept as well, lest another get its id.
        seen[id(value)] = result, value
        return result

    root = settle(root)
    while todo:
        value = todo.pop()
        if isinstance(value, torch.Tensor):
            if value._backward_hooks or value.layout is not torch.strided:
                raise Refused('it holds a tensor with functions of its own, or a sparse one')
            todo.append(vars(value))
        elif type(value) is list:
            value[:] = [settle(item) for item in value]
        elif type(value) in MAPPINGS:
            for key in value:
                settle(key)
                value[key] = settle(value[key])
            if type(value) is OrderedDict:
                if vars(value).keys() - {'_metadata'}:
                    raise Refused('it holds an OrderedDict with attributes')
                todo.append(vars(value))
            if type(value) is defaultdict and value.default_factory not in (None, list, dict, set, int, float, str):
                raise Refused('it holds a defaultdict that makes its values by a function')
        else:
            for item in value:
                settle(item)
    return root


def count_values(root, most=MAX_VALUES):
    """Refuse what holds more values than expected, or itself.

    Args:
        root (object): Containers and values.
        most (int): Values that it may have, where one that is shared counts in each place.

    Raises:
        pickle.UnpicklingError: if it does.
    """
    sizes, entered, todo = {}, set(), [(root, None)]
    while todo:
        value, parts = todo.pop()
        if id(value) in sizes:
            continue
        if parts is not None:  # whose sizes are known by now
            sizes[id(value)] = 1 + sum(sizes[id(part)] for part in parts)
            entered.discard(id(value))
            if sizes[id(value)] > most:
                raise Refused(f'it holds more than {most:,} values, because some stand in many places')
            continue
        if id(value) in entered:
            raise Refused('it holds a container that is in itself')
        parts = _parts(value)
        if parts is None:
            size = len(value) if type(value) is range else getattr(value, 'size', 1)
            sizes[id(value)] = size if type(size) is int else 1
        else:
            entered.add(id(value))
            todo.append((value, parts))
            todo += ((part, None) for part in parts)


def _parts(value):
    """What a container holds, or None."""
    kind = type(value)
    if kind in MAPPINGS:
        parts = [*value, *value.values()]
        return parts + list(vars(value).values()) if kind is OrderedDict else parts
    if kind in (list, tuple, set, frozenset):
        return value
    return list(vars(value).values()) if isinstance(value, torch.Tensor) else None
