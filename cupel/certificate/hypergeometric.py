"""Exact chances and bounds when items are drawn without replacement: the hypergeometric distribution."""

import math
from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cupel.errors import AuditError

Reals = NDArray[np.float64]
Integers = NDArray[np.int64]

_NEGLIGIBLE = 1e-18
_SMALL = 16


def tail(found: ArrayLike, population: ArrayLike, wrong: ArrayLike, drawn: ArrayLike) -> Reals:
    """Return the chance that a simple random sample shows at most so many wrong items.

    The arguments are broadcast against each other. scipy.stats.hypergeom.cdf gives the same to 11 digits
    (the tests hold it to that); it takes seconds to import, which a command line cannot spare.

    Args:
        found: Wrong items in the sample; any integer.
        population: Items in all.
        wrong: Wrong items among all; a number above `population` cannot be, and has chance 0.
        drawn: Items drawn, 0 <= drawn <= population.

    Returns:
        P(X <= found), of the broadcast shape.

    Source: the saddle-point form of the probabilities is by Loader (2000), Fast and Accurate Computation
    of Binomial Probabilities.

    >>> round(float(tail(0, 10, 3, 2)), 12) == round(7 * 6 / (10 * 9), 12)
    True
    """
    arrays = np.broadcast_arrays(*(np.asarray(value, dtype=np.int64) for value in (found, population, wrong, drawn)))
    shape = arrays[0].shape
    k, size, bad, n = (array.ravel() for array in arrays)
    low, high = np.maximum(0, n + bad - size), np.minimum(bad, n)
    chance = np.where((k >= high) & (bad <= size), 1.0, 0.0)
    inner = np.flatnonzero((bad <= size) & (k >= low) & (k < high))
    k, size, bad, n = k[inner], size[inner], bad[inner], n[inner]
    # Sum on the side of the mean where terms shrink; the other side is its complement, in right items.
    is_above = k * size > n * bad
    below = _sum_below(np.where(is_above, n - k - 1, k), size, np.where(is_above, size - bad, bad), n)
    chance[inner] = np.where(is_above, 1 - below, below)
    return np.clip(chance, 0.0, 1.0).reshape(shape)


def upper_counts(population: ArrayLike, drawn: ArrayLike, found: ArrayLike, alpha: float) -> Integers:
    """Return `upper_count` for arrays, which are broadcast; nothing is checked."""
    size, n, k = np.broadcast_arrays(*(np.asarray(value, dtype=np.int64) for value in (population, drawn, found)))
    return _search_last(k, size - (n - k), lambda wrong: tail(k, size, wrong, n) > alpha)


def upper_count(population: int, drawn: int, found: int, alpha: float) -> int:
    """Return the exact upper confidence bound of how many items are wrong.

    Args:
        population: Items in all.
        drawn: Items drawn as a simple random sample, 0 <= drawn <= population.
        found: Wrong items in the sample, 0 <= found <= drawn.
        alpha: Chance that the bound is below the truth, between 0 and 1.

    Returns:
        The largest number of wrong items with which a sample as good as this has a chance above alpha. It is
        at most B exactly when the hypothesis "more than B are wrong" is rejected at alpha.

    Raises:
        AuditError: The counts are impossible.

    Source: Buonaccorsi (1987), The American Statistician 41(3).

    >>> upper_count(10_000, 998, 0, 0.05)
    28
    """
    _check(population, drawn, found, alpha)
    return int(upper_counts(population, drawn, found, alpha))


def lower_count(population: int, drawn: int, found: int, alpha: float) -> int:
    """Return the exact lower confidence bound of how many items are wrong.

    Arguments and errors are those of `upper_count`.

    Returns:
        The smallest number of wrong items with which a sample as bad as this has a chance above alpha.

    >>> lower_count(10_000, 500, 20, 0.05)
    270
    """
    _check(population, drawn, found, alpha)
    # The fewest wrong items are the most right ones.
    return population - int(upper_counts(population, drawn, drawn - found, alpha))


def binomial_upper_count(most: int, share: float, found: int, alpha: float) -> int:
    """Return the exact upper confidence bound of a count, each of whose items was met with the same chance.

    Args:
        most: The count is known not to be above this.
        share: Chance that an item was met, independently of others, above 0.
        found: Items met, 0 <= found <= most.
        alpha: Chance that the bound is below the truth, between 0 and 1.

    Returns:
        The largest count with which so few finds have a chance above alpha.

    Source: Clopper and Pearson (1934), turned around: the number of trials is bounded, not their chance.

    >>> binomial_upper_count(10_000, 0.1, 0, 0.05)
    28
    """
    _check(most, found, found, alpha)
    if not 0 < share <= 1:
        raise AuditError(f"share: found {share}; expected a chance above 0, up to 1")
    from scipy.special import betainc

    def holds(count: Integers) -> NDArray[np.bool_]:
        """Tell whether P(X <= found) is above alpha; it is I(count - found, found + 1) at 1 - share."""
        chance = np.where(count <= found, 1.0, betainc(np.maximum(count - found, 1), found + 1, 1 - share))
        return np.asarray(chance > alpha)

    return int(_search_last(np.array([found]), np.array([most]), holds)[0])


