"""How often the nearest videos have the same class: retrieval as a measure of an encoder."""

import numpy as np
import torch

from twlv_mm.embeddings import load_matrix, nearest


def precision_at(folder, labels, k=10):
    """Precision of the k nearest videos, with each video as the query once.

    Args:
        folder (str | EmbeddingFolder): Embeddings in either format.
        labels (dict[str, int]): video id -> class, for every video.
        k (int): Neighbours, not counting the query itself.

    Returns:
        tuple[float, float]: mean fraction of neighbours with the query's class; the same for random neighbours.
    """
    vectors, _, video_ids = load_matrix(folder, 'video')
    missing = [video_id for video_id in video_ids if video_id not in labels]
    if missing:
        raise ValueError(f'{len(missing)} of {len(video_ids)} videos have no class: {", ".join(missing[:3])}')
    if len(video_ids) <= k:
        raise ValueError(f'{len(video_ids)} videos do not have {k} neighbours each: reduce k')
    classes = np.array([labels[video_id] for video_id in video_ids])
    _, places = nearest(torch.from_numpy(np.array(vectors)), vectors, k + 1)
    places = places.numpy()
    # Copies may rank before the query itself, which then is not the first, or not among them.
    own = places == np.arange(len(places))[:, None]
    own[~own.any(axis=1), -1] = True
    found = classes[places[~own].reshape(len(places), k)]
    counts = np.unique(classes, return_counts=True)[1]
    chance = (counts * (counts - 1)).sum() / (len(classes) * (len(classes) - 1))
    return float((found == classes[:, None]).mean()), float(chance)
