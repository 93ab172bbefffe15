"""Reading frames and their real time stamps from a video file.

Every reader follows one small protocol: ``frame_times`` (F, 2) start and end of each frame in seconds since the first
frame, ``read(indices)`` -> (n, H, W, 3) uint8 RGB upright, ``decoder`` its name and version, ``close()``, and use as a
context manager.
"""

import os
import platform

import numpy as np
import torch  # noqa: F401  decord can hang when it is imported before torch


class VideoError(ValueError):
    """A file that is there and cannot be read as a video; the message names the file and the reason."""


class _Reader:
    def close(self):
        """Free what is open."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class DecordReader(_Reader):
    """Frames through decord, decoded by one thread.

    Args:
        path (str): A video file.

    Raises:
        VideoError: if decord cannot read the file.
    """

    def __init__(self, path):
        import decord

        self.path = path
        self.decoder = f'decord {decord.__version__}'
        try:
            self._reader = decord.VideoReader(path, num_threads=1)
            if len(self._reader) == 0:
                raise VideoError(f'{path} has no video frames')
            self.frame_times = decord_frame_times(self._reader)
            self._padded = self._reader[0].shape[2] != 3
        except (decord.DECORDError, RuntimeError) as error:
            raise VideoError(f'{path} cannot be decoded: {_reason(error)}') from error

    def read(self, indices):
        """Decode frames.

        Args:
            indices (Sequence[int]): Frame indices, in any order, repeats allowed.

        Returns:
            ndarray: (n, H, W, 3) uint8 RGB, rotated upright.

        Raises:
            VideoError: if a frame cannot be decoded.
        """
        import decord

        wanted, inverse = np.unique(indices, return_inverse=True)
        try:
            if self._padded:
                frames = np.stack([_drop_row_padding(self._reader[int(index)].asnumpy()) for index in wanted])
            else:
                frames = self._reader.get_batch(wanted).asnumpy()
        except (decord.DECORDError, RuntimeError) as error:
            raise VideoError(f'{self.path}: frames {wanted[0]} to {wanted[-1]}: {_reason(error)}') from error
        return frames[inverse]

    def close(self):
        """Free the decoder and the file."""
        self._reader = None


class PyAVReader(_Reader):
    """Frames through PyAV, for machines without decord's wheels. Going back in a video decodes it from the start.

    Args:
        path (str): A video file.

    Raises:
        VideoError: if PyAV cannot read the file.
    """

    def __init__(self, path):
        import av

        self.path = path
        self.decoder = f'av {av.__version__}'
        self._av = av
        self._container = None
        with self._open() as container:
            stream = container.streams.video[0]
            packets = [(p.pts, p.duration) for p in container.demux(stream) if p.pts is not None]
            if not packets:
                raise VideoError(f'{path} has no video frames')
            starts, durations = np.array(sorted(packets), dtype=np.float64).T * float(stream.time_base)
        self.frame_times = _relative_times(np.append(starts, starts[-1] + durations[-1]))

    def _open(self):
        try:
            container = self._av.open(self.path)
        except (self._av.FFmpegError, OSError) as error:
            raise VideoError(f'{self.path} cannot be decoded: {_reason(error)}') from error
        if not container.streams.video:
            container.close()
            raise VideoError(f'{self.path} has no video stream')
        return container

    def read(self, indices):
        """Decode frames; arguments and result as :meth:`DecordReader.read`."""
        wanted, inverse = np.unique(indices, return_inverse=True)
        if self._container is None or wanted[0] < self._next:
            self.close()
            self._container = self._open()
            self._frames, self._next = self._container.decode(video=0), 0
        frames = []
        try:
            for index in wanted:
                while self._next <= index:
                    frame = next(self._frames)
                    self._next += 1
                frames.append(np.rot90(frame.to_ndarray(format='rgb24'), frame.rotation // 90))
        except (self._av.FFmpegError, StopIteration) as error:
            reason = _reason(error) if str(error) else f'the file ends after {self._next}'
            raise VideoError(f'{self.path}: frames {wanted[0]} to {wanted[-1]}: {reason}') from error
        return np.stack(frames)[inverse]

    def close(self):
        """Free the decoder and the file."""
        if self._container is not None:
            self._container.close()
            self._container = None


READERS = {'decord': DecordReader, 'av': PyAVReader}

# decord publishes wheels for x86 only.
DEFAULT_DECODER = 'decord' if platform.machine().lower() in ('x86_64', 'amd64') else 'av'


def open_video(path, decoder=DEFAULT_DECODER):
    """Open a video file.

    Args:
        path (str): A video file.
        decoder (str): 'decord' or 'av'.

    Returns:
        DecordReader | PyAVReader: a reader, also a context manager.

    Raises:
        FileNotFoundError: if there is no such file.
        VideoError: if it is empty or cannot be read as a video.
    """
    path = os.fspath(path)
    if not os.path.isfile(path):
        raise FileNotFoundError(f'no video file at {path}')
    if os.path.getsize(path) == 0:
        raise VideoError(f'{path} is empty (0 bytes)')
    return READERS[decoder](path)


def decord_frame_times(reader):
    """Real time stamps of a ``decord.VideoReader``.

    Args:
        reader (decord.VideoReader): An open reader, as mmaction2's DecordInit leaves it in ``video_reader``.

    Returns:
        ndarray: (F, 2) float64, start and end of each frame in seconds since the first frame.
    """
    stamps = reader.get_frame_timestamp(np.arange(len(reader))).astype(np.float64)
    return _relative_times(np.append(stamps[:, 0], stamps[-1, 1]))


def _drop_row_padding(frame):
    """Undo decord's mistake on rotated videos under 64 pixels wide: it counts their padded rows as a fourth channel.

    Args:
        frame (ndarray): (H, W, C) uint8, one frame from decord; as a batch it cannot even copy them.

    Returns:
        ndarray: (H, W, 3) uint8.
    """
    height, width, _ = frame.shape
    return frame.reshape(height, -1)[:, : width * 3].reshape(height, width, 3)


def _relative_times(edges):
    """(F + 1,) frame starts and the last end -> (F, 2) since the first frame; a last frame without length gets one."""
    edges = edges - edges[0]
    if edges[-1] <= edges[-2]:
        edges[-1] = edges[-2] + (np.median(np.diff(edges[:-1])) if len(edges) > 2 else 1 / 30)
    return np.stack([edges[:-1], edges[1:]], axis=1)


def _reason(error):
    """The last line that says something: decord's errors end in a C++ stack trace."""
    lines = [line.strip() for line in str(error).split('Stack trace')[0].splitlines() if line.strip()]
    return lines[0].split('] ')[-1] if lines else type(error).__name__