def clopper_pearson_upper(errors: int, audited: int, confidence: float = 0.95) -> float:
    """Return the exact upper confidence bound of an error rate.

    Args:
        errors: Wrong labels found, 0 <= errors <= audited.
        audited: Labels drawn at random and checked by an expert, at least 1.
        confidence: One-sided confidence level, between 0 and 1.

    Returns:
        The largest error rate (a share, 0 to 1) that the audit cannot rule out.

    Raises:
        AuditError: The counts are impossible.

    Source: Clopper and Pearson (1934), Biometrika 26(4).

    >>> round(clopper_pearson_upper(0, 998), 5)
    0.003
    """
    _check_rate(errors, audited, confidence)
    if errors == audited:
        return 1.0
    from scipy.special import betaincinv

    return float(betaincinv(errors + 1, audited - errors, confidence))


def clopper_pearson_lower(errors: int, audited: int, confidence: float = 0.95) -> float:
    """Return the exact lower confidence bound of an error rate; see `clopper_pearson_upper`.

    >>> round(clopper_pearson_lower(20, 500), 5)
    0.02666
    """
    _check_rate(errors, audited, confidence)
    if errors == 0:
        return 0.0
    from scipy.special import betaincinv

    return float(betaincinv(errors, audited - errors + 1, 1 - confidence))


def _search_last(low: Integers, high: Integers, holds: Callable[[Integers], NDArray[np.bool_]]) -> Integers:
    """Return the last value from low to high that holds; low does, and what holds is one run from low on."""
    low, high = low.copy(), high.copy()
    while np.any(low < high):
        middle = (low + high + 1) // 2
        is_held = holds(middle)
        low, high = np.where(is_held, middle, low), np.where(is_held, high, middle - 1)
    return low


def _sum_below(k: Integers, size: Integers, bad: Integers, n: Integers) -> Reals:
    """Return P(X <= k) for k inside the support and below the mean, where each term is less than the one above."""
    total, term, i = np.ones(k.shape), np.ones(k.shape), k.astype(np.float64)
    while np.any(term > _NEGLIGIBLE * total):
        term = term * (i / (bad - i + 1)) * ((size - bad - n + i) / (n - i + 1))
        total += term
        i -= 1
    share, rest = n / size, (size - n) / size
    log_chance = (
        _log_binomial(k, bad, share, rest)
        + _log_binomial(n - k, size - bad, share, rest)
        - _log_binomial(n, size, share, rest)
    )
    result: Reals = np.exp(log_chance) * total
    return result


def _log_binomial(x: Integers, n: Integers, p: Reals, q: Reals) -> Reals:
    with np.errstate(divide="ignore", invalid="ignore"):
        inner = (
            _stirling_error(n) - _stirling_error(x) - _stirling_error(n - x)
            - _deviance(x, n * p) - _deviance(n - x, n * q)
            - 0.5 * (math.log(2 * math.pi) + np.log(x) + np.log1p(-x / n))
        )  # fmt: skip
    return np.where(x == 0, n * np.log(q), np.where(x == n, n * np.log(p), inner))


def _deviance(x: Integers, mean: Reals) -> Reals:
    """Return x log(x / mean) + mean - x, without cancellation where x is near the mean."""
    away = (mean - x) / x
    result: Reals = x * (away - np.log1p(away))
    return result


def _stirling_error(n: Integers) -> Reals:
    """Return log n! less Stirling's formula, for n >= 1."""
    square = 1.0 / np.maximum(n, 1).astype(np.float64) ** 2
    series = (1 / 12 - (1 / 360 - (1 / 1260 - (1 / 1680 - square / 1188) * square) * square) * square) * np.sqrt(square)
    return np.where(n < _SMALL, _small_stirling_errors()[np.clip(n, 0, _SMALL - 1)], series)


@cache
def _small_stirling_errors() -> Reals:
    half = 0.5 * math.log(2 * math.pi)
    exact = [math.lgamma(n + 1) - (n + 0.5) * math.log(n) + n - half for n in range(1, _SMALL)]
    return np.array([math.nan, *exact])


def _check(population: int, drawn: int, found: int, alpha: float) -> None:
    if not 0 <= drawn <= population:
        raise AuditError(f"drawn: found {drawn}; expected 0 to {population}, the items there are")
    if not 0 <= found <= drawn:
        raise AuditError(f"found: {found}; expected 0 to {drawn}, the items drawn")
    if not 0 < alpha < 1:
        raise AuditError(f"alpha: found {alpha}; expected a chance between 0 and 1")


def _check_rate(errors: int, audited: int, confidence: float) -> None:
    if audited < 1:
        raise AuditError(f"audited: found {audited}; expected at least 1: without an audit there is no bound")
    if not 0 <= errors <= audited:
        raise AuditError(f"errors: found {errors}; expected 0 to {audited}, the labels audited")
    if not 0 < confidence < 1:
        raise AuditError(f"confidence: found {confidence}; expected a share between 0 and 1, such as 0.95")
