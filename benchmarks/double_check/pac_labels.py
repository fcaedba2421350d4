"""PAC labels: the nearest published relative of the certificate, written anew from the description of its method.

One random sample decides how many of the safest labels stand; experts label all others. Source: Candès, Ilyas and Zrnic
(2025), Probably Approximately Correct Labels; the betting bound is that of Waudby-Smith and Ramdas (2024), Estimating
means of bounded random variables by betting, Journal of the Royal Statistical Society B 86(1).
"""

import math
from collections.abc import Callable

import numpy as np
from scipy.stats import norm

from benchmarks.double_check.deployed import Outcome
from cupel.certificate.hypergeometric import Integers
from cupel.certificate.sequence import floor_share
from cupel.compiled_loops import compiled
from cupel.consensus.coding import Flags

ALPHA = 0.05
# Largest bet, as a share of what would lose everything at the next error.
MOST_BET = 0.75

# Whether an upper bound of the mean error is at most the budget: (draws that hit an error, draws, budget, alpha).
IsWithin = Callable[[Integers, int, float, float], bool]


def is_within_by_betting(hits: Integers, draws: int, error_budget: float, alpha: float) -> bool:
    """Tell whether the betting upper bound of an error is within the budget.

    The bound is within the budget where a gambler who bets that the mean is below it multiplies the stake by 1 / alpha
    at some draw. Bets are fixed by what was drawn before; the capital at a mean m ascends with m, so that the budget
    alone need be tried.

    Args:
        hits: Places of the draws that hit an error, 0 is the first, ascending.
        draws: Draws in all, with replacement.
        error_budget: Highest share of errors, between 0 and 1.
        alpha: Chance that the bound is too low.

    >>> is_within_by_betting(np.array([], np.int64), 100, 0.05, 0.05)
    True
    >>> is_within_by_betting(np.array([], np.int64), 20, 0.05, 0.05)
    False
    """
    return bool(_wins_bets(hits, draws, error_budget, math.log(1 / alpha)))


def is_within_by_normal(hits: Integers, draws: int, error_budget: float, alpha: float) -> bool:
    """Tell whether the asymptotic normal upper bound of an error is within the budget.

    Args:
        hits: Places of the draws that hit an error.
        draws: Draws in all, with replacement.
        error_budget: Highest share of errors, between 0 and 1.
        alpha: Chance that the bound is too low, were the mean normal; without a hit it is 0.
    """
    share = len(hits) / draws
    return bool(share + norm.isf(alpha) * math.sqrt(share * (1 - share) / draws) <= error_budget)


BOUNDS: dict[str, IsWithin] = {"betting": is_within_by_betting, "normal": is_within_by_normal}


def count_standing(
    drawn: Integers, is_wrong: Flags, error_budget: float, is_within: IsWithin, alpha: float = ALPHA
) -> int:
    """Return how many of the safest labels stand.

    The errors drawn are taken in, the safest first, until the bound of those taken is over the budget; labels stand
    before that error, and all of them where none is.

    Args:
        drawn: Places of the items drawn, in the order of the draw, with replacement; 0 is the safest.
        is_wrong: Of all items, in risk order, the safest first; only that of drawn items is looked at.
        error_budget: Highest share of wrong labels of all items.
        is_within: The bound.
        alpha: Chance that more are wrong.
    """
    times = np.flatnonzero(is_wrong[drawn])
    places = drawn[times]
    if not is_within(times[:0], len(drawn), error_budget, alpha):
        return 0
    # An item that was drawn twice is taken in with both draws.
    for place in np.unique(places):
        if not is_within(times[places <= place], len(drawn), error_budget, alpha):
            return int(place)
    return len(is_wrong)


def replay_pac(
    is_wrong: Flags, draws: int, error_budget: float, is_within: IsWithin, rng: np.random.Generator
) -> Outcome:
    """Sample, decide which labels stand, and let experts label the others.

    Args:
        is_wrong: In risk order, the safest first.
        draws: Items drawn, with replacement, at least 1; experts see each of them once.
        error_budget: Highest share of wrong labels of all items.
        is_within: The bound.
        rng: Of the draw.
    """
    size = len(is_wrong)
    drawn = rng.integers(size, size=draws)
    standing = count_standing(drawn, is_wrong, error_budget, is_within)
    is_seen = np.arange(size) >= standing
    is_seen[drawn] = True
    left = int(is_wrong[~is_seen].sum())
    is_certified = not bool(is_seen.all())
    return Outcome(
        len(np.unique(drawn)),
        float(is_seen.mean()),
        is_certified,
        is_certified and left > floor_share(error_budget, size),
        left / size,
    )


@compiled
def _wins_bets(hits: Integers, draws: int, error_budget: float, enough: float) -> bool:
    most = MOST_BET / (1 - error_budget)
    total, squares, capital = 0.5, 0.25, 0.0
    variance, next_hit = 0.25, 0
    for place in range(draws):
        bet = min(math.sqrt(2 * enough / (draws * variance)), most)
        is_hit = next_hit < len(hits) and hits[next_hit] == place
        next_hit += is_hit
        capital += math.log(1 - bet * (is_hit - error_budget))
        if capital >= enough:
            return True
        total += is_hit
        squares += (is_hit - total / (place + 2)) ** 2
        variance = squares / (place + 2)
    return False
