"""Clips of a video in order, each needed frame decoded and resized once."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from .errors import VideoError
from .resize import square
from .sampling import frames_of_windows, sample_windows

CHUNK_FRAMES = 32  # frames that are handed out at once


class ClipSampling(NamedTuple):
    """Which clips are wanted of a video, and at what size.

    Attributes:
        sampling (str): 'uniform' or 'multi-clip'.
        clip_seconds (float): T of 'multi-clip'.
        stride_seconds (float): T_s of 'multi-clip'.
        num_frames (int): N, frames a clip.
        size (int): Side of the square frames in pixels.
        resize (str): As for :func:`resize_and_crop`.
        interpolation (str): As for :func:`resize_and_crop`.
    """

    sampling: str
    clip_seconds: float
    stride_seconds: float
    num_frames: int
    size: int
    resize: str = 'short_side'
    interpolation: str = 'bilinear'


class FrameStream(NamedTuple):
    """A video on its way: what its clips are, and the frames that they need, in order.

    Attributes:
        duration (float): Seconds.
        num_frames (int): Frames of the file.
        decoder (str): Name and version of what decodes it.
        windows (ndarray): (M, 2) start and end of each clip in seconds.
        indices (ndarray): (M, N) frames of each clip.
        chunks (Iterator): Of (k,) frame indices and their (k, size, size, 3) uint8 frames; raises
            :class:`VideoError` where the video cannot be decoded.
    """

    duration: float
    num_frames: int
    decoder: str
    windows: np.ndarray
    indices: np.ndarray
    chunks: Iterator


def stream_frames(reader, sampling):
    """Begin to read what the clips of a video need, front to back.

    Args:
        reader (Reader): An open video.
        sampling (ClipSampling): The clips.

    Returns:
        FrameStream: the frames are decoded while its chunks are taken.
    """
    times = reader.frame_times
    windows = sample_windows(times, *sampling[:3])
    indices = frames_of_windows(times, windows, sampling.num_frames)
    chunks = iter_frames(reader, np.unique(indices), *sampling[4:])
    return FrameStream(float(times[-1, 1]), len(times), reader.decoder, windows, indices, chunks)


def iter_frames(reader, wanted, size, resize='short_side', interpolation='bilinear'):
    """Decode and resize frames in chunks of at most :data:`CHUNK_FRAMES`, one after another.

    Args:
        reader (Reader): An open video.
        wanted (ndarray): (n,) frame indices, ascending.
        size (int): Side in pixels.
        resize (str): As for :func:`resize_and_crop`.
        interpolation (str): As for :func:`resize_and_crop`.

    Yields:
        tuple[ndarray, ndarray]: (k,) indices, (k, size, size, 3) uint8.

    Raises:
        VideoError: if a frame cannot be decoded, after all frames before it were handed out.
    """
    frames, fault, start = reader.frames(wanted), None, 0
    while fault is None and start < len(wanted):
        chunk = []
        try:
            for frame in frames:
                chunk.append(square(frame, size, resize, interpolation))
                if len(chunk) == CHUNK_FRAMES:
                    break
        except VideoError as error:
            fault = error
        if chunk:
            yield wanted[start : start + len(chunk)], np.stack(chunk)
        start += len(chunk)
    if fault is not None:
        raise fault


def clips_of_frames(chunks, indices):
    """Put clips together from frames that come in order; clips that overlap share theirs.

    Frames are held from the start of the present clip on.

    Args:
        chunks (Iterator): Of frame indices and frames, as :func:`iter_frames` yields.
        indices (ndarray): (M, N) frame indices: ascending in a clip, and clips in order of their first frames.

    Yields:
        ndarray: (N, size, size, 3) uint8, clip after clip.
    """
    held = {}
    for clip in map(np.ndarray.tolist, indices):  # lists of all would take five times their memory
        for index in [index for index in held if index < clip[0]]:
            del held[index]
        while clip[-1] not in held:
            numbers, frames = next(chunks)
            held.update(zip(numbers.tolist(), frames, strict=True))
        yield np.stack([held[index] for index in clip])
