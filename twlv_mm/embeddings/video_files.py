"""The files of videos that are known by their ids."""

import os

from .inputs import find_videos
from .naming import names_of, other_names


class VideoFiles:
    """Video files by id.

    A file is found by its id, which is its path below the folder without suffix, and by its other names, as
    :func:`twlv_mm.embeddings.other_names` has them.

    Args:
        source (str): The video files, as for :func:`twlv_mm.embeddings.find_videos`.
    """

    def __init__(self, source):
        self.source = source
        self._videos = {video.video_id: video for video in find_videos(source)}
        self._names = other_names(self._videos)

    def __call__(self, video_id):
        """Find the file of a video.

        Args:
            video_id (str): Its id.

        Returns:
            Video: with its path, and where it is a stretch of that file, its segment.
        """
        found = self._names.get(video_id) or self._names.get(video_id.removeprefix('v_'))
        if found is not None:
            return self._videos[found]
        fitting = [video.path for name, video in self._videos.items() if video_id in names_of(name)]
        if fitting:
            raise FileNotFoundError(f'it fits several files: {" and ".join(fitting[:2])}')
        raise FileNotFoundError(f'it is not among the videos of {self.source}')

    def names(self, path):
        """The names that a file's video goes by, or those of its segments.

        Args:
            path (str): A file.

        Returns:
            set[str]: Empty if the file is not one of these videos.
        """
        real = os.path.realpath(path)
        found = [name for name, video in self._videos.items() if os.path.realpath(video.path) == real]
        return set().union(*map(names_of, found))
