"""An embedded split as search sees it: the vectors of all clips, and the moment that each stands for."""

from functools import cached_property

import numpy as np
import torch

from twlv_mm.embeddings import (
    EmbeddingFolder,
    folder_settings,
    listed_videos,
    load_matrix,
    nearest,
    read_failures,
)

# Places at equal distances in the collection, and clips at each, that stand for all of it. Clips that follow each other
# on disk take less reading than as many that do not.
PLACES, CLIPS_AT_EACH = 256, 16


class Collection:
    """The clips of an embedding folder.

    Args:
        path (str): ``<out>/<sampling>/<split>``, in either format.
        clip_seconds (float, optional): Length of a clip, where the folder does not say when its clips are, as those
            published with the paper do not.
        stride_seconds (float, optional): From one clip's start to the next; ``clip_seconds`` if None.

    Attributes:
        folder (EmbeddingFolder): The folder.
        vectors (ndarray): (n, D) float32, mapped into memory: video by video, clips in order of time.
        video_index (ndarray): (n,) int64, place in ``video_ids`` of each clip's video.
        video_ids (list[str]): Sorted.
    """

    def __init__(self, path, clip_seconds=None, stride_seconds=None):
        self.folder = EmbeddingFolder(path)
        self._clip_seconds, self._stride_seconds = clip_seconds, stride_seconds
        self.vectors, self.video_index, self.video_ids = load_matrix(self.folder, 'clip')
        self._starts = np.searchsorted(self.video_index, np.arange(len(self.video_ids) + 1))
        self._places = {video_id: place for place, video_id in enumerate(self.video_ids)}

    def __len__(self):
        """Number of clips."""
        return len(self.vectors)

    def __contains__(self, video_id):
        """Whether there is a video of this id."""
        return video_id in self._places

    @property
    def path(self):
        """Path: the folder."""
        return self.folder.path

    @property
    def dims(self):
        """int: D."""
        return self.folder.dims

    @cached_property
    def settings(self):
        """dict: what the vectors were made with; from the manifest, or without one, from the videos' files."""
        return folder_settings(self.folder)

    @cached_property
    def missing(self):
        """list[str]: sorted ids of videos that were to be embedded into the folder, and are not there."""
        failed = {failure['video_id'] for failure in read_failures(self.folder.path)}
        return sorted(failed.union(listed_videos(self.folder.path)).difference(self._places))

    @cached_property
    def sample(self):
        """ndarray: (m, D) vectors that stand for all of the collection; those of all clips, if there are few."""
        if len(self) <= PLACES * CLIPS_AT_EACH:
            return np.array(self.vectors)
        starts = np.linspace(0, len(self) - CLIPS_AT_EACH, PLACES).astype(np.int64)
        return np.concatenate([self.vectors[start : start + CLIPS_AT_EACH] for start in starts])

    def video_of(self, row):
        """Id of the video that a clip is of."""
        return self.video_ids[self.video_index[row]]

    def rows(self, video_id):
        """Rows of a video's clips.

        Args:
            video_id (str): Its id.

        Returns:
            slice: of ``vectors``.
        """
        if video_id not in self._places:
            self.folder.clips(video_id)  # its message names the nearest id
        place = self._places[video_id]
        return slice(int(self._starts[place]), int(self._starts[place + 1]))

    def clips(self, video_id):
        """Times and vectors of a video's clips.

        Args:
            video_id (str): Its id.

        Returns:
            tuple[ndarray, ndarray]: (M, 2) as :meth:`times`, and (M, D) float32.
        """
        return self.times(video_id), self.vectors[self.rows(video_id)]

    def times(self, video_id):
        """When a video's clips are.

        Args:
            video_id (str): Its id.

        Returns:
            ndarray: (M, 2) start and end in seconds since the first frame.
        """
        rows = self.rows(video_id)
        return times_of(self.folder, video_id, rows.stop - rows.start, self._clip_seconds, self._stride_seconds)

    def nearest(self, vectors, count):
        """The clips that are nearest to vectors, exactly.

        Args:
            vectors (ndarray): (N, D) float32.
            count (int): How many for each; at most as many as there are clips.

        Returns:
            tuple[ndarray, ndarray]: (N, count) cosines, best first, and (N, count) rows.
        """
        cosines, rows = nearest(torch.from_numpy(vectors), self.vectors, count)
        return cosines.numpy(), rows.numpy()

    def nearest_clips(self, vector, count):
        """The clips that are nearest to a vector, exactly.

        Args:
            vector (ndarray): (D,) float32.
            count (int): How many; at most as many as there are clips.

        Returns:
            list[tuple[str, int, float]]: video id, number of the clip in its video, cosine; best first.
        """
        cosines, rows = self.nearest(vector[None], count)
        places = self.video_index[rows[0]]
        numbers = rows[0] - self._starts[places]
        ids = [self.video_ids[place] for place in places]
        return list(zip(ids, numbers.tolist(), cosines[0].tolist(), strict=True))


def times_of(folder, video_id, count, clip_seconds=None, stride_seconds=None):
    """When a video's clips are.

    Args:
        folder (EmbeddingFolder): Where it is.
        video_id (str): Its id.
        count (int): M, its clips.
        clip_seconds (float, optional): As for :class:`Collection`.
        stride_seconds (float, optional): As for :class:`Collection`.

    Returns:
        ndarray: (M, 2) start and end in seconds since the first frame.
    """
    times = folder.times(video_id)
    if times is None and clip_seconds is not None:
        starts = np.arange(count) * float(stride_seconds or clip_seconds)
        return np.stack([starts, starts + clip_seconds], axis=1)
    if times is None:
        raise ValueError(
            f'{video_id} in {folder.path} does not say when its clips are: give clip_seconds and stride_seconds '
            '(--clip-seconds, --stride-seconds) as it was extracted with'
        )
    if len(times) != count:
        raise ValueError(
            f'{video_id} in {folder.path} has {count} vectors and times of {len(times)} clips: extract it again'
        )
    return times


def cosines_with(vector, vectors):
    """Cosines of one vector with others.

    Args:
        vector (ndarray): (D,).
        vectors (ndarray): (M, D).

    Returns:
        ndarray: (M,) float32; 0 for a vector of zeros.
    """
    lengths = np.linalg.norm(vectors, axis=1) * np.linalg.norm(vector)
    return vectors @ vector / np.maximum(lengths, np.finfo(np.float32).tiny)
