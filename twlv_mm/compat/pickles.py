"""``mmengine.load('x.pkl')`` runs whatever the pickle says, and proposal and score files come as pickles.

Its handler reads with an unpickler here that builds containers, numbers, numpy arrays and torch tensors only.
"""

import io
import pickle
from collections import OrderedDict, defaultdict

import numpy as np
import torch
from mmengine.fileio.handlers.pickle_handler import PickleHandler


def _encode(text, encoding):
    # How protocol 2 writes bytes; other encodings would import modules by name.
    if encoding != 'latin1':
        raise pickle.UnpicklingError(f'it encodes text as {encoding!r}, which could import modules: refused.')
    return text.encode(encoding)


def _load_storage(data):
    # torch's own function of this name unpickles anything.
    return torch.load(io.BytesIO(data), weights_only=True)


def _allowed():
    core = getattr(np, '_core', None) or np.core
    allowed = {
        ('_codecs', 'encode'): _encode,
        ('collections', 'OrderedDict'): OrderedDict,
        ('collections', 'defaultdict'): defaultdict,
        ('__builtin__', 'xrange'): range,
        ('numpy', 'ndarray'): np.ndarray,
        ('numpy', 'dtype'): np.dtype,
        ('torch', 'Size'): torch.Size,
        ('torch._utils', '_rebuild_tensor_v2'): torch._utils._rebuild_tensor_v2,
        ('torch._utils', '_rebuild_parameter'): torch._utils._rebuild_parameter,
        ('torch.storage', '_load_from_bytes'): _load_storage,
    }
    plain = (bool, int, float, complex, str, bytes, bytearray, list, tuple, dict, set, frozenset, slice, range)
    # A file carries the module names of the Python (2 or 3) and the numpy (1 or 2) that wrote it.
    for module in ('builtins', '__builtin__'):
        allowed.update({(module, kind.__name__): kind for kind in plain})
    for module in ('numpy.core', 'numpy._core'):
        allowed[f'{module}.multiarray', '_reconstruct'] = core.multiarray._reconstruct
        allowed[f'{module}.multiarray', 'scalar'] = core.multiarray.scalar
        allowed[f'{module}.numeric', '_frombuffer'] = core.numeric._frombuffer
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
        return _Unpickler(file, **kwargs).load()
    except pickle.UnpicklingError as error:
        raise pickle.UnpicklingError(f'{getattr(file, "name", "pickle file")}: {error}') from None


def apply():
    """Let mmengine read pickles with ``load_pickle``."""
    PickleHandler.load_from_fileobj = staticmethod(load_pickle)
