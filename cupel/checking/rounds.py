"""Rounds: experts decide the riskiest items before labels are frozen, as long as they would see them anyway or it pays.

Whatever is done here is done before the audit is drawn, so no certificate rests on it: it only changes what is frozen.
"""

from functools import cache
from typing import NamedTuple

import numpy as np

from cupel.certificate.attempts import attempt_levels
from cupel.certificate.hypergeometric import Reals
from cupel.certificate.rising import Rise, rising_shares
from cupel.certificate.rising_plan import STEPS, choose_rise, exponentials
from cupel.certificate.risk import Course, course_of_chances
from cupel.certificate.sequence import floor_share

# Shares of the items, the riskiest first, after which the others are ranked anew.
ROUNDS = (0.005, 0.01, 0.02, 0.04, 0.08, 0.12, 0.16, 0.24, 0.32)
# A round is cheap where its items would so likely be seen by experts anyway, audited or behind the cut ...
CHEAP_CHANCE = 0.85
# ... and worth its price at this chance too, if so many labels of the last round were wrong.
WORTH_CHANCE, WORTH_WRONG_SHARE = 0.35, 0.25
# How often labels are wrong, as a multiple of what their log-odds say: none of them is believed alone.
DOUBTS = (1.0, 2.0, 4.0)
# Errors per item that no log-odds show, because people and model make them together.
HIDDEN = 0.001
PATHS = 200


class Standing(NamedTuple):
    """Where the rounds of a set stand.

    `size` is how many items it has, `asked` how many of them experts decided in complete rounds; `log_odds` are
    those of the others' labels, in risk order, the safest first; `last_wrong_share` is how many labels were
    wrong in the last round.
    """

    size: int
    asked: int
    log_odds: Reals
    last_wrong_share: float


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
    """Tell whether another round is asked for: always a first one, then as long as rounds are cheap or pay.

    Args:
        standing: Where the rounds stand.
        error_budget: Highest share of wrong labels of all items.
    """
    if next_end(standing) is None:
        return False
    if not standing.asked:
        return True
    chance = seen_chance(standing, audit_shares(standing.size, error_budget))
    is_worth = chance >= WORTH_CHANCE and standing.last_wrong_share >= WORTH_WRONG_SHARE
    return chance >= CHEAP_CHANCE or is_worth


def seen_chance(standing: Standing, shares: Reals) -> float:
    """Return the chance that experts see the next round's items anyway, audited or behind the cut.

    It is a guess by the log-odds, and by errors that are more frequent than they say (`DOUBTS`, `HIDDEN`). It
    takes the audit to be a rising one; nothing but costs hangs on it.

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
    for course in _courses(standing.log_odds):
        found = (met <= np.interp(place, course.items, course.wrong)).sum(axis=1)
        chances.append(float(np.append(shares, 1.0)[found].mean()))
    return float(np.mean(chances))


def _courses(log_odds: Reals) -> list[Course]:
    chance = 1 / (1 + np.exp(np.clip(log_odds, -700, 700)))
    return [course_of_chances(np.minimum(1.0, doubt * chance + HIDDEN)) for doubt in DOUBTS]


@cache
def _rise(size: int, allowed: int, alpha: float) -> Rise:
    return choose_rise(size, allowed, alpha)
