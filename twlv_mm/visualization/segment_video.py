"""A video with the labels of each moment, and a bar of all segments with a moving cursor."""

import numpy as np
from PIL import Image, ImageDraw

from .box_video import enlarged, letters, rgb, write_lines
from .colours import class_colour
from .overlay_video import draw_on_video

BAR = 26  # pixels of the bar if the short side of the video has 360
GREY, GROUND = (0.55, 0.55, 0.55), (0.94, 0.94, 0.94)
MAX_LABELS = 5  # written at a time
PALEST = 0.25  # opacity of a segment with a score of 0


def draw_segment_video(path, segments, duration, out, *, background=()):
    """Write a video with the labels of each moment, and below it all segments as a bar.

    Segments with higher scores are more saturated in the bar, cover others, and are listed first.

    Args:
        path (str): The video.
        segments (Sequence[dict]): label, index (its class), start, end (seconds) and score (0 to 1) of each.
        duration (float): Length of the video in seconds.
        out (str): An .mp4 file.
        background (Sequence[int]): Background classes: grey, and not in the bar.
    """
    segments = sorted(segments, key=lambda one: one['score'])
    colours = [GREY if one['index'] in background else class_colour(one['index']) for one in segments]
    bar = None

    def draw(frame, start, middle):
        nonlocal bar
        picture, unit = enlarged(frame)
        width = picture.shape[1]
        if bar is None:
            drawn = [pair for pair in zip(segments, colours, strict=True) if pair[0]['index'] not in background]
            bar = _bar(drawn, duration, width, 2 * round(BAR * unit / 2))
        image = Image.fromarray(np.vstack([picture, bar]))
        pen = ImageDraw.Draw(image)
        x = min(round(middle / duration * width), width - 1)
        mark = max(round(2 * unit), 2)
        pen.rectangle((x - mark, picture.shape[0], x + mark, image.height), fill=(0, 0, 0), outline=(255, 255, 255))
        y = 0
        now = [place for place, one in enumerate(segments) if one['start'] <= middle < one['end']]
        for place in now[::-1][:MAX_LABELS]:
            line = f'{segments[place]["label"]} {segments[place]["score"]:.2f}'
            ground = write_lines(pen, letters(unit), [line], colours[place], lambda *_, top=y: (0, top))
            y = ground[3] + 1
        return np.array(image)

    draw_on_video(path, draw, out)


def _bar(segments, duration, width, height):
    image = Image.new('RGB', (width, height), rgb(GROUND)[:3])
    pen = ImageDraw.Draw(image, 'RGBA')
    for one, colour in segments:
        left, right = (round(one[name] / duration * width) for name in ('start', 'end'))
        strength = PALEST + (1 - PALEST) * min(max(one['score'], 0), 1)
        pen.rectangle((left, 1, max(right - 1, left), height - 2), fill=rgb(GROUND))
        pen.rectangle((left, 1, max(right - 1, left), height - 2), fill=rgb(colour, strength), outline=rgb(colour))
    return np.array(image)
