"""A whole split as one matrix, kept beside the embeddings and mapped into memory."""

import hashlib
import json
import os
import struct
import uuid
import warnings
from typing import NamedTuple

import numpy as np

from .folder import EmbeddingFolder

SCOPES = ('video', 'clip')
# Ends the file, after the matrix and the index: the index's length in bytes, and what the file is.
TAIL = struct.Struct('<Q8s')
MAGIC = b'twlvmat1'


class Matrix(NamedTuple):
    """The vectors of a split.

    Attributes:
        vectors (ndarray): (n, D) float32, read-only: a numpy.memmap where it could be kept on disk. Video by video, the
            clips of each in order of time.
        video_index (ndarray): (n,) int64, place in ``video_ids`` of the video that each vector is of.
        video_ids (list[str]): Sorted.
    """

    vectors: np.ndarray
    video_index: np.ndarray
    video_ids: list


def load_matrix(folder, scope='video'):
    """Load the vectors of a split as one matrix.

    The first call reads every file once, with the memory of one video (or row group), and writes the matrix to a hidden
    file in the folder. Later calls map that file, unless the names, sizes or times of the folder's files have changed.

    Args:
        folder (str | EmbeddingFolder): Embeddings in either format.
        scope (str): 'video' (one vector a video) or 'clip' (every clip's vector).

    Returns:
        Matrix: vectors, video_index, video_ids. In memory, with a warning, where the folder cannot be written to.

    Raises:
        FileNotFoundError: if there is no such folder, or no embeddings in it.
        ValueError: if the scope is unknown, a file is damaged or vectors differ in length.
    """
    if scope not in SCOPES:
        raise ValueError(f"there is no scope {scope!r}; there are 'video' and 'clip'")
    folder = folder if isinstance(folder, EmbeddingFolder) else EmbeddingFolder(folder)
    path = folder.path / f'.{scope}.matrix'
    # Taken before the files are read: a change meanwhile makes the next call build again.
    fingerprint = _fingerprint(folder)
    counts = _read_counts(path, fingerprint)
    if counts is None:
        try:
            counts = _build(path, folder, scope, fingerprint)
        except OSError as error:
            warnings.warn(f'{path} cannot be written ({error}): its vectors are held in memory', stacklevel=2)
            blocks = list(_blocks(folder, scope))
            vectors, counts = np.concatenate(blocks), [len(block) for block in blocks]
            vectors.flags.writeable = False
            return _matrix(vectors, counts, folder)
    return _matrix(np.memmap(path, np.float32, 'r', shape=(sum(counts), folder.dims)), counts, folder)


def _matrix(vectors, counts, folder):
    return Matrix(vectors, np.repeat(np.arange(len(counts)), counts), folder.video_ids)


def _blocks(folder, scope):
    """(M, D) vectors of each video, in order."""
    for video_id in folder.video_ids:
        yield folder.video(video_id)[None] if scope == 'video' else folder.clips(video_id)


def _fingerprint(folder):
    """SHA-256 of the names, sizes and times of change of the files that hold vectors."""
    digest = hashlib.sha256()
    for name in folder.files.vector_paths():
        status = os.stat(f'{folder.path}/{name}')
        digest.update(f'{name}\0{status.st_size}\0{status.st_mtime_ns}\n'.encode())
    return digest.hexdigest()


def _build(path, folder, scope, fingerprint):
    temporary = f'{path}.{uuid.uuid4().hex}.part'  # several processes may build at once
    counts = []
    try:
        with open(temporary, 'wb') as file:
            for block in _blocks(folder, scope):
                file.write(np.ascontiguousarray(block))
                counts.append(len(block))
            index = json.dumps(dict(fingerprint=fingerprint, counts=counts)).encode()
            file.write(index + TAIL.pack(len(index), MAGIC))
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        if os.path.exists(temporary):
            os.unlink(temporary)
    return counts


def _read_counts(path, fingerprint):
    """Vectors of each video in a matrix file, or None where it is not of these files."""
    try:
        with open(path, 'rb') as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(max(size - TAIL.size, 0))
            length, magic = TAIL.unpack(file.read())
            if magic != MAGIC or length > size - TAIL.size:
                return None
            file.seek(size - TAIL.size - length)
            index = json.loads(file.read(length))
    except (OSError, struct.error, ValueError):
        return None  # whatever stands there is not ours, and is built anew
    return index['counts'] if index['fingerprint'] == fingerprint else None
