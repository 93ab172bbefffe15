"""How well an encoder tells a video from the same video played backwards (paper section 2.7.2)."""

from typing import NamedTuple

import numpy as np

from .projections import import_sklearn

# Each fold needs at least two test videos of a class.
FOLDS, REPEATS, MIN_VIDEOS = 5, 5, 10
RESAMPLES = 2000
CONFIDENCE = 95  # percent


class DirectionScore(NamedTuple):
    """Accuracies of telling forward from reversed videos, in percent; chance is 50.

    Attributes:
        videos (int): Number of videos, each in both directions.
        accuracy (float): Cross-validated balanced accuracy: mean recall of forward and of reversed videos.
        low (float): Lower end of its 95 % confidence interval.
        high (float): Upper end.
        paired (float): How often the forward version of a video scores higher than its reversed version.
        permuted (float): Mean accuracy with the directions of random videos swapped.
        permuted_high (float): 95th percentile of these.
        p_value (float): Fraction, from 0 to 1, of these and the true accuracy that reach the true accuracy.
        resampled (ndarray): (2000,) bootstrap accuracies.
        swapped (ndarray): (P,) accuracies with swapped directions.
    """

    videos: int
    accuracy: float
    low: float
    high: float
    paired: float
    permuted: float
    permuted_high: float
    p_value: float
    resampled: np.ndarray
    swapped: np.ndarray


def score_direction(forward, backward, *, permutations=200, seed=0):
    """Accuracy of a linear classifier of forward against reversed on videos that it was not trained on.

    The classifier is Fisher's discriminant with Ledoit-Wolf shrinkage (2004), so that it works where D > n, computed as
    ridge regression on +1 and -1, which has the same direction. It is tested by five-fold cross-validation, repeated
    five times with other folds; both directions of a video are in the same fold.

    The confidence interval is the bootstrap over videos of the cross-validated hits: it covers the choice of test
    videos, not of training videos. If no video is misclassified, it is the Clopper-Pearson interval. The baseline
    repeats all of it with the directions of a random half of the videos swapped.

    Args:
        forward (ndarray): (n, D) vectors of at least ten videos.
        backward (ndarray): (n, D) vectors of the same videos reversed.
        permutations (int): P, number of repetitions with swapped directions.
        seed (int): Seed of folds, swaps and resampling.
    """
    if np.shape(forward) != np.shape(backward) or np.ndim(forward) != 2:
        raise ValueError(
            f'forward and reversed vectors must have the same shape, (videos, D), not {np.shape(forward)} and '
            f'{np.shape(backward)}'
        )
    if len(forward) < MIN_VIDEOS:
        raise ValueError(
            f'{len(forward)} videos in both directions are too few: at least {MIN_VIDEOS} are needed, and a hundred '
            'give an interval of about 10 points'
        )
    if permutations < 1:
        raise ValueError(f'permutations={permutations}: the baseline needs at least one permutation')
    rng = np.random.default_rng(seed)
    signs = np.ones((len(forward), 1 + permutations))
    signs[:, 1:] = rng.choice([-1.0, 1.0], (len(forward), permutations))
    hits, paired = _cross_validate(np.asarray(forward, np.float64), np.asarray(backward, np.float64), signs, rng)
    accuracies = 100 * hits.mean(axis=0)
    return _score(
        len(forward), accuracies[0], 100 * paired[:, 0].mean(), 100 * _resample(hits[:, 0], rng), accuracies[1:]
    )


def mean_score(scores):
    """Mean over classes with equal weights; the interval resamples and the baseline swaps the videos of every class."""
    accuracy, paired = (np.mean([getattr(score, name) for score in scores]) for name in ('accuracy', 'paired'))
    resampled, swapped = (
        np.mean([getattr(score, name) for score in scores], axis=0) for name in ('resampled', 'swapped')
    )
    return _score(sum(score.videos for score in scores), accuracy, paired, resampled, swapped)


def _resample(hits, rng):
    """Means (2000,) of hits (n,) resampled with replacement.

    If all are hits, resampling would give 1 throughout, as if no error were possible; Beta(n, 1) has the
    Clopper-Pearson lower limit as its percentile.
    """
    count = len(hits)
    if hits.min() == hits.max() == 1:
        return rng.beta(count, 1, RESAMPLES)
    return hits[rng.integers(count, size=(RESAMPLES, count))].mean(axis=1)


def _score(videos, accuracy, paired, resampled, swapped):
    low, high = np.percentile(resampled, [(100 - CONFIDENCE) / 2, (100 + CONFIDENCE) / 2])
    low, high = min(low, accuracy), max(high, accuracy)
    reached = np.append(swapped, accuracy) >= accuracy - 1e-9
    numbers = (accuracy, low, high, paired, swapped.mean(), np.percentile(swapped, CONFIDENCE), reached.mean())
    return DirectionScore(videos, *map(float, numbers), resampled, swapped)


def _cross_validate(forward, backward, signs, rng):
    """Fraction of correct directions per video, and whether their order is correct, for each column of signs.

    ``signs``, (n, 1 + P), are 1 where ``forward`` is labelled forward and -1 where it is labelled reversed. Both
    results are (n, 1 + P), means over the repetitions; a tie counts half.
    """
    import_sklearn()
    from sklearn.linear_model import Ridge

    hits, ordered = np.zeros((2, *signs.shape))
    for _ in range(REPEATS):
        fold_of = rng.permutation(len(forward)) % FOLDS
        for fold in range(FOLDS):
            train, test = np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold)
            vectors = np.concatenate([forward[train], backward[train]])
            targets = np.concatenate([signs[train], -signs[train]])
            ridge = Ridge(_ridge_of_shrinkage(vectors), solver='cholesky').fit(vectors, targets)
            scores = [ridge.predict(part[test]).reshape(len(test), -1) for part in (forward, backward)]
            towards = [scores[0] * signs[test], -scores[1] * signs[test]]
            hits[test] += sum(map(_decided, towards)) / 2
            ordered[test] += _decided(sum(towards))
    return hits / REPEATS, ordered / REPEATS


def _decided(towards):
    """1 where positive, 0 where negative, 0.5 where zero."""
    return (np.sign(towards) + 1) / 2


def _ridge_of_shrinkage(vectors):
    """Penalty of ridge regression that corresponds to Ledoit-Wolf shrinkage s of the covariance C.

    (1 - s) C + s m I is, up to a factor, n C plus n s m / (1 - s) on the diagonal. C is taken about one mean instead of
    two, which changes the length of the discriminant but not its direction.
    """
    from sklearn.covariance import ledoit_wolf_shrinkage

    centred = vectors - vectors.mean(axis=0)
    mean_variance = np.square(centred).mean()
    if mean_variance == 0:
        return 1.0  # all vectors are equal: the penalty does not matter
    shrinkage = np.clip(ledoit_wolf_shrinkage(centred, assume_centered=True), 1e-6, 1 - 1e-6)
    return len(vectors) * shrinkage / (1 - shrinkage) * mean_variance
