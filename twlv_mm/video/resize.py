"""Resize images of any size to the squares that encoders take."""

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
    """Make frames (H, W, 3) square, as an encoder expects them: (n, size, size, 3) uint8.

    Args:
        frames (Sequence[ndarray]): n of (H, W, 3) uint8.
        size (int): Side in pixels.
        resize (str): 'short_side' with a centre crop, as mmaction2's ``Resize((-1, size))`` and ``CenterCrop(size)``,
            or 'squash', as its ``Resize((size, size), keep_ratio=False)``.
        interpolation (str): 'nearest', 'bilinear', 'bicubic', 'area' or 'lanczos'.
        short_side (int, optional): Pixels of the short side before the crop, as ImageNet's 256 for 224; ``size`` if
            None.
    """
    return np.stack([square(frame, size, resize, interpolation, short_side) for frame in frames])


def resize_short_side(frame, size, interpolation='bilinear'):
    """Resize an image (H, W, 3) so that its short side has ``size`` pixels, as mmaction2's ``Resize((-1, size))``."""
    height, width = frame.shape[:2]
    scale = size / min(height, width)
    return _resized(frame, int(width * scale + 0.5), int(height * scale + 0.5), interpolation)


def crop_offsets(length, size, count):
    """Offsets in pixels of ``count`` crops along one side: evenly from end to end, a single one in the middle."""
    if count == 1:
        return [(length - size) // 2]
    return [(length - size) * i // (count - 1) for i in range(count)]


def square(frame, size, resize='short_side', interpolation='bilinear', short_side=None):
    """As :func:`resize_and_crop`, for one frame (H, W, 3); a view if it is cropped."""
    if resize == 'squash':
        return _resized(frame, size, size, interpolation)
    whole = resize_short_side(frame, short_side or size, interpolation)
    top, left = (crop_offsets(length, size, 1)[0] for length in whole.shape[:2])
    return whole[top : top + size, left : left + size]


def _resized(frame, width, height, interpolation):
    if frame.shape[:2] == (height, width):
        return frame
    return cv2.resize(frame, (width, height), interpolation=INTERPOLATIONS[interpolation])
