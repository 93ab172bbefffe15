"""The LanceDB table of an index: location, metadata, and rows as arrays."""

import json
import os

import numpy as np

PLACE, TABLE = '.lance', 'clips'
SETTINGS = b'twlv_mm'  # key of the table's metadata
CACHE_BYTES = 512 << 20


def _import():
    try:
        import lancedb
    except ImportError as error:
        raise ImportError("an index of embeddings needs LanceDB: pip install 'twlv-i[lance]'") from error
    return lancedb


def address(folder, uri):
    """Location of a folder's index; below the folder by default."""
    return os.path.join(folder, PLACE) if uri is None else uri


def _database(folder, uri):
    lancedb = _import()
    session = lancedb.Session(index_cache_size_bytes=CACHE_BYTES, metadata_cache_size_bytes=CACHE_BYTES)
    return lancedb.connect(address(folder, uri), session=session)


def open_table(folder, uri):
    """The table of an index, or None."""
    if uri is None and not os.path.isdir(address(folder, uri)):
        _import()
        return None  # connecting would create a folder
    database = _database(folder, uri)
    return database.open_table(TABLE) if TABLE in database.list_tables().tables else None


def create_table(folder, uri, dims, settings):
    """An empty table for vectors of ``dims`` numbers made with these settings."""
    import pyarrow as pa

    columns = dict(video_id=pa.string(), clip=pa.int32(), start=pa.float64(), end=pa.float64(), stamp=pa.string())
    schema = pa.schema(columns | dict(vector=pa.list_(pa.float32(), dims)))
    content = {SETTINGS: json.dumps(settings)}
    return _database(folder, uri).create_table(TABLE, schema=schema.with_metadata(content))


def settings_of(table):
    """Settings (dict) of a table's vectors."""
    return json.loads((table.schema.metadata or {}).get(SETTINGS, b'{}'))


def dims_of(table):
    return table.schema.field('vector').type.list_size


def column(table, name):
    """Values of a column by video id, at each video's first clip."""
    columns = dict.fromkeys(['video_id', name])
    rows = table.search().where('clip = 0').select(list(columns)).to_arrow()
    return dict(zip(rows['video_id'].to_pylist(), rows[name].to_pylist(), strict=True))


def vectors_of(rows):
    """(M, D) float32 vectors of M rows of a table or batch."""
    vectors = rows['vector']
    if hasattr(vectors, 'combine_chunks'):
        vectors = vectors.combine_chunks()
    return np.array(vectors.flatten().to_numpy(zero_copy_only=False), np.float32).reshape(len(vectors), -1)


def quoted(text):
    """A text as a literal in a filter."""
    return "'" + text.replace("'", "''") + "'"
