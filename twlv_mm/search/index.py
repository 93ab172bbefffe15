"""An index of a collection in LanceDB: the nearest clips without reading all vectors, for more than memory holds.

The index is a table with a copy of the vectors, on a local disk or in an object store, and an IVF-PQ index of them: a
query is compared with rounded vectors of the partitions nearest to it, and with the vectors themselves of the best.
"""

import json
import os
from contextlib import contextmanager
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F

from twlv_mm.embeddings import EmbeddingFolder, folder_settings
from twlv_mm.embeddings.manifest import read_manifest
from twlv_mm.records import locked

from .collection import times_of

PLACE, LOCK, TABLE = '.lance', '.lance.lock', 'clips'
SETTINGS = b'twlv_mm'  # key of the table's metadata
# Fewer are compared with every query as they are, which takes milliseconds.
LEAST_INDEXED = 10_000
COMMIT_NUMBERS = 1 << 24  # of vectors that are added at once, and lost if the building is killed: 64 MiB
DELETED_AT_ONCE = 1_000
VECTORS_A_PARTITION = 256  # at least
# A fifth of LanceDB's iterations on a quarter of its vectors: the comparison with the vectors makes up for it.
TRAINING = dict(max_iterations=10, sample_rate=64)
# Measured on a million vectors (docs/search.md).
PARTITIONS_SEARCHED, REFINED = 20, 30
SAMPLE = 1024  # clips that stand for the whole collection
ROUNDING = 1e-5  # of cosines, here and in LanceDB
CACHE_BYTES = 512 << 20
UNUSED_FILES_STAY = timedelta(minutes=1)  # for searches that have begun before an update


class Update(NamedTuple):
    """What became of an index.

    Attributes:
        added (int): Videos that were added.
        removed (int): Videos that were taken out, because they are gone or have been embedded again.
        videos (int): Videos that it has now.
        clips (int): Clips that it has now.
    """

    added: int
    removed: int
    videos: int
    clips: int


def update_index(folder, uri=None, clip_seconds=None, stride_seconds=None, progress=lambda clips: None):
    """Build the index of a folder, or add what has been embedded since.

    It can be killed at any time; called again, it goes on. Embeddings may be added to the folder meanwhile: videos that
    are finished when it begins are taken.

    Args:
        folder (str): Embeddings in either format, ``<out>/<sampling>/<split>``.
        uri (str, optional): Where the index is: a folder, or an address in an object store, such as 's3://bucket/name'
            (LanceDB reads the credentials from the environment); ``<folder>/.lance`` if None.
        clip_seconds (float, optional): As for :class:`~twlv_mm.search.Collection`.
        stride_seconds (float, optional): As for :class:`~twlv_mm.search.Collection`.
        progress (Callable[[int], None]): Called with the number of clips that were added, each time some were.

    Returns:
        Update: what was done.

    Raises:
        FileNotFoundError: if there is no such folder, or no embeddings of clips in it.
        ValueError: if the index has vectors of other settings or another length, a number is not finite, a file is
            damaged, or another process is building the index.
        ImportError: if LanceDB is not installed.
    """
    embeddings = EmbeddingFolder(folder)
    settings = folder_settings(embeddings)
    with _alone(embeddings.path):
        table = _opened(folder, uri) or _created(folder, uri, embeddings.dims, settings)
        _check(table, embeddings.dims, settings, _address(folder, uri))
        stamps = _Stamps(embeddings)
        there = _column(table, 'stamp')
        old = [video_id for video_id, stamp in there.items() if stamps(video_id) != stamp]
        for start in range(0, len(old), DELETED_AT_ONCE):
            table.delete(f'video_id IN ({", ".join(map(_quoted, old[start : start + DELETED_AT_ONCE]))})')
        new = [video_id for video_id in embeddings.video_ids if there.get(video_id) != stamps(video_id)]
        unsaid = clip_seconds, stride_seconds
        for rows in _blocks(embeddings, new, stamps, unsaid, table.schema):
            table.add(rows)
            progress(len(rows))
        _arrange(table)
        return Update(len(new), len(old), len(there) - len(old) + len(new), table.count_rows())


