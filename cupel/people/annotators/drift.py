"""Drift: annotators whose answers get worse, or better, in the course of their work."""

from typing import NamedTuple

import numpy as np
from scipy.special import kolmogorov

from cupel.consensus.coding import Coded, Integers, Reals
from cupel.people.annotators.beliefs import Beliefs, Flags
from cupel.people.annotators.multiplicity import passes

# Fewer answers say nothing of a change.
FEWEST_ANSWERS = 20
# A change of less than this in the share of right answers is let be.
LEAST_CHANGE = 0.1
# Later answers are held against those of the same time: so many times, of so many answers each at least.
MOST_TIMES, FEWEST_OF_A_TIME = 50, 100
# Annotators' and times' means are taken out in turns, so often.
PASSES = 5
# Rounding leaves no less than this of a sum of squares.
NO_SPREAD = 1e-9
# False ones among the annotators found to drift, at most, in expectation.
FALSE_SHARE = 0.02


class Drift(NamedTuple):
    """Of each annotator, shape annotators, in the coding's order.

    `statistic` is the largest excursion of the cumulative sum, in deviations; `p_value` the chance of one so
    large without a change; `change` the answer, counted from 1, from which on it changed; `before` and `after`
    the shares of right answers expected of the beliefs, in answers that came to be asked alike. `is_worse`: found,
    and worse afterwards.
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
    no change. Then it is held against the annotator's own answers that came to be asked alike, so that it is no
    change either when answers on items in dispute come after all others; the change is that among such answers. The
    cumulative sum of these differences is held against the bridge that it is without a change. As sums of bridges,
    one for each way to be asked, spread no wider than one bridge (Anderson 1955), the bound is on the safe side;
    with few answers it is so, too.

    Args:
        coded: The annotations.
        found: Beliefs of their items.
        usual: How the usual annotator answers, true class x answer.
        sequence: Place of each annotation in the order of arrival.

    Source: Page (1955), A test for a change in a parameter occurring at an unknown point, Biometrika 42;
    Ploberger and Kramer (1992), The CUSUM test with OLS residuals, Econometrica 60(2);
    Anderson (1955), The integral of a symmetric unimodal function, Proceedings of the AMS 6(2).
    """
    people, rows = len(coded.annotators), np.arange(len(coded.item))
    stratum, strata = found.occasions.stratum, found.occasions.strata
    right = found.judges[rows, coded.label]
    alike = coded.annotator * strata + stratum
    rest = right - np.einsum("ij,ij->i", found.judges @ usual, found.judges)
    rest = np.where(found.is_judged, rest - _common(rest, alike, found, sequence), 0.0)
    rest, centred = _own(rest, _told(found.judges), alike, coded.annotator, found.is_judged)
    order = np.lexsort((sequence, coded.annotator))
    ends = np.cumsum(np.bincount(coded.annotator, minlength=people))
    starts = np.concatenate([[0], ends[:-1]])
    statistic, p_value, change = np.zeros(people), np.ones(people), np.ones(people, np.int64)
    before, after, difference = np.zeros(people), np.zeros(people), np.zeros(people)
    is_tested = np.bincount(coded.annotator, found.is_judged, people) >= FEWEST_ANSWERS
    for who in np.flatnonzero(is_tested):
        mine = order[starts[who] : ends[who]]
        path = np.cumsum(centred[mine])[:-1]
        place, squares = int(np.abs(path).argmax()), float((centred[mine] ** 2).sum())
        statistic[who] = abs(path[place]) / np.sqrt(squares) if squares > 0 else 0.0
        change[who] = place + 2
        then, now = (some[found.is_judged[some]] for some in (mine[: place + 1], mine[place + 1 :]))
        weight = _shared_weight(stratum[then], stratum[now], strata)
        before[who], after[who] = (_mean_of(right, stratum, some, weight) for some in (then, now))
        difference[who] = _mean_of(rest, stratum, now, weight) - _mean_of(rest, stratum, then, weight)
    p_value[is_tested] = kolmogorov(statistic[is_tested])
    is_found = np.zeros(people, np.bool_)
    is_found[is_tested] = passes(p_value[is_tested], FALSE_SHARE)
    # Both as it is and against what is usual, so that neither harder items nor easier ones make the change.
    least, most = np.minimum(difference, after - before), np.maximum(difference, after - before)
    return Drift(
        statistic, p_value, change, before, after,
        is_worse=is_found & (most <= -LEAST_CHANGE), is_better=is_found & (least >= LEAST_CHANGE),
    )  # fmt: skip


def _common(rest: Reals, alike: Integers, found: Beliefs, sequence: Integers) -> Reals:
    """Return of each later answer what those asked in the same way at the same time have in common; 0 of first ones.

    Why items are asked again changes as the checker learns, and prices and experts come in; so a later answer is held
    against others of its own time. Who gives them changes, too, so each annotator's own mean is taken out first.
    """
    stratum, common = found.occasions.stratum, np.zeros(len(rest))
    for later in range(1, found.occasions.strata):
        some = np.flatnonzero((stratum == later) & found.is_judged)
        place = np.argsort(np.argsort(sequence[some], kind="stable"), kind="stable")
        time = place * max(1, min(MOST_TIMES, len(some) // FEWEST_OF_A_TIME)) // max(1, len(some))
        own, every = np.unique(alike[some], return_inverse=True)[1], np.ones(len(some), np.bool_)
        for _ in range(PASSES):
            common[some] = _means(rest[some] - _means(rest[some] - common[some], own, every), time, every)
    return common


def _told(others: Reals) -> Reals:
    """Return how far each answer's being right can be told: what knowing the class adds to guessing another one.

    >>> _told(np.array([[1.0, 0.0, 0.0], [0.5, 0.5, 0.0]])).tolist()
    [1.0, 0.25]
    """
    same = np.einsum("ij,ij->i", others, others)
    return np.asarray(same - (1 - same) / max(1, others.shape[1] - 1))


def _own(rest: Reals, told: Reals, alike: Integers, who: Integers, is_judged: Flags) -> tuple[Reals, Reals]:
    """Return the differences less what the annotator's own skill explains, and these less their mean among alike ones.

    Who is better than the usual annotator is so by more where the others tell more of the item; when the company
    changes, that is no change of the annotator.
    """
    centred = np.where(is_judged, rest - _means(rest, alike, is_judged), 0.0)
    lever = np.where(is_judged, told - _means(told, alike, is_judged), 0.0)
    squares = np.bincount(who, lever**2)
    slope = np.bincount(who, lever * centred) / np.where(squares > NO_SPREAD, squares, np.inf)
    return rest - slope[who] * told, centred - slope[who] * lever


def _means(values: Reals, group: Integers, is_counted: Flags) -> Reals:
    """Return of each value the mean of its group, of those that count."""
    size = np.bincount(group, is_counted)
    return np.asarray((np.bincount(group, values * is_counted) / np.maximum(size, 1))[group])


def _shared_weight(then: Integers, now: Integers, strata: int) -> Reals:
    """Return what each stratum counts where two stretches are compared: most where both have many of its answers."""
    one, other = np.bincount(then, minlength=strata), np.bincount(now, minlength=strata)
    weight = one * other / np.maximum(one + other, 1)
    return np.asarray(weight / max(weight.sum(), 1e-12))


def _mean_of(values: Reals, stratum: Integers, some: Integers, weight: Reals) -> float:
    """Return the mean of some of the values in each stratum, averaged over strata by their weight."""
    size = np.maximum(np.bincount(stratum[some], minlength=len(weight)), 1)
    return float((np.bincount(stratum[some], values[some], len(weight)) / size) @ weight)
