"""Frames of videos that are known by their ids, to stand above pictures of what happens in them."""

from twlv_mm.embeddings import find_videos, other_names
from twlv_mm.video import VideoError

from .inference import read_strip


class VideoStrips:
    """Strips of frames, by video id.

    A file is found by its id, which is its path below the folder without suffix, by what else
    :func:`twlv_mm.embeddings.other_names` calls it, and by any of these with or without ``v_`` before it (ActivityNet).

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
        files = {video.video_id: video.path for video in find_videos(source)} if source else {}
        self._files = {name: files[video_id] for name, video_id in other_names(files).items()}

    def __call__(self, video_id):
        """Read the frames of a video.

        Args:
            video_id (str): Its id.

        Returns:
            dict: frames and frame_times, as :func:`read_strip` gives them; empty if they cannot be had.
        """
        if not self.source:
            return {}
        names = video_id, f'v_{video_id}', video_id.removeprefix('v_')
        path = next((self._files[name] for name in names if name in self._files), None)
        try:
            if path is None:
                raise FileNotFoundError(f'it is not among the videos of {self.source}')
            return dict(zip(('frames', 'frame_times'), read_strip(path, self.num_frames), strict=True))
        except (VideoError, FileNotFoundError) as error:
            self.failures.append((video_id, str(error)))
            return {}