class IndexedCollection:
    """The clips of an embedding folder as its index finds them; see :class:`~twlv_mm.search.Collection`.

    Args:
        path (str): The folder.
        uri (str, optional): As for :func:`update_index`.

    Attributes:
        path (Path): The folder.
        settings (dict): What the vectors were made with.
        dims (int): D.

    Raises:
        FileNotFoundError: if it has no index.
        ValueError: if the folder has been made again with other settings.
        ImportError: if LanceDB is not installed.
    """

    def __init__(self, path, uri=None):
        self.path = Path(path)
        self._table = _opened(path, uri)
        if self._table is None:
            raise FileNotFoundError(f'there is no index at {_address(path, uri)}: make it with --index --in {path}')
        self.settings, self.dims = _settings_of(self._table), _dims_of(self._table)
        try:
            manifest = read_manifest(path)
        except (FileNotFoundError, ValueError):
            manifest = dict(settings=[], videos=[])
        for kind in manifest['settings']:
            there = {name: value for name, value in kind.items() if name in self.settings}
            if there != self.settings:
                raise ValueError(
                    f'{path} was made again with other settings after its index: remove {_address(path, uri)}, and '
                    f'make it again with --index --in {path}'
                )
        self._listed = manifest['videos']

    def __len__(self):
        """Number of clips."""
        return self._table.count_rows()

    def __contains__(self, video_id):
        """Whether there is a video of this id."""
        return bool(self._table.count_rows(f'video_id = {_quoted(video_id)}'))

    @cached_property
    def video_ids(self):
        """list[str]: sorted."""
        return sorted(_column(self._table, 'video_id'))

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
        wanted = self._table.search().where(f'video_id = {_quoted(video_id)}')
        rows = wanted.select(['clip', 'start', 'end', 'vector']).to_arrow().sort_by('clip')
        if not len(rows):
            raise ValueError(f'the index of {self.path} has no video {video_id!r}')
        return np.stack([rows['start'].to_numpy(), rows['end'].to_numpy()], axis=1), _vectors(rows)

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
            best = torch.cat([best, queries @ F.normalize(torch.from_numpy(_vectors(batch)), dim=1).T], dim=1)
            best = best.topk(min(k + 1, best.shape[1]))[0]
        return best[:, k].tolist()

    def _sampled(self, count):
        number = len(self)
        offsets = np.linspace(0, number - 1, min(count, number)).astype(np.int64)
        rows = self._table.take_offsets(offsets.tolist()).select(['video_id', 'clip', 'vector']).to_arrow()
        return _vectors(rows), list(zip(rows['video_id'].to_pylist(), rows['clip'].to_pylist(), strict=True))


class _Stamps:
    """By what a video is known to have been embedded again: size and time of the file that holds its vectors."""

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


def _import():
    try:
        import lancedb
    except ImportError as error:
        raise ImportError("an index of embeddings needs LanceDB: pip install 'twlv-i[lance]'") from error
    return lancedb


def _address(folder, uri):
    return os.path.join(folder, PLACE) if uri is None else uri


def _database(folder, uri):
    lancedb = _import()
    session = lancedb.Session(index_cache_size_bytes=CACHE_BYTES, metadata_cache_size_bytes=CACHE_BYTES)
    return lancedb.connect(_address(folder, uri), session=session)


def _opened(folder, uri):
    """The table of an index, or None."""
    if uri is None and not os.path.isdir(_address(folder, uri)):
        _import()
        return None  # connecting would make a folder
    database = _database(folder, uri)
    return database.open_table(TABLE) if TABLE in database.list_tables().tables else None


def _created(folder, uri, dims, settings):
    import pyarrow as pa

    columns = dict(video_id=pa.string(), clip=pa.int32(), start=pa.float64(), end=pa.float64(), stamp=pa.string())
    schema = pa.schema(columns | dict(vector=pa.list_(pa.float32(), dims)))
    content = {SETTINGS: json.dumps(settings)}
    return _database(folder, uri).create_table(TABLE, schema=schema.with_metadata(content))


@contextmanager
def _alone(folder):
    try:
        with locked(folder / LOCK, wait=False):
            yield
    except BlockingIOError:
        raise ValueError(f'another process is making the index of {folder}: wait for it, or end it') from None


def _settings_of(table):
    return json.loads((table.schema.metadata or {}).get(SETTINGS, b'{}'))


def _dims_of(table):
    return table.schema.field('vector').type.list_size


def _check(table, dims, settings, address):
    if (_dims_of(table), _settings_of(table)) != (dims, settings):
        raise ValueError(
            f'the index {address} is of vectors that were made with other settings: remove it, or give another --uri'
        )


def _column(table, name):
    """Video id -> a column's value at its first clip."""
    columns = dict.fromkeys(['video_id', name])
    rows = table.search().where('clip = 0').select(list(columns)).to_arrow()
    return dict(zip(rows['video_id'].to_pylist(), rows[name].to_pylist(), strict=True))


def _blocks(folder, video_ids, stamps, unsaid, schema):
    """Rows of some videos at a time; a video's are together, and so there all or not at all."""
    import pyarrow as pa

    columns, count = {name: [] for name in schema.names}, 0
    for number, video_id in enumerate(video_ids, 1):
        vectors = folder.clips(video_id)
        times = times_of(folder, video_id, len(vectors), *unsaid)
        if not np.isfinite(vectors).all():
            raise ValueError(f'{video_id} in {folder.path} holds NaN or infinite numbers: extract it again')
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
    """Make the index of the vectors, or take new ones into it."""
    from lancedb.index import BTree, IvfPq

    rows = table.count_rows()
    if rows < LEAST_INDEXED:
        return
    there = {index.name: index for index in table.list_indices()}
    indexed = there['vector_idx'].num_indexed_rows if 'vector_idx' in there else 0
    if indexed < rows / 2:  # its partitions were made for a smaller table
        table.create_index('video_id', config=BTree(), replace=True)
        partitions = max(1, min(round(rows**0.5), rows // VECTORS_A_PARTITION))
        kind = IvfPq(distance_type='cosine', num_partitions=partitions, **TRAINING)
        table.create_index('vector', config=kind, replace=True)
    elif indexed < rows:
        table.optimize(cleanup_older_than=UNUSED_FILES_STAY)


def _vectors(rows):
    column = rows['vector']
    column = column.combine_chunks() if hasattr(column, 'combine_chunks') else column
    return np.array(column.flatten().to_numpy(zero_copy_only=False), np.float32).reshape(len(column), -1)


def _quoted(text):
    return "'" + text.replace("'", "''") + "'"
