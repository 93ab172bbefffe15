"""Frames side by side as a small picture within a page."""

import base64

import cv2
import numpy as np


def jpeg_uri(picture, quality=70):
    """A picture as text that a page can hold.

    Args:
        picture (ndarray): (H, W, 3) uint8 RGB.
        quality (int): Of the JPEG, 0 to 100.

    Returns:
        str: a data URI.
    """
    _, jpeg = cv2.imencode('.jpg', picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return f'data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}'


def film_strip(frames, height, gap=0):
    """Frames of some height side by side.

    Args:
        frames (ndarray): (T, H, W, 3) uint8 RGB.
        height (int): Pixels of the strip.
        gap (int): Pixels of white between the frames.

    Returns:
        ndarray: (height, W', 3) uint8 RGB.
    """
    small = [resized(frame, height) for frame in frames]
    white = np.full((height, gap, 3), 255, np.uint8)
    return np.hstack([part for frame in small for part in (frame, white)][: 2 * len(small) - 1])


def resized(picture, height):
    """A picture of another height and the same shape.

    Args:
        picture (ndarray): (H, W, 3) uint8.
        height (int): Pixels.

    Returns:
        ndarray: (height, W', 3) uint8.
    """
    width = max(round(picture.shape[1] / picture.shape[0] * height), 1)
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
