"""Reading of a folder's Parquet files, indexed by video when they are opened."""

import os
from functools import cached_property

import numpy as np

from twlv_mm.records import checks, parse_json, raise_if_system, relative_name

from .parquet import INFOS, import_pyarrow

# The columns that reading needs; the others record the origin of a vector for other tools.
INDEX_COLUMNS = ('video_id', 'scope', 'start_sec', 'end_sec', 'clip_index')
# Vectors hardly compress; those rounded to half precision do by a factor of two.
MAX_RATIO, NUMBER_BYTES = 16, 4


class ParquetParts:
    """The Parquet files of a folder.

    Args:
        paths (list[Path]): Of the files.
        refused (list, optional): Collects path and error of each unusable file instead of raising.

    Attributes:
        video_ids (dict[str, ParquetPart]): The file of each video.
    """

    def __init__(self, paths, refused=None):
        self.video_ids, self.parts = {}, []
        for path in paths:
            try:
                self._add(ParquetPart(path))
            except ValueError as error:
                if refused is None:
                    raise
                refused.append((path, error))

    def _add(self, part):
        first = self.parts[0] if self.parts else part
        if part.dims != first.dims:
            raise ValueError(
                f'{part.path} has {part.dims} dimensions per vector, {first.path} has {first.dims}: '
                'one of them comes from another encoder; extract it again'
            )
        for video_id in part.rows:
            if video_id in self.video_ids:
                raise ValueError(
                    f'the video {video_id!r} is in {self.video_ids[video_id].path} and in {part.path}: '
                    'remove one of the files'
                )
        self.parts.append(part)
        self.video_ids.update(dict.fromkeys(part.rows, part))

    def has_video(self, video_id):
        return self.video_ids[video_id].rows[video_id][1] is not None

    def clips(self, video_id):
        part = self.video_ids[video_id]
        rows = part.rows[video_id][0]
        if not len(rows):
            raise FileNotFoundError(f'{part.path} has only a whole-video vector of {video_id!r}: extract it again')
        return part.path, part.vectors(rows)

    def count(self, video_id):
        return len(self.video_ids[video_id].rows[video_id][0])

    def video(self, video_id):
        part = self.video_ids[video_id]
        return part.path, part.vectors(np.array([part.rows[video_id][1]]))[0]

    def any_vectors(self, video_id):
        return self.video(video_id) if self.has_video(video_id) else self.clips(video_id)

    def info(self, video_id):
        return self.video_ids[video_id].infos.get(video_id, {})

    def times(self, video_id):
        part = self.video_ids[video_id]
        times = part.times[part.rows[video_id][0]]
        return None if np.isnan(times).all() else times

    def vector_paths(self):
        return [part.path.name for part in self.parts]


