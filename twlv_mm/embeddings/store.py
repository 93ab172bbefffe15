"""Writing of embedding files: TWLV-I's layout, Parquet, or both.

TWLV-I's layout is ``<video_id>_c.npy`` (clips, D), ``<video_id>_v.npy`` (D,) and ``<video_id>.json``, written last: if
it exists, the others are complete. Parquet parts are made from such files once all their videos are settled, so that
finished videos are never lost.
"""

import hashlib
import json
import os
import re
from contextlib import suppress
from pathlib import Path

import numpy as np

from twlv_mm.records.files import locked, write_json, writing
from twlv_mm.records.paths import path_below

from .claims import Claims
from .manifest import LOCK, FailureLog

UNFINISHED = '.unfinished'
# Size of numpy's header of an array with one or two dimensions.
NPY_HEADER = 128
READ_BYTES = 1 << 16
# Left behind by a killed process.
LEFT_OVER = re.compile(r'\.[^.].*\.[0-9a-f]{16}\.part')


def write_embeddings(folder, video_id, clips, times, info):
    """Write one video's embeddings in TWLV-I's layout, each file atomically.

    Args:
        folder (str): Where to; created if missing.
        video_id (str): Name of the files; may contain a sub-folder.
        clips (ndarray): (M, D) float32.
        times (ndarray): (M, 2) start and end of each clip in seconds.
        info (dict): For the json: at least duration and num_frames. Times and hashes of the clips are added.
    """
    video = clips.mean(axis=0)
    times = [dict(start=round(start, 6), end=round(end, 6)) for start, end in times.tolist()]
    info = dict(info, clips=times, clips_sha256=array_sha256(clips), video_sha256=array_sha256(video))
    base = path_below(folder, video_id)
    base.parent.mkdir(parents=True, exist_ok=True)
    for scope, array in (('c', clips), ('v', video)):
        with writing(f'{base}_{scope}.npy') as file:
            np.save(file, array.astype('<f4'), allow_pickle=False)
    write_json(f'{base}.json', info, indent=1, sort_keys=True)


def has_embeddings(base):
    """Whether a video's three files exist with the lengths in its json; their content is not read.

    Args:
        base (str): Their path without ``_c.npy``, ``_v.npy`` and ``.json``.
    """
    # Most videos of a new run have no json yet, and asking is faster than an exception.
    return os.access(f'{base}.json', os.F_OK) and _are_whole(base)


def finished_videos(folder, video_ids):
    """Ids, of a possibly long list, of the videos that have their embeddings in a folder of TWLV-I's layout."""
    listed = {}
    for video_id in video_ids:
        below, _, name = video_id.rpartition('/')
        if below not in listed:
            listed[below] = _names_of_json(f'{folder}/{below}')
        if f'{name}.json' in listed[below] and _are_whole(f'{folder}/{video_id}'):
            yield video_id


def _names_of_json(folder):
    try:
        return {name for name in os.listdir(folder) if name.endswith('.json')}
    except (FileNotFoundError, NotADirectoryError):
        return ()


def _are_whole(base):
    try:
        info = json.loads(_read_quickly(f'{base}.json'))
        clips, video = (os.stat(f'{base}_{scope}.npy').st_size - NPY_HEADER for scope in 'cv')
        count = len(info['clips']) if 'clips' in info else clips // max(video, 1)  # other tools may not list them
    except (FileNotFoundError, NotADirectoryError, ValueError, TypeError, RecursionError):
        return False
    return video > 0 and 0 < clips == count * video


def _read_quickly(path):
    """Read a small file in half the time of :func:`open`; a pipe reads as empty."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        content = piece = os.read(descriptor, READ_BYTES)
        while len(piece) == READ_BYTES:
            piece = os.read(descriptor, READ_BYTES)
            content += piece
    finally:
        os.close(descriptor)
    return content.decode()


class Store:
    """A folder that a run writes to, and the finished videos in it.

    Args:
        folder (str): ``<out>/<sampling>/<split>``, which exists.
        formats (Collection[str]): 'npy' (TWLV-I's layout), 'parquet', or both.
        video_ids (list[str]): The videos of this process, in order.
        shard (tuple[int, int]): Index and number of processes, for the names of Parquet files.

    Attributes:
        claims (Claims): Videos this process is embedding.
        failures (FailureLog): Videos that could not be read.
        finished (set[str]): Those of ``video_ids`` finished at the start.
    """

    def __init__(self, folder, formats, video_ids, shard=(0, 1)):
        self.folder = Path(folder)
        self._identity = self._stat()
        self.claims, self.failures = Claims(folder), FailureLog(folder)
        self._files = folder if 'npy' in formats else os.path.join(folder, UNFINISHED)
        self._parts = None
        if 'parquet' in formats:
            from .parquet_store import PartWriter

            self._parts = PartWriter(self.folder, self._files, video_ids, shard, keep_files='npy' in formats)
        self._in_parts = self._parts is not None and 'npy' not in formats
        in_parts = self._parts.video_ids if self._in_parts else ()
        self.finished = {id_ for id_ in video_ids if id_ in in_parts}
        self.finished.update(finished_videos(self._files, (id_ for id_ in video_ids if id_ not in self.finished)))
        for video_id in self.finished:
            self.settle(video_id)

    def has(self, video_id):
        """Whether a video is finished by now, by any process."""
        if has_embeddings(f'{self._files}/{video_id}'):
            return True
        if not self._in_parts:
            return False
        self._parts.refresh()
        return video_id in self._parts.video_ids

    def write(self, video_id, clips, times, info):
        """Write one video; see :func:`write_embeddings`."""
        self.check_place()
        try:
            write_embeddings(self._files, video_id, clips, times, info)
        except FileNotFoundError:
            self.check_place()  # for a better message
            raise
        self.settle(video_id)

    def settle(self, video_id):
        """Mark a video as written or failed."""
        if self._parts:
            self._parts.settle(video_id)

    def finish(self, video_ids):
        """End a run that wrote ``video_ids``."""
        self.check_place()
        gone = [video_id for video_id in video_ids if not self.has(video_id)]
        if gone:
            raise FileNotFoundError(
                f'{self.folder}: {len(gone)} embedded videos are no longer there ({", ".join(gone[:3])}). They were '
                'moved or deleted meanwhile; the same command embeds them again'
            )
        self.failures.forget({video_id for video_id in video_ids if video_id in self.failures.at_start})
        if self.claims.take_all():  # no other process is writing
            with locked(self.folder / LOCK):
                self._tidy()

    def check_place(self):
        """Check that the folder is still the one the run started with."""
        if self._stat() != self._identity:
            raise FileNotFoundError(
                f'{self.folder} was moved or deleted while videos were embedded into it. Put it back and run the same '
                'command again'
            )

    def _stat(self):
        try:
            status = os.stat(self.folder)
        except FileNotFoundError:
            return None
        return status.st_dev, status.st_ino

    def _tidy(self):
        for folder, _, names in os.walk(self.folder, topdown=False):
            for name in filter(LEFT_OVER.fullmatch, names):
                os.unlink(os.path.join(folder, name))
            if UNFINISHED in Path(folder).relative_to(self.folder).parts[:1]:
                with suppress(OSError):  # not empty: unfinished videos of another run
                    os.rmdir(folder)


def array_sha256(array):
    """SHA-256 in hex of an array's little-endian float32 bytes in C order."""
    return hashlib.sha256(np.ascontiguousarray(array, '<f4')).hexdigest()
