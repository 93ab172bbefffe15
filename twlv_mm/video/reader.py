"""Read frames of a video file by their indices."""

import warnings
from typing import NamedTuple

import cv2
import numpy as np

from .errors import VideoError, video_errors
from .sampling import tolerance

LATE_SECONDS = 0.5  # by which a segment may end after its video without a warning


class Segment(NamedTuple):
    """A segment of a video file in seconds since its first frame, accepted instead of a path."""

    path: str
    start: float
    end: float

    def __str__(self):
        return f'{self.path} from {self.start:g} to {self.end:g} s'


class Reader:
    """An open video, also a context manager. Decoders derive from it and define ``_decode``.

    Attributes:
        path (str | Segment): What is read.
        decoder (str): Name and version of the decoder.
        frame_times (ndarray): (F, 2) float64, start and end of each frame in seconds since the first frame.
    """

    @property
    def rate(self):
        """Frames per second, on average."""
        return len(self.frame_times) / float(self.frame_times[-1, 1] - self.frame_times[0, 0])

    def frames(self, wanted):
        """Yield the frames of ascending indices, (H, W, 3) uint8 RGB, upright; their size changes if the video's does.

        Raises:
            IndexError: if the video has no such frame.
            VideoError: if a frame cannot be decoded.
        """
        if len(wanted) and (wanted[0] < 0 or wanted[-1] >= len(self.frame_times)):
            raise IndexError(
                f'{self.path} has frames 0 to {len(self.frame_times) - 1}, not {wanted[0]} to {wanted[-1]}'
            )
        with video_errors(self.path):
            yield from self._decode(map(int, wanted))

    def read(self, indices):
        """Decode frames of any indices, as (n, H, W, 3) uint8 RGB, upright, in the size of the earliest of them."""
        wanted, inverse = np.unique(indices, return_inverse=True)
        frames = list(self.frames(wanted))
        height, width = frames[0].shape[:2]
        return np.stack([_sized(frame, width, height) for frame in frames])[inverse]

    def _decode(self, wanted):
        """Yield (H, W, 3) frames of ascending indices."""
        raise NotImplementedError

    def close(self):
        """Free the decoder and the file."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def _sized(frame, width, height):
    return frame if frame.shape[:2] == (height, width) else cv2.resize(frame, (width, height))


def segment_frames(frame_times, path, start, end):
    """The first frame on screen in a segment, and the times (f, 2) of its frames since ``start``, cut to the segment.

    ``frame_times`` (F, 2) has start and end of each frame of the file in seconds.
    """
    starts, near = frame_times[:, 0], tolerance(frame_times)
    if frame_times[-1, 1] <= start + near:
        raise VideoError(f'{path} ends before {start:.3f} s: it lasts {frame_times[-1, 1]:.3f} s')
    if frame_times[-1, 1] < end - LATE_SECONDS:
        warnings.warn(
            f'{path} lasts {frame_times[-1, 1]:.3f} s, but a segment of it ends later: is the list of another version '
            'of the video?',
            stacklevel=2,
        )
    first = max(np.searchsorted(starts, start + near, side='right') - 1, 0)
    last = max(np.searchsorted(starts, end - near), first + 1)
    return int(first), np.clip(frame_times[first:last] - start, 0, end - start)
