"""mmengine's own checkpoints do not load: "Weights only load failed ... HistoryBuffer".

torch >= 2.6 loads tensors and plain containers only; mmengine also saves the statistics of its message hub (numpy
arrays and bound methods) and OneCycle's annealing function. Exactly these are read here, through stand-ins, and loading
stays ``weights_only=True``. Checkpoints from a URL, which mmengine 0.10.7 unpickles freely, are read the same way.
"""

import io
import os
import pickle
from pathlib import Path
from urllib.parse import urlparse

import torch
from mmengine.logging import HistoryBuffer
from mmengine.optim.scheduler.param_scheduler import OneCycleParamScheduler
from mmengine.runner import checkpoint as runner_checkpoint
from mmengine.runner.checkpoint import CheckpointLoader

from twlv_mm.records import open_regular, path_below, raise_if_system

from .checkpoint_scan import scan, scan_bytes
from .stand_ins import NUMPY, Array, Filled, Refused, StandIn, owned, resolved

STATISTICS = ('min', 'max', 'mean', 'current')
ANNEALING = ('_annealing_cos', '_annealing_linear')
FUNCTIONS = [getattr(OneCycleParamScheduler, name) for name in ANNEALING]


class History(Filled):
    """Stand-in for mmengine's HistoryBuffer, whose ``__setstate__`` changes methods shared by all buffers."""

    __slots__ = ()

    def __setstate__(self, state):
        names = {'max_length', '_log_history', '_count_history'}
        if self.value is not None or type(state) is not dict or state.keys() - {'statistics_methods'} != names:
            raise Refused('it holds a HistoryBuffer that mmengine cannot have written')
        length, *numbers = (state[name] for name in ('max_length', '_log_history', '_count_history'))
        if type(length) is not int or not all(type(array) is Array for array in numbers):
            raise Refused('it holds a HistoryBuffer whose content is not numeric')
        log, count = (array.value for array in numbers)
        if log is None or count is None or log.ndim != 1 or log.shape != count.shape:
            raise Refused('it holds a HistoryBuffer without two equally long rows of numbers')
        self.value = HistoryBuffer(max_length=length)
        self.value._log_history, self.value._count_history = log, count

    def resolved(self):
        if self.value is None:
            raise Refused('it holds a HistoryBuffer without content')
        self.value._log_history, self.value._count_history = map(owned, self._rows())
        return self.value

    @property
    def size(self):
        return 1 if self.value is None else sum(row.size for row in self._rows())

    def _rows(self):
        return self.value._log_history, self.value._count_history


class OneCycle(StandIn):
    """Stand-in for OneCycleParamScheduler; checkpoints hold only a function of it."""

    __slots__ = ()

    def __new__(cls, *args):
        raise Refused("it holds a scheduler object; mmengine saves a scheduler's state")


def get_attribute(owner, name):
    """Stand-in for ``getattr``, by which methods are pickled."""
    if owner is History and name in STATISTICS:
        return getattr(HistoryBuffer, name)
    if owner is OneCycle and name in ANNEALING:
        return getattr(OneCycleParamScheduler, name)
    raise Refused(f'getattr of {name!r:.60} is refused in a checkpoint')


ALLOWED = {
    **NUMPY,
    'mmengine.logging.history_buffer.HistoryBuffer': History,
    'mmengine.optim.scheduler.param_scheduler.OneCycleParamScheduler': OneCycle,
    'builtins.getattr': get_attribute,
}


def load_checkpoint(path, map_location='cpu'):
    """Read plain data from a file of ``torch.save``.

    Args:
        path (str | Path): The file.
        map_location (str | torch.device | Callable | None): As in ``torch.load``.

    Returns:
        object: tensors, numpy arrays, plain Python values and what mmengine saves.

    Raises:
        pickle.UnpicklingError: if it asks for anything else. A damaged file can raise any exception.
    """
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        scan(file, size, ALLOWED)
    # Only here: other callers of torch.load must not see the stand-ins.
    with torch.serialization.safe_globals([(stand_in, name) for name, stand_in in ALLOWED.items()]):
        content = torch.load(path, map_location=map_location, weights_only=True)
    return resolved(content, FUNCTIONS, size)


def load_storage(content):
    """Read a tensor storage from bytes inside a pickle."""
    scan_bytes(content)
    storage = torch.load(io.BytesIO(content), weights_only=True)
    if not isinstance(storage, torch.storage.TypedStorage):
        raise Refused('it holds a tensor without numbers')
    return storage


def load_from_local(filename, map_location):
    """Load a checkpoint file for mmengine's CheckpointLoader.

    Args:
        filename (str): Path of the checkpoint; ``~`` is expanded.
        map_location (str | torch.device | Callable | None): As in ``torch.load``.

    Returns:
        dict: the checkpoint.

    Raises:
        FileNotFoundError: if the file does not exist.
        pickle.UnpicklingError: if it is damaged or holds anything but tensors, plain values and what mmengine saves.
    """
    path = Path(filename).expanduser()
    if not path.is_file():
        raise FileNotFoundError(f'{path}: no such checkpoint file.')
    try:
        return load_checkpoint(path, map_location)
    except pickle.UnpicklingError as error:
        # torch's text proposes weights_only=False, which runs any code in the file.
        cause = str(error.__context__ or error).partition(' Please use')[0].strip(' .')
        if isinstance(error, Refused) and 'could run code' not in cause:
            raise pickle.UnpicklingError(f'{path} is not loaded: {cause}') from None
        raise pickle.UnpicklingError(
            f'{path} is not loaded: {cause}. Either it is not a checkpoint, or it holds objects other than tensors, '
            'plain Python values and what mmengine saves; such objects could run code while they load. If you trust '
            'its origin, save its state_dict alone and load that.'
        ) from None
    except Exception as error:  # on a file that is not a checkpoint the unpickler can raise anything
        raise_if_system(error, path)
        raise pickle.UnpicklingError(
            f'{path} cannot be read as a checkpoint ({type(error).__name__}: {error}): it is damaged, truncated, or '
            'another kind of file.'
        ) from error


def load_url(url, model_dir=None, map_location=None, progress=True, check_hash=False, file_name=None):
    """As ``torch.hub.load_state_dict_from_url``, but read like every other checkpoint."""
    folder = Path(model_dir or Path(torch.hub.get_dir(), 'checkpoints'))
    folder.mkdir(parents=True, exist_ok=True)
    path = path_below(folder, file_name or Path(urlparse(url).path).name)
    if not path.exists():
        digits = torch.hub.HASH_REGEX.search(path.name) if check_hash else None
        torch.hub.download_url_to_file(url, str(path), digits and digits[1], progress=progress)
    return load_from_local(path, map_location)


def apply():
    """Make mmengine load its own checkpoints, with errors that name the file and the remedy."""
    runner_checkpoint.load_url = load_url
    CheckpointLoader.register_scheme(prefixes='', loader=load_from_local, force=True)
