"""Clips of a video in order, each needed frame decoded and resized once."""

import mmcv
import numpy as np

from .transforms import crop_offsets

CHUNK = 32  # frames that are decoded at once: what is held at the file's own resolution


def resize_and_crop(frames, size):
    """Resize the short side and cut the centre square, as mmaction2's ``Resize((-1, size))`` and ``CenterCrop(size)``.

    Args:
        frames (ndarray): (n, H, W, 3) uint8.
        size (int): Side in pixels.

    Returns:
        ndarray: (n, size, size, 3) uint8.
    """
    height, width = frames.shape[1:3]
    new_size = mmcv.rescale_size((width, height), (np.inf, size))
    left, top = (crop_offsets(length, size, 1)[0] for length in new_size)
    return np.stack([mmcv.imresize(frame, new_size)[top : top + size, left : left + size] for frame in frames])


def iter_clips(reader, indices, size):
    """Read a video front to back and hand out its clips.

    Clips that overlap share their frames. At most :data:`CHUNK` frames of the file's own resolution are held, and
    resized ones from the start of the present clip on, whatever the length of the video.

    Args:
        reader (DecordReader | PyAVReader): An open video.
        indices (ndarray): (M, N) frame indices, from :func:`frames_of_windows`: ascending in a clip, and clips in order
            of their first frames.
        size (int): Side in pixels of the square frames.

    Yields:
        ndarray: (N, size, size, 3) uint8, clip after clip.

    Raises:
        VideoError: if a frame cannot be decoded.
    """
    wanted = np.unique(indices)
    held, decoded = {}, 0
    for clip in indices:
        for index in [index for index in held if index < clip[0]]:
            del held[index]
        while decoded < len(wanted) and wanted[decoded] <= clip[-1]:
            chunk = wanted[decoded : decoded + CHUNK]
            held.update(zip(chunk.tolist(), resize_and_crop(reader.read(chunk), size), strict=True))
            decoded += len(chunk)
        yield np.stack([held[index] for index in clip.tolist()])
