"""Votes of the nearest neighbours: the official ones."""

import numpy as np
import pytest
import torch

from twlv_mm.embeddings import neighbours
from twlv_mm.recognition import knn_votes

from ..written import read_golden


@pytest.fixture(autouse=True, params=[False, True], ids=['fp32', 'bf16 first'])
def bf16_units(request, monkeypatch):
    """Every test runs with and without the coarse products, whatever this machine's CPU has."""
    monkeypatch.setattr(neighbours, 'has_bf16_units', lambda: request.param)
    return request.param


def vectors(seed, count, dims=16):
    return np.random.default_rng(seed).standard_normal((count, dims), dtype=np.float32)


@pytest.mark.parametrize('k', [20, 200])
@pytest.mark.parametrize('scope', ['video', 'clip'])
def test_votes_are_those_of_the_reference(scope, k):
    golden, _ = read_golden('knn')
    lengths, clips = golden['in/clips_per_query'], golden['in/query_clips']
    queries = clips if scope == 'clip' else torch.segment_reduce(clips, 'mean', lengths=lengths)
    votes = knn_votes(queries, golden['in/bank'].numpy(), golden['in/bank_labels'], 8, k)
    if scope == 'clip':
        votes = torch.segment_reduce(votes, 'sum', lengths=lengths)
    torch.testing.assert_close(votes.float(), golden[f'out/{scope}_scores_k{k}'], rtol=1e-5, atol=0)
    correct = votes.argmax(dim=1) == golden['in/query_labels']
    assert correct.float().mean() == pytest.approx(float(golden[f'out/top1_{scope}_k{k}']))


def test_last_vectors_of_the_bank_vote_too(monkeypatch):
    monkeypatch.setattr(neighbours, 'GALLERY_ROWS', 64)
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


@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a GPU')
def test_gpu_finds_the_same_neighbours_as_the_cpu():
    queries, bank = torch.from_numpy(vectors(0, 300)), vectors(1, 20000)
    labels = torch.arange(len(bank)) % 10
    votes = knn_votes(queries.cuda(), bank, labels, 10)
    assert votes.is_cuda
    torch.testing.assert_close(votes.cpu(), knn_votes(queries, bank, labels, 10), rtol=1e-4, atol=0)
