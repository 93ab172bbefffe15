"""Frames of videos for pictures, with errors of reading turned into ReadFault."""

from contextlib import contextmanager

import av
import numpy as np

from twlv_mm.embeddings import VideoFiles
from twlv_mm.video import ReadFault, VideoError, frames_of_windows, open_video


@contextmanager
def reading(path, stage):
    """Turn the errors of readers and mmaction2's transforms for a damaged file into a ReadFault of a stage.

    ``stage`` is 'open' or 'decode'; a FileNotFoundError when opening stays one.
    """
    try:
        yield
    except _decoder_errors() as error:
        if isinstance(error, ReadFault) or (stage == 'open' and isinstance(error, FileNotFoundError)):
            raise
        reason = str(error) if isinstance(error, VideoError) else f'{path} cannot be decoded: {error}'
        raise ReadFault(reason, stage) from error


def read_strip(path, num_frames=10, start=0.0, end=None):
    """Read frames at equal distances in time, as a preview of a video or of its part from start to end, in seconds.

    Returns frames (n, H, W, 3) uint8, n <= num_frames, and their seconds (n,), the middles of equal parts. Raises
    FileNotFoundError, or ReadFault if the video cannot be read or ends before ``start``.
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


class VideoStrips:
    """Strips of frames by video id, as dicts of frames and frame_times; empty if they cannot be read.

    ``source`` are the video files, see :func:`twlv_mm.embeddings.find_videos`, None for no frames; ``failures`` lists
    video id and reason of those that could not be read.
    """

    def __init__(self, source=None, num_frames=10):
        self.num_frames = num_frames
        self.failures = []
        self._files = VideoFiles(source) if source else None

    def __call__(self, video_id, start=0.0, end=None):
        """The :func:`read_strip` of a video, or of a part of it."""
        if self._files is None:
            return {}
        try:
            strip = read_strip(self._files(video_id).path, self.num_frames, start, end)
            return dict(zip(('frames', 'frame_times'), strip, strict=True))
        except (VideoError, FileNotFoundError) as error:
            self.failures.append((video_id, str(error)))
            return {}


def _decoder_errors():
    """What mmaction2's transforms raise for a file that cannot be decoded; ours raise VideoError."""
    errors = (VideoError, OSError, RuntimeError, UnicodeError, av.FFmpegError)
    try:
        from decord import DECORDError, DECORDLimitReachedError
    except ImportError:  # it has wheels for x86 only
        return errors
    return (*errors, DECORDError, DECORDLimitReachedError)
