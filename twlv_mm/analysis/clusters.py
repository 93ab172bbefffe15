"""Clusters of an unlabelled collection, named by their medoids."""

import numpy as np

from .projections import import_sklearn


def find_clusters(points, count, seed=0):
    """Cluster vectors by k-means on unit length, ignoring their classes.

    Returns:
        tuple[LabelledVectors, list[int]]: with the clusters as classes, largest first, named by number, medoid (the
        vector with the highest cosine to the centre) and size; rows of the medoids.
    """
    import_sklearn()
    from sklearn.cluster import KMeans

    if not 2 <= count <= len(points.labels):
        raise ValueError(f'{len(points.labels)} points cannot form {count} clusters: choose 2 to {len(points.labels)}')
    vectors = np.asarray(points.vectors, np.float32)
    vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    found = KMeans(count, n_init=3, random_state=seed).fit(vectors)
    sizes = np.bincount(found.labels_, minlength=count)
    order = np.argsort(-sizes, kind='stable')
    order = order[sizes[order] > 0]  # equal vectors can leave clusters empty
    place = np.zeros(count, np.int64)
    place[order] = np.arange(len(order))
    labels = place[found.labels_]
    medoids = []
    for group, centre in enumerate(found.cluster_centers_[order]):
        members = np.flatnonzero(labels == group)
        medoids.append(int(members[(vectors[members] @ centre).argmax()]))
    names = [f'{group}: {_moment(points, row)} ({(labels == group - 1).sum()})' for group, row in enumerate(medoids, 1)]
    numbers = list(range(1, len(names) + 1))
    return points._replace(labels=labels, classes=names, numbers=numbers), medoids


def _moment(points, row):
    video_id = points.video_ids[points.videos[row]]
    if points.spans is None:
        return video_id
    start, end = points.spans[row]
    return f'{video_id}, {start:.1f} to {end:.1f} s'
