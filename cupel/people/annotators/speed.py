"""Speed: who answers far faster than others do on the same items."""

from typing import NamedTuple

import numpy as np
from scipy.special import betainc

from cupel.consensus.coding import Coded, Integers, Reals
from cupel.people.annotators.beliefs import Flags
from cupel.people.annotators.multiplicity import passes
from cupel.people.annotators.occasions import Occasions

# Faster than this share of the others' time on the same item is hurried.
HURRIED_SHARE = 1 / 3
FEWEST_ANSWERS = 10
# False ones among the annotators found to hurry, at most, in expectation.
FALSE_SHARE = 0.02


class Speed(NamedTuple):
    """Of each annotator, shape annotators: `ratio` is the median of own time over the others' median on the item.

    It is NaN where no time is told. `faster` of `timed` answers took less than HURRIED_SHARE of the others'
    time; `p_value` is the chance of so many if half did.
    """

    ratio: Reals
    faster: Integers
    timed: Integers
    p_value: Reals
    is_hurried: Flags


def speed(coded: Coded, seconds: Reals, occasions: Occasions) -> Speed:
    """Compare each annotator's working times with those of the others on the same items.

    Answers that were asked later, because of the earlier ones, are held against what such answers take: everybody is
    quicker by then, or reads harder items.

    Args:
        coded: The annotations.
        seconds: Working time of each annotation in the coding's order, NaN where it is not told.
        occasions: How each annotation came to be asked.
    """
    people = len(coded.annotators)
    told = np.flatnonzero(~np.isnan(seconds))
    ratio = _over_others(coded.item[told], seconds[told])
    known = ~np.isnan(ratio)
    who, ratio = coded.annotator[told][known], ratio[known]
    stratum = occasions.stratum[told][known]
    for later in range(1, occasions.strata):
        alike = np.flatnonzero(stratum == later)
        if len(alike) >= FEWEST_ANSWERS:
            ratio[alike] /= np.median(ratio[alike])
    timed = np.bincount(who, minlength=people)
    faster = np.bincount(who, ratio < HURRIED_SHARE, people).astype(np.int64)
    medians = np.full(people, np.nan)
    order = np.lexsort((ratio, who))
    for one in np.flatnonzero(timed):
        begin = int(timed[:one].sum())
        medians[one] = np.median(ratio[order[begin : begin + timed[one]]])
    p_value = np.where(faster > 0, betainc(np.maximum(faster, 1), timed - faster + 1, 0.5), 1.0)
    is_tested = timed >= FEWEST_ANSWERS
    is_hurried = np.zeros(people, np.bool_)
    is_hurried[is_tested] = passes(p_value[is_tested], FALSE_SHARE)
    return Speed(medians, faster, timed, p_value, is_hurried)


def _over_others(item: Integers, seconds: Reals) -> Reals:
    """Return each time over the median of the other times on its item; NaN where there is no other."""
    order = np.lexsort((seconds, item))
    starts = np.flatnonzero(np.diff(item[order], prepend=-1))
    size = np.diff(starts, append=len(order))
    start, count = np.repeat(starts, size), np.repeat(size, size)
    rank = np.arange(len(order)) - start
    ordered, others = seconds[order], count - 1
    result = np.full(len(order), np.nan)
    low, high = (others - 1) // 2, others // 2
    # The median of the others: places shift by one from the own rank on.
    middle = np.full(len(order), np.nan)
    has = others > 0
    for place in (low, high):
        shifted = np.minimum(start + place + (place >= rank), len(order) - 1)
        middle = np.where(np.isnan(middle), ordered[shifted], (middle + ordered[shifted]) / 2)
    is_positive = has & (middle > 0)
    result[order[is_positive]] = (ordered / np.where(middle > 0, middle, 1.0))[is_positive]
    return result
