"""An index of a collection in LanceDB, for collections larger than memory.

The index is a table with a copy of the vectors, on disk or in an object store, and an IVF-PQ index: a query is compared
with quantised vectors of the nearest partitions, then with the exact vectors of the best.
"""

import os
from contextlib import contextmanager
from datetime import timedelta
from typing import NamedTuple

import numpy as np

from twlv_mm.embeddings import EmbeddingFolder, folder_settings
from twlv_mm.records import locked

from .collection import times_of
from .lance_table import address, column, create_table, dims_of, open_table, quoted, settings_of

LOCK = '.lance.lock'
# Fewer vectors are searched exactly in milliseconds.
LEAST_INDEXED = 10_000
COMMIT_NUMBERS = 1 << 24  # numbers per commit (64 MiB), lost if the process is killed
DELETED_AT_ONCE = 1_000
VECTORS_A_PARTITION = 256  # at least
# A fifth of LanceDB's default iterations on a quarter of its vectors: comparing exact vectors makes up for it.
TRAINING = dict(max_iterations=10, sample_rate=64)
UNUSED_FILES_STAY = timedelta(minutes=1)  # for searches that started before an update


class Update(NamedTuple):
    """Result of an update."""

    added: int  # videos added
    removed: int  # videos removed, because they are gone or were embedded again
    videos: int  # videos in the index
    clips: int  # clips in the index


def update_index(folder, uri=None, clip_seconds=None, stride_seconds=None, progress=lambda clips: None):
    """Build the index of a folder, or add newly embedded videos.

    It can be killed at any time; called again, it continues. An extraction into the folder may be running: videos
    finished at the start are used.

    Args:
        folder (str): Embeddings in either format, ``<out>/<sampling>/<split>``.
        uri (str, optional): Folder of the index, or an address in an object store, such as 's3://bucket/name' (LanceDB
            reads the credentials from the environment); ``<folder>/.lance`` if None.
        clip_seconds (float, optional): As for :class:`~twlv_mm.search.Collection`.
        stride_seconds (float, optional): As for :class:`~twlv_mm.search.Collection`.
        progress (Callable[[int], None]): Called with the number of clips of each commit.
    """
    embeddings = EmbeddingFolder(folder)
    settings = folder_settings(embeddings)
    with _alone(embeddings.path):
        table = open_table(folder, uri)
        if table is None:
            table = create_table(folder, uri, embeddings.dims, settings)
        _check(table, embeddings.dims, settings, address(folder, uri))
        stamps = _Stamps(embeddings)
        there = column(table, 'stamp')
        old = [video_id for video_id, stamp in there.items() if stamps(video_id) != stamp]
        for start in range(0, len(old), DELETED_AT_ONCE):
            table.delete(f'video_id IN ({", ".join(map(quoted, old[start : start + DELETED_AT_ONCE]))})')
        new = [video_id for video_id in embeddings.video_ids if there.get(video_id) != stamps(video_id)]
        unsaid = clip_seconds, stride_seconds
        for rows in _blocks(embeddings, new, stamps, unsaid, table.schema):
            table.add(rows)
            progress(len(rows))
        _arrange(table)
        return Update(len(new), len(old), len(there) - len(old) + len(new), table.count_rows())


class _Stamps:
    """Size and time of the file that holds a video's vectors, which change if it is embedded again."""

    def __init__(self, folder):
        self._folder, self._known = folder, {}

    def __call__(self, video_id):
        """The stamp of a video; None if the folder does not have it."""
        if video_id not in self._folder:
            return None
        path = f'{self._folder.path}/{video_id}_c.npy'
        if self._folder.format == 'parquet':
            path = self._folder.files.video_ids[video_id].path
        if path not in self._known:
            status = os.stat(path)
            self._known[path] = f'{status.st_size} {status.st_mtime_ns}'
        return self._known[path]


@contextmanager
def _alone(folder):
    try:
        with locked(folder / LOCK, wait=False):
            yield
    except BlockingIOError:
        raise ValueError(f'another process is building the index of {folder}: wait for it, or stop it') from None


def _check(table, dims, settings, address):
    if (dims_of(table), settings_of(table)) != (dims, settings):
        raise ValueError(f'the index {address} has vectors made with other settings: remove it, or give another --uri')


def _blocks(folder, video_ids, stamps, unsaid, schema):
    """Tables of rows of complete videos, so that a commit has all clips of a video."""
    import pyarrow as pa

    columns, count = {name: [] for name in schema.names}, 0
    for number, video_id in enumerate(video_ids, 1):
        vectors = folder.clips(video_id)
        times = times_of(folder, video_id, len(vectors), *unsaid)
        if not np.isfinite(vectors).all():
            raise ValueError(f'{video_id} in {folder.path} contains NaN or Inf: extract it again')
        columns['video_id'] += [video_id] * len(vectors)
        columns['stamp'] += [stamps(video_id)] * len(vectors)
        columns['clip'].append(np.arange(len(vectors)))
        columns['start'].append(times[:, 0])
        columns['end'].append(times[:, 1])
        columns['vector'].append(vectors)
        count += len(vectors)
        if count * folder.dims >= COMMIT_NUMBERS or number == len(video_ids):
            flat = {name: np.concatenate(columns[name]) for name in ('clip', 'start', 'end', 'vector')}
            vectors = pa.FixedSizeListArray.from_arrays(flat.pop('vector').reshape(-1), folder.dims)
            columns = {name: flat.get(name, values) for name, values in columns.items()} | dict(vector=vectors)
            yield pa.table(columns, schema=schema)
            columns, count = {name: [] for name in schema.names}, 0


def _arrange(table):
    """Build the vector index, or add new vectors to it."""
    from lancedb.index import BTree, IvfPq

    rows = table.count_rows()
    if rows < LEAST_INDEXED:
        return
    there = {index.name: index for index in table.list_indices()}
    indexed = there['vector_idx'].num_indexed_rows if 'vector_idx' in there else 0
    if indexed < rows / 2:  # the partitions were made for a smaller table
        table.create_index('video_id', config=BTree(), replace=True)
        partitions = max(1, min(round(rows**0.5), rows // VECTORS_A_PARTITION))
        kind = IvfPq(distance_type='cosine', num_partitions=partitions, **TRAINING)
        table.create_index('vector', config=kind, replace=True)
    elif indexed < rows:
        table.optimize(cleanup_older_than=UNUSED_FILES_STAY)
