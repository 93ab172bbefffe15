"""A split of labelled embeddings, read in whole batches."""

import os

import numpy as np
import torch
from torch.utils.data import Dataset

from twlv_mm.embeddings import (
    EmbeddingFolder,
    aliases_of,
    find_videos,
    ids_by_alias,
    load_matrix,
    requested_videos,
    shared_settings,
)
from twlv_mm.records import names_beside
from twlv_mm.registry import DATASETS

SCOPES = ('video', 'clip', 'random_clip')
ROWS = 16384  # checked at once


@DATASETS.register_module()
class LabelledEmbeddings(Dataset):
    """The embeddings and labels of a split, for training and testing with mmengine.

    ``__getitems__`` gathers a whole batch from the memory-mapped matrix of the split; use mmengine's
    ``default_collate`` and ``num_workers=0``.

    Args:
        folder (str): Embeddings in either format, ``<sampling>/<split>`` below ``data_root``.
        scope (str): 'video' (one vector per video), 'clip' (all clips) or 'random_clip' (one clip of each video, drawn
            anew each time with torch's generator).
        ann_file (str, optional): mmaction2's list with a line ``name.mp4 label`` per video. By default, the annotations
            in the embeddings are the labels.
        data_root (str): Folder that ``folder`` is in, ``--out`` of tools/extract.py.
        listed_only (bool): Whether to ignore videos of the folder that ``ann_file`` does not list; otherwise they are
            an error, as they have no label.
        fold (int, optional): Replaces ``{fold}`` in ann_file, for tools/run_folds.py.

    Attributes:
        vectors (ndarray): (n, D) float32, read-only and memory-mapped.
        video_index (Tensor): (n,) int64, the video of each vector.
        video_ids (list[str]): Sorted.
        labels (Tensor): (N,) int64, of the videos.
        missing (list[str]): Videos without embeddings that the list, the folder's manifest or failures.jsonl names.
        metainfo (dict): folder, dims (D), settings of the vectors (None if unknown) and, from a ``classes.txt`` beside
            ann_file or in the folder, classes.
    """

    def __init__(self, folder, scope, ann_file=None, data_root='', listed_only=False, fold=None):
        if scope not in SCOPES:
            raise ValueError(f'unknown scope {scope!r}; choose from {", ".join(map(repr, SCOPES))}')
        self.scope = scope
        folder = os.path.join(data_root, folder)
        if ann_file and fold is not None:
            ann_file = ann_file.replace('{fold}', str(fold))
        embeddings = EmbeddingFolder(folder)
        self.video_ids = _listed(embeddings, ann_file) if listed_only else embeddings.video_ids
        infos = {video_id: embeddings.info(video_id) for video_id in self.video_ids}
        settings = shared_settings(folder, infos)
        self.metainfo = dict(folder=folder, dims=embeddings.dims, settings=settings)
        self.choices = dict(input='embeddings', scope=scope) | _choices(settings)
        if (classes := names_beside(ann_file or folder)) is not None:
            self.metainfo['classes'] = classes
        self.labels = self._labels({video_id: info.get('annotation') for video_id, info in infos.items()}, ann_file)
        self.missing = self._find_missing(ann_file, listed_only)
        self.vectors, video_index = _vectors(embeddings, self.video_ids, 'video' if scope == 'video' else 'clip')
        self.video_index = torch.from_numpy(video_index)
        self._starts = np.searchsorted(video_index, np.arange(len(self) + 1))
        self._check_finite()

    def __len__(self):
        return len(self.video_ids)

    def __getitems__(self, indices):
        """Gather a batch of videos, by their indices.

        Returns:
            list[dict]: one item, the batch: inputs (M, D) float32, the vectors of all videos; num_clips (N,) int64,
            vectors per video; labels (N,) int64; video_ids, joined by line ends, as collating leaves a text unchanged.
        """
        indices = np.asarray(indices)
        first, counts = self._starts[indices], self._starts[indices + 1] - self._starts[indices]
        if self.scope == 'random_clip':
            drawn = torch.rand(len(indices), dtype=torch.float64).numpy() * counts
            rows, counts = first + drawn.astype(np.int64), np.ones_like(counts)
        else:
            rows = np.repeat(first - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
        return [
            dict(
                inputs=torch.from_numpy(np.asarray(self.vectors[rows])),
                num_clips=torch.from_numpy(counts),
                labels=self.labels[indices],
                video_ids='\n'.join(self.video_ids[index] for index in indices.tolist()),
            )
        ]

    def _labels(self, annotations, ann_file):
        source = ann_file or 'the annotations of the embeddings'
        labels = _read_list(ann_file) if ann_file else annotations
        if any(video_id not in labels for video_id in self.video_ids):
            # Annotations may use other names for the videos.
            labels = {name: labels[video_id] for name, video_id in ids_by_alias(labels).items()}
        wrong = [video_id for video_id in self.video_ids if type(labels.get(video_id)) is not int]
        if wrong:
            found = ', '.join(sorted({type(labels.get(video_id)).__name__ for video_id in wrong}))
            raise ValueError(
                f'{len(wrong)} of {len(self)} videos in {self.metainfo["folder"]} have no class index as label in '
                f'{source} (but {found}): {", ".join(wrong[:3])}. Set ann_file to a list with a line "name.mp4 label" '
                'for every video'
            )
        return torch.tensor([labels[video_id] for video_id in self.video_ids])

    def _find_missing(self, ann_file, listed_only):
        folder, asked_for = self.metainfo['folder'], set(_read_list(ann_file))
        if not listed_only:
            asked_for |= requested_videos(folder)
        there = set(self.video_ids)
        return sorted(video_id for video_id in asked_for if there.isdisjoint(aliases_of(video_id)))

    def _check_finite(self):
        for start in range(0, len(self.vectors), ROWS):
            finite = np.isfinite(self.vectors[start : start + ROWS]).all(axis=1)
            if not finite.all():
                video_id = self.video_ids[self.video_index[start + int(finite.argmin())]]
                raise ValueError(f'{video_id} in {self.metainfo["folder"]} contains NaN or Inf: extract it again')


def _choices(settings):
    """The settings of the embeddings for results.json, as far as they are known."""
    known = {name: settings.get(name) for name in ('pooling', 'sampling', 'clip_seconds', 'stride_seconds')}
    known['frames'] = settings.get('frames_per_clip')
    return {name: value for name, value in known.items() if value is not None}


def _listed(embeddings, ann_file):
    """The videos of a folder that a list names, sorted."""
    wanted = _read_list(ann_file)
    names = ids_by_alias(wanted)
    found = [video_id for video_id in embeddings.video_ids if video_id in names]
    if not found:
        raise FileNotFoundError(
            f'{embeddings.path} has embeddings of none of the {len(wanted)} videos of {ann_file}: the folder has '
            f'{embeddings.video_ids[0]!r}, the list {next(iter(wanted), None)!r}'
        )
    return found


def _vectors(embeddings, video_ids, scope):
    """The vectors of selected videos of a folder, and for each the index of its video among them."""
    vectors, video_index, _ = load_matrix(embeddings, scope)
    if len(video_ids) == len(embeddings.video_ids):
        return vectors, video_index
    places = np.full(len(embeddings.video_ids), -1)
    chosen = np.isin(embeddings.video_ids, video_ids)
    places[chosen] = np.arange(len(video_ids))
    rows = np.flatnonzero(chosen[video_index])
    return vectors[rows], places[video_index[rows]]


def _read_list(ann_file):
    return {} if ann_file is None else {video.video_id: video.annotation for video in find_videos(ann_file)}
