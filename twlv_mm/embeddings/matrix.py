"""A whole split as one matrix, cached beside the embeddings and memory-mapped."""

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
BLOCK = 1 << 24  # bytes read at once for the checksum


class Matrix(NamedTuple):
    """The vectors of a split."""

    # (n, D) float32, read-only, a numpy.memmap if it could be cached. Video by video, clips in order of time.
    vectors: np.ndarray
    video_index: np.ndarray  # (n,) int64, index into ``video_ids`` for each vector
    video_ids: list[str]  # sorted


def load_matrix(folder, scope='video'):
    """Load the vectors of a split as one matrix.

    The first call reads every file, holding one video (or row group) in memory, and writes the matrix to a hidden npy
    file in the folder. Later calls map that file, unless the names, sizes or times of the folder's files or its own
    checksum have changed.

    Args:
        folder (str | EmbeddingFolder): Embeddings in either format.
        scope (str): 'video' (one vector per video) or 'clip' (the vectors of all clips).

    Returns:
        Matrix: vectors, video_index, video_ids. In memory, with a warning, if the folder is not writable.
    """
    if scope not in SCOPES:
        raise ValueError(f"unknown scope {scope!r}; choose 'video' or 'clip'")
    folder = folder if isinstance(folder, EmbeddingFolder) else EmbeddingFolder(folder)
    path = folder.path / f'.matrix-{scope}.npy'
    # Before the files are read, so that a change meanwhile makes the next call rebuild.
    fingerprint = _fingerprint(folder)
    counts = _sound_counts(path, fingerprint, len(folder))
    if counts is None:
        try:
            counts = _build(path, folder, scope, fingerprint)
        except OSError as error:
            warnings.warn(f'{path} cannot be written ({error}): the vectors are kept in memory', stacklevel=2)
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
    """SHA-256 of the names, sizes and modification times of the files that hold vectors."""
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
        file.seek(0)  # the count is known only now (open_memmap needs it first); numpy leaves room for a longer shape
        np.lib.format.write_array_header_1_0(file, header | dict(shape=(sum(counts), folder.dims)))
        assert file.tell() == start
        crc32 = _checksum(file, fingerprint, counts)
    write_json(path.with_suffix('.json'), dict(fingerprint=fingerprint, counts=counts, crc32=crc32), indent=None)
    return counts


def _sound_counts(path, fingerprint, num_videos):
    """Vectors per video in a matrix file; None if it is damaged or belongs to other files."""
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
        return None  # not our file: rebuild


def _checksum(file, fingerprint, counts):
    """CRC-32 of a whole file and of its index."""
    file.seek(0)
    checksum = zlib.crc32(json.dumps([fingerprint, counts]).encode())
    while block := file.read(BLOCK):
        checksum = zlib.crc32(block, checksum)
    return checksum
