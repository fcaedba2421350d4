"""Guesses of the risk: how many wrong labels are expected among the safest items. They steer costs, never validity."""

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from cupel.certificate.hypergeometric import Reals
from cupel.errors import AuditError

PLACES = 200
# Sets that an audit should be ready for, where nothing is known: so many times the budget wrong in all, so steep
# towards the risky end, and so large a part of the wrong labels spread evenly, where no ranking finds them.
_TIMES_BUDGET = (1, 2, 4, 8)
_STEEPNESS = (4, 8, 16)
_EVEN_SHARES = (0.0, 0.1)


class Course(NamedTuple):
    """Wrong labels guessed along the risk order: `wrong` among the `items` safest, both ascending from 0."""

    items: Reals
    wrong: Reals

    @property
    def population(self) -> int:
        """Items in all."""
        return int(self.items[-1])


def course_of_chances(chances: ArrayLike) -> Course:
    """Return the course of a guess per item.

    Args:
        chances: Chance that the label is wrong, 0 to 1, of shape items, in risk order, the safest first.

    Raises:
        AuditError: There is none, or one is no chance.

    >>> course_of_chances([0.0, 0.5, 0.5]).wrong.tolist()
    [0.0, 0.0, 0.5, 1.0]
    """
    values = np.asarray(chances, dtype=np.float64)
    if not values.size or not bool(((values >= 0) & (values <= 1)).all()):
        raise AuditError("guess of the risk: found no items, or a value that is no chance; expected 0 to 1 for each")
    sums = np.concatenate([[0.0], np.cumsum(values)])
    places = np.unique(np.linspace(0, values.size, min(PLACES, values.size) + 1).astype(np.int64))
    return Course(places.astype(np.float64), sums[places])


def course_of_log_odds(log_odds: ArrayLike, total: float | None = None) -> Course:
    """Return the course that the log-odds of the frozen labels suggest.

    Log-odds are as a rule too sure of themselves, so the guess is too low unless a total is given.

    Args:
        log_odds: Of the labels, in risk order, the safest first.
        total: Share of wrong labels among all where another guess of that exists; all chances are scaled to it.

    >>> course_of_log_odds([4.0, 2.0, 0.0]).wrong.round(3).tolist()
    [0.0, 0.018, 0.137, 0.637]
    >>> course_of_log_odds([2.0, 0.0], 0.5).wrong[-1].tolist()
    1.0
    """
    chances = 1 / (1 + np.exp(np.clip(np.asarray(log_odds, dtype=np.float64), -700, 700)))
    if total is None:
        return course_of_chances(chances)
    if not 0 <= total <= 1:
        raise AuditError(f"guessed total: found {total}; expected a share, 0 to 1")
    # Scaling may lift a chance over 1: the rest then falls to the others, until the sum is right.
    for _ in range(PLACES):
        chances = np.minimum(1.0, chances * (total * chances.size / max(chances.sum(), 1e-300)))
    return course_of_chances(chances)


def course_of_quantiles(population: int, shares: Sequence[float]) -> Course:
    """Return the course of a guess by parts of the risk order.

    Args:
        population: Items in all, at least 1.
        shares: Share of wrong labels in each of equally many items, the safest part first.

    >>> course_of_quantiles(1000, [0.0, 0.01, 0.1]).wrong.round(2).tolist()
    [0.0, 0.0, 3.33, 36.67]
    """
    if not shares or population < len(shares) or not all(0 <= share <= 1 for share in shares):
        raise AuditError(
            f"guess of the risk: found {list(shares)} for {population} items; expected a share of 0 to 1 for each of "
            "at most as many parts as there are items"
        )
    items = np.linspace(0, population, len(shares) + 1)
    return Course(items, np.concatenate([[0.0], np.cumsum(np.diff(items) * np.asarray(shares, dtype=np.float64))]))


def reference_courses(population: int, allowed: int) -> list[Course]:
    """Return the courses that an audit is made ready for where nothing is known of the labels.

    Args:
        population: Items in all, at least 1.
        allowed: Wrong labels allowed, at least 0.
    """
    middles = (np.arange(PLACES) + 0.5) / PLACES
    items = np.linspace(0, population, PLACES + 1)
    courses = []
    for times in _TIMES_BUDGET:
        for steepness in _STEEPNESS:
            for even in _EVEN_SHARES:
                shape = (1 - even) * steepness * middles ** (steepness - 1) + even
                density = np.minimum(1.0, times * max(allowed, 1) / population * shape)
                courses.append(Course(items, np.concatenate([[0.0], np.cumsum(density * population / PLACES)])))
    return courses


def parse_shares(texts: Sequence[str]) -> list[float]:
    """Return shares written as percentages or decimals.

    Raises:
        AuditError: One is neither.

    >>> parse_shares(["0.5%", "0.02"])
    [0.005, 0.02]
    """
    try:
        return [
            float(Fraction(text.strip().removesuffix("%")) / (100 if text.strip().endswith("%") else 1))
            for text in texts
        ]
    except (ValueError, ZeroDivisionError):
        raise AuditError(f"shares: found {', '.join(texts)}; expected percentages such as 0.5%") from None
