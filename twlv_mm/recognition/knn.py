"""k nearest neighbours by cosine: exact, in bounded memory, on CPU and GPU."""

import numpy as np
import torch
import torch.nn.functional as F

# Queries and bank vectors whose cosines are in memory at a time, 256 MiB of them. Selecting from long rows is cheaper.
QUERY_ROWS, BANK_ROWS = 2048, 32768


def knn_votes(queries, bank, bank_labels, num_classes, k=200, temperature=0.1):
    """Votes of each query's nearest neighbours for the classes.

    The k vectors of the bank with the largest cosine vote for their classes with exp(cosine / temperature).

    Args:
        queries (Tensor): (N, D) float32; its device computes.
        bank (ndarray): (B, D) float32, perhaps mapped into memory: it is read in order, once for every 2,048 queries.
        bank_labels (Tensor): (B,) int64 class indices.
        num_classes (int): C.
        k (int): Neighbours.
        temperature (float): T; the smaller, the more the nearest ones count.

    Returns:
        Tensor: (N, C) float32, on the device of the queries; not normalised.

    Raises:
        ValueError: if the two differ in D, the bank has fewer than k vectors, or a number is not finite.

    Source: the published evaluation script, with its k and T (Wu et al. 2018's weighted vote). That script leaves out
    the bank's last, incomplete batch; here the whole bank votes.
    """
    cosines, places = nearest(queries, bank, k)
    # In float64, so that the order in which a GPU adds the votes does not show.
    votes = torch.zeros(len(queries), num_classes, dtype=torch.float64, device=queries.device)
    votes.scatter_add_(1, bank_labels.to(queries.device)[places], (cosines.double() / temperature).exp())
    return votes.float()


def nearest(queries, bank, k):
    """The k vectors of a bank that are nearest to each query by cosine.

    Args:
        queries (Tensor): (N, D) float32; its device computes.
        bank (ndarray): (B, D) float32, perhaps mapped into memory.
        k (int): Neighbours.

    Returns:
        tuple[Tensor, Tensor]: (N, k) cosines, best first, and (N, k) places in the bank. Of equally near vectors those
        that come first in the bank are taken. A vector of zeros has cosine 0 with all.

    Raises:
        ValueError: if the two differ in D, the bank has fewer than k vectors, or a number is not finite.
    """
    if queries.shape[1] != bank.shape[1]:
        raise ValueError(
            f'the queries have {queries.shape[1]} numbers a vector, the bank has {bank.shape[1]}: take both from the '
            'same encoder'
        )
    if not 1 <= k <= len(bank):
        raise ValueError(f'k={k} neighbours cannot be taken from a bank of {len(bank)} vectors: set k between the two')
    # Under autocast the products would be rounded to 8 bits.
    with torch.no_grad(), torch.autocast(queries.device.type, enabled=False):
        blocks = [_nearest(_normalized(rows, 'queries'), bank, k) for rows in queries.split(QUERY_ROWS)]
    return tuple(torch.cat(parts) for parts in zip(*blocks, strict=True))


def _nearest(queries, bank, k):
    best = queries.new_full((len(queries), k), -torch.inf)
    places = torch.zeros(best.shape, dtype=torch.int64, device=queries.device)
    for start in range(0, len(bank), BANK_ROWS):
        rows = torch.from_numpy(np.array(bank[start : start + BANK_ROWS])).to(queries.device)
        cosines = queries @ _normalized(rows, 'bank', start).T
        found = _largest(cosines, k)
        # Both parts have equal cosines in the order of the bank, and the sort keeps it.
        best, order = torch.cat([best, cosines.gather(1, found)], dim=1).sort(dim=1, descending=True, stable=True)
        best, places = best[:, :k], torch.cat([places, found + start], dim=1).gather(1, order[:, :k])
    return best, places


def _largest(values, k):
    """(N, k) places of the largest values in rows, in ascending order; of equal values the first are taken."""
    largest, places = values.topk(min(k + 1, values.shape[1]), dim=1)
    if places.shape[1] > k:
        # topk takes any of the values that are equal to the last one: where some are left over, a stable sort decides.
        tied = largest[:, k] == largest[:, k - 1]
        places[tied, :k] = values[tied].sort(dim=1, descending=True, stable=True).indices[:, :k]
    return places[:, :k].sort(dim=1).values


def _normalized(rows, name, start=0):
    lengths = torch.linalg.vector_norm(rows, dim=1)
    if not lengths.isfinite().all():
        place = start + int((~lengths.isfinite()).nonzero()[0])
        raise ValueError(f'vector {place} of the {name} holds NaN or infinite numbers: extract its video again')
    return F.normalize(rows, dim=1)
