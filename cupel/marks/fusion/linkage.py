"""Compiled loops that find which marks mean the same thing: best-first linkage within item and class."""

import numpy as np
from numpy.typing import NDArray

from cupel.compiled_loops import compiled

Integers = NDArray[np.int64]
Reals = NDArray[np.float64]
# So many pairs of a group are sorted by shifting each to its place.
FEW = 64


@compiled
def measure_overlap(low: Reals, high: Reals, n: int, m: int) -> float:
    """Return intersection over union of marks n and m, 0 to 1."""
    shared, one, other = 1.0, 1.0, 1.0
    for side in range(low.shape[1]):
        width = min(high[n, side], high[m, side]) - max(low[n, side], low[m, side])
        if width <= 0.0:
            return 0.0
        shared *= width
        one *= high[n, side] - low[n, side]
        other *= high[m, side] - low[m, side]
    return shared / (one + other - shared)


@compiled
def _sort_pairs(overlap: Reals, one: Integers, other: Integers, count: int) -> None:
    """Sort the first `count` pairs by falling overlap, equals as they stand, in place."""
    if count > FEW:
        order = np.argsort(-overlap[:count], kind="mergesort")
        overlap[:count] = overlap[:count][order]
        one[:count] = one[:count][order]
        other[:count] = other[:count][order]
        return
    for place in range(1, count):
        value, n, m = overlap[place], one[place], other[place]
        back = place - 1
        while back >= 0 and overlap[back] < value:
            overlap[back + 1], one[back + 1], other[back + 1] = overlap[back], one[back], other[back]
            back -= 1
        overlap[back + 1], one[back + 1], other[back + 1] = value, n, m


@compiled
def _join(n: int, m: int, person: Integers, root: Integers, following: Integers, last: Integers) -> None:
    """Make one cluster of those of marks n and m of a group, unless a person is in both."""
    one, other = root[n], root[m]
    if one == other:
        return
    a = one
    while a >= 0:
        b = other
        while b >= 0:
            if person[a] == person[b]:
                return
            b = following[b]
        a = following[a]
    following[last[one]] = other
    last[one] = last[other]
    b = other
    while b >= 0:
        root[b] = one
        b = following[b]


@compiled
def _list_pairs(
    first: int, end: int, low: Reals, high: Reals, annotator: Integers, least: float, overlap: Reals, one: Integers,
    other: Integers,
) -> int:  # fmt: skip
    """Write down the pairs of a group that overlap enough (by place in it) as far as there is room, return how many."""
    count, room = 0, len(overlap)
    for n in range(first, end):
        for m in range(n + 1, end):
            if low[m, 0] >= high[n, 0]:
                break
            if annotator[n] == annotator[m]:
                continue
            value = measure_overlap(low, high, n, m)
            if value >= least:
                if count < room:
                    overlap[count], one[count], other[count] = value, n - first, m - first
                count += 1
    return count


@compiled
def _number_clusters(cluster: Integers, root: Integers, number: Integers, found: int) -> int:
    """Number the clusters of a group by their first marks, from `found` on; return the first number that is free."""
    for n in range(len(cluster)):
        number[n] = -1
    for n in range(len(cluster)):
        if number[root[n]] < 0:
            number[root[n]] = found
            found += 1
        cluster[n] = number[root[n]]
    return found


@compiled
def link_marks(
    start: Integers, kind: Integers, low: Reals, high: Reals, annotator: Integers, least: float
) -> tuple[Integers, Integers]:
    """Return each mark's cluster, and where each item's clusters start.

    Pairs of different annotators with an overlap of `least` or more are taken from the best down; two clusters become
    one unless one annotator is in both. Clusters are numbered item by item, by their first mark.

    Args:
        start: Where each item's marks start, shape items + 1; within an item marks are sorted by class, then edges.
        kind: Class of each mark, shape marks.
        low: Lower edges, shape marks and dimensions.
        high: Upper edges, the same shape.
        annotator: Who made it, shape marks.
        least: Smallest overlap of a pair, 0 to 1.
    """
    cluster, cluster_start = np.empty(len(kind), np.int64), np.zeros(len(start), np.int64)
    root, last, following = np.empty(64, np.int64), np.empty(64, np.int64), np.empty(64, np.int64)
    overlap, one, other = np.empty(256), np.empty(256, np.int64), np.empty(256, np.int64)
    found = 0
    for item in range(len(start) - 1):
        first = start[item]
        while first < start[item + 1]:
            end = first + 1
            while end < start[item + 1] and kind[end] == kind[first]:
                end += 1
            size, count = end - first, _list_pairs(first, end, low, high, annotator, least, overlap, one, other)
            if size > len(root):
                root, last, following = np.empty(size, np.int64), np.empty(size, np.int64), np.empty(size, np.int64)
            if count > len(overlap):
                overlap, one, other = np.empty(2 * count), np.empty(2 * count, np.int64), np.empty(2 * count, np.int64)
                _list_pairs(first, end, low, high, annotator, least, overlap, one, other)
            for n in range(size):
                root[n], last[n], following[n] = n, n, -1
            _sort_pairs(overlap, one, other, count)
            person = annotator[first:end]
            for place in range(count):
                _join(one[place], other[place], person, root, following, last)
            found = _number_clusters(cluster[first:end], root, last, found)
            first = end
        cluster_start[item + 1] = found
    return cluster, cluster_start
