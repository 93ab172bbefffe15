"""Film strips, and images embedded in a page."""

import base64

import cv2
import numpy as np


def jpeg_uri(picture, quality=70):
    """An image, (H, W, 3) uint8 RGB, as a JPEG data URI."""
    _, jpeg = cv2.imencode('.jpg', picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return f'data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}'


def film_strip(frames, height, gap=0):
    """Frames, (T, H, W, 3) uint8 RGB, scaled to a height and placed side by side with a white gap in pixels."""
    small = [resized(frame, height) for frame in frames]
    white = np.full((height, gap, 3), 255, np.uint8)
    return np.hstack([part for frame in small for part in (frame, white)][: 2 * len(small) - 1])


def resized(picture, height):
    """An image, (H, W, 3) uint8, scaled to a height in pixels."""
    width = max(round(picture.shape[1] / picture.shape[0] * height), 1)
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
