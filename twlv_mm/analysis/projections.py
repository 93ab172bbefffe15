"""From vectors to the plane: principal components, t-SNE, linear discriminants (paper section 2.7)."""

from typing import NamedTuple

import numpy as np

METHODS = ('pca', 'tsne', 'lda')
# t-SNE looks for neighbours among so many principal components (van der Maaten and Hinton 2008 take 30).
TSNE_COMPONENTS = 50


class Projection(NamedTuple):
    """Points in the plane.

    Attributes:
        xy (ndarray): (m, 2) float64.
        rows (ndarray): (m,) int64, ascending: which of the vectors they are.
        axes (tuple[str, str]): What the axes are; empty where they mean nothing.
        note (str): How it was made, for below the picture.
        one_axis (bool): Whether only the first axis was sought, as between two classes, so that the axes have no
            common scale.
    """

    xy: np.ndarray
    rows: np.ndarray
    axes: tuple
    note: str
    one_axis: bool = False


def project(vectors, method, labels=None, groups=None, *, seed=0, fit_drawn=False, perplexity=30):
    """Project vectors onto the plane.

    - 'pca': the two principal components.
    - 'tsne': t-SNE on the first 50 principal components, begun from the first two.
    - 'lda': the linear discriminants of the classes, with a shrunk covariance, found on one half of the groups; the
      other half is projected. Discriminants separate the points that they were found on whether or not there is
      anything to tell, the more dimensions the better. Between two classes there is one discriminant; the second axis
      then is the first principal component of what it leaves.

    Args:
        vectors (ndarray): (n, D) float.
        method (str): One of ``METHODS``.
        labels (ndarray, optional): (n,) classes, numbers or names, for 'lda'.
        groups (ndarray, optional): (n,) int, the video of each vector, for 'lda': a video is in one half with all its
            vectors. Without it each vector is a group of its own.
        seed (int): For the halves, and the start of t-SNE and randomised algebra.
        fit_drawn (bool): For 'lda': find the discriminants on all vectors and project the same, without shrinkage, as
            the script that was published with the paper does. The note then says so.
        perplexity (float): For 'tsne': about how many neighbours count.

    Returns:
        Projection: of all vectors, or of one half.

    Raises:
        ValueError: if the method is unknown, there are too few vectors, classes, or videos of a class.
        ImportError: if scikit-learn is not installed.
    """
    import_sklearn()
    if method not in METHODS:
        raise ValueError(f'there is no method {method!r}; there are {", ".join(METHODS)}')
    if len(vectors) < 3:
        raise ValueError(f'{len(vectors)} vectors are too few for a picture: take three or more')
    if method == 'lda':
        return _lda(np.asarray(vectors, np.float64), labels, groups, seed, fit_drawn)
    if method == 'tsne':
        return _tsne(np.asarray(vectors), seed, perplexity)
    pca, xy = _components(vectors, 2, seed)
    shares = 100 * pca.explained_variance_ratio_
    axes = tuple(f'principal component {place} ({share:.1f} %)' for place, share in enumerate(shares, 1))
    return Projection(xy.astype(np.float64), np.arange(len(vectors)), axes, 'PCA; in brackets, shares of the variance')


def shrunk_discriminants(vectors, labels):
    """Linear discriminant analysis with a covariance within classes that can be inverted also where D > n.

    The covariance is shrunk towards a multiple of the identity by the amount that Ledoit and Wolf 2004 find best for
    the vectors without their classes' means.

    Args:
        vectors (ndarray): (n, D) float64.
        labels (ndarray): (n,).

    Returns:
        LinearDiscriminantAnalysis: fitted.
    """
    from scipy.linalg import eigh
    from sklearn.covariance import ledoit_wolf_shrinkage
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    kinds, places = np.unique(labels, return_inverse=True)
    means = np.stack([vectors[places == place].mean(axis=0) for place in range(len(kinds))])
    shrinkage = ledoit_wolf_shrinkage(vectors - means[places], assume_centered=True)
    lda = LinearDiscriminantAnalysis(solver='eigen', shrinkage=float(shrinkage)).fit(vectors, labels)
    # scikit-learn shrinks the scatter between classes too, which turns the discriminants, and loses them where the
    # covariance within classes is nearly a multiple of the identity. What it predicts does not depend on them.
    between = np.cov((means - vectors.mean(axis=0))[places], rowvar=False, bias=True)
    lda.scalings_ = eigh(between, lda.covariance_)[1][:, ::-1]
    return lda


def halves(labels, groups, seed):
    """Split groups into two halves, those of each class likewise.

    Args:
        labels (ndarray): (n,).
        groups (ndarray): (n,) int; those with vectors of the same classes are split among themselves.
        seed (int): For the random split.

    Returns:
        tuple[ndarray, ndarray]: indices of the vectors in each half, ascending; the first gets the odd group.
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
    """The perplexity of t-SNE that goes with a number of vectors: a third of it at most.

    Args:
        perplexity (float): The wanted one.
        count (int): Vectors.

    Returns:
        float: the same or a lower one, 1 or more.
    """
    return min(perplexity, max((count - 1) // 3, 1))


def import_sklearn():
    """Import scikit-learn.

    Raises:
        ImportError: if it is not installed, with the command that installs it.
    """
    try:
        import sklearn
    except ImportError as error:
        raise ImportError(f"this needs scikit-learn ({error}): pip install 'scikit-learn>=1.3'") from error
    return sklearn


def _lda(vectors, labels, groups, seed, fit_drawn):
    if labels is None or len(np.unique(labels)) < 2:
        raise ValueError('lda tells classes apart, and the videos are of one: give a list of them with their classes')
    if fit_drawn:
        from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

        fitted, drawn = (np.arange(len(vectors)),) * 2
        lda = LinearDiscriminantAnalysis().fit(vectors, labels)
        note = 'LDA fitted on the very points that are drawn: it separates them even where there is nothing to tell'
    else:
        groups = np.arange(len(vectors)) if groups is None else groups
        fitted, drawn = halves(labels, groups, seed)
        lacking = np.setdiff1d(labels, labels[drawn])
        if len(lacking):
            raise ValueError(
                f'{len(lacking)} classes have a single video, and lda is fitted on one half of the videos and drawn on '
                f'the other: leave out {", ".join(map(str, lacking[:5]))}, or fit on what is drawn'
            )
        lda = shrunk_discriminants(vectors[fitted], labels[fitted])
        note = f'LDA fitted on {len(fitted)} points of one half of the videos, drawn: the {len(drawn)} of the other'
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
            f'a perplexity of {perplexity:g} neighbours does not go with {len(vectors)} vectors: set it between the two'
        )
    if vectors.shape[1] > TSNE_COMPONENTS and len(vectors) > TSNE_COMPONENTS:
        _, vectors = _components(vectors, TSNE_COMPONENTS, seed)
    xy = TSNE(perplexity=perplexity, init='pca', random_state=seed).fit_transform(vectors)
    return Projection(
        xy.astype(np.float64), np.arange(len(vectors)), ('', ''), f't-SNE, perplexity {perplexity:g}, seed {seed}'
    )


def _components(vectors, count, seed):
    """A fitted PCA and what it makes of the vectors."""
    from sklearn.decomposition import PCA

    count = min(count, *np.shape(vectors))
    pca = PCA(count, random_state=seed)
    return pca, pca.fit_transform(np.asarray(vectors))
