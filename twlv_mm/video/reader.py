"""Reading frames and their real time stamps from a video file: one protocol, several decoders.

Each decoder has a file of its own, which is imported when the decoder is first asked for.
"""

import os
import platform
from importlib import import_module
from typing import NamedTuple

import numpy as np
import torch  # noqa: F401  decord can hang when it is imported before torch


class VideoError(ValueError):
    """A file that is there and cannot be read as a video; the message names the file and the reason."""


class Segment(NamedTuple):
    """A stretch of a video file, where a path stands otherwise.

    Attributes:
        path (str): The file.
        start (float): Seconds since the first frame.
        end (float): Seconds since the first frame, after the start.
    """

    path: str
    start: float
    end: float

    def __str__(self):
        return f'{self.path} from {self.start:g} to {self.end:g} s'


class Reader:
    """An open video, also a context manager. Decoders derive from it and define ``_decode``.

    Attributes:
        path (str | Segment): The file, or what is read of it.
        decoder (str): Name and version of what decodes it.
        frame_times (ndarray): (F, 2) float64, start and end of each frame in seconds since the first frame.
    """

    def read(self, indices):
        """Decode frames.

        Args:
            indices (Sequence[int]): Frame indices from 0 to F - 1, in any order, repeats allowed.

        Returns:
            ndarray: (n, H, W, 3) uint8 RGB, rotated upright.

        Raises:
            IndexError: if the video has no such frame.
            VideoError: if a frame cannot be decoded.
        """
        wanted, inverse = np.unique(indices, return_inverse=True)
        if wanted[0] < 0 or wanted[-1] >= len(self.frame_times):
            raise IndexError(
                f'{self.path} has frames 0 to {len(self.frame_times) - 1}, not {wanted[0]} to {wanted[-1]}'
            )
        return self._decode(wanted)[inverse]

    def _decode(self, wanted):
        """Decode (n,) ascending indices to (n, H, W, 3) frames."""
        raise NotImplementedError

    def close(self):
        """Free the decoder and the file."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class _Entry(NamedTuple):
    module: str
    reader: str
    cure: str


READERS = {
    'decord': _Entry('decord_reader', 'DecordReader', 'pip install decord (x86 only; elsewhere use av)'),
    'av': _Entry('pyav_reader', 'PyAVReader', 'pip install av'),
    'torchcodec': _Entry(
        'torchcodec_reader',
        'TorchCodecReader',
        "install FFmpeg's shared libraries (4 to 8), and pip install torchcodec (torchcodec==0.13.0 without CUDA)",
    ),
}

# decord publishes wheels for x86 only.
DECORD_HAS_WHEELS = platform.machine().lower() in ('x86_64', 'amd64')
# decord reads ahead in the file for as long as it waits for a frame, and so comes to hold all of it in memory.
DECORD_BYTES = 32 * 2**20


def open_video(path, decoder=None):
    """Open a video file.

    What each decoder notices of damage, and what it does not, is said in its class.

    Args:
        path (str | Segment): A video file, or a stretch of one.
        decoder (str, optional): 'decord', 'av' or 'torchcodec'. If None, decord; av for files of more than
            :data:`DECORD_BYTES`, on machines for which decord has no wheels, and for segments, which the others do not
            read. Both give the same pixels.

    Returns:
        Reader: also a context manager.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if there is no such decoder, it is not installed, or it does not read segments.
        VideoError: if the file is empty or cannot be read as a video.
    """
    segment = path if isinstance(path, Segment) else None
    path = os.fspath(segment.path if segment else path)
    if not os.path.isfile(path):
        raise FileNotFoundError(f'no video file at {path}')
    if os.path.getsize(path) == 0:
        raise VideoError(f'{path} is empty (0 bytes)')
    if segment:
        if decoder not in (None, 'av'):
            raise ValueError(f'the decoder {decoder!r} does not read segments of videos: choose av, or none')
        return import_module('.segment_reader', __package__).SegmentReader(segment)
    if decoder is None:
        decoder = 'decord' if DECORD_HAS_WHEELS and os.path.getsize(path) <= DECORD_BYTES else 'av'
    return reader_class(decoder)(path)


def reader_class(decoder):
    """Import a decoder.

    Args:
        decoder (str): A key of :data:`READERS`.

    Returns:
        type[Reader]: to be called with a path.

    Raises:
        ValueError: if there is no such decoder, or it is not installed.
    """
    if decoder not in READERS:
        raise ValueError(f"there is no decoder '{decoder}'; choose one of {', '.join(READERS)}")
    entry = READERS[decoder]
    try:
        return getattr(import_module(f'.{entry.module}', __package__), entry.reader)
    # torchcodec raises RuntimeError or OSError where libraries are missing.
    except (ImportError, OSError, RuntimeError) as error:
        raise ValueError(f"the decoder '{decoder}' cannot be used ({reason(error)}): {entry.cure}") from error


def decord_frame_times(reader):
    """Real time stamps of a ``decord.VideoReader``.

    Args:
        reader (decord.VideoReader): An open reader, as mmaction2's DecordInit leaves it in ``video_reader``.

    Returns:
        ndarray: (F, 2) float64, start and end of each frame in seconds since the first frame.
    """
    stamps = reader.get_frame_timestamp(np.arange(len(reader))).astype(np.float64)
    return relative_times(np.append(stamps[:, 0], stamps[-1, 1]))


def relative_times(edges):
    """Starts and ends of frames from their edges.

    Args:
        edges (ndarray): (F + 1,) start of each frame and end of the last, in seconds.

    Returns:
        ndarray: (F, 2) start and end since the first frame; a last frame without length gets one.
    """
    edges = edges - edges[0]
    if edges[-1] <= edges[-2]:
        edges[-1] = edges[-2] + (np.median(np.diff(edges[:-1])) if len(edges) > 2 else 1 / 30)
    return np.stack([edges[:-1], edges[1:]], axis=1)


def reason(error):
    """The first line of an error that says something: decord's errors end in a C++ stack trace.

    Args:
        error (Exception): From a decoder.

    Returns:
        str: one line.
    """
    lines = [line.strip() for line in str(error).split('Stack trace')[0].splitlines() if line.strip()]
    return lines[0].split('] ')[-1] if lines else type(error).__name__
