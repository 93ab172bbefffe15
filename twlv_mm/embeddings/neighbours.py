"""Exact nearest neighbours by cosine, in bounded memory, on CPU and GPU.

CPUs with bf16 units multiply several times faster in bf16. There, once k vectors are found, rounded products with a
bound on the rounding error select the candidates, and only their cosines are computed in fp32.
"""

import mmap
import warnings

import numpy as np
import torch
import torch.nn.functional as F

from twlv_mm.encoders.precision import has_bf16_units

# Queries and bank vectors per block. A block of the bank should fit into a CPU's cache: 16 MiB for D = 1024.
QUERY_ROWS, BANK_ROWS = 2048, 4096
# With a larger fraction of candidates in a block, computing all cosines in fp32 is faster.
MOST_CANDIDATES = 1 / 8
# For so few queries reading the bank dominates: scale the products instead of normalising and rounding its vectors.
FEW_QUERIES = 16
LEAST_LENGTH = 1e-12  # as for torch.nn.functional.normalize
RELEASED_BLOCKS = 4  # blocks after which the pages read of a mapped bank are released


def nearest(queries, bank, k):
    """The k vectors of a bank that are nearest to each query by cosine.

    Args:
        queries (Tensor): (N, D) float32; its device computes.
        bank (ndarray): (B, D) float32, possibly memory-mapped.
        k (int): Neighbours.

    Returns:
        tuple[Tensor, Tensor]: (N, k) cosines, best first, and (N, k) indices into the bank. Ties go to the first in the
        bank. A zero vector has cosine 0 with all.
    """
    if queries.shape[1] != bank.shape[1]:
        raise ValueError(
            f'the queries have {queries.shape[1]} numbers per vector, the bank has {bank.shape[1]}: use the same '
            'encoder for both'
        )
    if not 1 <= k <= len(bank):
        raise ValueError(
            f'k={k} neighbours cannot be found in a bank of {len(bank)} vectors: set k to 1 ... {len(bank)}'
        )
    # Autocast would round the products to 8 bits.
    with torch.no_grad(), torch.autocast(queries.device.type, enabled=False):
        few = len(queries) <= FEW_QUERIES
        coarse = not few and queries.device.type == 'cpu' and has_bf16_units()
        _lengths(queries, 'queries')
        queries = F.normalize(queries, dim=1)
        blocks = [_Neighbours(_Rows(rows, coarse), k) for rows in queries.split(QUERY_ROWS)]
        for number, start in enumerate(range(0, len(bank), BANK_ROWS), 1):
            rows = torch.from_numpy(np.array(bank[start : start + BANK_ROWS])).to(queries.device)
            lengths = _lengths(rows, 'bank', start)
            rows = _Rows(rows, coarse, lengths) if few else _Rows(F.normalize(rows, dim=1), coarse)
            for block in blocks:
                block.meet(rows, start)
            if number % RELEASED_BLOCKS == 0:
                _release(bank)
        _release(bank)
    return torch.cat([block.cosines for block in blocks]), torch.cat([block.places for block in blocks])


class _Rows:
    """Vectors, exact and rounded.

    Args:
        exact (Tensor): (M, D) float32.
        coarse (bool): Whether to keep rounded ones; for vectors of length 1.
        lengths (Tensor, optional): (M,) lengths, if not 1.

    Attributes:
        coarse (Tensor | None): (M, D) bfloat16.
        rounding (Tensor): (M, 1) lengths of the rounding errors.
    """

    def __init__(self, exact, coarse, lengths=None):
        self.exact, self.lengths = exact, lengths
        self.coarse = exact.bfloat16() if coarse else None
        if coarse:
            self.rounding = torch.linalg.vector_norm(exact - self.coarse.float(), dim=1, keepdim=True)


