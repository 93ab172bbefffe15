"""Clips of a video in order, with each needed frame decoded and resized once."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from .errors import VideoError
from .resize import square
from .sampling import frames_of_windows, sample_windows

CHUNK_FRAMES = 32


class ClipSampling(NamedTuple):
    """Which clips of a video to read, and at what size.

    The first three are arguments of :func:`sample_windows`, ``num_frames`` is N of a clip, the last three are arguments
    of :func:`resize_and_crop`.
    """

    sampling: str
    clip_seconds: float
    stride_seconds: float
    num_frames: int
    size: int
    resize: str = 'short_side'
    interpolation: str = 'bilinear'


class FrameStream(NamedTuple):
    """A video being read: its clips, and the frames that they need, in order.

    Attributes:
        duration (float): Seconds.
        num_frames (int): Frames of the file.
        decoder (str): Name and version of the decoder.
        windows (ndarray): (M, 2) start and end of each clip in seconds.
        indices (ndarray): (M, N) frames of each clip.
        chunks (Iterator): Of (k,) frame indices and (k, size, size, 3) uint8 frames; raises :class:`VideoError` where
            the video cannot be decoded.
    """

    duration: float
    num_frames: int
    decoder: str
    windows: np.ndarray
    indices: np.ndarray
    chunks: Iterator


def stream_frames(reader, sampling):
    """Start reading the clips of an open video (a Reader); frames are decoded as the FrameStream's chunks are taken."""
    times = reader.frame_times
    windows = sample_windows(times, *sampling[:3])
    indices = frames_of_windows(times, windows, sampling.num_frames)
    chunks = iter_frames(reader, np.unique(indices), *sampling[4:])
    return FrameStream(float(times[-1, 1]), len(times), reader.decoder, windows, indices, chunks)


def iter_frames(reader, wanted, size, resize='short_side', interpolation='bilinear'):
    """Decode frames of ascending indices (n,), make them square, and yield chunks of at most :data:`CHUNK_FRAMES`.

    Yields:
        tuple[ndarray, ndarray]: (k,) indices, (k, size, size, 3) uint8. If a frame cannot be decoded, VideoError is
        raised after all frames before it.
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
    """Assemble clips (N, size, size, 3) from frames that arrive in order; overlapping clips share frames.

    ``chunks`` are those of :func:`iter_frames`; ``indices`` (M, N) ascend within a clip, and so do the clips' first
    frames.
    """
    held = {}
    for clip in map(np.ndarray.tolist, indices):  # one at a time: lists take five times the memory
        for index in [index for index in held if index < clip[0]]:
            del held[index]
        while clip[-1] not in held:
            numbers, frames = next(chunks)
            held.update(zip(numbers.tolist(), frames, strict=True))
        yield np.stack([held[index] for index in clip])
