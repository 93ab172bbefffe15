"""Stratified splits of labelled videos that keep each group in one part."""

import random
from collections import Counter

ATTEMPTS = 20  # random orders to try while a class is missing from a part


def split_groups(groups, shares, seed=0):
    """Divide groups of samples into parts, each with its share of every class.

    A class gets a sample in every part if it has enough groups, however small the share.

    Args:
        groups (dict[str, dict[str, int]]): Group -> class -> number of samples.
        shares (Sequence[float]): Share of each part, above 0; they sum to 1.
        seed (int): Random seed.

    Returns:
        dict[str, int]: group -> index of its part.
    """
    rng = random.Random(seed)
    totals = Counter()
    for counts in groups.values():
        totals.update(counts)
    best = None
    for _ in range(ATTEMPTS):
        parts, missing = _divide(groups, shares, totals, rng)
        if best is None or missing < best[1]:
            best = parts, missing
        if not missing:
            break
    return best[0]


def _divide(groups, shares, totals, rng):
    """One greedy division by the largest deficit; returns it and the number of (part, class) pairs without a sample."""
    names = sorted(groups)
    rng.shuffle(names)
    names.sort(key=lambda name: -sum(groups[name].values()))  # stable: equal groups stay shuffled
    wanted = {label: _counts(count, shares) for label, count in totals.items()}
    lacking = [{label: counts[part] for label, counts in wanted.items()} for part in range(len(shares))]
    sizes = [share * sum(totals.values()) for share in shares]
    here = [Counter() for _ in shares]
    found = {}
    for name in names:
        counts = groups[name]

        def need(part, counts=counts):
            by_class = sum(count * lacking[part][label] / totals[label] for label, count in counts.items())
            return round(by_class, 9), sizes[part]

        part = max(range(len(shares)), key=need)
        found[name] = part
        here[part].update(counts)
        sizes[part] -= sum(counts.values())
        for label, count in counts.items():
            lacking[part][label] -= count
    groups_of = Counter(label for counts in groups.values() for label in counts)
    missing = sum(label not in part for label, count in groups_of.items() if count >= len(shares) for part in here)
    return found, missing


def _counts(count, shares):
    """Samples of a class that each part should have: at least 1, taken from the largest part."""
    if count < len(shares):
        return [1 + share for share in shares]  # the parts with the largest shares first
    counts = [max(share * count, 1) for share in shares]
    largest = counts.index(max(counts))
    counts[largest] -= sum(counts) - count
    return counts
