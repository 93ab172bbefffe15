"""Frames through decord."""

import decord
import numpy as np

from .packets import index_frames
from .reader import Reader, VideoError, decord_frame_times, reason


class DecordReader(Reader):
    """Frames through decord, decoded by one thread.

    decord 0.6.0 conceals what it cannot decode and does not tell. What is noticed is what :func:`index_frames` sees in
    the packets, and what stops the decoder; other bytes inside one frame can be wrong in silence, and so are that
    frame and those predicted from it. :class:`PyAVReader` notices most of these.

    Args:
        path (str): A video file.

    Raises:
        VideoError: if decord cannot read the file, or it is damaged.
    """

    def __init__(self, path):
        self.path = path
        self.decoder = f'decord {decord.__version__}'
        index = index_frames(path)
        try:
            # fault_tol: decord repeats a frame in place of each one that it cannot get. 1 is the strictest it takes: 0
            # turns the check off, and anything lower is not a count.
            self._reader = decord.VideoReader(path, num_threads=1, fault_tol=1)
            shown, counted = len(index.frame_times), len(self._reader)
            if shown != counted:
                # decord counts the frames that an edit list hides, and hands out others in their place.
                raise VideoError(f"{path} shows {shown} frames and decord counts {counted}: use decoder='av'")
            self.frame_times = decord_frame_times(self._reader)
            self._padded = self._reader[0].shape[2] != 3
        except (decord.DECORDError, RuntimeError) as error:
            raise VideoError(f'{path} cannot be decoded: {reason(error)}') from error

    def _decode(self, wanted):
        try:
            if self._padded:
                return np.stack([_drop_row_padding(self._reader[int(index)].asnumpy()) for index in wanted])
            return self._reader.get_batch(wanted).asnumpy()
        except (decord.DECORDError, RuntimeError) as error:
            raise VideoError(f'{self.path}: frames {wanted[0]} to {wanted[-1]}: {reason(error)}') from error

    def close(self):
        """See the base class."""
        self._reader = None


def _drop_row_padding(frame):
    """Undo decord's mistake on rotated videos under 64 pixels wide: it counts their padded rows as a fourth channel.

    Args:
        frame (ndarray): (H, W, C) uint8, one frame from decord; as a batch it cannot even copy them.

    Returns:
        ndarray: (H, W, 3) uint8.
    """
    height, width, _ = frame.shape
    return frame.reshape(height, -1)[:, : width * 3].reshape(height, width, 3)
