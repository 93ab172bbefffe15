"""Votes of the nearest neighbours for their classes."""

import torch

from twlv_mm.embeddings import nearest

LEAST_TEMPERATURE = 0.0015  # exp(1 / T) of smaller ones is close to the largest number of float64, or beyond


def knn_votes(queries, bank, bank_labels, num_classes, k=200, temperature=0.1):
    """Votes of each query's nearest neighbours for the classes.

    The k vectors of the bank with the largest cosine vote for their classes with exp(cosine / temperature).

    Args:
        queries (Tensor): (N, D) float32; its device computes.
        bank (ndarray): (B, D) float32, perhaps mapped into memory: it is read once, in order.
        bank_labels (Tensor): (B,) int64 class indices.
        num_classes (int): C.
        k (int): Neighbours.
        temperature (float): T; the smaller, the more the nearest ones count.

    Returns:
        Tensor: (N, C) float64, on the device of the queries; not normalised.

    Source: the published evaluation script, with its k and T (Wu et al. 2018's weighted vote). That script leaves out
    the bank's last, incomplete batch; here the whole bank votes.
    """
    if not temperature >= LEAST_TEMPERATURE:
        raise ValueError(
            f'votes of exp(cosine / temperature) cannot be computed with temperature={temperature}: set it to '
            f'{LEAST_TEMPERATURE} or more; the published script has 0.1'
        )
    cosines, places = nearest(queries, bank, k)
    # In float64, so that the order in which a GPU adds the votes does not show; float32 ends at exp(88).
    votes = torch.zeros(len(queries), num_classes, dtype=torch.float64, device=queries.device)
    votes.scatter_add_(1, bank_labels.to(queries.device)[places], (cosines.double() / temperature).exp())
    return votes
