"""Experts who err: what planted errors prove of auditors, and what another expert's audit proves of adjudicators."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from cupel.certificate.attempts import Levels
from cupel.certificate.hypergeometric import (
    Reals,
    binomial_upper_count,
    clopper_pearson_lower,
    tail,
    upper_count,
)
from cupel.errors import AuditError

ALPHA_SENSITIVITY_SHARE = 1 / 4
ALPHA_ADJUDICATORS_SHARE = 1 / 4
BUDGET_ADJUDICATORS_SHARE = 1 / 4
# Of what a test has: for how many wrong labels show themselves, where the test itself is of those that do.
ALPHA_SHOWN_SHARE = 1 / 5
# Auditors who may see less than this of the wrong labels are no measure of a set: nothing is certified by them.
LEAST_SENSITIVITY = 1 / 2
# The kinds of planted items, the hardest first: crew or label wrong (0), only the checker wrong, neither.
LAST_TIER = 2
_NEGLIGIBLE = 1e-18


class Planted(NamedTuple):
    """Known-wrong labels planted among the audit's tasks, and how many of them the auditors flagged."""

    planted: int
    flagged: int


class PlantedKinds(NamedTuple):
    """How many planted items the crew, or the label, got wrong, how many only the checker, and how many neither.

    `counted` are those that the sensitivity is bounded by, `counted_caught` those of them that auditors got right.
    """

    erred: int
    confused: int
    by_log_odds: int
    counted: int
    counted_caught: int


class Shared(NamedTuple):
    """What is left of an attempt's alpha for the audit itself, and what one more proof was given of it."""

    levels: Levels
    other: float


class SecondAudit(NamedTuple):
    """Adjudicated items put to another expert: how many, those judged so far, and of these with another verdict."""

    drawn: int = 0
    settled: int = 0
    wrong: int = 0


def share_alpha(levels: Levels, share: float) -> Shared:
    """Take a share of an attempt's alpha for another proof, from the tests of wrong labels.

    >>> share_alpha(Levels(0.035, 0.005), 0.25)
    Shared(levels=Levels(wrong=0.025, contested=0.005, slices=0.0), other=0.01)
    """
    other = share * sum(levels)
    if not 0 < other < levels.wrong:
        raise AuditError(f"alpha: found a share of {share}; expected less than what tests of wrong labels have")
    return Shared(levels._replace(wrong=levels.wrong - other), other)


def sensitivity_lower(planted: Planted, alpha: float) -> float:
    """Return a lower bound of the chance that the auditors flag a wrong label.

    It holds for real errors if auditors cannot tell planted tasks from others, and planted errors are no
    easier to see than real ones: plant what annotators really confuse.

    Args:
        planted: What was planted and flagged.
        alpha: Chance that the bound is above the truth.

    Returns:
        A share; 0 where nothing was flagged.

    Raises:
        AuditError: The counts are impossible; nothing planted proves nothing.

    >>> round(sensitivity_lower(Planted(100, 97), 0.01), 3)
    0.903
    """
    if not 0 <= planted.flagged <= planted.planted or planted.planted < 1:
        raise AuditError(
            f"planted: found {planted.flagged} flagged of {planted.planted}; expected at least one planted, and at "
            "most as many flagged"
        )
    return clopper_pearson_lower(planted.flagged, planted.planted, 1 - alpha)


def least_planted(alpha: float) -> int:
    """Return how many planted items show the least sensitivity that is asked for, where none of them is missed.

    >>> least_planted(0.01), round(sensitivity_lower(Planted(7, 7), 0.01), 3)
    (7, 0.518)
    """
    return math.ceil(math.log(alpha) / math.log(LEAST_SENSITIVITY))


