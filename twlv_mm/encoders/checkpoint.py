"""Read a checkpoint file without running code in it."""

import os
import pickle
import re
import zipfile

import torch
from mmengine.logging import print_log
from safetensors import SafetensorError
from safetensors.torch import load_file

from twlv_mm.compat import weights_only
from twlv_mm.compat.checkpoints import load_checkpoint
from twlv_mm.compat.stand_ins import Refused
from twlv_mm.records import checks, raise_if_system

from .hf_files import SINGLE, weight_files

UNKNOWN = 'unknown'  # in place of datasets that weights do not name


def sets_of(checkpoint, path, keys=('pretraining_sets', 'trained_on')):
    """The datasets that, according to a checkpoint, its weights were trained on; None if it does not say.

    Args:
        checkpoint (dict): From :func:`read_checkpoint`.
        path (str): For the error message.
        keys (Sequence[str]): Which of its lists to read: the sets of the weights that its run started from, and those
            that the run trained the encoder on.
    """
    meta = checkpoint.get('meta')
    if not isinstance(meta, dict):
        return None
    names = {}
    for key in keys:
        where = f'{path}, meta, {key}'
        for name in checks.instance(meta.get(key) or [], list, where):
            names[checks.name(name, where)] = None
    return tuple(names) or None


def state_dict_in(checkpoint, path, containers=('state_dict', 'model')):
    """Find the state dict in a checkpoint.

    Args:
        checkpoint (dict): From :func:`read_checkpoint`.
        path (str): For messages.
        containers (Sequence[str]): Keys under which it may be, outermost first.

    Returns:
        tuple[dict[str, Tensor], str | None]: its tensors, and the outermost of the containers that it has.
    """
    state, outermost = checkpoint, None
    for name in containers:
        if not isinstance(state.get(name), dict):
            continue
        # ema_state_dict: mmengine keeps the average in state_dict, and the other weights there.
        others = [key for key in state if key not in (name, 'ema_state_dict') and _tensors(state[key])]
        if others:
            print_log(f'{path}: the weights in {name} are used, not those in {", ".join(map(str, others))}', 'current')
        state, outermost = state[name], outermost or name
    if not (tensors := _tensors(state)):
        raise ValueError(f'{path} holds no weights; its keys are {", ".join(map(str, list(state)[:8]))}')
    return tensors, outermost


def _tensors(state):
    if not isinstance(state, dict):
        return {}
    return {str(key): value for key, value in state.items() if isinstance(value, torch.Tensor)}


def read_checkpoint(path):
    """Read a checkpoint file without running code in it.

    Args:
        path (str): A file of ``torch.save``, read with ``weights_only=True``; a ``.safetensors`` file; or a folder with
            one or several of these in Hugging Face's layout, or their index.

    Returns:
        dict: the content, on the CPU.

    Raises:
        FileNotFoundError: if the file does not exist.
        ValueError: if it cannot be read as a checkpoint, or holds objects that could run code.
    """
    weights_only.apply()
    files = weight_files(path)
    if not files:
        raise FileNotFoundError(
            f'no weights at {path}: the folder has neither {", ".join(SINGLE)} nor an index of shards'
        )
    shards = [_read_file(os.fspath(file)) for file in files]
    if len(shards) == 1:
        return shards[0]
    checkpoint = {key: value for shard in shards for key, value in shard.items()}
    if len(checkpoint) < sum(map(len, shards)):
        raise ValueError(f'{path}: several of its files hold a tensor of the same name')
    return checkpoint


def _read_file(path):
    if not os.path.isfile(path):
        raise FileNotFoundError(f'no weights at {path}')
    try:
        checkpoint = load_file(path) if path.endswith('.safetensors') else load_checkpoint(path)
    except Exception as error:  # on a file that is not a checkpoint the unpickler can raise anything
        raise_if_system(error, path)
        raise ValueError(f'{path} cannot be read as a checkpoint: {_reason(path, error)}') from error
    if not isinstance(checkpoint, dict):
        raise ValueError(f'{path} holds a {type(checkpoint).__name__}, not a dict of weights')
    return checkpoint


def _reason(path, error):
    try:
        with open(path, 'rb') as file:
            is_archive = file.read(4) == b'PK\3\4'
    except OSError as refusal:  # which safetensors reports like damage
        raise_if_system(refusal, path)
        raise
    if isinstance(error, SafetensorError):
        return f'it is damaged or cut off ({error}): download it again'
    try:
        if (is_archive and not zipfile.is_zipfile(path)) or isinstance(error, EOFError):
            return 'it seems to be cut off: download it again'
    except zipfile.BadZipFile as damage:
        return str(damage)
    # torch's text proposes weights_only=False, which runs any code in the file.
    cause = str(error.__context__ or error).partition(' Please')[0].strip(' .')
    if isinstance(error, Refused) and 'could run code' not in cause:
        return cause
    if isinstance(error, pickle.UnpicklingError) and re.search('GLOBAL|class|it holds', cause):
        return f'it holds more than weights ({cause}), and such things could run code while they load'
    return f'{type(error).__name__}: {(cause.splitlines() or [""])[0]}'
