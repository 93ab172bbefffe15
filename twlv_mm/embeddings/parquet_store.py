"""Writing of Parquet parts during a run, beside other runs on the same folder."""

import os
import warnings
from contextlib import suppress
from pathlib import Path

import numpy as np

from twlv_mm.records.files import locked

from .npy import ENDINGS, read_json, read_npy
from .parquet import import_pyarrow, write_part
from .parquet_parts import ParquetPart
from .store import has_embeddings

PART_VIDEOS = 1000  # videos per Parquet file
LOCK = '.parts.lock'


class PartWriter:
    """Writes a part from TWLV-I's layout once all its videos are settled.

    Args:
        folder (Path): Folder of the parts.
        files (str): Folder of TWLV-I's layout.
        video_ids (list[str]): The videos of this process, in order.
        shard (tuple[int, int]): Index and number of processes, for the names of parts.
        keep_files (bool): Whether to keep TWLV-I's layout.

    Attributes:
        video_ids (set[str]): Those in parts, as of the last refresh.
    """

    def __init__(self, folder, files, video_ids, shard, keep_files):
        import_pyarrow()  # fail now rather than when the first part is complete
        self._folder, self._files, self._shard, self._keep_files = folder, files, shard, keep_files
        self._plan = [video_ids[start : start + PART_VIDEOS] for start in range(0, len(video_ids), PART_VIDEOS)]
        self._part_of = {video_id: number for number, part in enumerate(self._plan) for video_id in part}
        self._open = [set(part) for part in self._plan]
        self._index = {}  # path -> (inode, size and time, ids)
        self.video_ids = set()
        self.refresh()

    def refresh(self):
        """Look for new or changed parts; unreadable ones are set aside with a warning."""
        if self._look():
            with locked(self._folder / LOCK):
                self._set_damaged_aside()

    def settle(self, video_id):
        """Mark a video as written or failed."""
        number = self._part_of[video_id]
        self._open[number].discard(video_id)
        if not self._open[number]:
            self._write(number)

    def _look(self):
        """Index the existing parts; returns the unreadable ones with their errors."""
        index, damaged = {}, []
        for path in sorted(self._folder.glob('part-*.parquet')):
            with suppress(FileNotFoundError):  # set aside by another process
                status = os.stat(path)
                known = status.st_ino, status.st_size, status.st_mtime_ns
                there = self._index.get(path)
                try:
                    index[path] = there if there and there[0] == known else (known, frozenset(ParquetPart(path).rows))
                except ValueError as error:
                    damaged.append((path, error))
        if index != self._index:
            self._index = index
            self.video_ids = set().union(*(ids for _, ids in index.values()))
        return damaged

    def _set_damaged_aside(self):
        for path, error in self._look():
            set_aside(path)
            warnings.warn(f'{error}. It was renamed to {path.name}.damaged', stacklevel=2)

    def _write(self, number):
        part = self._plan[number]
        path = self._folder / f'part-{self._shard[0]:05d}-of-{self._shard[1]:05d}-{number:05d}.parquet'
        with locked(self._folder / LOCK):
            self._set_damaged_aside()
            new = {id_ for id_ in part if id_ not in self.video_ids and has_embeddings(f'{self._files}/{id_}')}
            if new:
                there = ParquetPart(path) if path.exists() else None
                write_part(path, self._merged(part, new, there))
                self._look()
            if not self._keep_files:
                for video_id in self.video_ids.intersection(part):
                    for ending in ENDINGS:
                        Path(f'{self._files}/{video_id}{ending}').unlink(missing_ok=True)

    def _merged(self, part, new, there):
        """The videos of a part: those already in the file (also from other runs), and new ones."""
        in_file = {} if there is None else there.rows
        ours = [video_id for video_id in part if video_id in new or video_id in in_file]
        for video_id in [*ours, *(video_id for video_id in in_file if video_id not in set(part))]:
            if video_id in new:
                yield _read_files(self._files, video_id)
                continue
            try:
                yield there.read(video_id)
            except ValueError as error:
                warnings.warn(f'{error}. The next run will embed {video_id!r} again', stacklevel=2)


def set_aside(path):
    """Rename a damaged part so that it is no longer read."""
    os.replace(path, f'{path}.damaged')


def _read_files(folder, video_id):
    base = f'{folder}/{video_id}'
    info = read_json(f'{base}.json')
    clips, video = (read_npy(f'{base}_{scope}.npy') for scope in 'cv')
    times = np.array([[clip['start'], clip['end']] for clip in info.pop('clips')])
    return dict(video_id=video_id, clips=clips, times=times, video=video, info=info)
