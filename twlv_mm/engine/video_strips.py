"""Frames of videos that are known by their ids, to stand above pictures of what happens in them."""

from twlv_mm.embeddings import find_videos, names_of
from twlv_mm.video import VideoError

from .inference import read_strip


class VideoStrips:
    """Strips of frames, by video id.

    A file is found by its id, which is its path below the folder without suffix, by what else
    :func:`twlv_mm.embeddings.names_of` says, and by any of these with or without ``v_`` before it (ActivityNet).

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
        self._files = {}
        for video in find_videos(source) if source else ():
            for name in names_of(video.video_id):
                self._files.setdefault(name, {})[video.video_id] = video.path

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
        found = next((self._files[name] for name in names if name in self._files), {})
        if video_id in found:
            found = {video_id: found[video_id]}
        try:
            if not found:
                raise FileNotFoundError(f'it is not among the videos of {self.source}')
            if len(found) > 1:
                raise FileNotFoundError(f'it fits several files: {" and ".join(list(found.values())[:2])}')
            [path] = found.values()
            return dict(zip(('frames', 'frame_times'), read_strip(path, self.num_frames), strict=True))
        except (VideoError, FileNotFoundError) as error:
            self.failures.append((video_id, str(error)))
            return {}
