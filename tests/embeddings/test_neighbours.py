"""The nearest vectors, exactly and whatever the block size."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch

from twlv_mm.embeddings import nearest, neighbours


@pytest.fixture(autouse=True, params=['fp32', 'bf16 first', 'few queries'])
def bf16_units(request, monkeypatch):
    """Every test runs in each of the ways, whatever this machine's CPU has and however many queries the test has."""
    monkeypatch.setattr(neighbours, 'has_bf16_units', lambda: request.param != 'fp32')
    monkeypatch.setattr(neighbours, 'FEW_QUERIES', 1000 if request.param == 'few queries' else 0)
    return request.param == 'bf16 first'


def vectors(seed, count, dims=16):
    return np.random.default_rng(seed).standard_normal((count, dims), dtype=np.float32)


def nearest_by_definition(queries, bank, k):
    """All cosines in float64, sorted whole; of equal ones the first."""
    queries, bank = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in map(np.float64, (queries, bank)))
    cosines = queries @ bank.T
    places = np.argsort(-cosines, axis=1, kind='stable')[:, :k]
    return np.take_along_axis(cosines, places, axis=1), places


@pytest.mark.parametrize('rows', [(7, 5), (64, 64), (100, 1000)])
def test_block_size_changes_nothing(monkeypatch, rows):
    queries, bank = vectors(0, 30), vectors(1, 200)
    expected_cosines, expected_places = nearest_by_definition(queries, bank, 12)
    monkeypatch.setattr(neighbours, 'QUERY_ROWS', rows[0])
    monkeypatch.setattr(neighbours, 'GALLERY_ROWS', rows[1])
    cosines, places = nearest(torch.from_numpy(queries), bank, 12)
    assert places.tolist() == expected_places.tolist()
    np.testing.assert_allclose(cosines, expected_cosines, atol=1e-6)


@pytest.mark.parametrize('rows', [5, 16, 1000])
@pytest.mark.parametrize('k', [1, 3, 40, 59, 60])
def test_of_equally_near_vectors_the_first_in_the_bank_is_taken(monkeypatch, rows, k):
    # Vectors along the axes have cosines of exactly 0, 1 and -1, many of each.
    monkeypatch.setattr(neighbours, 'GALLERY_ROWS', rows)
    random = np.random.default_rng(0)
    bank = np.eye(4, dtype=np.float32)[random.integers(0, 4, 60)] * random.choice([-2, 1, 3], (60, 1)).astype('f4')
    queries = np.eye(4, dtype=np.float32)
    _, places = nearest(torch.from_numpy(queries), bank, k)
    assert places.tolist() == nearest_by_definition(queries, bank, k)[1].tolist()


def test_nearest_vector_is_found_where_rounding_puts_others_before_it(monkeypatch):
    monkeypatch.setattr(neighbours, 'GALLERY_ROWS', 3)
    monkeypatch.setattr(neighbours, 'MOST_CANDIDATES', 1)
    # 1 / sqrt(239) lies just below the middle of two bf16 numbers, 1 / sqrt(238) just above it: by rounded numbers, a
    # vector with one zero is nearer to the vector of ones than that is to itself.
    ones = np.ones((1, 239), np.float32)
    bank = np.concatenate([ones - np.eye(239, dtype=np.float32)[:20], ones])
    cosines, places = nearest(torch.from_numpy(ones), bank, 1)
    assert places.tolist() == [[20]]
    torch.testing.assert_close(cosines, torch.ones(1, 1))


def test_coarse_products_leave_few_cosines_to_compute(monkeypatch, bf16_units):
    monkeypatch.setattr(neighbours, 'GALLERY_ROWS', 1000)
    computed = []
    of_pairs = neighbours._cosines_of_pairs
    monkeypatch.setattr(
        neighbours, '_cosines_of_pairs', lambda *pairs: computed.append(len(pairs[-1])) or of_pairs(*pairs)
    )
    nearest(torch.from_numpy(vectors(0, 50)), vectors(1, 4000), 5)
    assert len(computed) == (3 if bf16_units else 0)  # the first block is compared in full
    assert sum(computed) < 50 * 4000 / 50


def test_length_of_a_vector_does_not_matter():
    queries, bank = vectors(0, 10), vectors(1, 50)
    scaled = bank * np.linspace(0.1, 100, 50, dtype=np.float32)[:, None]
    assert nearest(torch.from_numpy(queries), bank, 5)[1].equal(nearest(torch.from_numpy(7 * queries), scaled, 5)[1])


def test_autocast_does_not_round_the_cosines():
    queries, bank = torch.from_numpy(vectors(0, 10)), vectors(1, 50)
    with torch.autocast('cpu', torch.bfloat16):
        rounded = nearest(queries, bank, 5)
    assert rounded[0].equal(nearest(queries, bank, 5)[0])


def test_bank_is_read_from_disk_in_blocks_and_left_as_it_is(tmp_path):
    np.save(tmp_path / 'bank.npy', vectors(0, 20))
    bank = np.load(tmp_path / 'bank.npy', mmap_mode='r', allow_pickle=False)
    cosines, _ = nearest(torch.from_numpy(vectors(0, 20)), bank, 1)
    torch.testing.assert_close(cosines, torch.ones(20, 1))
    np.testing.assert_array_equal(bank, vectors(0, 20))


def test_vectors_of_another_length_are_refused():
    with pytest.raises(ValueError, match='queries have 8 dimensions, the gallery has 16'):
        nearest(torch.zeros(2, 8), vectors(0, 5), 1)


@pytest.mark.parametrize('k', [0, 6])
def test_more_neighbours_than_the_bank_has_are_refused(k):
    with pytest.raises(ValueError, match=f'k={k} is out of range: the gallery has 5 vectors; use 1 <= k <= 5'):
        nearest(torch.zeros(2, 16), vectors(0, 5), k)


@pytest.mark.parametrize('value', [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_refused_with_their_place(monkeypatch, value):
    monkeypatch.setattr(neighbours, 'GALLERY_ROWS', 4)
    bank = vectors(0, 12)
    bank[9, 3] = value
    with pytest.raises(ValueError, match='vector 9 of the gallery contains NaN or Inf'):
        nearest(torch.from_numpy(vectors(1, 2)), bank, 2)
    with pytest.raises(ValueError, match='vector 9 of the queries'):
        nearest(torch.from_numpy(bank), vectors(1, 5), 2)


def test_bank_on_disk_is_not_held_in_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(neighbours, 'RELEASED_BLOCKS', 1)
    np.save(tmp_path / 'bank.npy', vectors(0, 20_000, 256))
    bank = np.load(tmp_path / 'bank.npy', mmap_mode='r', allow_pickle=False)
    nearest(torch.from_numpy(vectors(1, 2, 256)), bank, 3)
    smaps = Path('/proc/self/smaps').read_text()
    entry = smaps[smaps.index(str(tmp_path / 'bank.npy')) :]
    held = int(re.search(r'^Rss: +(\d+) kB', entry, re.MULTILINE)[1])
    assert held < 1024
