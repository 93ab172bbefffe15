"""From decoded frames to the square frames an encoder takes."""

import mmcv
import numpy as np

from .transforms import crop_offsets


def resize_and_crop(frames, size):
    """Resize the short side and cut the centre square, as mmaction2's ``Resize((-1, size))`` and ``CenterCrop(size)``.

    Args:
        frames (ndarray): (n, H, W, 3) uint8.
        size (int): Side in pixels.

    Returns:
        ndarray: (n, size, size, 3) uint8.
    """
    height, width = frames.shape[1:3]
    new_size = mmcv.rescale_size((width, height), (np.inf, size))
    left, top = (crop_offsets(length, size, 1)[0] for length in new_size)
    return np.stack([mmcv.imresize(frame, new_size)[top : top + size, left : left + size] for frame in frames])
