"""Compiled loops that bring marks into order: item by item, within one by class and edges, equals by annotator."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cupel.compiled_loops import compiled

Integers = NDArray[np.int64]
Reals = NDArray[np.float64]
Words = NDArray[np.uint64]

# The three multipliers and the shifts of splitmix64: Steele, Lea and Flood (2014), OOPSLA.
STEP, FIRST, SECOND = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
S30, S27, S31 = np.uint64(30), np.uint64(27), np.uint64(31)


@compiled
def group_rows(item: Integers, items: int) -> tuple[Integers, Integers]:
    """Return where each item's rows start (shape items + 1), and the rows item by item, each in its old order."""
    start = np.zeros(items + 1, np.int64)
    for n in range(len(item)):
        start[item[n] + 1] += 1
    for place in range(1, items + 1):
        start[place] += start[place - 1]
    free = start.copy()
    row = np.empty(len(item), np.int64)
    for n in range(len(item)):
        row[free[item[n]]] = n
        free[item[n]] += 1
    return start, row


@compiled
def _is_before(n: int, m: int, kind: Integers, low: Reals, high: Reals, annotator: Integers) -> bool:
    """Return whether mark n comes before mark m."""
    if kind[n] != kind[m]:
        return bool(kind[n] < kind[m])
    for side in range(low.shape[1]):
        if low[n, side] != low[m, side]:
            return bool(low[n, side] < low[m, side])
    for side in range(low.shape[1]):
        if high[n, side] != high[m, side]:
            return bool(high[n, side] < high[m, side])
    return bool(annotator[n] < annotator[m])


@compiled
def order_group(start: Integers, row: Integers, kind: Integers, low: Reals, high: Reals, annotator: Integers) -> None:
    """Sort the rows of each item by class, edges and annotator, in place: by merging, from runs of one.

    Args:
        start: Where each item's rows start, shape items + 1.
        row: Changed: the rows, item by item.
        kind: Class of each mark; like all that follow, in the order of rows.
        low: Lower edges, shape marks and dimensions.
        high: Upper edges, the same shape.
        annotator: Rank of the annotator.
    """
    spare = np.empty(len(row), np.int64)
    for item in range(len(start) - 1):
        first, last = start[item], start[item + 1]
        width = 1
        while width < last - first:
            for left in range(first, last, 2 * width):
                middle, end = min(left + width, last), min(left + 2 * width, last)
                a, b = left, middle
                for place in range(left, end):
                    if a < middle and (b >= end or not _is_before(row[b], row[a], kind, low, high, annotator)):
                        spare[place] = row[a]
                        a += 1
                    else:
                        spare[place] = row[b]
                        b += 1
            row[first:last] = spare[first:last]
            width *= 2


@compiled
def _mix(word: Any) -> Any:
    """Return a number whose bits all depend on all of the word's: one step of splitmix64."""
    word = word + STEP
    word = (word ^ (word >> S30)) * FIRST
    word = (word ^ (word >> S27)) * SECOND
    return word ^ (word >> S31)


@compiled
def hash_answers(item: Integers, person: Integers, content: Words, sums: Words) -> None:
    """Add a hash of each row to its person's sum: the order of rows does not matter.

    Args:
        item: Item of each row.
        person: Whose row it is, a place in `sums`.
        content: What else the row says, as bits, shape rows and words.
        sums: Changed; shape people.
    """
    for n in range(len(item)):
        word = _mix(np.uint64(item[n]))
        for place in range(content.shape[1]):
            word = _mix(word ^ content[n, place])
        sums[person[n]] += word
