"""An endless, shuffled sequence of choices in given shares that can be entered anywhere."""

import numpy as np

ROUND = 1000  # slots after which every choice has had its share, to one slot
GOLDEN = 0.6180339887498949  # the fraction whose multiples are spread most evenly over [0, 1)


class Rota:
    """Slots 0, 1, 2, ... of which each has one of K choices, the same for the same seed.

    Of every round of 1,000 slots each choice gets its share, rounded up or down (systematic sampling), in random order;
    rounding evens out over the rounds. Unlike independent draws this has a closed form for how often a choice came
    before a slot, so that a run of a million steps resumes at once.

    Args:
        shares (Sequence[float]): (K,) positive; they need not sum to one.
        seed (Sequence[int]): What the order follows from.

    Raises:
        ValueError: if a share is not positive and finite, or there is none.
    """

    def __init__(self, shares, seed):
        shares = np.asarray(shares, np.float64)
        if not len(shares) or not (np.isfinite(shares).all() and (shares > 0).all()):
            raise ValueError(f'shares are {shares.tolist()}; each has to be a positive number')
        self._ends = shares.cumsum() / shares.sum() * ROUND
        self._ends[-1] = ROUND
        self._seed = list(seed)

    def choices(self, start, stop):
        """The choices of slots.

        Args:
            start (int): First slot.
            stop (int): One after the last.

        Returns:
            ndarray: (stop - start,) ints from 0 to K - 1.
        """
        rounds = range(start // ROUND, (stop - 1) // ROUND + 1)
        slots = np.concatenate([self._round(number) for number in rounds])
        return slots[start - rounds[0] * ROUND : stop - rounds[0] * ROUND]

    def before(self, slot):
        """How often each choice comes before a slot.

        Args:
            slot (int): From 0.

        Returns:
            ndarray: (K,) ints that sum to ``slot``.
        """
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
