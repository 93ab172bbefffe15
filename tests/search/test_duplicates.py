"""Videos that are there twice, by planted copies."""

import json

import numpy as np
import pytest

from twlv_mm.embeddings import write_embeddings
from twlv_mm.search import find_duplicates


def save(folder, videos, **info):
    for video_id, vectors in videos.items():
        times = np.stack([np.arange(len(vectors)), np.arange(len(vectors)) + 1.0], axis=1)
        write_embeddings(folder, video_id, vectors, times, dict(duration=float(len(times)), num_frames=10, **info))
    return folder


@pytest.fixture
def videos():
    rng = np.random.default_rng(0)
    return {f'v{number}': rng.standard_normal((6, 32), dtype=np.float32) for number in range(8)}


def nearly(vectors):
    return vectors + 0.03 * np.random.default_rng(1).standard_normal(vectors.shape, dtype=np.float32)


@pytest.mark.parametrize('rows', [5, 4096])
def test_copies_and_parts_are_found_with_what_matches(tmp_path, videos, monkeypatch, capsys, rows):
    monkeypatch.setattr('twlv_mm.search.duplicates.ROWS', rows)
    videos |= dict(copy=nearly(videos['v3']), part=nearly(videos['v5'])[2:4])
    videos['mixed'] = np.concatenate([videos['v1'][:2], videos['v6'][1:5] * 3])
    pairs = {pair[:2]: pair for pair in find_duplicates(save(tmp_path, videos))}
    assert set(pairs) == {('copy', 'v3'), ('part', 'v5'), ('mixed', 'v6'), ('mixed', 'v1')}
    assert pairs['copy', 'v3'].share == pairs['part', 'v5'].share == 1
    assert (pairs['part', 'v5'].moment, pairs['part', 'v5'].other_moment) == ((0, 2), (2, 4))
    assert pairs['mixed', 'v1'].share == pytest.approx(2 / 6)
    assert pairs['mixed', 'v6'].cosine == pytest.approx(1)
    assert next(iter(pairs)) in {('copy', 'v3'), ('part', 'v5')}
    assert capsys.readouterr().out == '', 'standard output is for results'


def test_between_two_folders_only_pairs_of_one_of_each_count(tmp_path, videos):
    train = save(tmp_path / 'train', videos | dict(twin=videos['v0']))
    test = save(tmp_path / 'test', dict(v0=nearly(videos['v2']), new=np.eye(32, dtype=np.float32)[:3]))
    (pair,) = find_duplicates(train, test)
    assert pair[:2] == ('v2', 'v0')


def test_threshold_that_tells_nothing_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr('twlv_mm.search.duplicates.MOST_MATCHES', 100)
    alike = {f'v{number}': np.ones((6, 4), np.float32) for number in range(8)}
    with pytest.raises(ValueError, match=r'more than 100 pairs of clips have a cosine of 0\.98 or more: .*higher'):
        find_duplicates(save(tmp_path, alike))
    with pytest.raises(ValueError, match='threshold=2'):
        find_duplicates(tmp_path, threshold=2)


def test_folders_of_two_encoders_are_not_compared(tmp_path, videos):
    for name in ('a', 'b'):
        save(tmp_path / name, videos, model=name)
    with pytest.raises(ValueError, match=r"cannot be compared; they differ in model \('a' and 'b'\)"):
        find_duplicates(tmp_path / 'a', tmp_path / 'b')


def test_nan_vectors_are_named(tmp_path, videos):
    videos['v4'][2, 1] = np.nan
    with pytest.raises(ValueError, match='v4 in .* contains NaN or Inf'):
        find_duplicates(save(tmp_path, videos))


def test_duplicates_are_found_where_all_vectors_are_similar(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    videos = {f'v{number:02d}': 10 + rng.standard_normal((3, 32), dtype=np.float32) for number in range(30)}
    videos['copy'] = nearly(videos['v07'])
    folder = save(tmp_path, videos)
    assert [pair[:2] for pair in find_duplicates(folder)] == [('copy', 'v07')]
    monkeypatch.setattr('twlv_mm.search.duplicates.LEAST_CENTRED', 1000)
    assert len(find_duplicates(folder)) == 31 * 30 / 2


def test_nothing_found_is_an_empty_list(tmp_path, videos):
    assert find_duplicates(save(tmp_path, videos)) == []
    assert json.loads((tmp_path / 'v0.json').read_text())['clips']
