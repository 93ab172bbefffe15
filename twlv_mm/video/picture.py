"""From a decoded frame to an upright RGB picture."""

import numpy as np
from av.sidedata.sidedata import Type
from av.video.reformatter import VideoReformatter


class PictureMaker:
    """Makes pictures of one video: RGB whatever the pixel format and range, turned and mirrored as players show it."""

    def __init__(self):
        # One for all frames: each frame's own would set up the conversion anew, and its threads, which takes longer
        # than to decode small frames.
        self._reformatter = VideoReformatter()

    def __call__(self, frame):
        """Make a picture.

        Args:
            frame (av.VideoFrame): As it was decoded.

        Returns:
            ndarray: (H, W, 3) uint8 RGB, upright.
        """
        plane = self._reformatter.reformat(frame, format='rgb24', threads=1).planes[0]
        # A view of the frame's memory, whose rows are padded: whoever resizes or stacks it copies it anyway.
        picture = np.ndarray((plane.height, plane.width, 3), np.uint8, plane, strides=(plane.line_size, 3, 1))
        matrix = frame.side_data.get(Type.DISPLAYMATRIX)
        return picture if matrix is None else np.ascontiguousarray(_displayed(picture, matrix))


def _displayed(picture, matrix):
    """Apply a display matrix (ISO 14496-12, 8.3.2): x' = a x + c y, y' = b x + d y; of other angles, the nearest."""
    a, b, _, c, d = np.frombuffer(matrix, np.int32)[:5].tolist()
    if abs(a) + abs(d) < abs(b) + abs(c):
        picture, a, d = picture.swapaxes(0, 1), c, b
    return picture[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1]
