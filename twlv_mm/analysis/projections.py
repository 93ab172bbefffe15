"""Projections to two dimensions: PCA, t-SNE, linear discriminants (paper section 2.7)."""

from typing import NamedTuple

import numpy as np

METHODS = ('pca', 'tsne', 'lda')
# Principal components that t-SNE works on (van der Maaten and Hinton 2008 use 30).
TSNE_COMPONENTS = 50


class Projection(NamedTuple):
    """Vectors projected to two dimensions."""

    xy: np.ndarray  # (m, 2) float64
    rows: np.ndarray  # (m,) int64, ascending: indices of the projected vectors
    axes: tuple[str, str]  # names of the axes; empty if they have no meaning
    note: str  # how it was made, for the caption
    one_axis: bool = False  # whether only the first axis separates the classes, so that the axes have no common scale


def project(vectors, method, labels=None, groups=None, *, seed=0, fit_drawn=False, perplexity=30):
    """Project vectors to two dimensions.

    - 'pca': the first two principal components.
    - 'tsne': t-SNE on the first 50 principal components, initialised with the first two.
    - 'lda': linear discriminants of the classes with a shrunk covariance, fitted on one half of the groups; the other
      half is projected, because discriminants separate the points they were fitted on even if nothing distinguishes
      them. Two classes have a single discriminant; the second axis is then the first principal component of the rest.

    Args:
        vectors (ndarray): (n, D) float.
        method (str): One of ``METHODS``.
        labels (ndarray, optional): (n,) classes, numbers or names, for 'lda'.
        groups (ndarray, optional): (n,) int, the video of each vector, for 'lda': a video is in one half with all its
            vectors. By default each vector is its own group.
        seed (int): Seed of the halves, of t-SNE and of randomised algebra.
        fit_drawn (bool): For 'lda': fit on all vectors without shrinkage and project the same ones, as TWLV-I's
            script does. The note then says so.
        perplexity (float): For 'tsne': the effective number of neighbours.

    Returns:
        Projection: of all vectors, or of one half.

    Raises:
        ValueError: if there are too few vectors, classes, or videos of a class.
        ImportError: if scikit-learn is not installed.
    """
    import_sklearn()
    if method not in METHODS:
        raise ValueError(f'unknown method {method!r}; choose from {", ".join(METHODS)}')
    if len(vectors) < 3:
        raise ValueError(f'{len(vectors)} vectors are too few for a plot: at least three are needed')
    if method == 'lda':
        return _lda(np.asarray(vectors, np.float64), labels, groups, seed, fit_drawn)
    if method == 'tsne':
        return _tsne(np.asarray(vectors), seed, perplexity)
    pca, xy = _components(vectors, 2, seed)
    shares = 100 * pca.explained_variance_ratio_
    axes = tuple(f'principal component {place} ({share:.1f} %)' for place, share in enumerate(shares, 1))
    return Projection(xy.astype(np.float64), np.arange(len(vectors)), axes, 'PCA; shares of the variance in brackets')


def shrunk_discriminants(vectors, labels):
    """Fitted linear discriminant analysis whose covariance within classes is invertible even where D > n.

    The covariance is shrunk towards a multiple of the identity by the amount of Ledoit and Wolf 2004 for the vectors
    (n, D) without the means of their classes (n,).
    """
    from scipy.linalg import eigh
    from sklearn.covariance import ledoit_wolf_shrinkage
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    kinds, places = np.unique(labels, return_inverse=True)
    means = np.stack([vectors[places == place].mean(axis=0) for place in range(len(kinds))])
    shrinkage = ledoit_wolf_shrinkage(vectors - means[places], assume_centered=True)
    lda = LinearDiscriminantAnalysis(solver='eigen', shrinkage=float(shrinkage)).fit(vectors, labels)
    # scikit-learn shrinks the scatter between classes too, which rotates the discriminants, and loses them where the
    # covariance within classes is nearly a multiple of the identity. Its predictions do not depend on them.
    between = np.cov((means - vectors.mean(axis=0))[places], rowvar=False, bias=True)
    lda.scalings_ = eigh(between, lda.covariance_)[1][:, ::-1]
    return lda


