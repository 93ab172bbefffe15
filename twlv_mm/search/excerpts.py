"""Pictures and short clips of moments, small enough to embed in a page."""

import base64
import tempfile
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from twlv_mm.video import Segment, frames_at, open_video, write_video
from twlv_mm.visualization import film_strip, jpeg_uri

from .image_files import is_picture, read_picture

STRIP_FRAMES, STRIP_HEIGHT, QUALITY = 5, 72, 70
# Limits of a film: height in pixels, frames per second, seconds, and seconds between key frames.
HEIGHT, RATE, SECONDS, KEY_SECONDS = 180, 12, 10, 2


class Excerpt(NamedTuple):
    """A moment as shown on a page."""

    strip: str  # frames side by side, a JPEG as a data URI
    poster: str  # a frame in the middle, a JPEG as a data URI
    film: str | None  # H.264 in MP4 as a data URI; None for an image
    start: float  # start of the film, in seconds since the first frame of the video
    end: float  # end of the film
    whole: bool  # whether the film covers the whole moment, or only its middle


def read_excerpt(video, start, end):
    """Read the :class:`Excerpt` of a Video from ``start`` to ``end`` in seconds."""
    if is_picture(video.path):
        picture = _strip([read_picture(video.path)], STRIP_HEIGHT)
        return Excerpt(picture, picture, None, start, end, True)
    whole = end - start <= SECONDS
    if not whole:
        middle = (start + end) / 2
        start, end = middle - SECONDS / 2, middle + SECONDS / 2
    offset = video.segment[0] if video.segment else 0.0
    with open_video(Segment(video.path, offset + start, offset + end)) as reader:
        times = reader.frame_times
        rate = Fraction(min(reader.rate, RATE)).limit_denominator(1000)
        count = max(round(float(times[-1, 1] * rate)), 1)
        places = frames_at(times, (np.arange(count) + 0.5) / float(rate))
        kept = np.unique(places)
        frames = dict(zip(kept.tolist(), map(_small, reader.frames(kept)), strict=True))
    size = next(iter(frames.values())).shape
    film = [frames[place] for place in places.tolist()]
    film = [frame if frame.shape == size else cv2.resize(frame, size[1::-1]) for frame in film]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'excerpt.mp4'
        write_video(path, film, rate, max(round(KEY_SECONDS * rate), 1))
        film_uri = f'data:video/mp4;base64,{base64.b64encode(path.read_bytes()).decode()}'
    chosen = [film[place] for place in ((np.arange(STRIP_FRAMES) + 0.5) / STRIP_FRAMES * count).astype(int)]
    poster = _strip(chosen[STRIP_FRAMES // 2 :][:1], min(HEIGHT, size[0]))
    return Excerpt(_strip(chosen, STRIP_HEIGHT), poster, film_uri, start, end, whole)


def _small(frame):
    """A frame of at most HEIGHT pixels in height, with even sides as H.264 requires."""
    scale = min(HEIGHT / frame.shape[0], 1)
    height, width = (max(round(length * scale / 2) * 2, 2) for length in frame.shape[:2])
    return cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA)


def _strip(frames, height):
    return jpeg_uri(film_strip(frames, height), QUALITY)
