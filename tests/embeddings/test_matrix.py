"""A split as one matrix."""

import os

import numpy as np
import pytest

from twlv_mm.embeddings import write_embeddings
from twlv_mm.embeddings.matrix import load_matrix

COUNTS = dict(a=2, b=3, c=1)


def save(folder, video_id, seed, count, annotation):
    clips = np.random.default_rng(seed).standard_normal((count, 8), dtype=np.float32)
    times = np.arange(count)[:, None] + [0.0, 1.0]
    write_embeddings(folder, video_id, clips, times, dict(duration=count, num_frames=10 * count, annotation=annotation))
    return clips


@pytest.fixture
def folder(tmp_path):
    for label, (video_id, count) in enumerate(COUNTS.items()):
        save(tmp_path, video_id, label, count, label)
    return tmp_path


def stored(folder, kind):
    return [np.load(folder / f'{video_id}_{kind}.npy', allow_pickle=False) for video_id in COUNTS]


def test_matrix_holds_every_clip_of_every_video_in_order(folder):
    matrix = load_matrix(folder, 'clip')
    assert matrix.video_ids == ['a', 'b', 'c']
    assert isinstance(matrix.vectors, np.memmap)
    assert matrix.vectors.dtype == np.float32
    assert not matrix.vectors.flags.writeable
    np.testing.assert_array_equal(matrix.vectors, np.concatenate(stored(folder, 'c')))
    assert matrix.video_index.dtype == np.int64
    assert matrix.video_index.tolist() == [0, 0, 1, 1, 1, 2]


def test_matrix_of_videos_has_one_vector_each(folder):
    matrix = load_matrix(folder)
    np.testing.assert_array_equal(matrix.vectors, stored(folder, 'v'))
    assert matrix.video_index.tolist() == [0, 1, 2]


def test_matrix_is_built_once_and_again_when_the_folder_changes(folder):
    load_matrix(folder, 'clip')
    cache = folder / '.matrix-clip.npy'
    built = cache.stat().st_ino
    load_matrix(folder, 'clip')
    assert cache.stat().st_ino == built
    changed = save(folder, 'b', 9, 3, 1)
    os.utime(folder / 'b_c.npy', (0, 0))  # written after the clock was set back
    np.testing.assert_array_equal(load_matrix(folder, 'clip').vectors[2:5], changed)
    save(folder, 'd', 10, 2, 3)
    assert len(load_matrix(folder, 'clip').vectors) == 8
    (folder / 'a_c.npy').unlink()
    (folder / 'a_v.npy').unlink()
    assert len(load_matrix(folder, 'clip').vectors) == 6


def test_a_cut_changed_or_foreign_cache_file_is_built_anew(folder):
    expected = np.array(load_matrix(folder, 'clip').vectors)
    cache = folder / '.matrix-clip.npy'
    content = cache.read_bytes()
    for damaged in (b'', b'something else', content[:-1], content[:200] + bytes([content[200] ^ 1]) + content[201:]):
        cache.unlink()
        cache.write_bytes(damaged)
        np.testing.assert_array_equal(load_matrix(folder, 'clip').vectors, expected)
        assert cache.read_bytes() == content


def test_folder_that_cannot_be_written_to_is_read_into_memory_with_a_warning(folder):
    (folder / '.matrix-clip.npy').mkdir()  # stands where the file should go
    with pytest.warns(UserWarning, match=r'\.matrix-clip\.npy cannot be written .*kept in memory'):
        matrix = load_matrix(folder, 'clip')
    np.testing.assert_array_equal(matrix.vectors, np.concatenate(stored(folder, 'c')))
    assert not matrix.vectors.flags.writeable
    assert matrix.video_index.tolist() == [0, 0, 1, 1, 1, 2]
    assert not list(folder.glob('.*.part'))


def test_a_damaged_file_stops_the_matrix_and_leaves_nothing_behind(folder):
    (folder / 'c_c.npy').write_bytes(b'')
    with pytest.raises(ValueError, match=r'c_c\.npy is not a valid embedding file'):
        load_matrix(folder, 'clip')
    assert not list(folder.glob('.*'))


def test_unknown_scopes_are_refused(folder):
    with pytest.raises(ValueError, match="unknown scope 'clips'; choose 'video' or 'clip'"):
        load_matrix(folder, 'clips')
