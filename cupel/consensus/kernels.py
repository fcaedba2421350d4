"""Kernels: the loops over single answers, compiled. Numba is imported here alone, by those who run a loop.

Answers are read item by item: those of item n stand at `start[n]` to `start[n + 1]` (excluded), each as its *cell*,
annotator times classes plus label, so that one number finds what the answer says. Tables have their cells in rows.
"""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cupel.compiled_loops import compiled

Integers = NDArray[np.int64]
Reals = NDArray[np.float64]
Places: TypeAlias = NDArray[np.integer[Any]]

# Items whose scores are held at a time: they stay in the processor's first cache.
ITEMS = 128
# So many answers of an item are sorted by shifting each to its place.
FEW = 32
# 2 to the power of the whole part, e to the power of the rest: log2(e), and ln(2) in two parts, the first with zeros
# at its end so that a whole number times it is exact (as in Sun's fdlibm).
LOG2_E = 1.4426950408889634
LN_2, LN_2_REST = 6.93147180369123816490e-01, 1.90821492927058770002e-10
# Added to a number and taken off again, it leaves the nearest whole one; in between, that one is in the lowest bits.
ROUNDS = 6755399441055744.0
# e to the power of less is taken for 0.
LEAST_EXPONENT = -700.0


@compiled
def by_items(item: Places, cell: Places, start: Integers, ordered: Places) -> None:
    """Write the cells to `ordered`, item by item.

    Args:
        item: Places of the answers' items, any order.
        cell: Their cells.
        start: Changed: filled with where each item's answers start; zeros before, shape items + 1.
        ordered: Changed; shape answers.
    """
    for n in range(len(item)):
        start[item[n] + 1] += 1
    for place in range(1, len(start)):
        start[place] += start[place - 1]
    free = start.copy()
    for n in range(len(item)):
        ordered[free[item[n]]] = cell[n]
        free[item[n]] += 1


@compiled
def in_order(
    start: Integers, cell: Places, first: int, last: int, classes: int, item: Integers, annotator: Integers,
    label: Integers,
) -> None:  # fmt: skip
    """Sort the cells of items `first` to `last` (excluded) within each item, and say what each stands for.

    Args:
        start: Where each item's answers start.
        cell: Changed; item by item.
        first: First of the items.
        last: First item that is none of them.
        classes: How many there are.
        item: Changed: places of the answers' items.
        annotator: Changed: places of their annotators.
        label: Changed: places of the answers among the classes.
    """
    for place in range(first, last):
        begin, end = start[place], start[place + 1]
        if end - begin > FEW:
            cell[begin:end].sort()
        else:
            for n in range(begin + 1, end):
                own = cell[n]
                to = n
                while to > begin and cell[to - 1] > own:
                    cell[to] = cell[to - 1]
                    to -= 1
                cell[to] = own
        for n in range(begin, end):
            item[n] = place
            annotator[n] = cell[n] // classes
            label[n] = cell[n] - annotator[n] * classes


@compiled
def add_votes(item: Integers, label: Integers, shares: Reals) -> None:
    """Write each item's share of votes per class to `shares`, equal shares where it has none.

    Args:
        item: Places of the answers' items.
        label: Their places among the classes.
        shares: Changed; zeros before, shape items x classes.
    """
    for n in range(len(item)):
        shares[item[n], label[n]] += 1.0
    for row in range(shares.shape[0]):
        votes = 0.0
        for state in range(shares.shape[1]):
            votes += shares[row, state]
        for state in range(shares.shape[1]):
            shares[row, state] = shares[row, state] / votes if votes > 0 else 1 / shares.shape[1]


@compiled
def weigh(
    start: Integers, cell: Places, first: int, last: int, logs: Reals, log_prior: Reals, scores: Reals
) -> None:  # fmt: skip
    """Write what the answers of items `first` to `last` (excluded) say, together with the prior, to `scores`.

    Args:
        start: Where each item's answers start.
        cell: The answers' cells.
        first: First of the items; it has the first row of the scores.
        last: First item that is none of them.
        logs: What an answer says, shape cells x states.
        log_prior: Shape states.
        scores: Changed; shape at least the items x states.
    """
    for item in range(first, last):
        row = item - first
        for state in range(logs.shape[1]):
            scores[row, state] = log_prior[state]
        for n in range(start[item], start[item + 1]):
            own = cell[n]
            for state in range(logs.shape[1]):
                scores[row, state] += logs[own, state]


@compiled
def add_chances(start: Integers, cell: Places, first: int, last: int, chances: Reals, counts: Reals) -> None:
    """Add each answer to its cell's counts, split over states as its item is.

    Args:
        start: Where each item's answers start.
        cell: The answers' cells.
        first: First of the items; it has the first row of the chances.
        last: First item that is none of them.
        chances: Shape at least the items x states.
        counts: Changed; shape cells x at least the states.
    """
    for item in range(first, last):
        row = item - first
        for n in range(start[item], start[item + 1]):
            own = cell[n]
            for state in range(chances.shape[1]):
                counts[own, state] += chances[row, state]


