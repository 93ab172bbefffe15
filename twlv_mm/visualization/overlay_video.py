"""A video with something drawn on each frame."""

import cv2

from twlv_mm.video import open_video, write_video

KEY_INTERVAL = 24  # frames between keyframes of the output


def draw_on_video(path, draw, out):
    """Write a video with its frames drawn on, with the same timing and without sound.

    Args:
        path (str): The video. If the size of its frames changes, they are resized to that of the first.
        draw (Callable): ``draw(frame, start, middle)``: a frame, (H, W, 3) uint8 RGB, and the seconds of its start and
            its middle -> (H', W', 3) of even height and width.
        out (str): An .mp4 file.
    """
    with open_video(path) as video:
        times = video.frame_times
        middles = times.mean(axis=1).tolist()
        pictures = map(draw, _frames(video), times[:, 0].tolist(), middles)
        write_video(out, pictures, key_interval=KEY_INTERVAL, frame_times=times)


def _frames(video):
    size = None
    for frame in video.frames(range(len(video.frame_times))):
        size = size or frame.shape[:2]
        yield frame if frame.shape[:2] == size else cv2.resize(frame, size[::-1])
