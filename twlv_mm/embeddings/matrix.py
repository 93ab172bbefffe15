"""A whole split as one matrix, kept beside the embeddings and mapped into memory."""

import hashlib
import json
import os
import warnings
import zlib
from typing import NamedTuple

import numpy as np

from twlv_mm.records import checks, open_regular, read_json, write_json, writing

from .folder import EmbeddingFolder

SCOPES = ('video', 'clip')
BLOCK = 1 << 24  # bytes that are checked at once


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
    npy file in the folder. Later calls map that file, unless the names, sizes or times of the folder's files have
    changed, or its checksum is another: it is read once for that.

    Args:
        folder (str | EmbeddingFolder): Embeddings in either format.
        scope (str): 'video' (one vector a video) or 'clip' (every clip's vector).

    Returns:
        Matrix: vectors, video_index, video_ids. In memory, with a warning, where the folder cannot be written to.
    """
    if scope not in SCOPES:
        raise ValueError(f"there is no scope {scope!r}; there are 'video' and 'clip'")
    folder = folder if isinstance(folder, EmbeddingFolder) else EmbeddingFolder(folder)
    path = folder.path / f'.matrix-{scope}.npy'
    # Taken before the files are read: a change meanwhile makes the next call build again.
    fingerprint = _fingerprint(folder)
    counts = _sound_counts(path, fingerprint, len(folder))
    if counts is None:
        try:
            counts = _build(path, folder, scope, fingerprint)
        except OSError as error:
            warnings.warn(f'{path} cannot be written ({error}): its vectors are held in memory', stacklevel=2)
            blocks = list(_blocks(folder, scope))
            vectors, counts = np.concatenate(blocks), [len(block) for block in blocks]
            vectors.flags.writeable = False
            return _matrix(vectors, counts, folder)
    return _matrix(np.load(path, mmap_mode='r', allow_pickle=False), counts, folder)


def _matrix(vectors, counts, folder):
    return Matrix(vectors, np.repeat(np.arange(len(counts)), counts), folder.video_ids)


def _blocks(folder, scope):
    """(M, D) vectors of each video, in order."""
    for video_id in folder.video_ids:
        yield folder.video(video_id)[None] if scope == 'video' else folder.clips(video_id)


def _fingerprint(folder):
    """SHA-256 of the names, sizes and times of change of the files that hold vectors."""
    digest = hashlib.sha256(b'' if folder.features is None else repr(folder.features).encode())
    for name in folder.files.vector_paths():
        status = os.stat(f'{folder.path}/{name}')
        digest.update(f'{name}\0{status.st_size}\0{status.st_mtime_ns}\n'.encode())
    return digest.hexdigest()


def _build(path, folder, scope, fingerprint):
    counts = []
    with writing(path) as file:
        header = dict(descr='<f4', fortran_order=False)
        np.lib.format.write_array_header_1_0(file, header | dict(shape=(0, folder.dims)))
        start = file.tell()
        for block in _blocks(folder, scope):
            file.write(np.ascontiguousarray(block, '<f4'))
            counts.append(len(block))
        file.seek(0)  # numpy leaves room for a longer shape
        np.lib.format.write_array_header_1_0(file, header | dict(shape=(sum(counts), folder.dims)))
        assert file.tell() == start
        crc32 = _checksum(file, fingerprint, counts)
    write_json(path.with_suffix('.json'), dict(fingerprint=fingerprint, counts=counts, crc32=crc32), indent=None)
    return counts


def _sound_counts(path, fingerprint, num_videos):
    """Vectors of each video in a matrix file, or None where it is damaged or not of these files."""
    try:
        index = read_json(path.with_suffix('.json'), dict)
        counts = [checks.count(count, path, least=1) for count in index['counts']]
        if index['fingerprint'] != fingerprint or len(counts) != num_videos:
            return None
        with open_regular(path) as file:
            if _checksum(file, fingerprint, counts) != index['crc32']:
                return None
        return counts if len(np.load(path, mmap_mode='r', allow_pickle=False)) == sum(counts) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None  # whatever stands there is not ours, and is built anew


def _checksum(file, fingerprint, counts):
    """CRC-32 of a whole file and of what its index says."""
    file.seek(0)
    checksum = zlib.crc32(json.dumps([fingerprint, counts]).encode())
    while block := file.read(BLOCK):
        checksum = zlib.crc32(block, checksum)
    return checksum
