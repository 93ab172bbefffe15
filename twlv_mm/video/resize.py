"""From pictures of any size to the squares that encoders take."""

import cv2
import numpy as np

INTERPOLATIONS = {
    'nearest': cv2.INTER_NEAREST,
    'bilinear': cv2.INTER_LINEAR,
    'bicubic': cv2.INTER_CUBIC,
    'area': cv2.INTER_AREA,
    'lanczos': cv2.INTER_LANCZOS4,
}


def resize_and_crop(frames, size, resize='short_side', interpolation='bilinear', short_side=None):
    """Make frames square, as an encoder wants it.

    Args:
        frames (Sequence[ndarray]): n of (H, W, 3) uint8.
        size (int): Side in pixels.
        resize (str): 'short_side' and the square in the centre, as mmaction2's ``Resize((-1, size))`` and
            ``CenterCrop(size)``, or 'squash', as its ``Resize((size, size), keep_ratio=False)``.
        interpolation (str): A key of INTERPOLATIONS, as OpenCV does them.
        short_side (int, optional): Pixels of the short side before the square is cut out; ``size`` if None.

    Returns:
        ndarray: (n, size, size, 3) uint8.
    """
    return np.stack([square(frame, size, resize, interpolation, short_side) for frame in frames])


def resize_short_side(frame, size, interpolation='bilinear'):
    """Resize a picture so that its short side has a length, as mmaction2's ``Resize((-1, size))``.

    Args:
        frame (ndarray): (H, W, 3) uint8.
        size (int): Pixels.
        interpolation (str): A key of INTERPOLATIONS.

    Returns:
        ndarray: (h, w, 3) uint8.
    """
    height, width = frame.shape[:2]
    scale = size / min(height, width)
    return _resized(frame, int(width * scale + 0.5), int(height * scale + 0.5), interpolation)


def crop_offsets(length, size, count):
    """Where crops start along one side: evenly from one end to the other, in the middle if there is one.

    Args:
        length (int): Pixels of the side.
        size (int): Pixels of a crop.
        count (int): Number of crops.

    Returns:
        list[int]: ``count`` offsets in pixels.
    """
    if count == 1:
        return [(length - size) // 2]
    return [(length - size) * i // (count - 1) for i in range(count)]


def square(frame, size, resize='short_side', interpolation='bilinear', short_side=None):
    """Make one frame square, as :func:`resize_and_crop`.

    Args:
        frame (ndarray): (H, W, 3) uint8.
        size (int): Side in pixels.
        resize (str): 'short_side' or 'squash'.
        interpolation (str): A key of INTERPOLATIONS.
        short_side (int, optional): As in :func:`resize_and_crop`.

    Returns:
        ndarray: (size, size, 3) uint8, a view where it is cropped.
    """
    if resize == 'squash':
        return _resized(frame, size, size, interpolation)
    whole = resize_short_side(frame, short_side or size, interpolation)
    top, left = (crop_offsets(length, size, 1)[0] for length in whole.shape[:2])
    return whole[top : top + size, left : left + size]


def _resized(frame, width, height, interpolation):
    if frame.shape[:2] == (height, width):
        return frame
    return cv2.resize(frame, (width, height), interpolation=INTERPOLATIONS[interpolation])
