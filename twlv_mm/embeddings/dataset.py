"""Embeddings as a PyTorch dataset, and the check of a batch that models do."""

import numpy as np
import torch
from torch.utils.data import Dataset

from .folder import EmbeddingFolder
from .matrix import load_matrix

SCOPES = ('video', 'clips', 'random_clip')


class EmbeddingDataset(Dataset):
    """The videos of a split for a training loop of your own in plain PyTorch (the tasks have their own datasets).

    An item is a dict of video_id, embedding (float32 tensor), label (int, if there are labels) and times (float64
    tensor of start and end in seconds, if known). By scope:

    - 'video': embedding (D,), no times;
    - 'clips': embedding (M, D), times (M, 2);
    - 'random_clip': embedding (D,) and times (2,) of a clip drawn with torch's generator.

    Args:
        folder (str | EmbeddingFolder): Embeddings in either format.
        scope (str): 'video', 'clips' or 'random_clip'.
        labels (dict[str, int], optional): Label of each video, possibly of others too. By default the annotations, if
            they are whole numbers.
    """

    def __init__(self, folder, scope='video', labels=None):
        if scope not in SCOPES:
            raise ValueError(f'unknown scope {scope!r}; choose from {", ".join(map(repr, SCOPES))}')
        self.folder = folder if isinstance(folder, EmbeddingFolder) else EmbeddingFolder(folder)
        self.scope = scope
        self.labels = self._labels(labels)
        self._matrix = self._load_matrix()

    def __len__(self):
        return len(self.folder)

    def __getitem__(self, index):
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
        # A memory-mapped array would be pickled with all its data; each worker maps it again.
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
                f'{source}: {", ".join(missing[:3])}. Give labels, a dict of video id -> class index, for every video'
            )
        return {video_id: int(labels[video_id]) for video_id in self.folder.video_ids}


def check_inputs(inputs, data_samples, in_channels):
    """Check the embeddings of a batch of videos against a model.

    Args:
        inputs (list[Tensor]): (D, T) of each video.
        data_samples (list[ActionDataSample]): With the metainfo video_id.
        in_channels (int): D of the model.
    """
    for x, sample in zip(inputs, data_samples, strict=True):
        if x.ndim != 2 or x.shape[0] != in_channels:
            raise ValueError(
                f'the embeddings of {sample.video_id} are {tuple(x.shape)}, not ({in_channels}, T): the model has '
                f'in_channels={in_channels}; set it to the embedding width, or use embeddings of another encoder'
            )
        if x.shape[1] == 0:
            raise ValueError(f'{sample.video_id} has no embeddings: leave it out, or extract it again')


def _is_whole(label):
    return isinstance(label, (int, np.integer)) and not isinstance(label, bool)
