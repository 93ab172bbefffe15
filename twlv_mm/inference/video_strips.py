"""Frames of videos that are known by their ids, to stand above pictures of what happens in them."""

from twlv_mm.embeddings import VideoFiles
from twlv_mm.video import VideoError

from .frames import read_strip


class VideoStrips:
    """Strips of frames, by video id.

    Args:
        source (str, optional): The video files, as for :func:`twlv_mm.embeddings.find_videos`; None for no frames.
        num_frames (int): Frames of a strip.

    Attributes:
        failures (list[tuple[str, str]]): Video id and reason for each that could not be read.

    Raises:
        FileNotFoundError: if there are no videos.
    """

    def __init__(self, source=None, num_frames=10):
        self.source = source
        self.num_frames = num_frames
        self.failures = []
        self._files = VideoFiles(source) if source else None

    def __call__(self, video_id, start=0.0, end=None):
        """Read the frames of a video, or of a part of it.

        Args:
            video_id (str): Its id.
            start (float): As for :func:`read_strip`.
            end (float, optional): As for :func:`read_strip`.

        Returns:
            dict: frames and frame_times, as :func:`read_strip` gives them; empty if they cannot be had.
        """
        if not self.source:
            return {}
        try:
            strip = read_strip(self._files(video_id).path, self.num_frames, start, end)
            return dict(zip(('frames', 'frame_times'), strip, strict=True))
        except (VideoError, FileNotFoundError) as error:
            self.failures.append((video_id, str(error)))
            return {}
