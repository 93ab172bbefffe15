"""kNN on vectors: the official votes, exactly and whatever the block size."""

from pathlib import Path

import numpy as np
import pytest
import torch

from twlv_mm.recognition import knn, knn_votes, nearest

GOLDEN = Path(__file__).parents[1] / 'data' / 'knn.npz'


@pytest.fixture(scope='module')
def golden():
    with np.load(GOLDEN, allow_pickle=False) as file:
        return dict(file)


@pytest.fixture(autouse=True, params=[False, True], ids=['fp32', 'bf16 first'])
def bf16_units(request, monkeypatch):
    """Every test runs with and without the coarse products, whatever this machine's CPU has."""
    monkeypatch.setattr(knn, 'has_bf16_units', lambda: request.param)
    return request.param


def vectors(seed, count, dims=16):
    return np.random.default_rng(seed).standard_normal((count, dims), dtype=np.float32)


def nearest_by_definition(queries, bank, k):
    """All cosines in float64, sorted whole; of equal ones the first."""
    queries, bank = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in map(np.float64, (queries, bank)))
    cosines = queries @ bank.T
    places = np.argsort(-cosines, axis=1, kind='stable')[:, :k]
    return np.take_along_axis(cosines, places, axis=1), places


@pytest.mark.parametrize('k', [20, 200])
@pytest.mark.parametrize('scope', ['video', 'clip'])
def test_votes_are_those_of_the_reference(golden, scope, k):
    lengths = torch.from_numpy(golden['in/clips_per_query'])
    clips = torch.from_numpy(golden['in/query_clips'])
    queries = clips if scope == 'clip' else torch.segment_reduce(clips, 'mean', lengths=lengths)
    votes = knn_votes(queries, golden['in/bank'], torch.from_numpy(golden['in/bank_labels']), 8, k)
    if scope == 'clip':
        votes = torch.segment_reduce(votes, 'sum', lengths=lengths)
    expected = torch.from_numpy(golden[f'out/{scope}_scores_k{k}'])
    torch.testing.assert_close(votes.float(), expected, rtol=1e-5, atol=0)
    correct = votes.argmax(dim=1) == torch.from_numpy(golden['in/query_labels'])
    assert correct.float().mean() == pytest.approx(float(golden[f'out/top1_{scope}_k{k}']))


@pytest.mark.parametrize('rows', [(7, 5), (64, 64), (100, 1000)])
def test_block_size_changes_nothing(monkeypatch, rows):
    queries, bank = vectors(0, 30), vectors(1, 200)
    expected_cosines, expected_places = nearest_by_definition(queries, bank, 12)
    monkeypatch.setattr(knn, 'QUERY_ROWS', rows[0])
    monkeypatch.setattr(knn, 'BANK_ROWS', rows[1])
    cosines, places = nearest(torch.from_numpy(queries), bank, 12)
    assert places.tolist() == expected_places.tolist()
    np.testing.assert_allclose(cosines, expected_cosines, atol=1e-6)


@pytest.mark.parametrize('rows', [5, 16, 1000])
@pytest.mark.parametrize('k', [1, 3, 40, 59, 60])
def test_of_equally_near_vectors_the_first_in_the_bank_is_taken(monkeypatch, rows, k):
    # Vectors along the axes have cosines of exactly 0, 1 and -1, many of each.
    monkeypatch.setattr(knn, 'BANK_ROWS', rows)
    random = np.random.default_rng(0)
    bank = np.eye(4, dtype=np.float32)[random.integers(0, 4, 60)] * random.choice([-2, 1, 3], (60, 1)).astype('f4')
    queries = np.eye(4, dtype=np.float32)
    _, places = nearest(torch.from_numpy(queries), bank, k)
    assert places.tolist() == nearest_by_definition(queries, bank, k)[1].tolist()


