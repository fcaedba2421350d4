"""Attempts: how much of the chance of a false certificate each audit of the same items may spend."""

from typing import NamedTuple

from cupel.errors import AuditError

ALPHA_TOTAL = 0.05
ALPHA_FIRST = 0.04
ALPHA_LATER = 0.01
ALPHA_CONTESTED_SHARE = 1 / 8
# Where bounds by class and slice are shown beside the certificate, they and the contested items have half of it each.
ALPHA_SLICES_SHARE = 1 / 16


class Levels(NamedTuple):
    """What an attempt's alpha is spent on: tests of wrong labels, the bound of contested items, bounds by slice."""

    wrong: float
    contested: float
    slices: float = 0.0


def attempt_alpha(attempt: int) -> float:
    """Return the chance of a false certificate that an attempt may spend.

    The first spends 0.04, attempt j >= 2 spends 0.01 x 2^-(j - 1): however many follow, all together spend
    less than 0.05, and it need not be said beforehand how many there will be.

    Args:
        attempt: How often these items have been put to an audit; the first is 1.

    Raises:
        AuditError: The attempt is below 1.

    >>> [attempt_alpha(attempt) for attempt in (1, 2, 3)]
    [0.04, 0.005, 0.0025]
    """
    if attempt < 1:
        raise AuditError(f"attempt: found {attempt}; expected 1 or more, the first is 1")
    if attempt == 1:
        return ALPHA_FIRST
    return float(ALPHA_LATER * 2.0 ** -(attempt - 1))


def attempt_levels(attempt: int, can_be_contested: bool = True, bounds_slices: bool = False) -> Levels:
    """Divide an attempt's alpha.

    Args:
        attempt: See `attempt_alpha`.
        can_be_contested: Experts may leave items contested. Where a project rules that out beforehand,
            nothing is spent on them.
        bounds_slices: Classes and slices are bounded as well, all together by the same alpha.

    Returns:
        Levels that add up to the attempt's alpha.

    >>> attempt_levels(1)
    Levels(wrong=0.035, contested=0.005, slices=0.0)
    >>> attempt_levels(1, bounds_slices=True)
    Levels(wrong=0.035, contested=0.0025, slices=0.0025)
    """
    alpha = attempt_alpha(attempt)
    slices = alpha * ALPHA_SLICES_SHARE if bounds_slices else 0.0
    contested = alpha * ALPHA_CONTESTED_SHARE - slices if can_be_contested else 0.0
    return Levels(alpha - (contested + slices), contested, slices)
