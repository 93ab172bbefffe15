"""Reading an encoder's weights from a file, without running anything in it."""

import hashlib
import os

import torch

from .layouts import encoder_state
from .position import TABLES


def load_weights(model, path):
    """Load an encoder's weights from a file, strictly.

    Args:
        model (nn.Module): An encoder of this package.
        path (str): A checkpoint; only tensors and plain containers are read (``weights_only=True``).

    Returns:
        str: SHA-256 of the file, in hex.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is not a checkpoint, or one of another model; the message names the keys.
    """
    state = encoder_state(read_checkpoint(path), path)
    # Files of models with a fixed table need not hold it; rotary positions have none to fill.
    if getattr(model.arch, 'position', None) in TABLES:
        state.setdefault('pos_embed', model.pos_embed)
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        reasons = str(error).split('\n\t')[1:]
        shown = '\n  '.join(reason.strip()[:400] for reason in reasons[:4])
        more = f'\n  and {len(reasons) - 4} more' if len(reasons) > 4 else ''
        raise ValueError(f'{path} does not hold the weights of {model.arch_name}:\n  {shown}{more}') from None
    return file_sha256(path)


def read_checkpoint(path):
    """Read a checkpoint file without running anything that it may contain.

    Args:
        path (str): A file written by ``torch.save``.

    Returns:
        dict: what the file holds, on the CPU.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it cannot be read as a checkpoint, or holds objects that loading would have to execute.
    """
    if not os.path.isfile(path):
        raise FileNotFoundError(f'no weights at {path}')
    try:
        checkpoint = torch.load(path, map_location='cpu', weights_only=True)
    except Exception as error:  # a file that is no checkpoint can make the unpickler fail in any way
        reason = (str(error).splitlines() or [''])[0]
        raise ValueError(f'{path} cannot be read as a checkpoint: {type(error).__name__}: {reason}') from error
    if not isinstance(checkpoint, dict):
        raise ValueError(f'{path} holds a {type(checkpoint).__name__}, not a dict of weights')
    return checkpoint


def file_sha256(path):
    """SHA-256 of a file, in hex."""
    digest = hashlib.sha256()
    with open(path, 'rb') as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()
