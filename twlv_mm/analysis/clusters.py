"""Groups in a collection without labels, each named by the video that stands for it."""

from typing import NamedTuple

import numpy as np

from .points import Points
from .projections import import_sklearn


class Clusters(NamedTuple):
    """Points in groups.

    Attributes:
        points (Points): With the groups as classes, the largest first.
        medoids (list[int]): Row of the point that stands for each group.
    """

    points: Points
    medoids: list


def find_clusters(points, count, seed=0):
    """Group points by k-means on vectors of length 1, and name each group by its medoid.

    The medoid is the point with the highest cosine to the group's centre. A group is called by its place and the
    medoid's video, with the times of a clip, and how many points it has.

    Args:
        points (Points): The points; their classes are left out of account.
        count (int): Groups.
        seed (int): Of k-means.

    Returns:
        Clusters: the groups.

    Raises:
        ValueError: if there are fewer than two groups, or fewer points than groups.
        ImportError: if scikit-learn is not installed.
    """
    import_sklearn()
    from sklearn.cluster import KMeans

    if not 2 <= count <= len(points.labels):
        raise ValueError(f'{len(points.labels)} points cannot be in {count} groups: ask for 2 to {len(points.labels)}')
    vectors = np.asarray(points.vectors, np.float32)
    vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    found = KMeans(count, n_init=3, random_state=seed).fit(vectors)
    sizes = np.bincount(found.labels_, minlength=count)
    order = np.argsort(-sizes, kind='stable')
    order = order[sizes[order] > 0]  # equal vectors can leave groups empty
    place = np.zeros(count, np.int64)
    place[order] = np.arange(len(order))
    labels = place[found.labels_]
    medoids = []
    for group, centre in enumerate(found.cluster_centers_[order]):
        members = np.flatnonzero(labels == group)
        medoids.append(int(members[(vectors[members] @ centre).argmax()]))
    names = [f'{group}: {_moment(points, row)} ({(labels == group - 1).sum()})' for group, row in enumerate(medoids, 1)]
    numbers = list(range(1, len(names) + 1))
    return Clusters(points._replace(labels=labels, classes=names, numbers=numbers), medoids)


def _moment(points, row):
    video_id = points.video_ids[points.videos[row]]
    if points.spans is None:
        return video_id
    start, end = points.spans[row]
    return f'{video_id}, {start:.1f} to {end:.1f} s'
