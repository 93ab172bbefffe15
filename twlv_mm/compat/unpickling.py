"""An unpickler that allocates no more than its file's bytes account for.

Python's C unpickler allocates sizes and indices from the file before it looks for the bytes, overflows the stack on
deeply nested tuples, and copies content as often as the file asks. This one derives from Python's pure-Python one,
drops every instruction that data does not need, and checks the others.
"""

import io
import pickle
from collections import Counter, OrderedDict, defaultdict

from .stand_ins import MAPPINGS, SCALARS, Refused, StandIn

# The copyreg extension registry, persistent ids as text, old-style classes, out-of-band buffers.
LEFT_OUT = ['EXT1', 'EXT2', 'EXT4', 'PERSID', 'INST', 'OBJ', 'NEWOBJ_EX', 'NEXT_BUFFER', 'READONLY_BUFFER']
CODES = {getattr(pickle, name)[0] for name in LEFT_OUT}
# In protocol 2, a tensor's bytes are copied by two functions.
COPIES = 4
SIZED = {str, bytes, bytearray, list, tuple, dict, set, frozenset}
KEYS = SCALARS - {int, complex, range, slice}
LARGE = 1 << 60
SMALL = 64  # arguments up to this length are not counted: pushing them takes as many bytes


class Unpickler(pickle._Unpickler):
    """Reads a pickle.

    Args:
        content (bytes | BinaryIO): The pickle.
        allowed (dict[str, object]): Allowed names and what they resolve to. Functions and stand-ins are called by the
            file, so they must be safe with any arguments; other values are only passed on.
        length (int, optional): Length of a file.
        kwargs: As for ``pickle.Unpickler``.
    """

    def __init__(self, content, allowed, length=None, **kwargs):
        file = io.BytesIO(content) if isinstance(content, bytes) else content
        super().__init__(file, **kwargs)
        # No read-ahead of frames: the content is in memory or mapped.
        self.read, self.readline = file.read, file.readline
        self._allowed = allowed
        self._functions = {id(value) for value in allowed.values() if callable(value)}
        self._left = COPIES * (len(content) if length is None else length)

    def load(self):
        """Return the pickled data; on damage this can raise any exception."""
        self.metastack, self.stack, self.proto = [], [], 0
        self.append = self.stack.append
        try:
            while True:
                self.dispatch[self.read(1)[0]](self)
        except pickle._Stop as stop:
            return stop.value

    def find_class(self, module, name):
        name = f'{"builtins" if module == "__builtin__" else module}.{name}'  # __builtin__: Python 2
        if name not in self._allowed:
            raise Refused(f'it holds {name:.200}, which could run code')
        return self._allowed[name]

    def _call(self, function, arguments):
        if type(arguments) is not tuple or id(function) not in self._functions:
            raise Refused('it calls something that is not a function')
        self._left -= sum(len(one) for one in arguments if type(one) in SIZED and len(one) > SMALL)
        if self._left < 0:
            raise Refused('it copies its content too many times')
        return function(*arguments)

    def _reduce(self):
        arguments = self.stack.pop()
        self.stack[-1] = self._call(self.stack[-1], arguments)

    def _newobj(self):
        arguments = self.stack.pop()
        kind = self.stack.pop()
        if not (isinstance(kind, type) and issubclass(kind, StandIn)):
            raise Refused('it instantiates something that is not a class')
        self.append(self._call(kind, arguments))

    def _build(self):
        state = self.stack.pop()
        inst = self.stack[-1]
        if type(inst) is OrderedDict and type(state) is dict:
            vars(inst).update(state)
        elif isinstance(inst, StandIn) and hasattr(inst, '__setstate__'):
            inst.__setstate__(state)
        else:
            raise Refused(f'it sets attributes of a {type(inst).__name__}')

    def _append(self):
        value = self.stack.pop()
        self._last(list).append(value)

    def _appends(self):
        values = self.pop_mark()
        self._last(list).extend(values)

    def _setitem(self):
        value = self.stack.pop()
        key = self.stack.pop()
        self._last(*MAPPINGS)[hashable(key)] = value

    def _setitems(self):
        values = self.pop_mark()
        self._last(*MAPPINGS).update(_pairs(values))

    def _dict(self):
        values = self.pop_mark()
        self.append(_pairs(values))

    def _additems(self):
        values = self.pop_mark()
        self._last(set).update(map(hashable, values))

    def _frozenset(self):
        values = self.pop_mark()
        self.append(frozenset(map(hashable, values)))

    def _bytearray8(self):
        size = int.from_bytes(self.read(8), 'little')
        self.append(bytearray(self.read(size)))

    def _frame(self):
        self.read(8)

    def _last(self, *kinds):
        if type(self.stack[-1]) not in kinds:
            raise Refused(f'it puts values into a {type(self.stack[-1]).__name__}')
        return self.stack[-1]

    dispatch = {code: load for code, load in pickle._Unpickler.dispatch.items() if code not in CODES} | {
        pickle.REDUCE[0]: _reduce,
        pickle.NEWOBJ[0]: _newobj,
        pickle.BUILD[0]: _build,
        pickle.APPEND[0]: _append,
        pickle.APPENDS[0]: _appends,
        pickle.SETITEM[0]: _setitem,
        pickle.SETITEMS[0]: _setitems,
        pickle.DICT[0]: _dict,
        pickle.ADDITEMS[0]: _additems,
        pickle.FROZENSET[0]: _frozenset,
        pickle.BYTEARRAY8[0]: _bytearray8,
        pickle.FRAME[0]: _frame,
    }


