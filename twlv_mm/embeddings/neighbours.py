"""Exact nearest neighbours by cosine, in bounded memory, on CPU and GPU.

CPUs with bf16 units multiply several times faster in bf16. On such CPUs, bf16 products with a rounding-error bound
preselect candidates; only those are scored in fp32.
"""

import mmap
import warnings

import numpy as np
import torch
import torch.nn.functional as F

from twlv_mm.encoders.precision import has_bf16_units

# Queries and gallery vectors per block. A block of the gallery should fit into a CPU's cache: 16 MiB for D = 1024.
QUERY_ROWS, GALLERY_ROWS = 2048, 4096
# With a larger fraction of candidates in a block, computing all cosines in fp32 is faster.
MOST_CANDIDATES = 1 / 8
# For so few queries reading the gallery dominates: scale the products instead of normalising and rounding its vectors.
FEW_QUERIES = 16
MIN_NORM = 1e-12  # as for torch.nn.functional.normalize
RELEASED_BLOCKS = 4  # blocks after which the pages read of a mapped gallery are released


def nearest(queries, gallery, k):
    """The k vectors of a gallery that are nearest to each query by cosine.

    Args:
        queries (Tensor): (N, D) float32; its device computes.
        gallery (ndarray): (B, D) float32, possibly memory-mapped.
        k (int): Neighbours.

    Returns:
        tuple[Tensor, Tensor]: (N, k) cosines, best first, and (N, k) indices into the gallery. Ties go to the first. A
        zero vector has cosine 0 with all.
    """
    if queries.shape[1] != gallery.shape[1]:
        raise ValueError(
            f'the queries have {queries.shape[1]} dimensions, the gallery has {gallery.shape[1]}: use the same '
            'encoder for both'
        )
    if not 1 <= k <= len(gallery):
        raise ValueError(f'k={k} is out of range: the gallery has {len(gallery)} vectors; use 1 <= k <= {len(gallery)}')
    # Autocast would round the products to 8 bits.
    with torch.no_grad(), torch.autocast(queries.device.type, enabled=False):
        few = len(queries) <= FEW_QUERIES
        coarse = not few and queries.device.type == 'cpu' and has_bf16_units()
        _norms(queries, 'queries')
        queries = F.normalize(queries, dim=1)
        blocks = [_Neighbours(_Rows(rows, coarse), k) for rows in queries.split(QUERY_ROWS)]
        for number, start in enumerate(range(0, len(gallery), GALLERY_ROWS), 1):
            rows = torch.from_numpy(np.array(gallery[start : start + GALLERY_ROWS])).to(queries.device)
            norms = _norms(rows, 'gallery', start)
            rows = _Rows(rows, coarse, norms) if few else _Rows(F.normalize(rows, dim=1), coarse)
            for block in blocks:
                block.meet(rows, start)
            if number % RELEASED_BLOCKS == 0:
                _release(gallery)
        _release(gallery)
    return torch.cat([block.cosines for block in blocks]), torch.cat([block.indices for block in blocks])


class _Rows:
    """Vectors, exact and rounded.

    Args:
        exact (Tensor): (M, D) float32.
        coarse (bool): Whether to keep rounded ones; for vectors of norm 1.
        norms (Tensor, optional): (M,) norms, if not 1.

    Attributes:
        coarse (Tensor | None): (M, D) bfloat16.
        rounding (Tensor): (M, 1) norms of the rounding errors.
    """

    def __init__(self, exact, coarse, norms=None):
        self.exact, self.norms = exact, norms
        self.coarse = exact.bfloat16() if coarse else None
        if coarse:
            self.rounding = torch.linalg.vector_norm(exact - self.coarse.float(), dim=1, keepdim=True)


