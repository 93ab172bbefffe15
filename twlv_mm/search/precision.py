"""How often what is nearest is of the same class: search as a measure of an encoder."""

import numpy as np
import torch

from twlv_mm.embeddings import load_matrix, nearest


def precision_at(folder, labels, k=10):
    """Precision of the k nearest videos, each video being the query once.

    Args:
        folder (str | EmbeddingFolder): Embeddings in either format.
        labels (dict[str, int]): video id -> class, of every video.
        k (int): Neighbours, the query itself not counted.

    Returns:
        tuple[float, float]: share of the neighbours that are of the query's class, mean over queries; the share that
        neighbours drawn at random would have.
    """
    vectors, _, video_ids = load_matrix(folder, 'video')
    missing = [video_id for video_id in video_ids if video_id not in labels]
    if missing:
        raise ValueError(f'{len(missing)} of {len(video_ids)} videos have no class: {", ".join(missing[:3])}')
    if len(video_ids) <= k:
        raise ValueError(f'{len(video_ids)} videos have no {k} neighbours each: set k to less')
    classes = np.array([labels[video_id] for video_id in video_ids])
    _, places = nearest(torch.from_numpy(np.array(vectors)), vectors, k + 1)
    places = places.numpy()
    # A copy may stand before the query itself, which then is not the first, or not among them.
    own = places == np.arange(len(places))[:, None]
    own[~own.any(axis=1), -1] = True
    found = classes[places[~own].reshape(len(places), k)]
    counts = np.unique(classes, return_counts=True)[1]
    chance = (counts * (counts - 1)).sum() / (len(classes) * (len(classes) - 1))
    return float((found == classes[:, None]).mean()), float(chance)