def hashable(key):
    """Return a key if it is a number, text, or a flat tuple of them.

    Hashing nested tuples can overflow the stack, and large integers can be chosen to collide.
    """
    if all(map(_is_key, key)) if type(key) is tuple else _is_key(key):
        return key
    raise Refused(f'it has a {type(key).__name__} as a key, which is neither a usual number nor text')


def _is_key(value):
    return abs(value) < LARGE if type(value) is int else type(value) in KEYS


def made_of(name, make, *signatures):
    """Wrap a constructor so that it accepts only arguments of certain types.

    Args:
        name (str): Name of the type, for the error.
        make (Callable): The constructor.
        *signatures (tuple[type | tuple[type, ...], ...]): Types of the arguments that it accepts.
    """

    def checked(*arguments):
        if not any(len(arguments) == len(types) and all(map(isinstance, arguments, types)) for types in signatures):
            raise Refused(f'it makes a {name} from something other than its content')
        return make(*arguments)

    return checked


def encode(text, encoding):
    """Stand-in for ``_codecs.encode``, used for bytes in protocol 2; other encodings would import modules by name."""
    if type(text) is not str or encoding != 'latin1':
        raise Refused(f'it encodes text as {encoding!r:.60}, which could import modules')
    return text.encode('latin1')


def _bytearray(content=b'', encoding='latin-1'):
    return bytearray(content if type(content) is bytes else encode(content, encoding.replace('-', '')))


def _set(kind):
    return lambda items=(): kind(map(hashable, items))


def _ordered_dict(pairs=()):
    return OrderedDict((hashable(key), value) for key, value in pairs)


def _defaultdict(factory=None):
    if factory is not None and factory not in FACTORIES:
        raise Refused('it holds a defaultdict whose factory is a function')
    return defaultdict(FACTORIES.get(factory))


def _pairs(values):
    return {hashable(key): value for key, value in zip(values[::2], values[1::2], strict=True)}


_ENDS = _STEP = (int, type(None))
BUILTINS = {
    name: made_of(name, make, *signatures)
    for name, make, *signatures in (
        ('bool', bool, (), (int,)),
        ('int', int, (), (int,)),
        ('float', float, (), (float,)),
        ('complex', complex, (float, float)),
        ('str', str, (), (str,)),
        ('bytes', bytes, (), (bytes,)),
        ('bytearray', _bytearray, (), (bytes,), (str, str)),
        ('list', list, (), ((list, tuple),)),
        ('tuple', tuple, (), (list,)),
        ('dict', dict, (), (dict,)),
        ('set', _set(set), (), (list,)),
        ('frozenset', _set(frozenset), (), (list,)),
        ('slice', slice, (_ENDS, _ENDS, _STEP)),
        ('range', range, (int, int, int)),
    )
}
FACTORIES = {BUILTINS[kind.__name__]: kind for kind in (int, float, str, list, dict, set)}
PLAIN = {
    **{f'builtins.{name}': make for name, make in BUILTINS.items()},
    'builtins.xrange': BUILTINS['range'],
    '_codecs.encode': encode,
    'collections.OrderedDict': made_of('OrderedDict', _ordered_dict, (), (list,)),
    'collections.Counter': made_of('Counter', Counter, (), (dict,)),
    'collections.defaultdict': _defaultdict,
}
