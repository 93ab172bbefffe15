"""Checkpoints and weights, written whole."""

import torch

from .files import writing


def write_tensors(path, content):
    """Write what ``torch.load`` reads, as :func:`writing` does, without a copy of it in memory.

    Args:
        path (str | Path): The file; its folder exists.
        content (dict): Tensors and plain values.

    Raises:
        OSError: if it cannot be written; torch alone would say ``unexpected pos`` where the disk is full.
    """
    with writing(path) as file:
        try:
            torch.save(content, file)
        except RuntimeError as error:
            if isinstance(error.__context__, OSError):
                raise error.__context__ from None
            raise
