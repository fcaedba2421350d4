"""Occasions: how each answer came to be asked, and which other answers may therefore judge it."""

from typing import NamedTuple

import numpy as np

from cupel.consensus.coding import Coded, Flags, Integers, Reals

# Later answers are told apart by how many came before, up to so many beyond the first ones.
MOST_LATER = 3


class Occasions(NamedTuple):
    """Of each annotation, in the coding's order.

    `rank` is its place among the answers of its item, from 0. `is_first` tells the answers that every item is asked
    for; later ones are asked because of what the earlier ones said. `stratum` is 0 for the first answers; the later
    ones of a stratum came after as many answers, which all agreed or did not. `order` sorts by item, then rank.

    `is_weighable` tells the answers on items asked again after which more was asked only because answers differed, if
    it was. The chance of that depends on the answers alone; it is the same whoever is careless, and cancels in a ratio
    of likelihoods. So all others of the item count there. Where answers that agree are doubted, a checker says more
    than they do, and those that it asked for do not count for the earlier ones.
    """

    rank: Integers
    is_first: Flags
    stratum: Integers
    is_weighable: Flags
    order: Integers

    @property
    def strata(self) -> int:
        """How many strata there may be."""
        return int(self.stratum.max(initial=0)) + 1


def find_occasions(coded: Coded, sequence: Integers, first: int | None) -> Occasions:
    """Return how each answer came to be asked.

    Args:
        coded: The annotations.
        sequence: Place of each annotation in the order of arrival.
        first: Answers that every item is asked for, whatever they say; None: all answers were asked so.
    """
    order = np.lexsort((sequence, coded.item))
    rows = np.arange(len(order))
    starts = np.flatnonzero(np.diff(coded.item[order], prepend=-1))
    begin = np.repeat(starts, np.diff(starts, append=len(order)))
    rank = np.empty(len(order), np.int64)
    rank[order] = rows - begin
    is_first = np.ones(len(order), np.bool_) if first is None else rank < first
    stratum = np.zeros(len(order), np.int64)
    is_weighable = np.zeros(len(order), np.bool_)
    if first is not None and not is_first.all():
        said = coded.label[order]
        differing = np.cumsum(said != said[begin])
        # Before the own answer; the first answer of an item differs from itself never.
        is_split = np.concatenate([[0], differing[:-1]]) > differing[begin]
        later = np.minimum(rank[order] - first, MOST_LATER - 1)
        stratum[order] = np.where(later >= 0, 1 + 2 * later + is_split, 0)
        # The last answer that something else than the answers asked for; before it they all agreed.
        doubted = order[(later >= 0) & ~is_split]
        last = np.full(len(coded.item_ids), -1)
        np.maximum.at(last, coded.item[doubted], rank[doubted])
        is_again = np.bincount(coded.item, ~is_first, len(coded.item_ids)) > 0
        is_weighable = is_again[coded.item] & (rank >= last[coded.item])
    return Occasions(rank, is_first, stratum, is_weighable, order)


def sum_judges(coded: Coded, occasions: Occasions, values: Reals) -> Reals:
    """Return for each answer the sum over those answers of its item that may judge it.

    These are the answers that were there before it, and for one of the first answers the other first ones too. An
    answer that was asked because of how the own one fell out is not among them: that it was asked at all tells what
    the own one said, and it would be taken for evidence about the item.

    Args:
        coded: The annotations.
        occasions: How they came to be asked.
        values: Shape answers x columns.
    """
    items = len(coded.item_ids)
    first = values if occasions.is_first.all() else values * occasions.is_first[:, None]
    totals = np.stack([np.bincount(coded.item, column, items) for column in first.T], axis=1)
    sums = totals[coded.item] - values
    later = occasions.order[~occasions.is_first[occasions.order]]
    if len(later):
        # All first answers of the item, and the later ones before this one.
        item, own = coded.item[later], values[later]
        before = np.cumsum(own, axis=0) - own
        starts = np.flatnonzero(np.diff(item, prepend=-1))
        before -= np.repeat(before[starts], np.diff(starts, append=len(item)), axis=0)
        sums[later] = totals[item] + before
    return np.asarray(sums)
