"""Whether forward is told from backward, as a number."""

import numpy as np
import pytest

from twlv_mm.analysis import score_direction
from twlv_mm.analysis.direction import _ridge_of_shrinkage, mean_score


def videos(count=60, dims=100, direction=0.0, seed=0):
    """Forward and reversed vectors: what a video shows, plus and minus the direction, which all share."""
    random = np.random.default_rng(seed)
    shown = 3 * random.normal(size=(count, dims))
    axis = random.normal(size=dims)
    axis *= direction / np.linalg.norm(axis)
    forward, backward = (shown + sign * axis + 0.3 * random.normal(size=(count, dims)) for sign in (1, -1))
    return forward, backward


def test_direction_that_all_videos_share_is_found():
    score = score_direction(*videos(direction=8), permutations=50)
    assert score.low > 80
    assert score.low < score.accuracy < score.high
    assert score.paired > score.accuracy
    assert score.p_value == pytest.approx(1 / 51)
    assert 45 < score.permuted < 55


def test_noise_is_at_chance_though_there_are_more_dimensions_than_videos():
    scores = [score_direction(*videos(seed=seed), permutations=20) for seed in range(5)]
    assert 45 < np.mean([score.accuracy for score in scores]) < 55
    assert np.mean([score.accuracy <= score.permuted_high for score in scores]) > 0.5


def test_vectors_that_are_the_same_in_both_directions_are_exactly_at_chance():
    forward, _ = videos(20)
    score = score_direction(forward, forward, permutations=5)
    assert (score.accuracy, score.low, score.high, score.paired, score.p_value) == (50, 50, 50, 50, 1)


def test_both_directions_of_a_video_are_trained_on_or_none(monkeypatch):
    """A classifier that has seen a video in the one direction would take the other for the same."""
    import sklearn.linear_model

    forward, backward = videos(20, dims=4)
    plain = sklearn.linear_model.Ridge.fit

    def fit(self, vectors, targets):
        known = {tuple(vector) for vector in vectors}
        for one, other in zip(forward, backward, strict=True):
            assert (tuple(one) in known) == (tuple(other) in known)
        assert len(vectors) == 32
        return plain(self, vectors, targets)

    monkeypatch.setattr(sklearn.linear_model.Ridge, 'fit', fit)
    score_direction(forward, backward, permutations=1)


def test_classifier_is_fishers_discriminant_with_a_shrunk_covariance():
    from sklearn.covariance import ledoit_wolf
    from sklearn.linear_model import Ridge

    forward, backward = videos(40, dims=100, direction=2)
    vectors, signs = np.concatenate([forward, backward]), np.repeat([1.0, -1.0], 40)
    covariance, _ = ledoit_wolf(vectors)
    fisher = np.linalg.solve(covariance, forward.mean(axis=0) - backward.mean(axis=0))
    ridge = Ridge(_ridge_of_shrinkage(vectors), solver='cholesky').fit(vectors, signs).coef_
    assert ridge @ fisher / np.linalg.norm(ridge) / np.linalg.norm(fisher) == pytest.approx(1, abs=1e-9)


def test_interval_narrows_with_the_number_of_videos():
    few, many = (score_direction(*videos(count, dims=20, direction=3), permutations=1) for count in (30, 480))
    assert few.high - few.low > 2 * (many.high - many.low)


def test_interval_of_videos_that_are_all_recognised_says_how_few_they_are():
    score = score_direction(*videos(40, dims=4, direction=30), permutations=1)
    assert (score.accuracy, score.high) == (100, 100)
    assert score.low == pytest.approx(100 * 0.025 ** (1 / 40), abs=0.7)  # 91.2: Clopper and Pearson


def test_mean_over_classes_is_surer_than_each():
    scores = [score_direction(*videos(40, direction=5, seed=seed), permutations=50) for seed in range(6)]
    mean = mean_score(scores)
    assert mean.videos == 240
    assert mean.accuracy == pytest.approx(np.mean([score.accuracy for score in scores]))
    assert mean.high - mean.low < min(score.high - score.low for score in scores)
    assert mean.permuted_high < max(score.permuted_high for score in scores)


def test_few_videos_other_shapes_and_no_swaps_are_refused():
    forward, backward = videos(9)
    with pytest.raises(ValueError, match='9 videos in both directions are too few'):
        score_direction(forward, backward)
    with pytest.raises(ValueError, match=r'\(9, 100\) and \(8, 100\)'):
        score_direction(forward, backward[1:])
    with pytest.raises(ValueError, match='permutations=0: the baseline needs'):
        score_direction(*videos(10), permutations=0)
