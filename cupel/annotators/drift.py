"""Drift: annotators whose answers get worse, or better, in the course of their work."""

from typing import NamedTuple

import numpy as np
from scipy.special import kolmogorov

from cupel.annotators.beliefs import Beliefs, Flags
from cupel.annotators.multiplicity import passes
from cupel.consensus.coding import Coded, Integers, Reals

# Fewer answers say nothing of a change.
FEWEST_ANSWERS = 20
# A change of less than this in the share of right answers is let be.
LEAST_CHANGE = 0.1
# False ones among the annotators found to drift, at most, in expectation.
FALSE_SHARE = 0.02


class Drift(NamedTuple):
    """Of each annotator, shape annotators, in the coding's order.

    `statistic` is the largest excursion of the cumulative sum, in deviations; `p_value` the chance of one so
    large without a change; `change` the answer, counted from 1, from which on it changed; `before` and `after`
    the shares of right answers expected of the beliefs. `is_worse`: found, and worse afterwards.
    """

    statistic: Reals
    p_value: Reals
    change: Integers
    before: Reals
    after: Reals
    is_worse: Flags
    is_better: Flags


def drift(coded: Coded, found: Beliefs, usual: Reals, sequence: Integers) -> Drift:
    """Find annotators who change in the course of their work.

    Each answer is held against what the usual annotator would do on that item, so that a run of hard items is
    no change; the cumulative sum of these differences is held against the bridge that it is without a change.
    With few answers the bound is on the safe side.

    Args:
        coded: The annotations.
        found: Beliefs of their items.
        usual: How the usual annotator answers, true class x answer.
        sequence: Place of each annotation in the order of arrival.

    Source: Page (1955), A test for a change in a parameter occurring at an unknown point, Biometrika 42;
    Ploberger and Kramer (1992), The CUSUM test with OLS residuals, Econometrica 60(2).
    """
    people, rows = len(coded.annotators), np.arange(len(coded.item))
    right = found.others[rows, coded.label]
    expected = ((found.others @ usual) * found.others).sum(axis=1)
    order = np.lexsort((sequence, coded.annotator))
    size = np.bincount(coded.annotator, minlength=people)
    ends = np.cumsum(size)
    result = Drift(
        np.zeros(people), np.ones(people), np.ones(people, np.int64), np.zeros(people), np.zeros(people),
        np.zeros(people, np.bool_), np.zeros(people, np.bool_),
    )  # fmt: skip
    is_tested = size >= FEWEST_ANSWERS
    for who in np.flatnonzero(is_tested):
        mine = order[ends[who] - size[who] : ends[who]]
        rest = right[mine] - expected[mine]
        deviation = rest.std()
        path = np.cumsum(rest - rest.mean())[:-1]
        place = int(np.abs(path).argmax())
        result.statistic[who] = abs(path[place]) / (deviation * np.sqrt(len(mine))) if deviation > 0 else 0.0
        result.change[who] = place + 2
        result.before[who], result.after[who] = right[mine[: place + 1]].mean(), right[mine[place + 1 :]].mean()
    result.p_value[is_tested] = kolmogorov(result.statistic[is_tested])
    is_found = np.zeros(people, np.bool_)
    is_found[is_tested] = passes(result.p_value[is_tested], FALSE_SHARE)
    difference = result.after - result.before
    return result._replace(
        is_worse=is_found & (difference <= -LEAST_CHANGE), is_better=is_found & (difference >= LEAST_CHANGE)
    )
