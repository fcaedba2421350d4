"""Oracle: what could be had by who knows the gold. Never a result: what the deployed procedure is measured against."""

import numpy as np
from numpy.typing import NDArray

from cupel.certificate.attempts import ALPHA_TOTAL
from cupel.certificate.hypergeometric import Integers, tail
from cupel.certificate.sequence import floor_share

CUTS, MOST_FOUND, ENOUGH_CHANCE = 101, 20, 0.95

Flags = NDArray[np.bool_]


def frontier_share(is_wrong: Flags, target: float) -> float:
    """Return the smallest share of items, the riskiest first, whose adjudication leaves the target error.

    Args:
        is_wrong: In risk order, the safest first.
        target: Share of wrong labels of all items.

    >>> frontier_share(np.array([False] * 8 + [True, True]), 0.1)
    0.1
    """
    size = len(is_wrong)
    return (size - accepted_by(is_wrong, floor_share(target, size))) / size


def floor_of_any(is_wrong: Flags, error_budget: float) -> float:
    """Return the share that any valid method needs against errors that no ranking shows, with this order of risk.

    As many items as an oracle would adjudicate, and the smallest sample of the rest that proves the budget
    at 95% if not a single error is found in it.

    Args:
        is_wrong: In risk order, the safest first.
        error_budget: Highest share of wrong labels of all items.
    """
    size = len(is_wrong)
    allowed = floor_share(error_budget, size)
    accepted = accepted_by(is_wrong, allowed)
    if accepted <= allowed:
        return 1 - accepted / size
    drawn = np.arange(1, accepted + 1, dtype=np.int64)
    clean = tail(0, accepted, allowed + 1, drawn)
    return float((size - accepted + drawn[np.argmax(clean <= ALPHA_TOTAL)]) / size)


def clopper_pearson_share(is_wrong: Flags, error_budget: float) -> float:
    """Return what the textbook's way would cost at its best cut.

    Adjudicate the riskiest items, audit the rest, and accept it where the exact upper bound of its error
    (Clopper and Pearson, 95%) is within the budget. Of all cuts and numbers of errors let through, the
    cheapest is taken that passes with at least 95% chance; no deployed rule could know it.

    Args:
        is_wrong: In risk order, the safest first.
        error_budget: Highest share of wrong labels of all items.
    """
    size, before = len(is_wrong), np.cumsum(is_wrong)
    found = np.arange(MOST_FOUND, dtype=np.int64)
    best = 1.0
    for accepted in np.unique(np.linspace(1, size, CUTS).astype(np.int64)):
        drawn = _smallest_audits(found, int(accepted), min(1.0, error_budget * size / int(accepted)))
        chance = tail(found, accepted, before[accepted - 1], drawn)
        is_enough = (chance >= ENOUGH_CHANCE) & (drawn < accepted)
        if is_enough.any():
            best = min(best, float((size - accepted + drawn[is_enough].min()) / size))
    return best


def _smallest_audits(found: Integers, most: int, error: float) -> Integers:
    """Return the smallest samples whose Clopper-Pearson bound is within an error; `most` where none is."""
    from scipy.special import bdtr

    low, high = np.minimum(found + 1, most), np.full(found.shape, most, dtype=np.int64)
    while np.any(low < high):
        middle = (low + high) // 2
        is_passed = bdtr(found, middle, error) <= ALPHA_TOTAL
        low, high = np.where(is_passed, low, middle + 1), np.where(is_passed, middle, high)
    return low


def accepted_by(is_wrong: Flags, allowed: int) -> int:
    """Return the most items, the safest first, that hold no more wrong ones than are allowed."""
    return int(np.searchsorted(np.cumsum(is_wrong), allowed, side="right"))