class ParquetPart:
    """One Parquet file, indexed when opened; vectors are read by row group, and the last one is kept.

    Args:
        path (Path): The file.
        file (IO, optional): The open file; opened on first use if None.

    Attributes:
        dims (int): D.
        rows (dict[str, tuple[ndarray, int | None]]): video id -> rows of its clips in order, and row of the whole
            video.
        times (ndarray): (rows, 2) float64 seconds; NaN if unknown.
    """

    def __init__(self, path, file=None):
        self.path = path
        self._opened = file
        self.dims, index = self._sound(self._read_index)
        self.times = np.stack([index['start_sec'], index['end_sec']], axis=1)
        self.rows = self._group_by_video(index)

    @cached_property
    def infos(self):
        """dict[str, dict]: Metadata by video id."""
        content = (self._file.metadata.metadata or {}).get(INFOS, b'{}')
        try:
            infos = parse_json(content.decode(), f'{self.path}, its {INFOS.decode()}')
        except ValueError as error:
            raise ValueError(
                f'{self.path} is damaged: its {INFOS.decode()} is not json ({error}): extract it again'
            ) from None
        if not isinstance(infos, dict) or not all(isinstance(info, dict) for info in infos.values()):
            raise ValueError(f'{self.path}: its {INFOS.decode()} does not map video ids to dicts: extract it again')
        return infos

    def vectors(self, rows):
        """Read rows: (K,) int64 -> (K, D) float32."""
        groups = np.searchsorted(self._starts, rows, side='right') - 1
        found = np.empty((len(rows), self.dims), np.float32)
        for group in np.unique(groups):
            here = groups == group
            found[here] = self._row_group(int(group))[rows[here] - self._starts[group]]
        return found

    def read(self, video_id):
        """Read a video as a dict for :func:`twlv_mm.embeddings.parquet.write_part`."""
        clip_rows, video_row = self.rows[video_id]
        clips = self.vectors(clip_rows)
        video = clips.mean(axis=0) if video_row is None else self.vectors(np.array([video_row]))[0]
        return dict(
            video_id=video_id, clips=clips, times=self.times[clip_rows], video=video, info=self.infos.get(video_id, {})
        )

    @cached_property
    def _file(self):
        _, pq = import_pyarrow()
        # Not memory-mapped: no faster, and all pages read would count as this process's memory.
        options = dict(page_checksum_verification=True)
        file = pq.ParquetFile(self._opened or self.path, **options)
        texts = [name for name in ('video_id', 'scope') if name in file.schema_arrow.names]
        # As dictionaries, or texts would be repeated for each row.
        return pq.ParquetFile(self._opened or self.path, metadata=file.metadata, read_dictionary=texts, **options)

    @cached_property
    def _starts(self):
        metadata = self._file.metadata
        counts = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
        return np.cumsum([0, *counts])[:-1]

    def __getstate__(self):
        # Open files cannot be pickled to data loader workers; each opens its own.
        return {name: value for name, value in vars(self).items() if name not in ('_file', '_last')}

    def _read_index(self):
        pa, _ = import_pyarrow()
        columns = self._file.schema_arrow
        missing = [name for name in (*INDEX_COLUMNS, 'embedding') if name not in columns.names]
        if missing:
            raise ValueError(f'no column {", ".join(missing)}')
        for name in ('start_sec', 'end_sec'):
            kind = columns.field(name).type
            if not (pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_null(kind)):
                raise ValueError(f'{name} is {kind}, not seconds')
        dims = self._read_dims(columns.field('embedding').type)
        table = self._file.read(list(INDEX_COLUMNS), use_threads=False)
        index = {name: table[name].to_numpy().astype(np.float64) for name in ('start_sec', 'end_sec')}
        for name in ('video_id', 'scope'):
            index[name] = _coded(table[name], name)
        index['clip_index'] = table['clip_index'].cast(pa.int64()).fill_null(-1).to_numpy()
        return dims, index

    def _read_dims(self, kind):
        """Numbers per vector, before anything is read whose size the file only claims."""
        pa, _ = import_pyarrow()
        is_fixed = pa.types.is_fixed_size_list(kind)
        is_list = is_fixed or pa.types.is_list(kind) or pa.types.is_large_list(kind)
        if not is_list or not pa.types.is_floating(kind.value_type):
            raise ValueError(f'embedding is {kind}, not lists of floating-point numbers')
        metadata = self._file.metadata
        size = os.fstat(self._opened.fileno()).st_size if self._opened else os.path.getsize(self.path)
        place = next(n for n in range(metadata.num_columns) if metadata.schema.column(n).path.startswith('embedding.'))
        groups = map(metadata.row_group, range(metadata.num_row_groups))
        numbers = sum(group.column(place).num_values for group in groups)
        if is_fixed:
            numbers = max(numbers, metadata.num_rows * kind.list_size)
        if max(numbers, metadata.num_rows) * NUMBER_BYTES > MAX_RATIO * size:
            raise ValueError(
                f'it claims {metadata.num_rows:,} rows and {numbers:,} numbers in {size:,} bytes, but vectors cannot '
                f'be compressed by more than a factor of {MAX_RATIO}'
            )
        if is_fixed:
            return kind.list_size
        batch = next(self._file.iter_batches(1, columns=['embedding'], use_threads=False), None)
        if batch and not batch['embedding'][0].is_valid:
            raise ValueError('the first row has no vector')
        return len(batch['embedding'][0]) if batch else 0

    def _group_by_video(self, index):
        codes, names = index['video_id']
        for name in names:
            relative_name(checks.name(name, f'{self.path}, a video_id'), f'{self.path}, a video_id')
        scopes = np.array(index['scope'][1], dtype=object)[index['scope'][0]]
        is_video = scopes == 'video'
        if not np.all(is_video | (scopes == 'clip')):
            raise ValueError(f"{self.path}: scope must be 'clip' or 'video', not {set(index['scope'][1])}")
        order = np.lexsort((index['clip_index'], is_video, codes))
        bounds = np.searchsorted(codes[order], np.arange(len(names) + 1))
        position = np.arange(len(order)) - bounds[codes[order]]
        size = np.diff(bounds)[codes[order]]
        wrong = np.where(is_video[order], position != size - 1, index['clip_index'][order] != position)
        if wrong.any():
            name = names[codes[order][wrong.argmax()]]
            raise ValueError(f'{self.path}: the rows of {name!r} are not clips 0, 1, 2, … and at most one whole video')
        rows = {}
        for name, start, end in zip(names, bounds, bounds[1:], strict=False):
            whole = int(order[end - 1]) if is_video[order[end - 1]] else None
            rows[name] = order[start : end - (whole is not None)], whole
        return rows

    def _row_group(self, group):
        if getattr(self, '_last', (None,))[0] != group:
            self._last = group, self._sound(self._read_row_group, group)
        return self._last[1]

    def _read_row_group(self, group):
        column = self._file.read_row_group(group, ['embedding'], use_threads=False)['embedding'].combine_chunks()
        values = column.flatten()
        lengths = np.diff(column.offsets.to_numpy()) if hasattr(column, 'offsets') else self.dims
        if column.null_count or np.any(lengths != self.dims):
            raise ValueError(f'empty vectors, or lengths other than {self.dims}, in row group {group}')
        if len(column) != self._file.metadata.row_group(group).num_rows:  # checksums do not cover page headers
            raise ValueError(f'row group {group} has {len(column)} vectors, not as many as it claims')
        return values.to_numpy(zero_copy_only=False).reshape(-1, self.dims).astype(np.float32, copy=False)

    def _sound(self, read, *args):
        pa, _ = import_pyarrow()
        try:
            return read(*args)
        except (OSError, ValueError, pa.ArrowException) as error:
            raise_if_system(error, self.path)
            raise ValueError(f'{self.path} is not a valid embedding file ({error}): extract it again') from error


def _coded(column, name):
    """A text column as codes per row, and the texts in order of appearance."""
    pa, _ = import_pyarrow()
    if not pa.types.is_dictionary(column.type):
        column = column.cast(pa.string()).dictionary_encode()
    column = column.unify_dictionaries().combine_chunks()
    texts = column.dictionary.cast(pa.string()).to_pylist()
    if column.null_count or None in texts:
        raise ValueError(f'{name} is missing in {column.null_count or "some"} rows')
    # A dictionary may have duplicate and unused texts.
    first_of = {}
    same = np.array([first_of.setdefault(text, place) for place, text in enumerate(texts)], np.int64)
    used, first, codes = np.unique(same[column.indices.to_numpy()], return_index=True, return_inverse=True)
    order = first.argsort()
    return order.argsort()[codes], [texts[place] for place in used[order]]
