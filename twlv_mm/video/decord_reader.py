"""Read frames with decord, from files of which it returns the right ones."""

import decord
import numpy as np
from av.sidedata.sidedata import Type

from .container import open_container
from .errors import VideoError, reason, video_errors
from .frame_index import SEEKABLE, index_file
from .reader import Reader

# decord keeps time stamps as float32.
TOLERANCE = 1e-3


class DecordReader(Reader):
    """Reads frames with decord, in one thread.

    decord seeks without checking where it arrives, and returns wrong frames of MPEG-TS, AVI, WMV and FLV, of H.265 with
    an open GOP, H.264 with intra refresh and others. It is only used for H.264 in MP4, MOV and MKV whose key frames are
    all independent, and only if its frames and times match the file's index. It notices damage that stops it, and
    conceals other wrong bytes.

    Raises:
        VideoError: if decord cannot read the file, would return wrong frames of it, or it is damaged.
    """

    def __init__(self, path):
        self.path = path
        self.decoder = f'decord {decord.__version__}'
        index = index_file(path)
        self.frame_times = index.frame_times
        with video_errors(path):
            self._refuse(_unsound(path, index))
            self._reader = decord.VideoReader(path, num_threads=1, fault_tol=1)
            shown, counted = len(index.frame_times), len(self._reader)
            if shown != counted:
                self._refuse(f'the file shows {shown} frames, decord counts {counted}')
            starts = self._reader.get_frame_timestamp(np.arange(counted))[:, 0].astype(np.float64)
            if np.abs(starts - starts[0] - index.frame_times[:, 0]).max() > TOLERANCE + 1e-6 * starts[-1]:
                self._refuse('its time stamps are not those of the file')
            self._padded = self._reader[0].shape[2] != 3

    def _refuse(self, why):
        if why:
            raise VideoError(f"{self.path} is not for decord, which may return wrong frames ({why}): use decoder='av'")

    def _decode(self, wanted):
        for index in wanted:
            try:
                frame = self._reader[index].asnumpy()
            except Exception as error:  # its errors are of several types, and do not name the file
                raise VideoError(f'{self.path}: frame {index}: {reason(error)}') from error
            yield _drop_row_padding(frame) if self._padded else frame

    def close(self):
        self._reader = None


def _unsound(path, index):
    """Why decord may return wrong frames of a file, or frames that are not upright; None if it does not."""
    if index.container not in SEEKABLE or index.codec != 'h264':
        return f'{index.codec} in {index.container}'
    if index.depends:
        return 'key frames that depend on others'
    if (np.diff(index.stamps[index.packets, 0]) <= 0).any():
        return 'its time stamps do not tell the order of its frames'
    with open_container(path) as (container, stream):
        if len(container.streams.video) > 1:
            return 'several video streams'
        frame = next(container.decode(stream))
        matrix = frame.side_data.get(Type.DISPLAYMATRIX)
        if matrix is not None:
            a, b, _, c, d = np.frombuffer(matrix, np.int32)[:5].tolist()
            if a * d - b * c < 0:
                return 'it is mirrored'
        if frame.format.name != 'yuv420p':
            return f'pixel format {frame.format.name}'
    return None


def _drop_row_padding(frame):
    """Undo decord's bug on rotated videos under 64 pixels wide: (H, W, C), the padding of rows counted as a channel."""
    height, width, _ = frame.shape
    return frame.reshape(height, -1)[:, : width * 3].reshape(height, width, 3)
