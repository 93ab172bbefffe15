"""A video with something drawn on each frame."""

from fractions import Fraction

import numpy as np

from twlv_mm.video import open_video, write_video

CHUNK_FRAMES, CHUNK_BYTES = 32, 64 * 2**20  # decoded at a time
KEY_INTERVAL = 24  # frames between keyframes of the output


def draw_on_video(path, draw, out):
    """Write a video with its frames drawn on, with the same timing and without sound.

    Args:
        path (str): The video.
        draw (Callable): ``draw(frame, start, middle)``: a frame, (H, W, 3) uint8 RGB, and the seconds of its start and
            its middle -> (H', W', 3) of even height and width.
        out (str): An .mp4 file.
    """
    with open_video(path) as video:
        starts, ends = video.frame_times.T
        fps = Fraction(len(starts) / ends[-1]).limit_denominator(1001)
        middles = (starts + ends) / 2
        pictures = (
            draw(frame, start, middle)
            for frame, start, middle in zip(_frames(video), starts.tolist(), middles.tolist(), strict=True)
        )
        write_video(out, pictures, fps, KEY_INTERVAL)


def _frames(video):
    (first,) = video.read([0])
    yield first
    count, length = len(video.frame_times), int(np.clip(CHUNK_BYTES // first.nbytes, 1, CHUNK_FRAMES))
    for start in range(1, count, length):
        yield from video.read(np.arange(start, min(start + length, count)))
