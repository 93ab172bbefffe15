"""Boxes with text on a frame, and on all frames of a video."""

from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import cv2
import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .confusion_matrix import shorten
from .overlay_video import draw_on_video

MAX_TEXT = 36  # characters of a line
MIN_SIDE = 360  # pixels of the short side; smaller images are enlarged for legible text
MAX_LINES = 4  # of a box
PALEST = 0.5  # opacity of a box with a score of 0
# matplotlib ships a font that covers most languages.
FONT = Path(matplotlib.get_data_path(), 'fonts/ttf/DejaVuSans.ttf')


class DrawnBox(NamedTuple):
    """A box to draw.

    Attributes:
        box (ndarray): (4,) x1, y1, x2, y2 as fractions of the frame; (n, 4) if there are times.
        lines (Sequence[str]): Its text.
        colour (tuple[float, float, float]): RGB in 0 ... 1.
        below (bool): Thin, with its text at the bottom: for annotations beside predictions.
        times (ndarray, optional): (n,) ascending seconds of the boxes.
        score (float): From 0 to 1, how prominently it is drawn.
    """

    box: np.ndarray
    lines: tuple = ()
    colour: tuple = (1.0, 1.0, 1.0)
    below: bool = False
    times: np.ndarray | None = None
    score: float = 1.0

    def at(self, time):
        """The box at a time in seconds, interpolated linearly between its times."""
        if self.times is None:
            return self
        box = np.array([np.interp(time, self.times, edge) for edge in np.transpose(self.box)])
        return self._replace(box=box, times=None)


def draw_boxes(picture, boxes):
    """Draw boxes on an image; a small image is enlarged by a whole number.

    Boxes with lower scores are thinner, and below 0.5 paler. Text never covers that of a better box: it goes to the
    first free side of its box; else only its first line is written, or nothing.

    Args:
        picture (ndarray): (H, W, 3) uint8 RGB.
        boxes (Sequence[DrawnBox]): Boxes without times.

    Returns:
        ndarray: (H', W', 3) uint8 RGB, H' and W' even (the last row and column are repeated if needed).
    """
    picture, unit = enlarged(picture)
    height, width = picture.shape[:2]
    image = Image.fromarray(picture)
    pen = ImageDraw.Draw(image, 'RGBA')
    last = np.array([width, height] * 2) - 1
    corners = [np.round(np.clip(one.box, 0, 1) * last).astype(int).tolist() for one in boxes]
    # Predictions go below the thin annotations, and unlikely ones below likely ones.
    placed = sorted(zip(boxes, corners, strict=True), key=lambda pair: (pair[0].below, pair[0].score))
    for one, edges in placed:
        line = 1 if one.below else unit * (1 + 2 * one.score)
        pen.rectangle(edges, outline=rgb(one.colour, min(PALEST + one.score, 1)), width=max(round(line), 1))
    # Text is drawn after all boxes; annotations choose their place first, then the likely predictions.
    taken = []
    for one, edges in sorted(placed, key=lambda pair: (not pair[0].below, -pair[0].score)):
        _write(pen, letters(unit), one, edges, (width, height), taken)
    return np.array(image)


def enlarged(picture):
    """Enlarge an image for legible text, with even height and width; also returns its short side in MIN_SIDE."""
    factor = -(-MIN_SIDE // min(picture.shape[:2]))
    if factor > 1:
        picture = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_LINEAR)
    height, width = picture.shape[:2]
    return np.pad(picture, ((0, height % 2), (0, width % 2), (0, 0)), mode='edge'), min(height, width) / MIN_SIDE


@lru_cache
def letters(unit):
    """The font for an image whose short side is ``unit`` times MIN_SIDE."""
    return ImageFont.truetype(str(FONT), round(13 * unit))


def write_lines(pen, font, lines, colour, place):
    """Write lines on a coloured background; ``colour`` is RGB in 0 ... 1.

    ``place(width, height)`` returns x and y of the upper left corner, or None. Returns the edges of the background, or
    None if there is no place.
    """
    text = '\n'.join(shorten(line, MAX_TEXT) for line in lines)
    left, top, right, bottom = pen.multiline_textbbox((0, 0), text, font, spacing=1)
    margin = font.size // 4
    wide, high = round(right - left) + 2 * margin, round(bottom - top) + 2 * margin
    corner = place(wide, high)
    if corner is None:
        return None
    x, y = corner
    pen.rectangle((x, y, x + wide, y + high), fill=rgb(colour))
    # Perceived brightness (ITU-R BT.601).
    bright = np.dot(colour, (0.299, 0.587, 0.114)) > 0.5
    ink = (0, 0, 0) if bright else (255, 255, 255)
    pen.multiline_text((x + margin - left, y + margin - top), text, ink, font, spacing=1)
    return x, y, x + wide, y + high


def rgb(colour, alpha=1.0):
    """A colour with parts in 0 ... 1, and its opacity, for Pillow."""
    return tuple(round(255 * part) for part in (*colour, alpha))


def draw_box_video(path, keyframes, out):
    """Write a video with boxes drawn on it, with the same timing and without sound.

    Args:
        path (str): The video.
        keyframes (Sequence[tuple[float, Sequence[DrawnBox]]]): Ascending seconds, and the boxes that are drawn from
            then until the next keyframe.
        out (str): An .mp4 file.
    """
    times = [time for time, _ in keyframes]

    def draw(frame, start, middle):
        # At the middle of the frame, so that rounded time stamps do not delay boxes by a frame.
        place = np.searchsorted(times, middle, side='right') - 1
        return draw_boxes(frame, [one.at(start) for one in keyframes[place][1]] if place >= 0 else ())

    draw_on_video(path, draw, out)


def _write(pen, font, one, edges, size, taken):
    """Write the lines of a box where there is no text yet, and add the place to ``taken``."""
    left, top, right, bottom = edges

    def free(wide, high):
        sides = [(left, top - high), (left, bottom), (right - wide, top - high), (right - wide, bottom)]
        sides += [(left, top), (right, top), (left - wide, top)]
        for x, y in sides[1:] + sides[:1] if one.below else sides:
            # Outside the box where there is room, but never outside the image.
            x, y = max(min(x, size[0] - wide), 0), max(min(y, size[1] - high), 0)
            if not any(x < b[2] and b[0] < x + wide and y < b[3] and b[1] < y + high for b in taken):
                return x, y
        return None

    shown = one.lines[:MAX_LINES]
    if len(one.lines) > MAX_LINES:
        shown = (*shown, f'and {len(one.lines) - MAX_LINES} more')
    for lines in (shown, shown[:1]):
        ground = write_lines(pen, font, lines, one.colour, free) if lines else None
        if ground is not None:
            taken.append(ground)
            return
