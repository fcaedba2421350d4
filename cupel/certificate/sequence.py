"""The fixed sequence: cuts of the risk order, tested from the safest part on, until the first that fails."""

import math
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cupel.certificate.attempts import Levels
from cupel.certificate.auditors import thinned_tail
from cupel.certificate.hypergeometric import Integers, upper_count
from cupel.errors import AuditError

STEPS = 200
FIRST_STEP = 10

Flags = NDArray[np.bool_]


class Cut(NamedTuple):
    """A cut that was tested: a row of the table `cuts`."""

    accepted: int
    audited: int
    wrong: int
    p_value: float
    alpha: float
    is_passed: bool


class Cutting(NamedTuple):
    """What the sequence came to.

    `accepted` is 0 where no cut passed; `allowed_wrong` is B, the wrong labels that the accepted part may
    hold; `contested_upper` bounds the contested items among all.
    """

    cuts: list[Cut]
    accepted: int
    allowed_wrong: int
    contested_upper: int


def cut_positions(population: int) -> Integers:
    """Return the cuts in the order of their tests, a function of the number of items alone.

    From the safest twentieth on, every half percent. An earlier start would add tests that rest on a handful
    of audited items, and one that fails by bad luck ends the sequence.

    Args:
        population: Items frozen, at least 1.

    Returns:
        Numbers of accepted items, ascending, distinct; the last is `population`.

    >>> cut_positions(1000)[:3].tolist(), cut_positions(3).tolist()
    ([50, 55, 60], [1, 2, 3])
    """
    if population < 1:
        raise AuditError(f"items: found {population}; expected at least 1: there is nothing to certify")
    steps = np.arange(FIRST_STEP, STEPS + 1, dtype=np.int64)
    return np.unique((population * steps + STEPS - 1) // STEPS)


def floor_share(share: float, count: int) -> int:
    """Return the whole items in a share of a count, the share taken as the decimal it is written as.

    >>> floor_share(0.29, 100), int(0.29 * 100)
    (29, 28)
    """
    return math.floor(Fraction(repr(float(share))) * count)


def count_passed(p_values: NDArray[np.float64], alpha: float) -> Integers:
    """Return how many cuts pass before the first that fails.

    Args:
        p_values: Chances, of shape (..., cuts), in the order of the tests.
        alpha: What each is held against.

    Returns:
        Counts, of shape (...).

    >>> count_passed(np.array([[0.01, 0.2, 0.01], [0.01, 0.01, 0.01]]), 0.05).tolist()
    [1, 3]
    """
    passed: Integers = np.logical_and.accumulate(p_values <= alpha, axis=-1).sum(axis=-1)
    return passed


def find_cut(
    is_audited: Flags,
    is_wrong: Flags,
    is_contested: Flags,
    error_budget: float,
    levels: Levels,
    sensitivity: float = 1.0,
) -> Cutting:
    """Test "the accepted part holds more wrong settled labels than the budget allows" cut by cut.

    Args:
        is_audited: Whether each item was drawn for the audit; all arrays of shape items, in risk order, the
            safest first. Every audited item has its verdict.
        is_wrong: Audited, settled, and the label differs from the experts'.
        is_contested: Audited, and experts stay split.
        error_budget: Highest share of wrong labels among the settled ones of the release.
        levels: The attempt's alpha, divided.
        sensitivity: Chance that an audited wrong label was found, at least.

    Returns:
        All cuts up to the first failure, and the last that passed. No cut is tested where all items may be
        contested.

    Raises:
        AuditError: Arrays differ in length, an item that was not drawn has a verdict, none was drawn, or an
            item is contested although no alpha was set aside for that.

    Source: fixed-sequence testing: Maurer, Hothorn and Lehmacher (1995), Biometrie in der chemisch-
    pharmazeutischen Industrie 6; exact test of a finite population: Buonaccorsi (1987), The American
    Statistician 41(3).
    """
    _check(is_audited, is_wrong, is_contested, levels)
    size, drawn = len(is_audited), int(is_audited.sum())
    contested = int(is_contested.sum())
    upper = upper_count(size, drawn, contested, levels.contested) if levels.contested else 0
    allowed = floor_share(error_budget, size - upper)
    if upper == size:
        return Cutting([], 0, allowed, upper)
    positions = cut_positions(size)
    audited, wrong = np.cumsum(is_audited)[positions - 1], np.cumsum(is_wrong)[positions - 1]
    p_values = thinned_tail(wrong, positions, allowed + 1, audited, sensitivity)
    passed = int(count_passed(p_values, levels.wrong))
    cuts = [
        Cut(int(positions[i]), int(audited[i]), int(wrong[i]), float(p_values[i]), levels.wrong, i < passed)
        for i in range(min(passed + 1, len(positions)))
    ]
    return Cutting(cuts, int(positions[passed - 1]) if passed else 0, allowed, upper)


def _check(is_audited: Flags, is_wrong: Flags, is_contested: Flags, levels: Levels) -> None:
    if not len(is_audited) == len(is_wrong) == len(is_contested):
        raise AuditError(
            f"is_audited, is_wrong, is_contested: found {len(is_audited)}, {len(is_wrong)} and {len(is_contested)} "
            "items; expected the same items in all"
        )
    if not is_audited.any():
        raise AuditError("is_audited: nothing was drawn; without an audit there is no certificate")
    for name, flags in (("is_wrong", is_wrong), ("is_contested", is_contested)):
        astray = np.flatnonzero(flags & ~is_audited)
        if astray.size:
            raise AuditError(f"{name}: set for the item at risk rank {astray[0] + 1}, which was not drawn")
    both = np.flatnonzero(is_wrong & is_contested)
    if both.size:
        raise AuditError(f"risk rank {both[0] + 1}: both wrong and contested; a contested item has no right label")
    if is_contested.any() and not levels.contested:
        rank = np.flatnonzero(is_contested)[0] + 1
        raise AuditError(
            f"risk rank {rank}: contested, although the project declares that experts leave no item contested; "
            "declare that they may, in a new attempt"
        )
