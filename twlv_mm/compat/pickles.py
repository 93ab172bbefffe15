"""``mmengine.load('x.pkl')`` runs whatever the pickle says, and proposal and score files come as pickles.

Its handler reads with an unpickler here that builds containers, numbers, numpy arrays and torch tensors only.
"""

import io
import pickle
from collections import OrderedDict, defaultdict

import torch
from mmengine.fileio.handlers.pickle_handler import PickleHandler

from .stand_ins import NUMPY, Refused, settled


def _encode(text, encoding):
    # How protocol 2 writes bytes; other encodings would import modules by name.
    if encoding != 'latin1':
        raise pickle.UnpicklingError(f'it encodes text as {encoding!r}, which could import modules: refused.')
    return text.encode(encoding)


def _load_storage(data):
    # torch's own function of this name unpickles anything.
    return torch.load(io.BytesIO(data), weights_only=True)


def _made_of(kind, *arguments):
    """A builtin that takes plain values of certain types, not a size to allocate."""

    def make(*args):
        if not any(len(args) == len(types) and all(map(isinstance, args, types)) for types in arguments):
            raise Refused(f'it makes a {kind.__name__} of something else than its content')
        return kind(*args)

    return make


def _bytearray(*args):
    if args[1:] == ('latin-1',) and type(args[0]) is str:
        return bytearray(args[0].encode('latin1'))
    if not args or (len(args) == 1 and type(args[0]) is bytes):
        return bytearray(*args)
    raise Refused('it makes a bytearray of something else than its content')


def _allowed():
    whole, ends = (int, type(None)), (int, type(None))
    plain = {
        'bool': _made_of(bool, (int,)),
        'int': _made_of(int, (int,)),
        'float': _made_of(float, (float,)),
        'complex': _made_of(complex, (float, float)),
        'str': _made_of(str, (), (str,)),
        'bytes': _made_of(bytes, (), (bytes,)),
        'bytearray': _bytearray,
        'list': list,
        'tuple': _made_of(tuple, (), (list,)),
        'dict': dict,
        'set': _made_of(set, (), (list,)),
        'frozenset': _made_of(frozenset, (), (list,)),
        'slice': _made_of(slice, (ends, ends, whole)),
        'range': _made_of(range, (int, int, int)),
    }
    allowed = {
        ('_codecs', 'encode'): _encode,
        ('collections', 'OrderedDict'): OrderedDict,
        ('collections', 'defaultdict'): defaultdict,
        ('__builtin__', 'xrange'): plain['range'],
        ('torch', 'Size'): torch.Size,
        ('torch._utils', '_rebuild_tensor_v2'): torch._utils._rebuild_tensor_v2,
        ('torch._utils', '_rebuild_parameter'): torch._utils._rebuild_parameter,
        ('torch.storage', '_load_from_bytes'): _load_storage,
    }
    # A file carries the module names of the Python (2 or 3) and the numpy (1 or 2) that wrote it.
    for module in ('builtins', '__builtin__'):
        allowed.update({(module, name): make for name, make in plain.items()})
    allowed.update({tuple(name.rsplit('.', 1)): stand_in for name, stand_in in NUMPY.items()})
    return allowed


ALLOWED = _allowed()


class _Unpickler(pickle.Unpickler):
    def find_class(self, module, name):
        if (module, name) not in ALLOWED:
            raise pickle.UnpicklingError(
                f'it asks for {module}.{name}, which could run code: refused. Containers, numbers, strings, '
                'numpy arrays and torch tensors are read. Save the data as json or npz if it holds nothing else.'
            )
        return ALLOWED[module, name]


def load_pickle(file, **kwargs):
    """Read a pickle without running what it says.

    Args:
        file (BinaryIO): an open binary file.
        kwargs: as for ``pickle.load``, such as ``encoding='latin1'`` for arrays written by Python 2.

    Returns:
        object: builtin containers and scalars, numpy arrays and scalars, torch tensors.

    Raises:
        pickle.UnpicklingError: if the file asks for anything else; nothing of it has run then.
    """
    try:
        return settled(_Unpickler(file, **kwargs).load())
    except OSError:
        raise
    except Exception as error:  # a damaged pickle can fail in any way
        cause = str(error) if isinstance(error, pickle.UnpicklingError) else f'it is damaged ({error!r:.200})'
        raise pickle.UnpicklingError(f'{getattr(file, "name", "pickle file")}: {cause}') from None


def apply():
    """Let mmengine read pickles with ``load_pickle``."""
    PickleHandler.load_from_fileobj = staticmethod(load_pickle)
