"""Whether an encoder tells a video from the same video played backwards (paper section 2.7.2), as a number."""

from typing import NamedTuple

import numpy as np

from .projections import import_sklearn

# Each of the folds of a class needs two videos or more to be tested on.
FOLDS, REPEATS, MIN_VIDEOS = 5, 5, 10
RESAMPLES = 2000
CONFIDENCE = 95  # percent


class DirectionScore(NamedTuple):
    """How well forward and backward are told apart, in percent; chance is 50.

    Attributes:
        videos (int): How many, each in both directions.
        accuracy (float): Cross-validated balanced accuracy: the mean of the shares of forward and of reversed videos
            that are recognised as such.
        low (float): Lower end of its 95 % confidence interval.
        high (float): Upper end.
        paired (float): How often, of a video's two directions, the forward one looks more forward.
        permuted (float): Mean accuracy where the directions of random videos were swapped.
        permuted_high (float): What 95 % of these do not exceed.
        p_value (float): Share, from 0 to 1, of these and the true one that reach the true one.
        resampled (ndarray): (2000,) accuracies of videos drawn anew with replacement.
        swapped (ndarray): (P,) accuracies of swapped directions.
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


def tell_direction(forward, backward, *, permutations=200, seed=0):
    """Measure how well a linear classifier tells forward from backward on videos that it was not trained on.

    The classifier is Fisher's discriminant with a covariance that is shrunk as Ledoit and Wolf 2004 say, so that it
    works where D > n. It is computed as ridge regression on +1 and -1, which has the same direction. It is trained and
    tested by five-fold cross-validation, five times with other folds. Both directions of a video are in one fold: it is
    trained on neither or on both.

    The confidence interval is the bootstrap over videos of what the cross-validation found: it tells what other videos
    would have given, with classifiers that are as well trained. Where no video is missed, it is Clopper and Pearson's.
    The baseline repeats all of it with the names of the two directions swapped for a random half of the videos.

    Args:
        forward (ndarray): (n, D) vectors of the videos.
        backward (ndarray): (n, D) vectors of the same videos, frames reversed.
        permutations (int): P, how often directions are swapped.
        seed (int): For folds, swaps and resampling.

    Returns:
        DirectionScore: the score.

    Raises:
        ValueError: if the two have other shapes, there are fewer than ten videos, or no swap.
        ImportError: if scikit-learn is not installed.
    """
    if np.shape(forward) != np.shape(backward) or np.ndim(forward) != 2:
        raise ValueError(
            f'forward and reversed vectors of the same videos are of one shape, (videos, D), not {np.shape(forward)} '
            f'and {np.shape(backward)}'
        )
    if len(forward) < MIN_VIDEOS:
        raise ValueError(
            f'{len(forward)} videos in both directions are too few to measure on: {MIN_VIDEOS} are the least, and a '
            'hundred give an interval of some 10 points'
        )
    if permutations < 1:
        raise ValueError(f'permutations={permutations}: the baseline needs directions to be swapped once or more')
    rng = np.random.default_rng(seed)
    signs = np.ones((len(forward), 1 + permutations))
    signs[:, 1:] = rng.choice([-1.0, 1.0], (len(forward), permutations))
    hits, paired = _cross_validate(np.asarray(forward, np.float64), np.asarray(backward, np.float64), signs, rng)
    accuracies = 100 * hits.mean(axis=0)
    return _score(
        len(forward), accuracies[0], 100 * paired[:, 0].mean(), 100 * _resample(hits[:, 0], rng), accuracies[1:]
    )


def mean_score(scores):
    """The mean over classes, each of which counts alike.

    Args:
        scores (Sequence[DirectionScore]): Of the classes, with the same number of permutations.

    Returns:
        DirectionScore: its interval comes from resampling the videos of every class, its baseline from swapping the
        directions in every class.
    """
    accuracy, paired = (np.mean([getattr(score, name) for score in scores]) for name in ('accuracy', 'paired'))
    resampled, swapped = (
        np.mean([getattr(score, name) for score in scores], axis=0) for name in ('resampled', 'swapped')
    )
    return _score(sum(score.videos for score in scores), accuracy, paired, resampled, swapped)


def _resample(hits, rng):
    """Means of the videos' hits, (n,), drawn anew with replacement: (2000,).

    Where all are hits, these would all be 1, as if n videos could not have missed one that happens once in n; the draws
    then are from Beta(n, 1), whose percentile is the lower limit of Clopper and Pearson.
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
    """Share of a video's two directions that are recognised, and whether their order is, for each column of signs.

    Args:
        forward (ndarray): (n, D).
        backward (ndarray): (n, D).
        signs (ndarray): (n, 1 + P), 1 where ``forward`` is called forward, -1 where it is called backward.
        rng (numpy.random.Generator): Draws the folds.

    Returns:
        tuple[ndarray, ndarray]: (n, 1 + P) each, means over the repetitions; undecided counts half.
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
    """1 where positive, 0 where negative, a half where neither."""
    return (np.sign(towards) + 1) / 2


def _ridge_of_shrinkage(vectors):
    """The penalty of ridge regression that goes with the Ledoit-Wolf shrinkage of the vectors' covariance.

    (1 - s) C + s m I is, up to a factor, the vectors' products, n C, plus n s m / (1 - s) on the diagonal. That C is
    the covariance about one mean, not about two, changes the discriminant's length and not its direction.
    """
    from sklearn.covariance import ledoit_wolf_shrinkage

    centred = vectors - vectors.mean(axis=0)
    mean_variance = np.square(centred).mean()
    if mean_variance == 0:
        return 1.0  # all vectors are the same: nothing to tell, whatever the penalty
    shrinkage = np.clip(ledoit_wolf_shrinkage(centred, assume_centered=True), 1e-6, 1 - 1e-6)
    return len(vectors) * shrinkage / (1 - shrinkage) * mean_variance