@compiled
def exponentials(values: Reals) -> None:
    """Replace numbers of at most 0 by e to their power, to the last digit but one; the same on every processor.

    The loop has no call in it, so that a processor takes several numbers at a time.
    """
    for n in range(len(values)):
        value = values[n]
        shifted = value * LOG2_E + ROUNDS
        whole = shifted - ROUNDS
        rest = (value - whole * LN_2) - whole * LN_2_REST
        power = 1.0 / 6227020800
        power = power * rest + 1.0 / 479001600
        power = power * rest + 1.0 / 39916800
        power = power * rest + 1.0 / 3628800
        power = power * rest + 1.0 / 362880
        power = power * rest + 1.0 / 40320
        power = power * rest + 1.0 / 5040
        power = power * rest + 1.0 / 720
        power = power * rest + 1.0 / 120
        power = power * rest + 1.0 / 24
        power = power * rest + 1.0 / 6
        power = power * rest + 0.5
        power = power * rest + 1.0
        power = power * rest + 1.0
        twos = np.int64((np.float64(shifted).view(np.int64) + 1023) << 52).view(np.float64)
        values[n] = power * twos if value > LEAST_EXPONENT else 0.0


@compiled
def soften(scores: Reals, rows: int) -> None:
    """Replace the first rows of scores by chances that add up to 1; a score of minus infinity is chance 0.

    Args:
        scores: Changed; shape at least the rows x a multiple of four, as four states are taken at a time.
        rows: How many rows.
    """
    width = scores.shape[1]
    for row in range(rows):
        a, b, c, d = scores[row, 0], scores[row, 1], scores[row, 2], scores[row, 3]
        for state in range(4, width, 4):
            a = a if a > scores[row, state] else scores[row, state]
            b = b if b > scores[row, state + 1] else scores[row, state + 1]
            c = c if c > scores[row, state + 2] else scores[row, state + 2]
            d = d if d > scores[row, state + 3] else scores[row, state + 3]
        a = a if a > b else b
        c = c if c > d else d
        top = a if a > c else c
        for state in range(width):
            scores[row, state] -= top
    exponentials(scores.reshape(-1)[: rows * width])
    for row in range(rows):
        a = b = c = d = 0.0
        for state in range(0, width, 4):
            a += scores[row, state]
            b += scores[row, state + 1]
            c += scores[row, state + 2]
            d += scores[row, state + 3]
        share = 1.0 / ((a + b) + (c + d))
        for state in range(width):
            scores[row, state] *= share


@compiled
def decide(scores: Reals, rows: int) -> None:
    """Replace the first rows of scores by 1 for the highest, the first of several, and 0 for the others."""
    for row in range(rows):
        best = 0
        for state in range(1, scores.shape[1]):
            if scores[row, state] > scores[row, best]:
                best = state
        for state in range(scores.shape[1]):
            scores[row, state] = 1.0 if state == best else 0.0


@compiled
def renew(
    start: Integers, cell: Places, first: int, last: int, logs: Reals, log_prior: Reals, is_decided: bool,
    posterior: Reals, counts: Reals, sums: Reals,
) -> float:  # fmt: skip
    """Find the posterior of items `first` to `last` (excluded) anew and add what it comes to; return the furthest move.

    Answers are read once: those of some items are weighed, and counted while they are at hand.

    Args:
        start: Where each item's answers start.
        cell: The answers' cells.
        first: First of the items.
        last: First item that is none of them.
        logs: What an answer says, shape cells x width, the states and what fills the row up.
        log_prior: Shape width, minus infinity for what is no state.
        is_decided: Each item counts for its likeliest state alone.
        posterior: Changed; all items x states.
        counts: Changed; shape cells x width: each answer, split over states as its item is.
        sums: Changed; shape width: items with answers, split likewise.
    """
    scores = np.empty((ITEMS, logs.shape[1]))
    moved = 0.0
    for low in range(first, last, ITEMS):
        high = min(low + ITEMS, last)
        weigh(start, cell, low, high, logs, log_prior, scores)
        if is_decided:
            decide(scores, high - low)
        else:
            soften(scores, high - low)
        for item in range(low, high):
            for state in range(posterior.shape[1]):
                chance = scores[item - low, state]
                moved = max(moved, abs(chance - posterior[item, state]))
                posterior[item, state] = chance
        add_answered(start, low, high, scores, sums)
        add_chances(start, cell, low, high, scores, counts)
    return moved


@compiled
def add_answered(start: Integers, first: int, last: int, chances: Reals, sums: Reals) -> None:
    """Add the chances of items `first` to `last` (excluded) that have answers to `sums`, shape states."""
    for item in range(first, last):
        if start[item] < start[item + 1]:
            for state in range(chances.shape[1]):
                sums[state] += chances[item - first, state]
