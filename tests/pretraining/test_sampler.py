from itertools import islice
from types import SimpleNamespace

import numpy as np
import pytest

from twlv_mm.pretraining import MixtureSampler, choice_sequence, sampler
from twlv_mm.pretraining.choice_sequence import ChoiceSequence


def mixture(kinds=('video', 'video', 'image'), sizes=(17, 50, 31), weights=(1, 3, 4)):
    return SimpleNamespace(parts=[range(size) for size in sizes], kinds=list(kinds), weights=list(weights))


def batches(count, start=0, seed=3, dataset=None, **batch_sizes):
    made = MixtureSampler(dataset or mixture(), batch_sizes or dict(video=4, image=8), seed=seed)
    made.start = start
    return list(islice(iter(made), count))


def test_stream_entered_at_a_step_goes_on_as_if_begun_at_the_first():
    whole = batches(2200)
    for start in (1, 77, 1000, 2190):
        assert batches(10, start) == whole[start : start + 10]


def test_another_seed_gives_another_stream():
    assert batches(5, seed=3) != batches(5, seed=4)


def test_processes_share_the_batches_of_one_process(monkeypatch):
    whole = batches(20)
    for world in (2, 4):
        shares = []
        for rank in range(world):
            monkeypatch.setattr(sampler, 'get_dist_info', lambda rank=rank, world=world: (rank, world))
            shares.append(batches(20))
        for step, batch in enumerate(whole):
            assert sorted(key for share in shares for key in share[step]) == sorted(batch)
            assert {len(share[step]) for share in shares} == {len(batch) // world}


def test_batch_that_cannot_be_divided_among_processes_is_refused(monkeypatch):
    monkeypatch.setattr(sampler, 'get_dist_info', lambda: (0, 3))
    with pytest.raises(ValueError, match='4 samples .video. cannot be divided among 3'):
        batches(1, video=4, image=9)


def test_kind_without_a_batch_size_is_refused():
    with pytest.raises(ValueError, match="'image'"):
        batches(1, video=4)


def test_weights_are_shares_of_the_samples():
    drawn = np.bincount([key.part for batch in batches(3000) for key in batch])
    # A whole number of batches of each kind: within one of 8 samples for each of the rounds.
    assert np.allclose(drawn / drawn.sum(), [1 / 8, 3 / 8, 4 / 8], atol=2e-3)


def test_a_batch_has_samples_of_one_kind():
    kinds = mixture().kinds
    seen = [{kinds[key.part] for key in batch} for batch in batches(300)]
    assert {len(kind) for kind in seen} == {1}
    assert set.union(*seen) == {'video', 'image'}


def test_a_sample_comes_again_only_when_all_of_its_set_have_come():
    for part, size in enumerate((17, 50, 31)):
        indices = [key.index for batch in batches(500) for key in batch if key.part == part]
        times = [indices[at : at + size] for at in range(0, len(indices) - size, size)]
        assert len(times) > 3
        assert all(sorted(time) == list(range(size)) for time in times)
        assert times[0] != times[1]


def test_every_sample_of_a_run_has_a_seed_of_its_own():
    seeds = [key.seed for batch in batches(200) for key in batch]
    assert len(set(seeds)) == len(seeds)


def test_sequence_counts_what_it_lists():
    made = ChoiceSequence([0.66, 0.36, 10.7, 0.0001], [5])
    listed = made.choices(0, 3 * choice_sequence.ROUND)
    size = choice_sequence.ROUND
    for slot in (0, 1, size - 1, size, size + 1, 3 * size):
        assert made.before(slot).tolist() == np.bincount(listed[:slot], minlength=4).tolist()
    # A share of less than a slot a round is not lost.
    assert made.before(3_000_000)[3] == pytest.approx(3_000_000 * 0.0001 / 11.7201, abs=1)


@pytest.mark.parametrize('shares', [[], [1, 0], [1, -1], [1, float('nan')]])
def test_sequence_refuses_invalid_shares(shares):
    with pytest.raises(ValueError, match='shares'):
        ChoiceSequence(shares, [0])
