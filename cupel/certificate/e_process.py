"""The e-process: evidence against "too many are wrong" that may be looked at after each audited item."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from cupel.certificate.hypergeometric import Integers, Reals
from cupel.certificate.sequence import Flags
from cupel.errors import AuditError

# Cuts bet that the part before them holds about a third of the wrong labels allowed, but not firmly: a
# beta-binomial with one pseudo-error. Counts of all items bet by Jeffreys' rule.
BET_ERRORS, BET_SHARE_OF_ALLOWED = 1.0, 1 / 3
JEFFREYS = 0.5


class Looks(NamedTuple):
    """Counts at each look, of shape (looks, cuts): items drawn so far before each cut, and wrong ones of them."""

    drawn: Integers
    found: Integers


def log_e_values(
    population: ArrayLike, drawn: ArrayLike, found: ArrayLike, wrong: ArrayLike, bet: tuple[ArrayLike, ArrayLike]
) -> Reals:
    """Return the logarithm of the evidence against "at least so many are wrong".

    The arguments are broadcast. The bet is a beta-binomial distribution of the number of wrong items; the
    evidence is the chance of the drawn sequence under the bet, divided by its largest chance under the
    hypothesis. For the true number in the hypothesis the quotient with its own chance is a martingale of
    mean 1, and the evidence is never more; so the chance that it ever reaches 1 / alpha is at most alpha.

    Args:
        population: Items in all.
        drawn: Items drawn so far, one by one and at random, without replacement.
        found: Wrong items among them.
        wrong: Wrong items by hypothesis, at least so many; a number above `population` gives infinity.
        bet: The two parameters of the beta distribution, above 0.

    Source: Ville (1939); mixtures of likelihood ratios without replacement: Waudby-Smith and Ramdas (2020),
    Confidence sequences for sampling without replacement, NeurIPS 33.

    >>> round(float(np.exp(log_e_values(100, 1, 0, 50, (1, 1)))), 12)
    1.0
    """
    from scipy.special import betaln, gammaln

    arrays = np.broadcast_arrays(*(np.asarray(value, dtype=np.float64) for value in (population, drawn, found, wrong)))
    size, n, k, least = arrays
    # The likelihood of the number of wrong items rises to its mode and falls from there.
    mode = np.floor(np.divide(k * (size + 1), n, out=np.zeros_like(n), where=n > 0))
    worst = np.clip(np.maximum(least, mode), k, size - (n - k))

    def log_chance(count: Reals) -> Reals:
        """Return the log of the chance of one sequence of so many finds: C(size - n, count - k) / C(size, count)."""
        result: Reals = (
            gammaln(size - n + 1) - gammaln(count - k + 1) - gammaln(size - n - count + k + 1)
            - gammaln(size + 1) + gammaln(count + 1) + gammaln(size - count + 1)
        )  # fmt: skip
        return result

    first, second = bet
    log_bet = betaln(k + first, n - k + second) - betaln(first, second)
    result: Reals = np.where(least > size - (n - k), np.inf, log_bet - log_chance(worst))
    return result


def cut_bet(positions: ArrayLike, most_allowed: int) -> tuple[float, Reals]:
    """Return the bet on the part before each cut; it depends on nothing but what was declared.

    Args:
        positions: Items before each cut.
        most_allowed: Wrong labels allowed were no item contested.
    """
    share = np.minimum(0.5, BET_SHARE_OF_ALLOWED * max(most_allowed, 1) / np.asarray(positions, dtype=np.float64))
    return BET_ERRORS, BET_ERRORS * (1 - share) / share


def upper_sequence(population: int, drawn: ArrayLike, found: ArrayLike, alpha: float) -> Integers:
    """Return upper bounds of how many items are counted, one for each look, that all hold together.

    Args:
        population: Items in all.
        drawn: Items drawn at each look.
        found: Counted items among them.
        alpha: Chance that any of the bounds is ever below the truth.

    Returns:
        Bounds of shape looks, never rising.

    >>> upper_sequence(1000, [100, 200, 400], [0, 1, 1], 0.05).tolist()
    [54, 40, 19]
    """
    n, k = (np.asarray(value, dtype=np.int64) for value in (drawn, found))
    low, high = k.copy(), population - (n - k)
    while np.any(low < high):
        middle = (low + high + 1) // 2
        is_held = log_e_values(population, n, k, middle, (JEFFREYS, JEFFREYS)) < -np.log(alpha)
        low, high = np.where(is_held, middle, low), np.where(is_held, high, middle - 1)
    bounds: Integers = np.minimum.accumulate(low)
    return bounds


def cut_p_values(positions: Integers, looks: Looks, allowed: ArrayLike, most_allowed: int) -> Reals:
    """Return for each cut the smallest 1 / e over all looks: at most alpha exactly when it ever passed.

    Args:
        positions: Items before each cut, ascending.
        looks: Counts at each look.
        allowed: Wrong labels allowed as known at each look, of shape looks; never above `most_allowed`.
        most_allowed: Wrong labels allowed were no item contested; the bet is made on it.

    Returns:
        Chances, of shape cuts.
    """
    bet = cut_bet(positions, most_allowed)
    least = np.asarray(allowed, dtype=np.int64)[:, None] + 1
    evidence = log_e_values(positions, looks.drawn, looks.found, least, bet).max(axis=0)
    result: Reals = np.exp(-np.maximum(evidence, 0.0))
    return result


def look_counts(marks: Reals, is_audited: Flags, is_counted: Flags, sizes: Integers, positions: Integers) -> Looks:
    """Count what each look saw before each cut.

    Args:
        marks: Marks of the items in risk order; items were drawn in the order of their marks.
        is_audited: Drawn and settled so far.
        is_counted: Of these, those to count.
        sizes: Items drawn at each look, ascending, at most as many as are audited.
        positions: Items before each cut, ascending.

    Raises:
        AuditError: The audited items are not those with the smallest marks.
    """
    places = np.flatnonzero(is_audited)
    order = places[np.argsort(marks[places], kind="stable")]
    rest = marks[~is_audited]
    if len(order) and rest.size and marks[order[-1]] > rest.min():
        raise AuditError("audit: an item was judged before one that was drawn earlier; looks follow the draw")
    cut = np.searchsorted(positions, order, side="right")
    counts = []
    for size in sizes.tolist():
        seen = cut[:size]
        both = [
            np.cumsum(np.bincount(one, minlength=len(positions) + 1))[: len(positions)]
            for one in (seen, seen[is_counted[order[:size]]])
        ]
        counts.append(both)
    stacked = np.array(counts, dtype=np.int64).reshape(len(sizes), 2, len(positions))
    return Looks(stacked[:, 0], stacked[:, 1])
