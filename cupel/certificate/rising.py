"""The rising audit: along the risk order, each error found raises the share audited of all that follows."""

from functools import cache
from typing import NamedTuple

import numpy as np

from cupel.certificate.hypergeometric import Integers, Reals
from cupel.certificate.sequence import Flags
from cupel.errors import AuditError

# Shares are declared in millionths, rounded up: they are read, compared and computed alike everywhere.
SHARE_STEPS = 1_000_000
MOST_STEPS, MOST_GAIN = 40, 100.0


class Rise(NamedTuple):
    """How the audited share rises, declared before the draw.

    After k errors the share left unaudited is the power 1 + k `gain` of what it was at the start; after
    `steps` errors nothing more is left to chance, and all that follows is adjudicated.
    """

    gain: float
    steps: int


class Walk(NamedTuple):
    """A way through the risk order, as far as verdicts are known.

    `is_due` tells which items are to be audited, `found` the places (0 is the safest) of the errors that
    raised the share. `accepted` counts the items before the last of them, where that ended the walk: what
    follows is adjudicated; else it counts all.
    """

    is_due: Flags
    found: Integers
    accepted: int


def chance_of_more(shares: Reals, allowed: int) -> float:
    """Return the highest chance that more than the allowed wrong labels stay unseen.

    Unseen are those not audited before as many errors were found as there are shares. The chance is the
    same wherever the wrong labels stand, as long as there are enough of them; else it is less.

    Args:
        shares: Audited share while 0, 1, 2, ... errors have been found, each 0 to 1.
        allowed: Wrong labels that may stay unseen, at least 0.

    Returns:
        P(G_0 + G_1 + ... > allowed), G_k being the number of wrong labels met between two finds, geometric
        with the share k: of the first allowed + len(shares) wrong labels fewer than len(shares) are found.

    >>> chance_of_more(np.array([0.1]), 30) == 0.9**31 or round(chance_of_more(np.array([0.1]), 30) / 0.9**31, 12)
    1.0
    """
    step = np.diag(1 - shares) + np.diag(shares[:-1], 1)
    left = np.eye(len(shares))[0]
    trials = allowed + len(shares)
    # Powers by squaring, multiplied out by hand: a library's matrix product differs between machines.
    while trials:
        if trials & 1:
            left = (left[:, None] * step).sum(axis=0)
        step = (step[:, :, None] * step[None, :, :]).sum(axis=1)
        trials >>= 1
    return float(left.sum())


def rising_shares(rise: Rise, allowed: int, alpha: float, sensitivity: float = 1.0) -> Reals:
    """Return the smallest shares of a rise that leave more than the allowed wrong labels at most with chance alpha.

    Args:
        rise: How the share rises.
        allowed: Wrong labels that may stay unseen, at least 0.
        alpha: Chance that more stay unseen, between 0 and 1.
        sensitivity: Chance that an audited wrong label is found; one that is not stays as unseen as the others.

    Returns:
        Shares of shape steps, ascending; all 1 where no shares are enough, which `chance_of_more` tells.

    Raises:
        AuditError: The rise is impossible.

    >>> rising_shares(Rise(gain=0.0, steps=1), 30, 0.04)
    array([0.098626])
    >>> rising_shares(Rise(gain=1.0, steps=3), 30, 0.04).round(3)
    array([0.126, 0.236, 0.332])
    """
    if not 0 <= rise.gain <= MOST_GAIN or not 1 <= rise.steps <= MOST_STEPS:
        raise AuditError(
            f"rise: found gain {rise.gain} and {rise.steps} steps; expected 0 to {MOST_GAIN} and 1 to {MOST_STEPS}"
        )
    if allowed < 0 or not 0 < alpha < 1:
        raise AuditError(f"rise: found {allowed} allowed and alpha {alpha}; expected a count and a chance")
    return _shares(rise, allowed, alpha, sensitivity).copy()


@cache
def _shares(rise: Rise, allowed: int, alpha: float, sensitivity: float) -> Reals:
    low, high = 0, SHARE_STEPS
    while low < high:
        middle = (low + high) // 2
        is_enough = chance_of_more(_from_first(middle, rise) * sensitivity, allowed) <= alpha
        low, high = (low, middle) if is_enough else (middle + 1, high)
    return _from_first(low, rise)


def _from_first(millionths: int, rise: Rise) -> Reals:
    first = millionths / SHARE_STEPS
    powers = 1 + rise.gain * np.arange(rise.steps)
    # A hair is taken off before rounding up, so that a power's last digits decide nothing.
    shares: Reals = np.ceil((1 - (1 - first) ** powers) * SHARE_STEPS - 1e-3) / SHARE_STEPS
    return shares


def walk(marks: Reals, is_found: Flags, shares: Reals) -> Walk:
    """Walk through the risk order from the safest item on.

    An item is audited when its mark is below the share of the moment; an audited item that is wrong raises
    the share for those that follow. A mark is used once and for all, so a larger share audits the same
    items and more: what was asked under a smaller one is never asked in vain.

    Args:
        marks: Marks of the items in risk order, uniform between 0 and 1; see `sample.marks`.
        is_found: Known to be wrong; verdicts that are not needed do no harm.
        shares: Audited share while 0, 1, 2, ... errors have been found.

    Returns:
        What is due by what is known: with verdicts missing, a part of what will be.
    """
    size = len(marks)
    is_due = np.zeros(size, dtype=np.bool_)
    found: list[int] = []
    start = 0
    for share in shares:
        below = marks[start:] < share
        hits = np.flatnonzero(below & is_found[start:])
        end = start + int(hits[0]) + 1 if hits.size else size
        is_due[start:end] = below[: end - start]
        start = end
        if not hits.size:
            break
        found.append(end - 1)
    is_ended = len(found) == len(shares)
    return Walk(is_due, np.array(found, dtype=np.int64), found[-1] if is_ended else size)
