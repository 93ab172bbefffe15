"""Weighted votes of the nearest neighbours."""

import torch

from twlv_mm.embeddings import nearest

LEAST_TEMPERATURE = 0.0015  # below, exp(1 / T) approaches or exceeds the range of float64


def knn_votes(queries, bank, bank_labels, num_classes, k=200, temperature=0.1):
    """Votes of each query's k nearest neighbours for their classes, with weights exp(cosine / temperature).

    Args:
        queries (Tensor): (N, D) float32; its device computes.
        bank (ndarray): (B, D) float32, possibly memory-mapped: read once, in order.
        bank_labels (Tensor): (B,) int64 class indices.
        num_classes (int): C.
        k (int): Neighbours.
        temperature (float): The smaller, the more the nearest ones count.

    Returns:
        Tensor: (N, C) float64 on the device of the queries, not normalised.

    Source: TWLV-I's evaluation script, with its k and temperature (Wu et al. 2018's weighted vote). That script
    drops the bank's last, incomplete batch; here the whole memory bank votes.
    """
    if not temperature >= LEAST_TEMPERATURE:
        raise ValueError(
            f'temperature={temperature}: set it to {LEAST_TEMPERATURE} or more, so that exp(cosine / temperature) is '
            "finite; TWLV-I's script uses 0.1"
        )
    cosines, places = nearest(queries, bank, k)
    # float64, so that the order of a GPU's additions does not show; float32 overflows at exp(88).
    votes = torch.zeros(len(queries), num_classes, dtype=torch.float64, device=queries.device)
    votes.scatter_add_(1, bank_labels.to(queries.device)[places], (cosines.double() / temperature).exp())
    return votes
