"""mmengine's own checkpoints do not load: "Weights only load failed ... HistoryBuffer".

torch >= 2.6 loads tensors and plain containers only, and mmengine also saves the running statistics of its message hub
(numpy arrays and bound statistics) and OneCycle's annealing function. Exactly these are allowed here; loading stays
``weights_only=True``, so a checkpoint still cannot run code.
"""

import pickle
from pathlib import Path

import numpy as np
import torch
from mmengine.logging import HistoryBuffer
from mmengine.optim.scheduler.param_scheduler import OneCycleParamScheduler
from mmengine.runner.checkpoint import CheckpointLoader

# The functions that mmengine's checkpoints name, pickled as getattr(class, name).
FUNCTIONS = {
    HistoryBuffer: ('min', 'max', 'mean', 'current'),
    OneCycleParamScheduler: ('_annealing_cos', '_annealing_linear'),
}
TYPECODES = '?' + np.typecodes['AllInteger'] + 'efd'


def apply():
    """Allow what mmengine saves, and let a refused checkpoint say which file it was and what to do."""
    multiarray = (getattr(np, '_core', None) or np.core).multiarray
    allowed = [HistoryBuffer, OneCycleParamScheduler, np.ndarray, np.dtype, (_getattr, 'builtins.getattr')]
    # Checkpoints carry the module names of the numpy that wrote them: 1.x or 2.x.
    for core in ('numpy.core', 'numpy._core'):
        allowed.append((multiarray._reconstruct, f'{core}.multiarray._reconstruct'))
        allowed.append((multiarray.scalar, f'{core}.multiarray.scalar'))
    allowed += [type(np.dtype(code)) for code in TYPECODES]
    torch.serialization.add_safe_globals(allowed)
    CheckpointLoader.register_scheme(prefixes='', loader=load_from_local, force=True)


def load_from_local(filename, map_location):
    """Load a checkpoint file, for mmengine's CheckpointLoader.

    Args:
        filename (str): path of the checkpoint; ``~`` is expanded.
        map_location (str | torch.device | Callable | None): as in ``torch.load``.

    Returns:
        dict: the checkpoint.

    Raises:
        FileNotFoundError: if there is no such file.
        pickle.UnpicklingError: if the file is no checkpoint, damaged, or holds anything but tensors, plain values and
            what mmengine itself saves.
    """
    path = Path(filename).expanduser()
    if not path.is_file():
        raise FileNotFoundError(f'{path}: there is no such checkpoint file.')
    try:
        return torch.load(path, map_location=map_location, weights_only=True)
    except pickle.UnpicklingError as error:
        # torch wraps the cause in a text that proposes weights_only=False, which runs whatever the file says.
        cause = str(error.__context__ or error).partition(' Please use')[0].strip(' .')
        raise pickle.UnpicklingError(
            f'{path} is not loaded: {cause}. Either it is no checkpoint, or it holds more than tensors, plain Python '
            'values and what mmengine saves, and such things could run code while they load. If you trust its origin, '
            'save its state_dict alone and load that.'
        ) from None
    except Exception as error:  # a file that is no checkpoint can make the unpickler fail in any way
        raise pickle.UnpicklingError(
            f'{path} cannot be read as a checkpoint ({type(error).__name__}: {error}): it is damaged, cut off, or '
            'another kind of file.'
        ) from error


def _getattr(owner, name):
    if isinstance(owner, type) and name in FUNCTIONS.get(owner, ()):
        return getattr(owner, name)
    raise pickle.UnpicklingError(f'getattr of {name!r} is refused in a checkpoint.')
