"""Agreement: how far annotators agree beyond chance, by named statistics, with intervals over items."""

from collections.abc import Callable
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from cupel.consensus.coding import Integers, Reals


class Agreement(NamedTuple):
    """A statistic of agreement: its value, the interval's ends, and the items with two or more answers.

    The value is null where the statistic is not defined: no item has two answers, or only one class ever
    came up and chance alone would agree. The ends are null where leaving out one item has that effect.
    """

    value: float | None
    lower: float | None
    upper: float | None
    items: int


def krippendorff_alpha(counts: Integers, confidence: float = 0.95) -> Agreement:
    """Return Krippendorff's alpha for nominal classes.

    Args:
        counts: Votes, shape items x classes; any number per item, those with fewer than two say nothing.
        confidence: Two-sided confidence level of the jackknife interval, items taken as drawn at random.

    Returns:
        Alpha: 1 is full agreement, 0 what chance gives.

    Source: Krippendorff (2011), Computing Krippendorff's alpha-reliability.

    >>> krippendorff_alpha(np.array([[2, 0], [0, 2], [1, 1]])).value
    0.4444444444444444
    """
    pairable = counts[counts.sum(axis=1) > 1]
    votes = pairable.sum(axis=1)
    differing = (votes**2 - (pairable**2).sum(axis=1)) / np.maximum(votes - 1, 1)
    sums = np.column_stack([differing, pairable]).astype(np.float64)
    return _jackknife(sums, np.ones(len(sums), dtype=np.bool_), _alpha, confidence)


def gwet_ac1(counts: Integers, confidence: float = 0.95) -> Agreement:
    """Return Gwet's AC1, which stays meaningful where one class is rare.

    Args:
        counts: Votes, shape items x classes, at least two classes; any number per item. Items with one
            vote count towards how frequent classes are.
        confidence: Two-sided confidence level of the jackknife interval, items taken as drawn at random.

    Returns:
        AC1: 1 is full agreement, 0 what chance gives.

    Source: Gwet (2008), British Journal of Mathematical and Statistical Psychology 61(1).

    >>> round(gwet_ac1(np.array([[2, 0]] * 118 + [[1, 1]] * 7)).value, 4)
    0.9408
    """
    answered = counts[counts.sum(axis=1) > 0]
    votes = answered.sum(axis=1)
    is_pair = votes > 1
    agreeing = (answered * (answered - 1)).sum(axis=1) / np.maximum(votes * (votes - 1), 1)
    shares = answered / votes[:, None]
    sums = np.column_stack([agreeing, is_pair, np.ones(len(votes)), shares]).astype(np.float64)
    return _jackknife(sums, is_pair, _ac1, confidence)


def _alpha(sums: Reals) -> Reals:
    """Return alpha for each row of sums: differing pairs, then votes per class."""
    votes = sums[:, 1:].sum(axis=1)
    expected = votes**2 - (sums[:, 1:] ** 2).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(expected > 0.5, 1 - (votes - 1) * sums[:, 0] / expected, np.nan)


def _ac1(sums: Reals) -> Reals:
    """Return AC1 for each row of sums: agreement, items with two votes, items with a vote, vote shares."""
    with np.errstate(divide="ignore", invalid="ignore"):
        observed = np.where(sums[:, 1] > 0.5, sums[:, 0] / sums[:, 1], np.nan)
        shares = sums[:, 3:] / sums[:, 2:3]
    expected = (shares * (1 - shares)).sum(axis=1) / (shares.shape[1] - 1)
    return np.asarray((observed - expected) / (1 - expected))


def _jackknife(
    sums: Reals,
    is_counted: np.ndarray[tuple[int], np.dtype[np.bool_]],
    statistic: Callable[[Reals], Reals],
    level: float,
) -> Agreement:
    total = sums.sum(axis=0, keepdims=True)
    value = float(statistic(total)[0]) if len(sums) else np.nan
    return jackknife_interval(value, statistic(total - sums), int(is_counted.sum()), level)


def jackknife_interval(value: float, without: Reals, pairs: int, level: float) -> Agreement:
    """Return a statistic with its jackknife interval, cut to -1 and 1.

    Args:
        value: The statistic of all items, NaN where it is not defined.
        without: The statistic with one item left out, for each item; NaN where it is not defined.
        pairs: Items with two or more answers.
        level: Two-sided confidence level.
    """
    items = len(without)
    if np.isnan(value):
        return Agreement(None, None, None, pairs)
    if items < 2 or np.isnan(without).any():
        return Agreement(value, None, None, pairs)
    error = float(np.sqrt((items - 1) / items * ((without - without.mean()) ** 2).sum()))
    half = NormalDist().inv_cdf((1 + level) / 2) * error
    return Agreement(value, max(-1.0, value - half), min(1.0, value + half), pairs)
