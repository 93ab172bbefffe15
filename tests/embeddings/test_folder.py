"""A folder of embeddings in TWLV-I's layout, as the reader finds it."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from twlv_mm.embeddings.folder import EmbeddingFolder
from twlv_mm.embeddings.npy import read_npy

from ..payload import Call


def save(folder, video_id, vectors, video=None, **info):
    path = folder / video_id
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(f'{path}_c.npy', vectors)
    if video is not None:
        np.save(f'{path}_v.npy', video)
    if info:
        Path(f'{path}.json').write_text(json.dumps(info))


def read_all(path):
    folder = EmbeddingFolder(path)
    return [folder.clips(video_id) for video_id in folder.video_ids]


@pytest.fixture
def clips():
    return np.random.default_rng(0).standard_normal((3, 8), dtype=np.float32)


def test_a_folder_gives_back_what_is_in_its_files(tmp_path, clips):
    times = [dict(start=2.0 * i, end=2.0 * i + 2) for i in range(3)]
    save(tmp_path, 'sub/b', clips, clips.mean(axis=0), duration=6.5, num_frames=65, clips=times, annotation='jump')
    save(tmp_path, 'a', 2 * clips, 2 * clips.mean(axis=0, keepdims=True), duration=6.0, num_frames=60)
    folder = EmbeddingFolder(tmp_path)
    assert (folder.video_ids, len(folder), folder.dims, folder.format) == (['a', 'sub/b'], 2, 8, 'npy')
    assert 'sub/b' in folder
    np.testing.assert_array_equal(folder.clips('sub/b'), clips)
    np.testing.assert_array_equal(folder.video('a'), 2 * clips.mean(axis=0))
    np.testing.assert_array_equal(folder.times('sub/b'), [[0, 2], [2, 4], [4, 6]])
    assert folder.times('a') is None
    assert folder.info('a') == dict(duration=6.0, num_frames=60)
    assert (folder.annotation('sub/b'), folder.annotation('a')) == ('jump', None)


def test_clip_files_alone_are_enough(tmp_path, clips):
    save(tmp_path, 'a', clips)
    folder = EmbeddingFolder(tmp_path)
    np.testing.assert_allclose(folder.video('a'), clips.mean(axis=0))
    assert folder.info('a') == {}
    assert folder.times('a') is None


@pytest.mark.parametrize('dtype', ['float16', 'float64', '>f4'])
def test_other_precisions_and_orders_become_float32(tmp_path, clips, dtype):
    stored = np.asfortranarray(clips.astype(dtype))
    save(tmp_path, 'a', stored)
    found = EmbeddingFolder(tmp_path).clips('a')
    assert found.dtype == np.float32
    assert found.flags.c_contiguous
    assert found.flags.writeable
    np.testing.assert_array_equal(found, stored.astype(np.float32))


def test_hidden_and_unfinished_files_and_records_are_not_read_as_embeddings(tmp_path, clips):
    save(tmp_path, 'a', clips)
    save(tmp_path, '.unfinished/b', clips)
    save(tmp_path, '.c', clips)
    for name in ('d_c.npy.part', 'manifest.json', 'failures.jsonl'):
        (tmp_path / name).write_text('{}')
    assert EmbeddingFolder(tmp_path).video_ids == ['a']
    assert set(EmbeddingFolder(tmp_path).files.endings) == {'a'}


def test_a_folder_without_embeddings_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match='folder .*none does not exist'):
        EmbeddingFolder(tmp_path / 'none')
    (tmp_path / 'other.npy').touch()
    with pytest.raises(FileNotFoundError, match='no embeddings in .*_c.npy'):
        EmbeddingFolder(tmp_path)


def test_an_unknown_video_is_refused_with_the_nearest_name(tmp_path, clips):
    save(tmp_path, 'video_0001', clips)
    save(tmp_path, 'other', clips)
    with pytest.raises(ValueError, match=r"no video 'vidoe_0001' among its 2; the nearest is 'video_0001'"):
        EmbeddingFolder(tmp_path).clips('vidoe_0001')


def test_vectors_of_two_encoders_in_one_folder_are_refused(tmp_path, clips):
    save(tmp_path, 'a', clips)
    save(tmp_path, 'b', clips[:, :5])
    with pytest.raises(ValueError, match=r'b_c\.npy has 5 dimensions per vector, .*a_c\.npy has 8'):
        read_all(tmp_path)


def test_a_damaged_file_does_not_spoil_the_others(tmp_path, clips):
    save(tmp_path, 'a', clips)
    save(tmp_path, 'b', clips)
    (tmp_path / 'a_c.npy').write_bytes((tmp_path / 'a_c.npy').read_bytes()[:-1])
    folder = EmbeddingFolder(tmp_path)
    with pytest.raises(ValueError, match=r'a_c\.npy is not a valid embedding file'):
        folder.clips('a')
    np.testing.assert_array_equal(folder.clips('b'), clips)


def test_missing_clip_vectors_are_an_error_that_names_the_file(tmp_path, clips):
    np.save(tmp_path / 'a_v.npy', clips[0])
    folder = EmbeddingFolder(tmp_path)
    np.testing.assert_array_equal(folder.video('a'), clips[0])
    with pytest.raises(FileNotFoundError, match=r'only a whole-video vector, not .*a_c\.npy'):
        folder.clips('a')


@pytest.mark.parametrize('array', [np.zeros(8, 'f4'), np.zeros((0, 8), 'f4'), np.zeros((1, 1, 8), 'f4')])
def test_clips_of_another_shape_are_refused(tmp_path, array):
    save(tmp_path, 'a', array)
    with pytest.raises(ValueError, match=r'a_c\.npy has the shape .*expected \(clips, D\)'):
        EmbeddingFolder(tmp_path).clips('a')


@pytest.mark.parametrize('content', ['{"duration": 1', '[1]', '{"clips": [{"start": 0}]}', '[' * 100000])
def test_a_damaged_json_is_refused_by_name(tmp_path, clips, content):
    save(tmp_path, 'a', clips)
    (tmp_path / 'a.json').write_text(content)
    with pytest.raises(ValueError, match=r'a\.json.*: extract it again'):
        EmbeddingFolder(tmp_path).times('a')


@pytest.mark.parametrize('array', [np.zeros((2, 2), int), np.float32(1), np.zeros(3, 'U3'), np.zeros(2, 'c8')])
def test_what_is_no_array_of_real_numbers_is_refused(tmp_path, array):
    np.save(tmp_path / 'a_c.npy', array)
    with pytest.raises(ValueError, match=r'a_c\.npy is not a valid embedding file'):
        read_npy(tmp_path / 'a_c.npy')


def test_pickle_payload_in_npy_does_not_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save('a_c.npy', np.array([[Call(os.mkdir, 'payload_ran')]], dtype=object))
    with pytest.raises(ValueError, match='not a valid embedding file'):
        read_npy('a_c.npy')
    assert not os.path.exists('payload_ran')


def test_any_byte_changed_in_a_header_gives_an_array_or_a_clear_error(tmp_path, clips):
    np.save(tmp_path / 'a.npy', clips)
    content = (tmp_path / 'a.npy').read_bytes()
    random = np.random.default_rng(0)
    for position in range(128):
        for byte in random.integers(0, 256, 3, dtype=np.uint8):
            changed = bytearray(content)
            changed[position] = byte
            (tmp_path / 'b.npy').write_bytes(changed)
            try:
                assert read_npy(tmp_path / 'b.npy').size
            except ValueError as error:
                assert 'b.npy is not a valid embedding file' in str(error)  # noqa: PT017


@pytest.mark.skipif('TWLV_SHARED' not in os.environ, reason='TWLV_SHARED names no folder of embeddings')
def test_embeddings_of_others_are_read_as_numpy_reads_them():
    path = Path(os.environ['TWLV_SHARED']) / 'planted/thumos14/val'
    folder = EmbeddingFolder(path)
    assert (len(folder), folder.dims) == (24, 32)
    for video_id in folder.video_ids:
        np.testing.assert_array_equal(folder.clips(video_id), np.load(path / f'{video_id}_c.npy', allow_pickle=False))
        assert folder.info(video_id)['duration'] > 0
