"""``mmengine.load('x.pkl')`` runs any code in the pickle, and proposal and score files come as pickles.

Here pickles are read by an unpickler that builds only containers, numbers, numpy arrays and torch tensors, no larger
than the bytes of the file account for.
"""

import functools
import os
import pickle
from collections import OrderedDict

import mmengine
import torch
from mmengine import fileio
from mmengine.fileio.handlers.pickle_handler import PickleHandler

from twlv_mm.records import check_size

from .checkpoint_scan import check_tensor
from .checkpoints import load_storage
from .stand_ins import NUMPY, Refused, resolved
from .unpickling import PLAIN, Unpickler, made_of

READ = (
    'refused. Only containers, numbers, strings, numpy arrays and torch tensors are read: save such data as json or npz'
)
UNNAMED = 'the file'
MAX_BYTES = 1 << 30  # scores and proposals of the largest sets are 300 MB


def _tensor(storage, offset, size, stride, *rest):
    if not isinstance(storage, torch.storage.TypedStorage):
        raise Refused('it holds a tensor that torch cannot have written')
    available = storage._untyped_storage.nbytes()  # the public attribute warns that it is deprecated
    check_tensor(available, storage.dtype.itemsize, offset, size, stride)
    return torch._utils._rebuild_tensor_v2(storage, offset, size, stride, *rest)


ALLOWED = {
    **PLAIN,
    **NUMPY,
    'torch.Size': made_of('Size', torch.Size, ((list, tuple),)),
    'torch._utils._rebuild_tensor_v2': _tensor,
    'torch._utils._rebuild_parameter': made_of(
        'parameter', torch._utils._rebuild_parameter, (torch.Tensor, bool, OrderedDict)
    ),
    # torch's own function of this name unpickles anything.
    'torch.storage._load_from_bytes': made_of('storage', load_storage, (bytes,)),
}


def load_pickle(file, **kwargs):
    """Read a pickle without running code in it.

    Args:
        file (BinaryIO): An open binary file.
        kwargs: As for ``pickle.load``, such as ``encoding='latin1'`` for arrays written by Python 2.

    Returns:
        object: builtin containers and scalars, numpy arrays and scalars, torch tensors.

    Raises:
        pickle.UnpicklingError: if the file asks for anything else.
        ValueError: if it is larger than 1 GB.
    """
    name = getattr(file, 'name', UNNAMED)
    start = file.tell()
    check_size(file.seek(0, os.SEEK_END) - start, MAX_BYTES, f'{name} has')
    file.seek(start)
    content = file.read()
    try:
        return resolved(Unpickler(content, ALLOWED, **kwargs).load(), most=len(content))
    except Exception as error:  # a damaged pickle can fail in any way
        cause = f'{error}: {READ}' if isinstance(error, Refused) else f'it is damaged ({error!r:.200})'
        raise pickle.UnpicklingError(f'{name}: {cause}') from None


def apply():
    """Make mmengine read pickles with ``load_pickle``, and name the file in errors."""
    PickleHandler.load_from_fileobj = staticmethod(load_pickle)
    upstream = fileio.load
    if getattr(upstream, 'names_the_file', False):
        return

    @functools.wraps(upstream)
    def load(file, *args, **kwargs):
        try:
            return upstream(file, *args, **kwargs)
        except UnicodeDecodeError as error:
            raise ValueError(f'{file} is not text in UTF-8: {error}') from None
        except (pickle.UnpicklingError, ValueError) as error:
            if not isinstance(file, str | os.PathLike) or not str(error).startswith(UNNAMED):
                raise
            raise type(error)(str(error).replace(UNNAMED, os.fspath(file), 1)) from None

    load.names_the_file = True
    for module in (mmengine, fileio, fileio.io):
        module.load = load
