"""Clips of a video in order, each needed frame decoded and resized once."""

from collections.abc import Iterator
from typing import NamedTuple

import mmcv
import numpy as np

from .reader import VideoError
from .sampling import frames_of_windows, sample_windows
from .transforms import crop_offsets

CHUNK_FRAMES = 32  # frames that are decoded at once,
CHUNK_BYTES = 64 * 2**20  # and how much of the file's own resolution is held at most (one frame at least)


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
    """Decode and resize frames in chunks: at most :data:`CHUNK_FRAMES` of them, and :data:`CHUNK_BYTES`.

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
    start, length = 0, 1  # the first frame tells how many fit
    while start < len(wanted):
        chunk = wanted[start : start + length]
        try:
            frames = reader.read(chunk)
        except VideoError:
            if length == 1:
                raise
            length = 1  # up to the frame that is at fault
            continue
        if length == 1 and start == 0:
            length = int(np.clip(CHUNK_BYTES // frames.nbytes, 1, CHUNK_FRAMES))
        yield chunk, resize_and_crop(frames, size, resize, interpolation)
        start += len(chunk)


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
    for clip in indices.tolist():
        for index in [index for index in held if index < clip[0]]:
            del held[index]
        while clip[-1] not in held:
            numbers, frames = next(chunks)
            held.update(zip(numbers.tolist(), frames, strict=True))
        yield np.stack([held[index] for index in clip])


def resize_and_crop(frames, size, resize='short_side', interpolation='bilinear'):
    """Make frames square, as an encoder wants it.

    Args:
        frames (ndarray): (n, H, W, 3) uint8.
        size (int): Side in pixels.
        resize (str): 'short_side' and the square in the centre, as mmaction2's ``Resize((-1, size))`` and
            ``CenterCrop(size)``, or 'squash', as its ``Resize((size, size), keep_ratio=False)``.
        interpolation (str): 'bilinear' or 'bicubic', as OpenCV does them.

    Returns:
        ndarray: (n, size, size, 3) uint8.
    """
    if resize == 'squash':
        return np.stack([mmcv.imresize(frame, (size, size), interpolation=interpolation) for frame in frames])
    height, width = frames.shape[1:3]
    new_size = mmcv.rescale_size((width, height), (np.inf, size))
    left, top = (crop_offsets(length, size, 1)[0] for length in new_size)
    whole = (mmcv.imresize(frame, new_size, interpolation=interpolation) for frame in frames)
    return np.stack([frame[top : top + size, left : left + size] for frame in whole])