def thinned_tail(found: ArrayLike, population: ArrayLike, wrong: int, drawn: ArrayLike, sensitivity: float) -> Reals:
    """Return the chance that auditors who see each wrong label only with some chance flag at most so many.

    Args:
        found: Wrong labels flagged, and confirmed when they were checked again.
        population: Items in all; arrays are broadcast.
        wrong: Wrong items among all, by hypothesis.
        drawn: Items drawn.
        sensitivity: Chance that a wrong label is flagged, independently of others; 1 gives `tail`.

    Returns:
        P(flagged <= found), of the broadcast shape; it falls as the sensitivity rises.

    >>> abs(float(thinned_tail(0, 100, 3, 10, 0.5)) - float(tail(0, 100, 3, 10))) > 0.1
    True
    """
    size, n, k = np.broadcast_arrays(*(np.asarray(value, dtype=np.int64) for value in (population, drawn, found)))
    if not 0 <= sensitivity <= 1:
        raise AuditError(f"sensitivity: found {sensitivity}; expected a share, 0 to 1")
    if sensitivity == 1:
        return tail(k, size, wrong, n)
    from scipy.stats import binom

    # Wrong labels that nobody flags are sorted out beforehand: the number that can be flagged is binomial. Numbers
    # that hardly ever come up are left out, and counted as if they never showed anything.
    first, last = (int(end) for end in binom.ppf((_NEGLIGIBLE, 1 - 1e-15), wrong, sensitivity))
    first, last = max(first, 0), min(last + 1, wrong)
    visible = np.arange(first, last + 1)
    hidden = float(binom.cdf(first - 1, wrong, sensitivity) + binom.sf(last, wrong, sensitivity))
    shown = tail(k[..., None], size[..., None], visible, n[..., None])
    total = (shown * binom.pmf(visible, wrong, sensitivity)).sum(axis=-1) + hidden
    result: Reals = np.where(wrong > size, 0.0, np.minimum(total, 1.0))
    return result


def shown_at_least(wrong: int, sensitivity: float, alpha: float) -> int:
    """Return how many of some wrong labels auditors would flag at least, were every one of them audited.

    A test of "more are wrong than allowed" may be made of the labels that auditors would flag instead: of those
    an audit misses nothing.

    Args:
        wrong: Wrong labels.
        sensitivity: Chance that a wrong label is flagged, independently of others.
        alpha: Chance that fewer would be.

    >>> shown_at_least(31, 0.9, 0.005), shown_at_least(31, 1.0, 0.005), shown_at_least(31, 0.0, 0.005)
    (23, 31, 0)
    """
    from scipy.stats import binom

    return int(binom.ppf(alpha, wrong, sensitivity))


def hidden_upper(shown: int, most: int, sensitivity: float, alpha: float) -> int:
    """Return an upper bound of the labels of some kind, from a bound of those that auditors would flag.

    Args:
        shown: At most so many would be flagged.
        most: There are not more than this.
        sensitivity: Chance that one is flagged, independently of others.
        alpha: Chance that the bound is below the truth, though the bound of the flagged is not.

    >>> hidden_upper(30, 1000, 0.9, 0.01), hidden_upper(30, 1000, 0.0, 0.01)
    (39, 1000)
    """
    if shown >= most or sensitivity == 0:
        return most
    return binomial_upper_count(most, sensitivity, shown, alpha)


def shrunk_budget(allowed: int, sensitivity: float) -> int:
    """Return the flaggable wrong labels that stand for the allowed ones: the rule of thumb behind `thinned_tail`.

    >>> shrunk_budget(30, 0.9), shrunk_budget(30, 1.0)
    (27, 30)
    """
    return int(np.floor(allowed * sensitivity + 1e-9))


def adjudicated_upper(adjudicated: int, second: int, wrong: int, alpha: float, sensitivity: float = 1.0) -> int:
    """Return an upper bound of the wrong verdicts among adjudicated items, from another expert's random audit.

    Args:
        adjudicated: Items whose label the adjudicators decided.
        second: Of these, drawn at random once all were decided, and judged blind by another expert.
        wrong: Of these, where the other expert's verdict differs; it takes the place of the first.
        alpha: Chance that the bound is below the truth.
        sensitivity: Chance that the other expert notices a wrong verdict, independently of others.

    Returns:
        Wrong verdicts that may be left after those found were repaired.

    >>> adjudicated_upper(1500, 300, 1, 0.01)
    28
    >>> adjudicated_upper(1500, 300, 1, 0.01, 0.9)
    32
    """
    if not adjudicated:
        return 0
    if sensitivity == 1:
        return upper_count(adjudicated, second, wrong, alpha) - wrong
    low, high = wrong, adjudicated
    while low < high:
        middle = (low + high + 1) // 2
        is_held = float(thinned_tail(wrong, adjudicated, middle, second, sensitivity))
        low, high = (middle, high) if is_held > alpha else (low, middle - 1)
    return low - wrong
