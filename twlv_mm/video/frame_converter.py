"""Convert decoded frames to upright RGB images."""

import numpy as np
from av.sidedata.sidedata import Type
from av.video.reformatter import VideoReformatter


class FrameConverter:
    """Converts frames of one video (av.VideoFrame) to (H, W, 3) uint8 RGB, turned and mirrored as players show them."""

    def __init__(self):
        # One for all frames: setting up a frame's own reformatter takes longer than decoding a small frame.
        self._reformatter = VideoReformatter()

    def __call__(self, frame):
        plane = self._reformatter.reformat(frame, format='rgb24', threads=1).planes[0]
        # A view of the frame's memory, whose rows are padded: callers resize or stack it, which copies it.
        picture = np.ndarray((plane.height, plane.width, 3), np.uint8, plane, strides=(plane.line_size, 3, 1))
        matrix = frame.side_data.get(Type.DISPLAYMATRIX)
        return picture if matrix is None else np.ascontiguousarray(_displayed(picture, matrix))


def _displayed(picture, matrix):
    """Apply a display matrix (ISO 14496-12, 8.3.2), x' = a x + c y, y' = b x + d y, to the nearest right angle."""
    a, b, _, c, d = np.frombuffer(matrix, np.int32)[:5].tolist()
    if abs(a) + abs(d) < abs(b) + abs(c):
        picture, a, d = picture.swapaxes(0, 1), c, b
    return picture[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1]
