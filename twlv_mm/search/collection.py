"""The clips of an embedded split: vectors, times and exact search."""

from functools import cached_property

import numpy as np
import torch

from twlv_mm.embeddings import (
    EmbeddingFolder,
    folder_settings,
    load_matrix,
    nearest,
    requested_videos,
)

# A sample of the collection: evenly spaced places, with several clips each, as adjacent clips are faster to read.
PLACES, CLIPS_AT_EACH = 256, 16


class Collection:
    """The clips of an embedding folder.

    Args:
        path (str): ``<out>/<sampling>/<split>``, in either format.
        clip_seconds (float, optional): Length of a clip, if the folder has no clip times, as those published with the
            paper.
        stride_seconds (float, optional): From one clip's start to the next; ``clip_seconds`` if None.

    Attributes:
        folder (EmbeddingFolder): The folder.
        vectors (ndarray): (n, D) float32, memory-mapped: video by video, clips in order of time.
        video_index (ndarray): (n,) int64, index into ``video_ids`` for each clip.
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
        return video_id in self._places

    @property
    def path(self):
        """Path: The folder."""
        return self.folder.path

    @property
    def dims(self):
        """int: D."""
        return self.folder.dims

    @cached_property
    def settings(self):
        """dict: What the vectors were made with."""
        return folder_settings(self.folder)

    @cached_property
    def missing(self):
        """list[str]: Sorted ids of videos that were to be embedded into the folder but are not there."""
        return sorted(requested_videos(self.folder.path).difference(self._places))

    @cached_property
    def sample(self):
        """ndarray: (m, D) vectors that represent the collection; all if there are few."""
        if len(self) <= PLACES * CLIPS_AT_EACH:
            return np.array(self.vectors)
        starts = np.linspace(0, len(self) - CLIPS_AT_EACH, PLACES).astype(np.int64)
        return np.concatenate([self.vectors[start : start + CLIPS_AT_EACH] for start in starts])

    def video_of(self, row):
        """Id of the video of a clip (its row)."""
        return self.video_ids[self.video_index[row]]

    def rows(self, video_id):
        """Rows (slice of ``vectors``) of a video's clips."""
        if video_id not in self._places:
            self.folder.clips(video_id)  # raises an error that names the nearest id
        place = self._places[video_id]
        return slice(int(self._starts[place]), int(self._starts[place + 1]))

    def clips(self, video_id):
        """Times (M, 2), as :meth:`times`, and vectors (M, D) float32 of a video's clips."""
        return self.times(video_id), self.vectors[self.rows(video_id)]

    def times(self, video_id):
        """(M, 2) start and end of a video's clips in seconds since the first frame."""
        rows = self.rows(video_id)
        return times_of(self.folder, video_id, rows.stop - rows.start, self._clip_seconds, self._stride_seconds)

    def nearest(self, vectors, count):
        """(N, count) cosines and rows of the exact nearest clips of vectors (N, D) float32, best first."""
        cosines, rows = nearest(torch.from_numpy(vectors), self.vectors, count)
        return cosines.numpy(), rows.numpy()

    def nearest_clips(self, vector, count):
        """Exact nearest clips of one vector (D,).

        Returns:
            list[tuple[str, int, float]]: video id, index of the clip in its video, cosine; best first.
        """
        cosines, rows = self.nearest(vector[None], count)
        places = self.video_index[rows[0]]
        numbers = rows[0] - self._starts[places]
        ids = [self.video_ids[place] for place in places]
        return list(zip(ids, numbers.tolist(), cosines[0].tolist(), strict=True))


def times_of(folder, video_id, count, clip_seconds=None, stride_seconds=None):
    """(M, 2) start and end in seconds of a video's M = ``count`` clips; other arguments as for :class:`Collection`."""
    times = folder.times(video_id)
    if times is None and clip_seconds is not None:
        starts = np.arange(count) * float(stride_seconds or clip_seconds)
        return np.stack([starts, starts + clip_seconds], axis=1)
    if times is None:
        raise ValueError(
            f'{video_id} in {folder.path} has no clip times: give clip_seconds and stride_seconds (--clip-seconds, '
            '--stride-seconds) of its extraction'
        )
    if len(times) != count:
        raise ValueError(
            f'{video_id} in {folder.path} has {count} vectors but times of {len(times)} clips: extract it again'
        )
    return times


def cosines_with(vector, vectors):
    """Cosines (M,) float32 of one vector (D,) with others (M, D); 0 for a zero vector."""
    lengths = np.linalg.norm(vectors, axis=1) * np.linalg.norm(vector)
    return vectors @ vector / np.maximum(lengths, np.finfo(np.float32).tiny)
