"""Pairs to clusters: what is alike, directly or through others, and which of it is kept."""

import numpy as np

from cupel.cleaning.jaccard import Positions
from cupel.loops import numba as nb


@nb.njit(nogil=True, cache=True)
def clusters(count: int, left: Positions, right: Positions) -> Positions:
    """Return, for each of `count` items, the earliest item of its cluster: the one that is kept.

    Args:
        count: Items; they are their places, the earliest first.
        left: One item of each pair.
        right: The other one.

    Returns:
        The kept item of each item's cluster; of an item without pairs itself. The order of pairs does not matter.

    Source: Tarjan (1975), Journal of the ACM 22(2).

    >>> clusters(5, np.array([4, 2]), np.array([2, 1])).tolist()
    [0, 1, 1, 3, 1]
    """
    parent = np.arange(count)
    for pair in range(len(left)):
        one, other = left[pair], right[pair]
        while parent[one] != one:
            parent[one] = parent[parent[one]]
            one = parent[one]
        while parent[other] != other:
            parent[other] = parent[parent[other]]
            other = parent[other]
        parent[max(one, other)] = min(one, other)
    # A parent stands before its children, so that its own root is known when theirs is asked for.
    for item in range(count):
        parent[item] = parent[parent[item]]
    return parent
