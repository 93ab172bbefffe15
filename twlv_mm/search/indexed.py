"""A collection that an index in LanceDB searches: the nearest clips without reading all vectors."""

from functools import cached_property
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from twlv_mm.embeddings.manifest import read_manifest

from .lance_table import address, column, dims_of, open_table, quoted, settings_of, vectors_of

# Measured on a million vectors (docs/search.md).
PARTITIONS_SEARCHED, REFINED = 20, 30
SAMPLE = 1024  # clips that stand for the whole collection
ROUNDING = 1e-5  # of cosines, here and in LanceDB


class IndexedCollection:
    """The clips of an embedding folder as its index finds them; see :class:`~twlv_mm.search.Collection`.

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
            raise FileNotFoundError(f'there is no index at {address(path, uri)}: make it with --index --in {path}')
        self.settings, self.dims = settings_of(self._table), dims_of(self._table)
        try:
            manifest = read_manifest(path)
        except (FileNotFoundError, ValueError):
            manifest = dict(settings=[], videos=[])
        for kind in manifest['settings']:
            there = {name: value for name, value in kind.items() if name in self.settings}
            if there != self.settings:
                raise ValueError(
                    f'{path} was made again with other settings after its index: remove {address(path, uri)}, and '
                    f'make it again with --index --in {path}'
                )
        self._listed = manifest['videos']

    def __len__(self):
        """Number of clips."""
        return self._table.count_rows()

    def __contains__(self, video_id):
        """Whether there is a video of this id."""
        return bool(self._table.count_rows(f'video_id = {quoted(video_id)}'))

    @cached_property
    def video_ids(self):
        """list[str]: sorted."""
        return sorted(column(self._table, 'video_id'))

    @cached_property
    def missing(self):
        """list[str]: sorted ids of videos that the folder's manifest lists and the index does not have."""
        return sorted(set(self._listed).difference(self.video_ids))

    @cached_property
    def sample(self):
        """ndarray: (m, D) vectors of clips at equal distances in the table, which stand for all of it."""
        return self._sampled(SAMPLE)[0]

    def clips(self, video_id):
        """Times and vectors of a video's clips; see :meth:`Collection.clips`."""
        wanted = self._table.search().where(f'video_id = {quoted(video_id)}')
        rows = wanted.select(['clip', 'start', 'end', 'vector']).to_arrow().sort_by('clip')
        if not len(rows):
            raise ValueError(f'the index of {self.path} has no video {video_id!r}')
        return np.stack([rows['start'].to_numpy(), rows['end'].to_numpy()], axis=1), vectors_of(rows)

    def nearest_clips(self, vector, count, *, partitions=PARTITIONS_SEARCHED, refined=REFINED):
        """The clips that are nearest to a vector, but for those that the index misses.

        Args:
            vector (ndarray): (D,) float32.
            count (int): How many.
            partitions (int): Of the index, that are searched: the more, the fewer are missed.
            refined (int): How many times as many clips as are wanted are compared by the vectors themselves.

        Returns:
            list[tuple[str, int, float]]: video id, number of the clip in its video, cosine; best first.
        """
        search = self._table.search(vector).distance_type('cosine').nprobes(partitions).refine_factor(refined)
        found = search.select(['video_id', 'clip', '_distance']).limit(count).to_arrow()
        cosines = 1 - found['_distance'].to_numpy()
        return list(zip(found['video_id'].to_pylist(), found['clip'].to_pylist(), cosines.tolist(), strict=True))

    def recall(self, k=10, queries=100, **options):
        """Which share of the exact answer the index finds.

        Args:
            k (int): Nearest clips, beside the query's own, that count.
            queries (int): Clips at equal distances in the table, of which each is a query.
            **options: As for :meth:`nearest_clips`.

        Returns:
            float: the mean share of the k nearest that are found, 0 to 1.
        """
        vectors, own = self._sampled(queries)
        k = min(k, len(self) - 1)
        shares = []
        for vector, clip, least in zip(vectors, own, self._cosines(torch.from_numpy(vectors), k), strict=True):
            found = [cosine for *place, cosine in self.nearest_clips(vector, k + 1, **options) if tuple(place) != clip]
            shares.append(sum(cosine >= least - ROUNDING for cosine in found[:k]) / k)
        return float(np.mean(shares))

    def _cosines(self, queries, k):
        """Of clips, the cosine of the k-th nearest other one; every vector is read once."""
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
