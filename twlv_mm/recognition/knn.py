"""k nearest neighbours by cosine: exact, in bounded memory, on CPU and GPU."""

import numpy as np
import torch
import torch.nn.functional as F

# Queries and bank vectors whose cosines are in memory at a time, 128 MiB of them.
QUERY_ROWS, BANK_ROWS = 2048, 16384


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
        blocks = [_Neighbours(rows, k) for rows in _normalized(queries, 'queries').split(QUERY_ROWS)]
        for start in range(0, len(bank), BANK_ROWS):
            rows = torch.from_numpy(np.array(bank[start : start + BANK_ROWS])).to(queries.device)
            rows = _normalized(rows, 'bank', start)
            for block in blocks:
                block.meet(rows, start)
    return torch.cat([block.cosines for block in blocks]), torch.cat([block.places for block in blocks])


class _Neighbours:
    """The nearest vectors of some queries among those of the bank that they have met, which come in order.

    Args:
        queries (Tensor): (N, D) of length 1.
        k (int): Neighbours.
    """

    def __init__(self, queries, k):
        self.queries, self.k = queries, k
        self.cosines = queries.new_empty(len(queries), 0)
        self.places = torch.empty(len(queries), 0, dtype=torch.int64, device=queries.device)

    def meet(self, rows, start):
        """Compare with rows (B, D) of the bank, the first of which has the place ``start``."""
        cosines = self.queries @ rows.T
        found = _largest(cosines, self.k) if self.cosines.shape[1] < self.k else self._nearer(cosines)
        padded = cosines.gather(1, found.clamp(min=0)).masked_fill_(found < 0, -torch.inf)
        # What was met before comes first, and the stable sort keeps it before its equals.
        merged, order = torch.cat([self.cosines, padded], dim=1).sort(dim=1, descending=True, stable=True)
        self.cosines = merged[:, : self.k]
        self.places = torch.cat([self.places, found + start], dim=1).gather(1, order[:, : self.k])

    def _nearer(self, cosines):
        """(N, M) ascending places of what is nearer than the last neighbour, -1 after the last of them in a row.

        Few are, once the neighbours are found, so this is a fifth of the time of a selection of the largest.
        """
        row, place = (cosines > self.cosines[:, -1:]).nonzero(as_tuple=True)
        counts = row.bincount(minlength=len(cosines))
        found = row.new_full((len(cosines), int(counts.max())), -1)
        found[row, torch.arange(len(row), device=row.device) - (counts.cumsum(0) - counts)[row]] = place
        return found


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