def halves(labels, groups, seed):
    """Split groups (n,) into random halves, stratified by class; groups with the same set of classes are split evenly.

    Returns:
        tuple[ndarray, ndarray]: ascending indices of the vectors in each half; the first half gets the odd group.
    """
    classes = {}
    for group, label in sorted(set(zip(groups.tolist(), labels.tolist(), strict=True))):
        classes.setdefault(group, []).append(label)
    kinds = {}
    for group in np.random.default_rng(seed).permutation(list(classes)).tolist():
        kinds.setdefault(tuple(classes[group]), []).append(group)
    second = np.isin(groups, [group for members in kinds.values() for group in members[1::2]])
    return np.flatnonzero(~second), np.flatnonzero(second)


def fitting_perplexity(perplexity, count):
    """The perplexity, lowered to a third of the number of vectors at most, and at least 1."""
    return min(perplexity, max((count - 1) // 3, 1))


def import_sklearn():
    """Import scikit-learn, or raise an ImportError that says how to install it."""
    try:
        import sklearn
    except ImportError as error:
        raise ImportError(f"scikit-learn is required ({error}): pip install 'scikit-learn>=1.3'") from error
    return sklearn


def _lda(vectors, labels, groups, seed, fit_drawn):
    if labels is None or len(np.unique(labels)) < 2:
        raise ValueError('lda needs several classes, but the videos have one: give a list of videos with their classes')
    if fit_drawn:
        from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

        fitted, drawn = (np.arange(len(vectors)),) * 2
        lda = LinearDiscriminantAnalysis().fit(vectors, labels)
        note = 'LDA fitted on the points that are drawn: it separates them even if nothing distinguishes the classes'
    else:
        groups = np.arange(len(vectors)) if groups is None else groups
        fitted, drawn = halves(labels, groups, seed)
        lacking = np.setdiff1d(labels, labels[drawn])
        if len(lacking):
            raise ValueError(
                f'{len(lacking)} classes have a single video, but lda is fitted on one half of the videos and draws '
                f'the other: leave out {", ".join(map(str, lacking[:5]))}, or use fit_drawn'
            )
        lda = shrunk_discriminants(vectors[fitted], labels[fitted])
        note = f'LDA fitted on {len(fitted)} points of one half of the videos; the {len(drawn)} of the other are drawn'
    found = lda.transform(vectors[drawn])[:, :2]
    if found.shape[1] == 2:
        return Projection(found, drawn, ('discriminant 1', 'discriminant 2'), note)
    direction = lda.scalings_[:, 0] / np.linalg.norm(lda.scalings_[:, 0])
    rest = vectors - np.outer((vectors - vectors[fitted].mean(axis=0)) @ direction, direction)
    pca, _ = _components(rest[fitted], 1, seed)
    xy = np.column_stack([found[:, 0], pca.transform(rest[drawn])[:, 0]])
    return Projection(xy, drawn, ('discriminant', 'principal component of the rest'), note, one_axis=True)


def _tsne(vectors, seed, perplexity):
    from sklearn.manifold import TSNE

    if not 1 <= perplexity < len(vectors):
        raise ValueError(
            f'the perplexity is {perplexity:g}; for {len(vectors)} vectors it must be at least 1 and below that number'
        )
    if vectors.shape[1] > TSNE_COMPONENTS and len(vectors) > TSNE_COMPONENTS:
        _, vectors = _components(vectors, TSNE_COMPONENTS, seed)
    xy = TSNE(perplexity=perplexity, init='pca', random_state=seed).fit_transform(vectors)
    return Projection(
        xy.astype(np.float64), np.arange(len(vectors)), ('', ''), f't-SNE, perplexity {perplexity:g}, seed {seed}'
    )


def _components(vectors, count, seed):
    """A fitted PCA and the projected vectors."""
    from sklearn.decomposition import PCA

    count = min(count, *np.shape(vectors))
    pca = PCA(count, random_state=seed)
    return pca, pca.fit_transform(np.asarray(vectors))