class _Neighbours:
    """The nearest vectors of some queries among the blocks of the bank seen so far, in order.

    Args:
        queries (_Rows): N of them.
        k (int): Neighbours.
    """

    def __init__(self, queries, k):
        self.queries, self.k = queries, k
        self.cosines = queries.exact.new_empty(len(queries.exact), 0)
        self.places = torch.empty_like(self.cosines, dtype=torch.int64)

    def meet(self, rows, start):
        """Compare with a block of the bank (_Rows) that starts at the index ``start``."""
        found = self.cosines.shape[1] == self.k
        candidates = self._candidates(rows) if found and rows.coarse is not None else None
        if candidates is not None and candidates.count_nonzero() <= MOST_CANDIDATES * candidates.numel():
            places, cosines = _padded(candidates, lambda *pairs: _cosines_of_pairs(self.queries, rows, *pairs))
        else:
            values = self.queries.exact @ rows.exact.T
            if rows.lengths is not None:
                values /= rows.lengths.clamp(min=LEAST_LENGTH)
            if not found:
                places = _largest(values, self.k)
                cosines = values.gather(1, places)
            else:
                # Few are nearer once k neighbours are found: five times faster than topk.
                places, cosines = _padded(values > self.cosines[:, -1:], lambda row, place: values[row, place])
        # Earlier ones come first, and the stable sort keeps them before their equals.
        merged, order = torch.cat([self.cosines, cosines], dim=1).sort(dim=1, descending=True, stable=True)
        self.cosines = merged[:, : self.k]
        self.places = torch.cat([self.places, places + start], dim=1).gather(1, order[:, : self.k])

    def _candidates(self, rows):
        """(N, M) bool, True at least where the fp32 cosine would bring a row among the neighbours.

        With q + d and b + e rounded to q and b, the cosine is (q + d)(b + e) = qb + d(b + e) + qe, which differs from
        qb by at most |d| |b + e| + |q| |e|; lengths are 1 up to rounding, which the factor 1.01 covers. Sums of D
        products in fp32 have an error of at most about D / 2^24 on either side. Rounding qb to bf16 is monotonic: if qb
        reaches the bound, rounded qb reaches the rounded bound.
        """
        dims = rows.exact.shape[1]
        error = 1.01 * (self.queries.rounding + rows.rounding.max()) + dims * 2**-23
        return self.queries.coarse @ rows.coarse.T >= (self.cosines[:, -1:] - error).bfloat16()


def _padded(chosen, cosines_of):
    """Places (N, P) of what is chosen (N, M), in ascending order, and cosines, which are -inf after the last in a row.

    ``cosines_of`` gives the cosines for the row and the place of each that is chosen.
    """
    row, place = chosen.nonzero(as_tuple=True)
    counts = row.bincount(minlength=len(chosen))
    column = torch.arange(len(row), device=row.device) - (counts.cumsum(0) - counts)[row]
    places = row.new_zeros(len(chosen), int(counts.max()))
    cosines = places.new_full(places.shape, -torch.inf, dtype=torch.float32)
    places[row, column] = place
    cosines[row, column] = cosines_of(row, place)
    return places, cosines


def _cosines_of_pairs(queries, rows, row, place):
    """Cosines of selected pairs, by the one kernel of torch that does not copy a vector for each pair."""
    size = len(queries.exact), len(rows.exact)
    ends = torch.searchsorted(row, torch.arange(size[0] + 1))
    with warnings.catch_warnings():
        warnings.filterwarnings('ignore', 'Sparse CSR tensor support is in beta')
        pairs = torch.sparse_csr_tensor(ends, place, torch.zeros(len(row)), size, check_invariants=False)
    return torch.sparse.sampled_addmm(pairs, queries.exact, rows.exact.T, beta=0.0).values()


def _largest(values, k):
    """(N, k) indices of the largest values in each row, ascending; ties go to the first."""
    largest, places = values.topk(min(k + 1, values.shape[1]), dim=1)
    if places.shape[1] > k:
        # topk picks arbitrarily among values equal to the last one: if some are left over, a stable sort decides.
        tied = largest[:, k] == largest[:, k - 1]
        places[tied, :k] = values[tied].sort(dim=1, descending=True, stable=True).indices[:, :k]
    return places[:, :k].sort(dim=1).values


def _lengths(rows, name, start=0):
    lengths = torch.linalg.vector_norm(rows, dim=1)
    if not lengths.isfinite().all():
        place = start + int((~lengths.isfinite()).nonzero()[0])
        raise ValueError(f'vector {place} of the {name} holds NaN or infinite numbers: extract its video again')
    return lengths


def _release(bank):
    """Release the pages read of a memory-mapped file, which would count as this process's memory."""
    mapped = getattr(bank, '_mmap', None)
    if mapped is not None and hasattr(mmap, 'MADV_DONTNEED') and not bank.flags.writeable:
        mapped.madvise(mmap.MADV_DONTNEED)
