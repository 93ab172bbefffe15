"""Embeddings as a dataset to train on."""

import numpy as np
import torch
from torch.utils.data import Dataset

from .folder import EmbeddingFolder
from .matrix import load_matrix

SCOPES = ('video', 'clips', 'random_clip')


class EmbeddingDataset(Dataset):
    """The videos of a split, from the matrix that :func:`load_matrix` keeps beside them.

    An item is a dict: video_id; embedding, a float32 tensor; label (int), if there are labels; times, a float64 tensor
    of start and end in seconds, where they are known. By scope:

    - 'video': embedding (D,), no times;
    - 'clips': embedding (M, D), times (M, 2);
    - 'random_clip': embedding (D,) and times (2,) of a clip that torch's generator draws anew each time, so that
      ``torch.manual_seed`` and a data loader's workers behave.

    Args:
        folder (str | EmbeddingFolder): Embeddings in either format.
        scope (str): 'video', 'clips' or 'random_clip'.
        labels (dict[str, int], optional): Label of each video, perhaps of others too. Without it, the annotations where
            they are whole numbers; where no video has such a one, items have no label.
    """

    def __init__(self, folder, scope='video', labels=None):
        if scope not in SCOPES:
            raise ValueError(f'there is no scope {scope!r}; there are {", ".join(map(repr, SCOPES))}')
        self.folder = folder if isinstance(folder, EmbeddingFolder) else EmbeddingFolder(folder)
        self.scope = scope
        self.labels = self._labels(labels)
        self._matrix = self._load_matrix()

    def __len__(self):
        """Number of videos."""
        return len(self.folder)

    def __getitem__(self, index):
        """Item of a video, by its place among the folder's sorted ids."""
        index = range(len(self))[index]
        video_id = self.folder.video_ids[index]
        item = dict(video_id=video_id)
        if self.labels:
            item['label'] = self.labels[video_id]
        vectors, starts = self._matrix
        first, end = starts[index], starts[index + 1]
        if self.scope == 'video':
            return item | dict(embedding=torch.tensor(vectors[first]))
        chosen = slice(None) if self.scope == 'clips' else int(torch.randint(end - first, ()))
        times = self.folder.times(video_id)
        if times is not None:
            item['times'] = torch.tensor(times[chosen])
        return item | dict(embedding=torch.tensor(vectors[first:end][chosen]))

    def __getstate__(self):
        # A memory-mapped array pickles with all that it holds; each worker maps it anew.
        return vars(self) | dict(_matrix=None)

    def __setstate__(self, state):
        vars(self).update(state)
        self._matrix = self._load_matrix()

    def _load_matrix(self):
        matrix = load_matrix(self.folder, 'video' if self.scope == 'video' else 'clip')
        return matrix.vectors, np.searchsorted(matrix.video_index, np.arange(len(self) + 1)).tolist()

    def _labels(self, labels):
        source = 'labels' if labels is not None else 'the annotations of the embeddings'
        if labels is None:
            labels = {video_id: self.folder.annotation(video_id) for video_id in self.folder.video_ids}
            if not any(_is_whole(label) for label in labels.values()):
                return {}
        missing = [video_id for video_id in self.folder.video_ids if not _is_whole(labels.get(video_id))]
        if missing:
            raise ValueError(
                f'{len(missing)} of {len(self)} videos in {self.folder.path} have no whole number as label in '
                f'{source}: {", ".join(missing[:3])}. Give labels, a dict of video id -> class index, with every video'
            )
        return {video_id: int(labels[video_id]) for video_id in self.folder.video_ids}


def _is_whole(label):
    return isinstance(label, (int, np.integer)) and not isinstance(label, bool)
