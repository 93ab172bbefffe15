"""Images as queries."""

import os

import cv2
import numpy as np

from twlv_mm.records import read_bytes
from twlv_mm.video import FrameStream, VideoError, resize_and_crop

ENDINGS = ('.jpg', '.jpeg', '.png', '.webp', '.bmp', '.tif', '.tiff')


def is_picture(path):
    """Whether a file is an image by its extension."""
    return os.fspath(path).lower().endswith(ENDINGS)


def read_picture(path):
    """Read an image as (H, W, 3) uint8 RGB, upright."""
    content = read_bytes(path)
    try:
        image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR) if content else None
    except cv2.error:
        image = None
    if image is None:
        raise VideoError(f'{path} is not a readable image ({len(content)} bytes)')
    return np.ascontiguousarray(image[..., ::-1])


def still_stream(path, sampling):
    """FrameStream of one clip that repeats an image, for a ClipSampling."""
    frame = resize_and_crop(read_picture(path)[None], *sampling[4:])
    indices = np.zeros((1, sampling.num_frames), np.int64)
    return FrameStream(0.0, 1, f'OpenCV {cv2.__version__}', np.zeros((1, 2)), indices, iter([(indices[0, :1], frame)]))
