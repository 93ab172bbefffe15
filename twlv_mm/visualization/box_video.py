"""Boxes with text on a picture, and on all frames of a video."""

from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import cv2
import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from twlv_mm.video import open_video, write_video

from .confusion_matrix import shorten

MAX_TEXT = 36  # characters of a line
MIN_SIDE = 360  # pixels of the short side that text needs: smaller pictures are enlarged
CHUNK_FRAMES, CHUNK_BYTES = 32, 64 * 2**20  # that are decoded at once
KEY_INTERVAL = 24  # frames of the file that is written
# matplotlib brings a font that has letters of most languages.
FONT = Path(matplotlib.get_data_path(), 'fonts/ttf/DejaVuSans.ttf')


class DrawnBox(NamedTuple):
    """A box to draw.

    Attributes:
        box (ndarray): (4,) x1, y1, x2, y2, shares of the picture; where there are times, (n, 4).
        lines (Sequence[str]): What is written at it.
        colour (tuple[float, float, float]): RGB in 0 ... 1.
        below (bool): Thin, with its text at its bottom: for what is annotated, beside what is predicted.
        times (ndarray, optional): (n,) ascending seconds of the video at which it is where ``box`` says.
    """

    box: np.ndarray
    lines: tuple = ()
    colour: tuple = (1.0, 1.0, 1.0)
    below: bool = False
    times: np.ndarray | None = None

    def at(self, time):
        """The box at a time: between two known ones on a straight line, before and after them the nearest.

        Args:
            time (float): Seconds of the video.

        Returns:
            DrawnBox: without times.
        """
        if self.times is None:
            return self
        box = np.array([np.interp(time, self.times, edge) for edge in np.transpose(self.box)])
        return self._replace(box=box, times=None)


def draw_boxes(picture, boxes):
    """Draw boxes on a picture; a small one is enlarged by a whole number.

    Args:
        picture (ndarray): (H, W, 3) uint8 RGB.
        boxes (Sequence[DrawnBox]): Those without times.

    Returns:
        ndarray: (H', W', 3) uint8 RGB, H' and W' even: the picture's last row and column are doubled if they have to.
    """
    factor = -(-MIN_SIDE // min(picture.shape[:2]))
    if factor > 1:
        picture = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_LINEAR)
    height, width = picture.shape[:2]
    image = Image.fromarray(np.pad(picture, ((0, height % 2), (0, width % 2), (0, 0)), mode='edge'))
    pen = ImageDraw.Draw(image)
    unit = min(height, width) / MIN_SIDE
    font = ImageFont.truetype(str(FONT), round(13 * unit))
    last = np.array([width, height] * 2) - 1
    corners = [np.round(np.clip(one.box, 0, 1) * last).astype(int).tolist() for one in boxes]
    placed = sorted(zip(boxes, corners, strict=True), key=lambda pair: pair[0].below)  # thin ones would be covered
    for one, edges in placed:
        pen.rectangle(edges, outline=_rgb(one.colour), width=round((1 if one.below else 3) * unit))
    # All text after all boxes: it is what has to be read.
    for one, edges in placed:
        if one.lines:
            _write(pen, font, one, edges, (width, height))
    return np.array(image)


def draw_box_video(path, keyframes, out):
    """Write a video with boxes drawn on it, as fast and as long as it is, without its sound.

    Args:
        path (str): The video.
        keyframes (Sequence[tuple[float, Sequence[DrawnBox]]]): Seconds, ascending, and the boxes that are drawn from
            then until the next ones.
        out (str): An .mp4 file.

    Raises:
        FileNotFoundError: if there is no such video.
        VideoError: if it cannot be read.
    """
    times = [time for time, _ in keyframes]
    with open_video(path) as video:
        starts, ends = video.frame_times.T
        # Half a frame later, so that rounded time stamps do not delay boxes by a frame.
        places = np.searchsorted(times, (starts + ends) / 2, side='right') - 1
        fps = Fraction(len(starts) / ends[-1]).limit_denominator(1001)
        pictures = (
            draw_boxes(frame, [one.at(time) for one in keyframes[place][1]] if place >= 0 else ())
            for frame, time, place in zip(_frames(video), starts.tolist(), places.tolist(), strict=True)
        )
        write_video(out, pictures, fps, KEY_INTERVAL)


def _write(pen, font, one, edges, size):
    text = '\n'.join(shorten(line, MAX_TEXT) for line in one.lines)
    left, top, right, bottom = pen.multiline_textbbox((0, 0), text, font, spacing=1)
    margin = font.size // 4
    wide, high = right - left + 2 * margin, bottom - top + 2 * margin
    # Outside of the box, but never beyond the picture.
    x = max(min(edges[0], size[0] - wide), 0)
    y = max(min(edges[3] if one.below else edges[1] - high, size[1] - high), 0)
    pen.rectangle((x, y, x + wide, y + high), fill=_rgb(one.colour))
    # As bright as an eye finds it.
    bright = np.dot(one.colour, (0.299, 0.587, 0.114)) > 0.5
    colour = (0, 0, 0) if bright else (255, 255, 255)
    pen.multiline_text((x + margin - left, y + margin - top), text, colour, font, spacing=1)


def _rgb(colour):
    return tuple(round(255 * part) for part in colour)


def _frames(video):
    """Frame after frame of an open video."""
    (first,) = video.read([0])
    yield first
    count, length = len(video.frame_times), int(np.clip(CHUNK_BYTES // first.nbytes, 1, CHUNK_FRAMES))
    for start in range(1, count, length):
        yield from video.read(np.arange(start, min(start + length, count)))
