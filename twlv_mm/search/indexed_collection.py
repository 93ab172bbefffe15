"""A collection searched by its LanceDB index, without reading all vectors."""

from functools import cached_property
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from twlv_mm.embeddings.manifest import read_manifest

from .lance_table import address, column, dims_of, open_table, quoted, settings_of, vectors_of

# Measured on a million vectors (docs/results.md).
PARTITIONS_SEARCHED, REFINED = 20, 30
SAMPLE = 1024  # clips that represent the collection
ROUNDING = 1e-5  # tolerance between our cosines and LanceDB's


class IndexedCollection:
    """The clips of an embedding folder, searched by its index; interface of :class:`~twlv_mm.search.Collection`.

    Args:
        path (str): The folder.
        uri (str, optional): As for :func:`update_index`.

    Attributes:
        path (Path): The folder.
        settings (dict): What the vectors were made with.
        dims (int): D.
    """

    def __init__(self, path, uri=None):
        self.path = Path(path)
        self._table = open_table(path, uri)
        if self._table is None:
            raise FileNotFoundError(f'the index {address(path, uri)} does not exist: build it with --index --in {path}')
        self.settings, self.dims = settings_of(self._table), dims_of(self._table)
        try:
            manifest = read_manifest(path)
        except (FileNotFoundError, ValueError):
            manifest = dict(settings=[], videos=[])
        for kind in manifest['settings']:
            there = {name: value for name, value in kind.items() if name in self.settings}
            if there != self.settings:
                raise ValueError(
                    f'{path} was extracted again with other settings after its index: remove {address(path, uri)} and '
                    f'build it again with --index --in {path}'
                )
        self._listed = manifest['videos']

    def __len__(self):
        """Number of clips."""
        return self._table.count_rows()

    def __contains__(self, video_id):
        return bool(self._table.count_rows(f'video_id = {quoted(video_id)}'))

    @cached_property
    def video_ids(self):
        """list[str]: Sorted."""
        return sorted(column(self._table, 'video_id'))

    @cached_property
    def missing(self):
        """list[str]: Sorted ids of videos in the folder's manifest that are not in the index."""
        return sorted(set(self._listed).difference(self.video_ids))

    @cached_property
    def sample(self):
        """ndarray: (m, D) vectors of evenly spaced clips."""
        return self._sampled(SAMPLE)[0]

    def clips(self, video_id):
        wanted = self._table.search().where(f'video_id = {quoted(video_id)}')
        rows = wanted.select(['clip', 'start', 'end', 'vector']).to_arrow().sort_by('clip')
        if not len(rows):
            raise ValueError(f'the index of {self.path} has no video {video_id!r}')
        return np.stack([rows['start'].to_numpy(), rows['end'].to_numpy()], axis=1), vectors_of(rows)

    def nearest_clips(self, vector, count, *, partitions=PARTITIONS_SEARCHED, refined=REFINED):
        """Nearest clips of one vector, except those that the index misses.

        Args:
            vector (ndarray): (D,) float32.
            count (int): How many.
            partitions (int): Partitions to search: the more, the fewer clips are missed.
            refined (int): Candidates compared exactly, as a multiple of ``count``.

        Returns:
            list[tuple[str, int, float]]: video id, index of the clip in its video, cosine; best first.
        """
        search = self._table.search(vector).distance_type('cosine').nprobes(partitions).refine_factor(refined)
        found = search.select(['video_id', 'clip', '_distance']).limit(count).to_arrow()
        cosines = 1 - found['_distance'].to_numpy()
        return list(zip(found['video_id'].to_pylist(), found['clip'].to_pylist(), cosines.tolist(), strict=True))

    def recall(self, k=10, queries=100, **options):
        """Mean fraction of the k exact nearest clips that the index finds, 0 to 1.

        Args:
            k (int): Nearest clips, not counting the query itself.
            queries (int): Evenly spaced clips used as queries.
            **options: As for :meth:`nearest_clips`.
        """
        vectors, own = self._sampled(queries)
        k = min(k, len(self) - 1)
        shares = []
        for vector, clip, least in zip(vectors, own, self._cosines(torch.from_numpy(vectors), k), strict=True):
            found = [cosine for *place, cosine in self.nearest_clips(vector, k + 1, **options) if tuple(place) != clip]
            shares.append(sum(cosine >= least - ROUNDING for cosine in found[:k]) / k)
        return float(np.mean(shares))

    def _cosines(self, queries, k):
        """For each query, the cosine of its k-th nearest other clip; reads every vector once."""
        queries, best = F.normalize(queries, dim=1), torch.empty(len(queries), 0)
        for batch in self._table.search().select(['vector']).to_batches():
            best = torch.cat([best, queries @ F.normalize(torch.from_numpy(vectors_of(batch)), dim=1).T], dim=1)
            best = best.topk(min(k + 1, best.shape[1]))[0]
        return best[:, k].tolist()

    def _sampled(self, count):
        number = len(self)
        offsets = np.linspace(0, number - 1, min(count, number)).astype(np.int64)
        rows = self._table.take_offsets(offsets.tolist()).select(['video_id', 'clip', 'vector']).to_arrow()
        return vectors_of(rows), list(zip(rows['video_id'].to_pylist(), rows['clip'].to_pylist(), strict=True))
