"""Rounds: experts decide the riskiest items before labels are frozen, as long as they would see them anyway or it pays.

Whatever is done here is done before the audit is drawn, so no certificate rests on it: it only changes what is frozen.
"""

from functools import cache
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cupel.certificate.attempts import attempt_levels
from cupel.certificate.hypergeometric import Reals
from cupel.certificate.rising import Rise, rising_shares
from cupel.certificate.rising_plan import STEPS, choose_rise, exponentials
from cupel.certificate.risk import course_of_chances
from cupel.certificate.sequence import floor_share

# Shares of the items, the riskiest first, after which the others are ranked anew.
ROUNDS = (0.005, 0.01, 0.02, 0.04, 0.08, 0.12, 0.16, 0.24, 0.32)
# A round costs next to nothing where its items would so likely be seen by experts anyway, audited or behind the cut ...
CHEAP_CHANCE = 0.95
# ... and is worth its price where that is as likely as not, and so many of its labels are expected to be wrong.
WORTH_CHANCE, WORTH_WRONG_SHARE = 0.5, 0.2
# Fewer verdicts than these tell next to nothing: rounds go on until there are so many.
LEAST_VERDICTS = 20
# Where experts would so likely not see its items, not even a first round is held: it could only cost.
TRY_CHANCE = WORTH_CHANCE / 2
# Odds that a label is wrong are so many times what its log-odds say, to such a power: none is believed alone.
DOUBTS = tuple(product((1.0, 1.5, 2.5, 4.0), (0.2, 0.35, 0.5, 0.7, 1.0, 1.4)))
# What a verdict counts: those of a round are on items that are alike.
VERDICT_WEIGHT = 0.5
_LEAST_CHANCE = 1e-6
# Errors per item that no log-odds show, because people and model make them together.
HIDDEN = 0.001
PATHS = 200

Flags = NDArray[np.bool_]


class LastRound(NamedTuple):
    """What the last round said of labels: the log-odds that they had when experts were asked, and which were wrong."""

    log_odds: Reals
    is_wrong: Flags


NO_ROUND = LastRound(np.empty(0), np.empty(0, np.bool_))


class Standing(NamedTuple):
    """Where the rounds of a set stand.

    `size` is how many items it has, `asked` how many of them experts decided in complete rounds; `log_odds` are
    those of the others' labels, in risk order, the safest first; `last` is the last of these rounds.
    """

    size: int
    asked: int
    log_odds: Reals
    last: LastRound


def round_ends(size: int) -> list[int]:
    """Return how many items experts have decided after each round, ascending.

    >>> round_ends(1000), round_ends(20)
    ([5, 10, 20, 40, 80, 120, 160, 240, 320], [1, 2, 3, 5, 6])
    """
    return sorted({end for share in ROUNDS if 0 < (end := round(share * size)) < size})


def next_end(standing: Standing) -> int | None:
    """Return how many items experts will have decided after the next round; None after the last."""
    return next((end for end in round_ends(standing.size) if end > standing.asked), None)


def complete(decided: int, size: int) -> int:
    """Return how many of the decided items belong to complete rounds.

    >>> complete(23, 1000), complete(3, 1000)
    (20, 0)
    """
    return max((end for end in round_ends(size) if end <= decided), default=0)


def audit_shares(size: int, error_budget: float) -> Reals:
    """Return how the audited share of a set of which nothing is known rises, with each error found; see `rising`.

    Args:
        size: Items.
        error_budget: Highest share of wrong labels of all items.
    """
    allowed = floor_share(error_budget, size)
    alpha = attempt_levels(1, can_be_contested=False).wrong
    return rising_shares(_rise(size, allowed, alpha), allowed, alpha)


def pays(standing: Standing, error_budget: float) -> bool:
    """Tell whether another round is asked for: as a rule before there are a few verdicts, then while they pay.

    Rounds are cheap where experts are all but sure to see the items anyway. Else they may pay where verdicts find
    something: many labels of the next round are likely wrong, by the log-odds as the last verdicts bear them out.

    Args:
        standing: Where the rounds stand.
        error_budget: Highest share of wrong labels of all items.
    """
    if next_end(standing) is None:
        return False
    chance = seen_chance(standing, audit_shares(standing.size, error_budget))
    if standing.asked < LEAST_VERDICTS:
        return chance >= TRY_CHANCE
    if chance < WORTH_CHANCE:
        return False
    return chance >= CHEAP_CHANCE or expected_wrong_share(standing) >= WORTH_WRONG_SHARE


def seen_chance(standing: Standing, shares: Reals) -> float:
    """Return the chance that experts see the next round's items anyway, audited or behind the cut.

    It is a guess by the log-odds, each doubt of them (`DOUBTS`) counting as the last verdicts bear it out, and by
    errors that no log-odds show (`HIDDEN`). It takes the audit to be a rising one; nothing but costs hangs on it.

    Args:
        standing: Where the rounds stand.
        shares: Audited share while 0, 1, 2, ... errors have been found.
    """
    end = next_end(standing)
    if end is None:
        return 0.0
    place = standing.size - end
    met = np.cumsum(exponentials(PATHS, max(STEPS))[:, : len(shares)] / np.maximum(shares, 1e-12), axis=1)
    chances = []
    for times, power in DOUBTS:
        course = course_of_chances(wrong_chance(standing.log_odds, times, power))
        found = (met <= np.interp(place, course.items, course.wrong)).sum(axis=1)
        chances.append(float(np.append(shares, 1.0)[found].mean()))
    return float(doubt_weights(standing.last) @ chances)


def expected_wrong_share(standing: Standing) -> float:
    """Return the share of the next round's labels that are likely wrong, each doubt counting as in `seen_chance`."""
    end = next_end(standing)
    if end is None:
        return 0.0
    log_odds = standing.log_odds[standing.asked - end :]
    shares = [float(wrong_chance(log_odds, times, power).mean()) for times, power in DOUBTS]
    return float(doubt_weights(standing.last) @ shares)


def doubt_weights(last: LastRound) -> Reals:
    """Return how far each of `DOUBTS` is believed: as likely as it makes the last round's verdicts.

    Only the last round is asked: the verdicts before it have weighed and taught what its log-odds come from.

    Args:
        last: The last round; without verdicts all doubts count alike.

    Returns:
        Shape doubts, adding up to 1.
    """
    fits = []
    for times, power in DOUBTS:
        chance = np.clip(wrong_chance(last.log_odds, times, power), _LEAST_CHANCE, 1 - _LEAST_CHANCE)
        fits.append(VERDICT_WEIGHT * np.log(np.where(last.is_wrong, chance, 1 - chance)).sum())
    weights = np.exp(np.array(fits) - max(fits))
    return np.asarray(weights / weights.sum(), dtype=np.float64)


def wrong_chance(log_odds: Reals, times: float, power: float) -> Reals:
    """Return the chance that labels are wrong, under a doubt of their log-odds.

    Args:
        log_odds: Of the labels; -inf where there is none.
        times: Factor of the odds that a label is wrong.
        power: Power of these odds before.

    >>> wrong_chance(np.array([0.0, 2.0, -np.inf]), 2.0, 0.5).round(3).tolist()
    [0.668, 0.425, 1.0]
    """
    doubted = np.clip(power * log_odds - np.log(times), -700, 700)
    return np.asarray(np.minimum(1.0, 1 / (1 + np.exp(doubted)) + HIDDEN), dtype=np.float64)


@cache
def _rise(size: int, allowed: int, alpha: float) -> Rise:
    return choose_rise(size, allowed, alpha)
