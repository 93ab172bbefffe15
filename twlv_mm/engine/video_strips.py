"""Frames of videos that are known by their ids, to stand above pictures of what happens in them."""

from twlv_mm.embeddings import find_videos, names_of, other_names
from twlv_mm.video import VideoError

from .inference import read_strip


class VideoStrips:
    """Strips of frames, by video id.

    A file is found by its id, which is its path below the folder without suffix, and by its other names, as
    :func:`twlv_mm.embeddings.other_names` has them.

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
        self._files = {video.video_id: video.path for video in find_videos(source)} if source else {}
        self._names = other_names(self._files)

    def __call__(self, video_id):
        """Read the frames of a video.

        Args:
            video_id (str): Its id.

        Returns:
            dict: frames and frame_times, as :func:`read_strip` gives them; empty if they cannot be had.
        """
        if not self.source:
            return {}
        found = self._names.get(video_id) or self._names.get(video_id.removeprefix('v_'))
        try:
            if found is None:
                fitting = [path for name, path in self._files.items() if video_id in names_of(name)]
                if fitting:
                    raise FileNotFoundError(f'it fits several files: {" and ".join(fitting[:2])}')
                raise FileNotFoundError(f'it is not among the videos of {self.source}')
            strip = read_strip(self._files[found], self.num_frames)
            return dict(zip(('frames', 'frame_times'), strip, strict=True))
        except (VideoError, FileNotFoundError) as error:
            self.failures.append((video_id, str(error)))
            return {}
