"""The table of an index in LanceDB: where it is, what it says of itself, and rows as arrays."""

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
    """Where the index of a folder is: below it, if nothing else was said."""
    return os.path.join(folder, PLACE) if uri is None else uri


def _database(folder, uri):
    lancedb = _import()
    session = lancedb.Session(index_cache_size_bytes=CACHE_BYTES, metadata_cache_size_bytes=CACHE_BYTES)
    return lancedb.connect(address(folder, uri), session=session)


def open_table(folder, uri):
    """The table of an index, or None."""
    if uri is None and not os.path.isdir(address(folder, uri)):
        _import()
        return None  # connecting would make a folder
    database = _database(folder, uri)
    return database.open_table(TABLE) if TABLE in database.list_tables().tables else None


def create_table(folder, uri, dims, settings):
    """A table without rows, for vectors of ``dims`` numbers, made with these settings."""
    import pyarrow as pa

    columns = dict(video_id=pa.string(), clip=pa.int32(), start=pa.float64(), end=pa.float64(), stamp=pa.string())
    schema = pa.schema(columns | dict(vector=pa.list_(pa.float32(), dims)))
    content = {SETTINGS: json.dumps(settings)}
    return _database(folder, uri).create_table(TABLE, schema=schema.with_metadata(content))


def settings_of(table):
    """What the vectors of a table were made with; dict."""
    return json.loads((table.schema.metadata or {}).get(SETTINGS, b'{}'))


def dims_of(table):
    """D, numbers a vector."""
    return table.schema.field('vector').type.list_size


def column(table, name):
    """A column's value at each video's first clip; dict by video id."""
    columns = dict.fromkeys(['video_id', name])
    rows = table.search().where('clip = 0').select(list(columns)).to_arrow()
    return dict(zip(rows['video_id'].to_pylist(), rows[name].to_pylist(), strict=True))


def vectors_of(rows):
    """(M, D) float32 of M rows of a table or a batch."""
    vectors = rows['vector']
    if hasattr(vectors, 'combine_chunks'):
        vectors = vectors.combine_chunks()
    return np.array(vectors.flatten().to_numpy(zero_copy_only=False), np.float32).reshape(len(vectors), -1)


def quoted(text):
    """Text as a value in a filter."""
    return "'" + text.replace("'", "''") + "'"