def test_nearest_vector_is_found_where_rounding_puts_others_before_it(monkeypatch):
    monkeypatch.setattr(knn, 'BANK_ROWS', 3)
    monkeypatch.setattr(knn, 'MOST_CANDIDATES', 1)
    # 1 / sqrt(239) lies just below the middle of two bf16 numbers, 1 / sqrt(238) just above it: by rounded numbers, a
    # vector with one zero is nearer to the vector of ones than that is to itself.
    ones = np.ones((1, 239), np.float32)
    bank = np.concatenate([ones - np.eye(239, dtype=np.float32)[:20], ones])
    cosines, places = nearest(torch.from_numpy(ones), bank, 1)
    assert places.tolist() == [[20]]
    torch.testing.assert_close(cosines, torch.ones(1, 1))


def test_coarse_products_leave_few_cosines_to_compute(monkeypatch, bf16_units):
    monkeypatch.setattr(knn, 'BANK_ROWS', 1000)
    computed = []
    of_pairs = knn._cosines_of_pairs
    monkeypatch.setattr(knn, '_cosines_of_pairs', lambda *pairs: computed.append(len(pairs[-1])) or of_pairs(*pairs))
    nearest(torch.from_numpy(vectors(0, 50)), vectors(1, 4000), 5)
    assert len(computed) == (3 if bf16_units else 0)  # the first block is compared in full
    assert sum(computed) < 50 * 4000 / 50


def test_last_vectors_of_the_bank_vote_too(monkeypatch):
    monkeypatch.setattr(knn, 'BANK_ROWS', 64)
    bank = vectors(0, 130)
    labels = torch.zeros(130, dtype=torch.int64)
    labels[128:] = 1
    votes = knn_votes(torch.from_numpy(bank[128:]), bank, labels, 2, k=1)
    torch.testing.assert_close(votes, torch.tensor([[0, np.exp(10)]] * 2), rtol=1e-5, atol=0)


@pytest.mark.parametrize('temperature', [0.01, 0.0015])
def test_votes_at_a_low_temperature_are_those_of_the_nearest(temperature):
    bank = vectors(0, 40)
    votes = knn_votes(torch.from_numpy(bank), bank, torch.arange(40) % 8, 8, k=5, temperature=temperature)
    assert (votes.argmax(dim=1) == torch.arange(40) % 8).all()
    assert votes.isfinite().all()
    assert votes.max(dim=1).values.div(votes.sum(dim=1)).min() > 0.99


@pytest.mark.parametrize('temperature', [0.001, 0.0, -0.1, np.nan])
def test_temperature_that_no_vote_can_be_computed_with_is_refused(temperature):
    with pytest.raises(ValueError, match=r'temperature=.*: set it to 0\.0015 or more'):
        knn_votes(torch.zeros(2, 16), vectors(0, 5), torch.arange(5), 5, k=1, temperature=temperature)


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


@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a GPU')
def test_gpu_finds_the_same_neighbours_as_the_cpu():
    queries, bank = torch.from_numpy(vectors(0, 300)), vectors(1, 20000)
    labels = torch.arange(len(bank)) % 10
    votes = knn_votes(queries.cuda(), bank, labels, 10)
    assert votes.is_cuda
    torch.testing.assert_close(votes.cpu(), knn_votes(queries, bank, labels, 10), rtol=1e-4, atol=0)


def test_vectors_of_another_length_are_refused():
    with pytest.raises(ValueError, match='queries have 8 numbers a vector, the bank has 16'):
        nearest(torch.zeros(2, 8), vectors(0, 5), 1)


@pytest.mark.parametrize('k', [0, 6])
def test_more_neighbours_than_the_bank_has_are_refused(k):
    with pytest.raises(ValueError, match=rf'k={k} neighbours .* bank of 5 vectors: set k to 1 \.\.\. 5'):
        nearest(torch.zeros(2, 16), vectors(0, 5), k)


@pytest.mark.parametrize('value', [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_refused_with_their_place(monkeypatch, value):
    monkeypatch.setattr(knn, 'BANK_ROWS', 4)
    bank = vectors(0, 12)
    bank[9, 3] = value
    with pytest.raises(ValueError, match='vector 9 of the bank holds NaN or infinite'):
        nearest(torch.from_numpy(vectors(1, 2)), bank, 2)
    with pytest.raises(ValueError, match='vector 9 of the queries'):
        nearest(torch.from_numpy(bank), vectors(1, 5), 2)