class _Neighbours:
    """The nearest vectors of some queries among the blocks of the gallery seen so far, in order.

    Args:
        queries (_Rows): N of them.
        k (int): Neighbours.
    """

    def __init__(self, queries, k):
        self.queries, self.k = queries, k
        self.cosines = queries.exact.new_empty(len(queries.exact), 0)
        self.indices = torch.empty_like(self.cosines, dtype=torch.int64)

    def meet(self, rows, start):
        """Compare with a block of the gallery (_Rows) that starts at the index ``start``."""
        found = self.cosines.shape[1] == self.k
        candidates = self._candidates(rows) if found and rows.coarse is not None else None
        if candidates is not None and candidates.count_nonzero() <= MOST_CANDIDATES * candidates.numel():
            indices, cosines = _padded(candidates, lambda *pairs: _cosines_of_pairs(self.queries, rows, *pairs))
        else:
            values = self.queries.exact @ rows.exact.T
            if rows.norms is not None:
                values /= rows.norms.clamp(min=MIN_NORM)
            if not found:
                indices = _largest(values, self.k)
                cosines = values.gather(1, indices)
            else:
                # Few are nearer once k neighbours are found: five times faster than topk.
                indices, cosines = _padded(values > self.cosines[:, -1:], lambda row, index: values[row, index])
        # Earlier ones come first, and the stable sort keeps them before their equals.
        merged, order = torch.cat([self.cosines, cosines], dim=1).sort(dim=1, descending=True, stable=True)
        self.cosines = merged[:, : self.k]
        self.indices = torch.cat([self.indices, indices + start], dim=1).gather(1, order[:, : self.k])

    def _candidates(self, rows):
        """(N, M) bool, True at least where the fp32 cosine would bring a row among the neighbours.

        With q + d and b + e rounded to q and b, the cosine is (q + d)(b + e) = qb + d(b + e) + qe, which differs from
        qb by at most |d| |b + e| + |q| |e|; norms are 1 up to rounding, which the factor 1.01 covers. Sums of D
        products in fp32 have an error of at most about D / 2^24 on either side. Rounding qb to bf16 is monotonic: if qb
        reaches the bound, rounded qb reaches the rounded bound.
        """
        dims = rows.exact.shape[1]
        error = 1.01 * (self.queries.rounding + rows.rounding.max()) + dims * 2**-23
        return self.queries.coarse @ rows.coarse.T >= (self.cosines[:, -1:] - error).bfloat16()


def _padded(chosen, cosines_of):
    """Indices (N, P) of what is chosen (N, M), in ascending order, and cosines, which are -inf after the last in a row.

    ``cosines_of`` returns the cosines for the row and the index of each chosen pair.
    """
    row, index = chosen.nonzero(as_tuple=True)
    counts = row.bincount(minlength=len(chosen))
    column = torch.arange(len(row), device=row.device) - (counts.cumsum(0) - counts)[row]
    indices = row.new_zeros(len(chosen), int(counts.max()))
    cosines = indices.new_full(indices.shape, -torch.inf, dtype=torch.float32)
    indices[row, column] = index
    cosines[row, column] = cosines_of(row, index)
    return indices, cosines


def _cosines_of_pairs(queries, rows, row, index):
    """Cosines of selected pairs, by the one kernel of torch that does not copy a vector for each pair."""
    size = len(queries.exact), len(rows.exact)
    ends = torch.searchsorted(row, torch.arange(size[0] + 1))
    with warnings.catch_warnings():
        warnings.filterwarnings('ignore', 'Sparse CSR tensor support is in beta')
        pairs = torch.sparse_csr_tensor(ends, index, torch.zeros(len(row)), size, check_invariants=False)
    return torch.sparse.sampled_addmm(pairs, queries.exact, rows.exact.T, beta=0.0).values()


def _largest(values, k):
    """(N, k) indices of the largest values in each row, ascending; ties go to the first."""
    largest, indices = values.topk(min(k + 1, values.shape[1]), dim=1)
    if indices.shape[1] > k:
        # topk picks arbitrarily among values equal to the last one: if some are left over, a stable sort decides.
        tied = largest[:, k] == largest[:, k - 1]
        indices[tied, :k] = values[tied].sort(dim=1, descending=True, stable=True).indices[:, :k]
    return indices[:, :k].sort(dim=1).values


def _norms(rows, name, start=0):
    norms = torch.linalg.vector_norm(rows, dim=1)
    if not norms.isfinite().all():
        index = start + int((~norms.isfinite()).nonzero()[0])
        raise ValueError(f'vector {index} of the {name} contains NaN or Inf: extract its video again')
    return norms


def _release(gallery):
    """Release the pages read of a memory-mapped file, which would count as this process's memory."""
    mapped = getattr(gallery, '_mmap', None)
    if mapped is not None and hasattr(mmap, 'MADV_DONTNEED') and not gallery.flags.writeable:
        mapped.madvise(mmap.MADV_DONTNEED)
