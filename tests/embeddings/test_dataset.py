"""A split as one matrix, and as a dataset to train on."""

import json
import os
import pickle

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from twlv_mm.embeddings.dataset import EmbeddingDataset
from twlv_mm.embeddings.matrix import load_matrix

COUNTS = dict(a=2, b=3, c=1)


def save(folder, video_id, seed, count, annotation):
    clips = np.random.default_rng(seed).standard_normal((count, 8), dtype=np.float32)
    times = [dict(start=float(i), end=i + 1.0) for i in range(count)]
    np.save(folder / f'{video_id}_c.npy', clips)
    np.save(folder / f'{video_id}_v.npy', clips.mean(axis=0))
    info = dict(duration=float(count), num_frames=10 * count, clips=times, annotation=annotation)
    (folder / f'{video_id}.json').write_text(json.dumps(info))
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


def test_items_are_the_vectors_with_labels_and_times(folder):
    video, clips = EmbeddingDataset(folder)[1], EmbeddingDataset(folder, 'clips')[1]
    assert len(EmbeddingDataset(folder)) == 3
    assert (video['video_id'], video['label']) == ('b', 1)
    assert EmbeddingDataset(folder)[-1]['video_id'] == 'c'
    np.testing.assert_array_equal(video['embedding'], stored(folder, 'v')[1])
    np.testing.assert_array_equal(clips['embedding'], stored(folder, 'c')[1])
    assert clips['times'].tolist() == [[0, 1], [1, 2], [2, 3]]
    assert clips['times'].dtype == torch.float64


def test_random_clip_is_any_clip_of_the_video_with_its_own_times(folder):
    torch.manual_seed(0)
    dataset, clips = EmbeddingDataset(folder, 'random_clip'), stored(folder, 'c')[1]
    drawn = {item['times'][0].item(): item['embedding'] for item in (dataset[1] for _ in range(50))}
    assert sorted(drawn) == [0, 1, 2]
    for start, embedding in drawn.items():
        np.testing.assert_array_equal(embedding, clips[int(start)])


@pytest.mark.parametrize('num_workers', [0, 2])
def test_a_seed_decides_the_clips_that_are_drawn(folder, num_workers):
    loader = DataLoader(EmbeddingDataset(folder, 'random_clip'), batch_size=3, num_workers=num_workers)

    def epochs(seed):
        torch.manual_seed(seed)
        return [next(iter(loader))['embedding'] for _ in range(6)]

    first, again, other = epochs(0), epochs(0), epochs(1)
    assert all(map(torch.equal, first, again))
    assert not all(map(torch.equal, first, other))
    assert not all(torch.equal(first[0], epoch) for epoch in first)


def test_batches_of_videos_are_collated(folder):
    (batch,) = DataLoader(EmbeddingDataset(folder), batch_size=3)
    assert batch['embedding'].shape == (3, 8)
    assert batch['label'].tolist() == [0, 1, 2]


def test_pickled_dataset_carries_no_vectors(tmp_path):
    for number in range(4):
        save(tmp_path, f'v{number}', number, 500, number)
    dataset = EmbeddingDataset(tmp_path, 'clips')
    content = pickle.dumps(dataset)
    assert len(content) < 10000
    np.testing.assert_array_equal(pickle.loads(content)[3]['embedding'], dataset[3]['embedding'])


def test_labels_that_are_given_go_before_annotations(folder):
    dataset = EmbeddingDataset(folder, labels=dict(a=5, b=6, c=7, of_another_split=8))
    assert [item['label'] for item in dataset] == [5, 6, 7]


def test_videos_without_label_are_refused_by_name(folder):
    with pytest.raises(ValueError, match=r'2 of 3 videos in .* in labels: b, c\.'):
        EmbeddingDataset(folder, labels=dict(a=0))
    save(folder, 'b', 1, 3, 'a word')
    with pytest.raises(ValueError, match=r'1 of 3 videos .*annotations of the embeddings: b\.'):
        EmbeddingDataset(folder)


def test_without_any_label_items_have_none(folder):
    for label, (video_id, count) in enumerate(COUNTS.items()):
        save(folder, video_id, label, count, 'a word')
    assert set(EmbeddingDataset(folder)[0]) == {'video_id', 'embedding'}


def test_unknown_scopes_are_refused(folder):
    with pytest.raises(ValueError, match="unknown scope 'clips'; choose 'video' or 'clip'"):
        load_matrix(folder, 'clips')
    with pytest.raises(ValueError, match="unknown scope 'clip'; choose from 'video', 'clips', 'random_clip'"):
        EmbeddingDataset(folder, 'clip')
