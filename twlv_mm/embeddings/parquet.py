"""Embeddings in Parquet files, one row per vector: the format for large collections.

A folder holds ``part-*.parquet``. The rows of a video are its clips in order of time, then the whole video. The json of
TWLV-I's layout is in the file's metadata under ``twlv_mm_videos``. Needs pyarrow.
"""

import hashlib
import json
import os
import re
from itertools import chain

import numpy as np

from twlv_mm.records.files import writing

PART_NAME = re.compile(r'part-[^/]*\.parquet')
INFOS = b'twlv_mm_videos'
# Reading a video decodes its row group: 1 MiB for 1,024 dimensions per vector.
ROWS_A_GROUP = 256


def schema(dims):
    """The columns (pyarrow.Schema) for vectors of D = ``dims``; times are seconds since the first frame, and rows of
    scope 'video' have no clip_index.
    """
    pa, _ = import_pyarrow()
    return pa.schema(
        dict(
            video_id=pa.string(),
            scope=pa.string(),
            start_sec=pa.float64(),
            end_sec=pa.float64(),
            clip_index=pa.int32(),
            embedding=pa.list_(pa.float32(), dims),
            model=pa.string(),
            weights_sha256=pa.string(),
            sampling=pa.string(),
        )
    )


def write_part(path, videos):
    """Write videos into one Parquet file, atomically and reproducibly, with page checksums; it is read back before it
    appears.

    Memory is that of a row group, not of the file.

    Args:
        path (str): ``part-*.parquet``; its folder is created if missing.
        videos (Iterable[dict]): Each with video_id (str), clips (M, D) float32, times (M, 2) float64 seconds, video
            (D,) float32 and info (json dict with duration, model, weights_sha256, sampling if known).

    Returns:
        int: number of videos written.
    """
    path = os.fspath(path)
    if not PART_NAME.fullmatch(os.path.basename(path)):
        raise ValueError(f'{path} would not be recognised: name it part-*.parquet')
    os.makedirs(os.path.dirname(path) or '.', exist_ok=True)
    with writing(path) as file:
        hashes = _write_rows(file, path, iter(videos))
        file.flush()
        _check_written(file, path, hashes)
    return len(hashes)


def _write_rows(file, path, videos):
    _, pq = import_pyarrow()
    first = next(videos, None)
    if first is None:
        raise ValueError(f'no video to write into {path}')
    dims = _rows(first)[0]['embedding'].size
    options = dict(
        compression='none',  # vectors hardly compress, repeated strings become dictionaries
        use_dictionary=['video_id', 'scope', 'model', 'weights_sha256', 'sampling'],
        write_statistics=['video_id'],
        write_page_checksum=True,
    )
    infos, hashes, rows = {}, {}, []
    with pq.ParquetWriter(file, schema(dims), **options) as writer:
        for video in chain([first], videos):
            if video['video_id'] in infos:
                raise ValueError(f'{path}: duplicate video {video["video_id"]!r}')
            infos[video['video_id']] = video['info']
            hashes[video['video_id']] = _hashes(video)
            rows += _rows(video)
            if rows[-1]['embedding'].size != dims:
                raise ValueError(f'{path}: the vectors of {video["video_id"]!r} differ in length from the first ones')
            if len(rows) >= ROWS_A_GROUP:
                writer.write_table(_table(rows, writer.schema))
                rows = []
        if rows:
            writer.write_table(_table(rows, writer.schema))
        writer.add_key_value_metadata({INFOS: json.dumps(infos, sort_keys=True).encode()})
    return hashes


def _check_written(file, path, hashes):
    """Read back what was written before it replaces anything."""
    from .parquet_parts import ParquetPart

    part = ParquetPart(path, file)
    if list(part.rows) != list(hashes) or any(_hashes(part.read(name)) != hashes[name] for name in hashes):
        raise OSError(f'{path}: the data read back differs from what was written. Nothing was replaced')


def _hashes(video):
    return [hashlib.sha256(np.ascontiguousarray(video[name], '<f4')).digest() for name in ('clips', 'video')]


def _rows(video):
    """The rows of one video as dicts."""
    clips, times, whole, info = video['clips'], video['times'], video['video'], video['info']
    if clips.ndim != 2 or not clips.size or times.shape != (len(clips), 2) or whole.shape != clips.shape[1:]:
        raise ValueError(
            f'video {video["video_id"]!r}: clips {clips.shape}, times {times.shape} and video {whole.shape} '
            'are not (M, D), (M, 2) and (D,)'
        )
    origin = {name: info.get(name) for name in ('model', 'weights_sha256', 'sampling')}
    spans = [('clip', index, start, end) for index, (start, end) in enumerate(times.tolist())]
    spans.append(('video', None, 0.0, info.get('duration', spans[-1][3])))
    return [
        dict(video_id=video['video_id'], scope=scope, start_sec=start, end_sec=end, clip_index=index, embedding=vector)
        | origin
        for (scope, index, start, end), vector in zip(spans, [*clips, whole], strict=True)
    ]


def _table(rows, columns):
    pa, _ = import_pyarrow()
    arrays = {name: [row[name] for row in rows] for name in columns.names}
    vectors = np.concatenate(arrays['embedding'], dtype=np.float32, casting='same_kind')
    arrays['embedding'] = pa.FixedSizeListArray.from_arrays(vectors, type=columns.field('embedding').type)
    return pa.table(arrays, schema=columns)


def import_pyarrow():
    """pyarrow and pyarrow.parquet, or an ImportError that says how to install them."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise ImportError('embeddings in Parquet need pyarrow: pip install pyarrow') from error
    return pyarrow, pyarrow.parquet
