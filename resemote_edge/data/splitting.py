"""Splitting: draws the splits that a dataset lacks, the same on every machine.

Every image belongs to a group (equal pixels, or one photograph). Class by class, groups are sorted by the SHA-256 of
their key and cut into splits. No seed, order of files or random number generator is involved, so that others can repeat
a measurement on a drawn split.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["THREE_WAY", "WITH_VALIDATION", "draw_splits"]

#: Share of the training images that become the validation split where a dataset has none.
WITH_VALIDATION: Mapping[str, float] = {"train": 0.9, "validation": 0.1}

#: Shares where a dataset has no splits at all.
THREE_WAY: Mapping[str, float] = {"train": 0.8, "validation": 0.1, "test": 0.1}


def draw_splits(
    targets: NDArray[np.int64], groups: Sequence[bytes], fractions: Mapping[str, float]
) -> dict[str, NDArray[np.int64]]:
    """Draw stratified splits that never separate a group.

    Every split but the first gets its share of each class's groups, rounded, and at least one group as long as one
    remains for the first split. With fewer groups than splits, the later splits get none. A group with images of
    several classes belongs to the rarest of them.

    Args:
        targets: Classes, int64 (N,).
        groups: Keys, N of them; images of equal keys stay together.
        fractions: Share of each split, summing to 1. The first one gets what is left.

    Returns:
        Indices by split, int64, ascending; every index occurs in exactly one split. The choice depends on keys and
        classes, not on the order the images come in.
    """
    members: dict[bytes, list[int]] = defaultdict(list)
    for index, key in enumerate(groups):
        members[key].append(index)
    frequency = Counter(targets.tolist())
    strata: dict[int, list[bytes]] = defaultdict(list)
    for key, indices in members.items():
        rarest = min({int(targets[index]) for index in indices}, key=lambda target: (frequency[target], target))
        strata[rarest].append(key)
    drawn: dict[str, list[int]] = {split: [] for split in fractions}
    for keys in strata.values():
        start = 0
        # By hash, because keys may be names, whose order has a meaning.
        keys.sort(key=lambda key: (hashlib.sha256(key).digest(), key))
        for split, count in _counts(len(keys), fractions).items():
            drawn[split] += [index for key in keys[start : start + count] for index in members[key]]
            start += count
    return {split: np.array(sorted(indices), dtype=np.int64) for split, indices in drawn.items()}


def _counts(total: int, fractions: Mapping[str, float]) -> dict[str, int]:
    """Number of groups for each split, out of this many."""
    first, *others = fractions
    counts = {split: max(1, int(total * fractions[split] + 0.5)) for split in others}
    while counts and sum(counts.values()) >= total and max(counts.values()) > 0:
        largest = max(counts.values())  # The last split of this size gets one less.
        counts[[split for split, count in counts.items() if count == largest][-1]] -= 1
    return {first: total - sum(counts.values()), **counts}
