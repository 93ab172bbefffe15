"""An endless, shuffled sequence of choices in given shares that can be entered at any point."""

import numpy as np

ROUND = 1000  # slots in which every choice gets its share, to one slot
GOLDEN = 0.6180339887498949  # its multiples modulo 1 are spread most evenly over [0, 1)


class ChoiceSequence:
    """Slots 0, 1, 2, ... each with one of K choices, the same for the same seed.

    In every round of 1,000 slots each choice gets its share, rounded up or down (systematic sampling), in random order;
    rounding evens out over the rounds. Unlike with independent draws, the number of times that a choice came before a
    slot can be computed directly, so that a run of a million steps resumes at once.

    Args:
        shares (Sequence[float]): (K,) positive; they need not sum to one.
        seed (Sequence[int]): Seed of the order.
    """

    def __init__(self, shares, seed):
        shares = np.asarray(shares, np.float64)
        if not len(shares) or not (np.isfinite(shares).all() and (shares > 0).all()):
            raise ValueError(f'shares are {shares.tolist()}; each must be a positive number')
        self._ends = shares.cumsum() / shares.sum() * ROUND
        self._ends[-1] = ROUND
        self._seed = list(seed)

    def choices(self, start, stop):
        """The choices of slots start to stop - 1: (stop - start,) ints from 0 to K - 1."""
        rounds = range(start // ROUND, (stop - 1) // ROUND + 1)
        slots = np.concatenate([self._round(number) for number in rounds])
        return slots[start - rounds[0] * ROUND : stop - rounds[0] * ROUND]

    def before(self, slot):
        """How often each choice comes before a slot: (K,) ints that sum to ``slot``."""
        whole, rest = divmod(slot, ROUND)
        counts = self._counts(np.arange(whole)).sum(axis=0)
        return counts + np.bincount(self._round(whole)[:rest], minlength=len(self._ends))

    def _counts(self, rounds):
        """(R,) numbers of rounds -> (R, K) slots that each choice has in them."""
        # The points i + offset, 0 <= i < ROUND, that lie below each end.
        offsets = rounds[:, None] * GOLDEN % 1
        below = np.clip(np.ceil(self._ends - offsets), 0, ROUND).astype(np.int64)
        below[:, -1] = ROUND
        return np.diff(below, axis=1, prepend=0)

    def _round(self, number):
        counts = self._counts(np.array([number]))[0]
        slots = np.repeat(np.arange(len(counts)), counts)
        return np.random.default_rng([*self._seed, number]).permutation(slots)
