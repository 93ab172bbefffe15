"""Writing embedding files: the layout published with the paper, Parquet, or both.

The published layout is ``<video_id>_c.npy`` (clips, D), ``<video_id>_v.npy`` (D,) and ``<video_id>.json``, which is
written last: where it is, the other two are whole. Parquet parts are made of such files when all their videos are
through, so that nothing that was finished is ever lost.
"""

import hashlib
import io
import json
import os
from contextlib import suppress
from pathlib import Path

import numpy as np

PART_VIDEOS = 1000  # videos in a Parquet file


def write_embeddings(folder, video_id, clips, times, info):
    """Write one video's embeddings in the published layout; each file appears whole or not at all.

    Args:
        folder (str): Where to; made if missing.
        video_id (str): Name of the files; may hold a sub-folder.
        clips (ndarray): (M, D) float32.
        times (ndarray): (M, 2) start and end of each clip in seconds.
        info (dict): Written to the json, with the clips' times and hashes: at least duration and num_frames.
    """
    video = clips.mean(axis=0)
    times = [dict(start=round(start, 6), end=round(end, 6)) for start, end in times.tolist()]
    info = dict(info, clips=times, clips_sha256=array_sha256(clips), video_sha256=array_sha256(video))
    base = Path(folder) / video_id
    base.parent.mkdir(parents=True, exist_ok=True)
    write_whole(f'{base}_c.npy', _npy(clips))
    write_whole(f'{base}_v.npy', _npy(video))
    write_whole(f'{base}.json', (json.dumps(info, indent=1, sort_keys=True) + '\n').encode())


def write_whole(path, content):
    """Write a file that appears whole or not at all, also if the machine stops.

    Args:
        path (str): Where to.
        content (bytes): What.
    """
    temporary = f'{path}.part'
    with open(temporary, 'wb') as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


class Store:
    """A folder that a run writes to, and what is finished in it.

    Args:
        folder (str): ``<out>/<sampling>/<split>``.
        formats (Collection[str]): 'npy' (the published layout), 'parquet', or both.
        video_ids (list[str]): The videos of this process, in order.
        shard (tuple[int, int]): Number of this process, from 0, and how many there are: in the names of Parquet files.
    """

    def __init__(self, folder, formats, video_ids, shard=(0, 1)):
        self.folder = Path(folder)
        self.formats = formats
        self._files = self.folder if 'npy' in formats else self.folder / '.unfinished'
        self._parts = [video_ids[start : start + PART_VIDEOS] for start in range(0, len(video_ids), PART_VIDEOS)]
        self._part_of = {video_id: number for number, part in enumerate(self._parts) for video_id in part}
        self._open = [set(part) for part in self._parts]
        self._shard = shard
        in_files = {video_id for video_id in video_ids if (self._files / f'{video_id}.json').exists()}
        self._in_parquet = self._read_parquet_ids() if 'parquet' in formats else set()
        self.finished = in_files | (self._in_parquet.intersection(video_ids) if 'npy' not in formats else set())
        for video_id in self.finished:
            self.settle(video_id)

    def write(self, video_id, clips, times, info):
        """Write one video; arguments as of :func:`write_embeddings`."""
        write_embeddings(self._files, video_id, clips, times, info)
        self.settle(video_id)

    def settle(self, video_id):
        """Nothing more will come of this video: it is written, or could not be read."""
        if 'parquet' not in self.formats:
            return
        number = self._part_of[video_id]
        self._open[number].discard(video_id)
        if not self._open[number]:
            self._write_part(number)

    def _write_part(self, number):
        from .parquet import read_part, write_part

        part = self._parts[number]
        new = {
            video_id
            for video_id in part
            if video_id not in self._in_parquet and (self._files / f'{video_id}.json').exists()
        }
        if new:
            path = self.folder / f'part-{self._shard[0]:05d}-of-{self._shard[1]:05d}-{number:05d}.parquet'
            there = {video['video_id']: video for video in read_part(path)} if path.exists() else {}
            # A run of other videos into this folder wrote to a file of the same name.
            others = [video_id for video_id in there if self._part_of.get(video_id) != number]
            taken = [video_id for video_id in part if video_id in there or video_id in new]
            write_part(path, (there.get(video_id) or _read(self._files, video_id) for video_id in taken + others))
        if 'npy' not in self.formats:
            for video_id in part:
                for end in ('.json', '_c.npy', '_v.npy'):
                    (self._files / f'{video_id}{end}').unlink(missing_ok=True)
            if self._shard[1] == 1 and not any(self._open):
                for folder, *_ in os.walk(self._files, topdown=False):
                    with suppress(OSError):  # not empty: what a run of other videos was stopped at
                        os.rmdir(folder)

    def _read_parquet_ids(self):
        from .parquet import import_pyarrow, read_ids

        import_pyarrow()  # or it would be missed only when the first part is whole
        return {video_id for path in self.folder.glob('part-*.parquet') for video_id in read_ids(path)}


def _read(folder, video_id):
    base = Path(folder) / video_id
    info = json.loads(Path(f'{base}.json').read_text())
    clips, video = (np.load(f'{base}_{scope}.npy', allow_pickle=False) for scope in 'cv')
    times = np.array([[clip['start'], clip['end']] for clip in info.pop('clips')])
    return dict(video_id=video_id, clips=clips, times=times, video=video, info=info)


def array_sha256(array):
    """SHA-256 of an array's little-endian float32 bytes in C order, in hex."""
    return hashlib.sha256(np.ascontiguousarray(array, '<f4')).hexdigest()


def _npy(array):
    buffer = io.BytesIO()
    np.save(buffer, array.astype('<f4'), allow_pickle=False)
    return buffer.getvalue()
