"""Frames of videos for pictures, and faults of reading them in one form."""

from contextlib import contextmanager

import av
import numpy as np

from twlv_mm.video import ReadFault, VideoError, frames_of_windows, open_video


@contextmanager
def reading(path, stage):
    """Let whatever readers and mmaction2's transforms raise for a damaged file be a ReadFault of a stage.

    Args:
        path (str): The video that is read within.
        stage (str): 'open' or 'decode'. A file that is missing when it is to be opened stays a FileNotFoundError.

    Raises:
        ReadFault: if the video cannot be read.
    """
    try:
        yield
    except _decoder_errors() as error:
        if isinstance(error, ReadFault) or (stage == 'open' and isinstance(error, FileNotFoundError)):
            raise
        reason = str(error) if isinstance(error, VideoError) else f'{path} cannot be decoded: {error}'
        raise ReadFault(reason, stage) from error


def read_strip(path, num_frames=10, start=0.0, end=None):
    """Read frames at equal distances in time, to show what a video or a part of it is about.

    Args:
        path (str): A video.
        num_frames (int): Frames, fewer where the video has fewer.
        start (float): Seconds at which the part begins.
        end (float, optional): Seconds at which it ends; the end of the video if None.

    Returns:
        tuple[ndarray, ndarray]: (n, H, W, 3) uint8 frames; (n,) seconds, the middles of equal parts.

    Raises:
        FileNotFoundError: if there is no such video.
        ReadFault: if it cannot be read, or ends before ``start``.
    """
    with reading(path, 'open'):
        video = open_video(path)
    with video, reading(path, 'decode'):
        duration, num_frames = video.frame_times[-1, 1], min(num_frames, len(video.frame_times))
        if start >= duration:
            raise ReadFault(f'{path} ends at {duration:.2f} s, before {start:.2f} s', 'decode')
        end = duration if end is None else min(end, duration)
        places = frames_of_windows(video.frame_times, np.array([[start, end]]), num_frames)[0]
        return video.read(places), start + (np.arange(num_frames) + 0.5) / num_frames * (end - start)


def _decoder_errors():
    """What transforms of mmaction2 raise for a file that cannot be decoded; ours raise VideoError."""
    errors = (VideoError, OSError, RuntimeError, UnicodeError, av.FFmpegError)
    try:
        from decord import DECORDError, DECORDLimitReachedError
    except ImportError:  # there are wheels for x86 only
        return errors
    return (*errors, DECORDError, DECORDLimitReachedError)
