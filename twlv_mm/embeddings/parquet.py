"""Embeddings in Parquet files, one row a vector: the format for large collections.

A folder holds ``part-*.parquet``. The rows of a video are its clips in order of time, then the video. What the
published layout writes into a video's json stands in the file's metadata, under ``twlv_mm_videos``. Needs pyarrow.
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
# A video's rows are read by decoding their row group: 1 MiB at 1,024 numbers a vector.
ROWS_A_GROUP = 256


def schema(dims):
    """The columns.

    Args:
        dims (int): D, numbers a vector.

    Returns:
        pyarrow.Schema: Rows of scope 'video' have no clip_index; times are seconds since the first frame.
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
    """Write videos into one Parquet file, which appears whole or not at all.

    The same videos give the same bytes. Pages carry checksums. The file is read back before it appears. Memory is that
    of a row group, not of the file.

    Args:
        path (str): ``part-*.parquet``; its folder is made if missing.
        videos (Iterable[dict]): Each with video_id (str), clips (M, D) float32, times (M, 2) float64 seconds, video
            (D,) float32 and info (dict that json can hold, with duration, model, weights_sha256, sampling where known).

    Returns:
        int: Number of videos written.
    """
    path = os.fspath(path)
    if not PART_NAME.fullmatch(os.path.basename(path)):
        raise ValueError(f'{path} would not be found again: name it part-*.parquet')
    os.makedirs(os.path.dirname(path) or '.', exist_ok=True)
    with writing(path) as file:
        hashes = _write_rows(file, path, iter(videos))
        file.flush()
        _check_written(file, path, hashes)
    return len(hashes)


def read_ids(path):
    """Ids of the videos in one Parquet file, in the order of its rows.

    Args:
        path (str): A Parquet file with these columns.

    Returns:
        list[str]: The ids.
    """
    from .parquet_parts import ParquetPart

    return list(ParquetPart(path).rows)


def _write_rows(file, path, videos):
    _, pq = import_pyarrow()
    first = next(videos, None)
    if first is None:
        raise ValueError(f'there is no video to write into {path}')
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
                raise ValueError(f'{path}: the video {video["video_id"]!r} comes twice')
            infos[video['video_id']] = video['info']
            hashes[video['video_id']] = _hashes(video)
            rows += _rows(video)
            if rows[-1]['embedding'].size != dims:
                raise ValueError(f'{path}: the vectors of {video["video_id"]!r} are of another length than the first')
            if len(rows) >= ROWS_A_GROUP:
                writer.write_table(_table(rows, writer.schema))
                rows = []
        if rows:
            writer.write_table(_table(rows, writer.schema))
        writer.add_key_value_metadata({INFOS: json.dumps(infos, sort_keys=True).encode()})
    return hashes


def _check_written(file, path, hashes):
    """Read back what was written, before it takes the place of anything else."""
    from .parquet_parts import ParquetPart

    part = ParquetPart(path, file)
    if list(part.rows) != list(hashes) or any(_hashes(part.read(name)) != hashes[name] for name in hashes):
        raise OSError(f'{path}: what was read back is not what was written. Nothing was replaced')


def _hashes(video):
    return [hashlib.sha256(np.ascontiguousarray(video[name], '<f4')).digest() for name in ('clips', 'video')]


def _rows(video):
    """The rows of one video as dicts, which hold their vector as an array."""
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
    """pyarrow and pyarrow.parquet, which this package can do without."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise ImportError('embeddings in Parquet need pyarrow: pip install pyarrow') from error
    return pyarrow, pyarrow.parquet
