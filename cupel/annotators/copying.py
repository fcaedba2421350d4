"""Copying: pairs of annotators who share more answers than the items explain, and the groups that they form."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.special import betainc

from cupel.annotators.beliefs import SMOOTHING, Beliefs, Flags, tally
from cupel.annotators.multiplicity import passes
from cupel.consensus.coding import Coded, Integers, Reals, vote_counts

# Fewer shared items say nothing of a pair.
FEWEST_SHARED = 5
# Of the agreement that independence leaves open, a pair must fill at least this share.
LEAST_EXCESS = 0.6
# Votes' worth of belief in the annotator's own matrix, beside the votes of the others on the item.
MODEL_VOTES = 2.0
# Chance of agreement is never taken as certain.
SUREST = 0.999
# One is the source where it was first in this share of the equal answers, and chance would do that so seldom.
FIRST_SHARE = 0.9
ORDER_CHANCE = 0.01
# False pairs among those found, at most, in expectation.
FALSE_SHARE = 0.02
PIECE_ANSWERS = 20_000


class Pairs(NamedTuple):
    """Pairs of annotators who share items; arrays of shape pairs, `one` before `other` in the coding's order.

    `shared` counts the items, `equal` the equal answers among them and `expected` how many independence given
    the items would bring; `excess` is (equal - expected) / (shared - expected), an estimate of the share copied.
    `p_value` bounds the chance of so many equal answers. `is_found`: it passes among all pairs, and the excess
    is large. `source` is -1, or the annotator of the two who was first in nearly all equal answers.
    """

    one: Integers
    other: Integers
    shared: Integers
    equal: Integers
    expected: Reals
    excess: Reals
    p_value: Reals
    is_found: Flags
    source: Integers


def pairs(coded: Coded, found: Beliefs, sequence: Integers, is_named: Flags) -> Pairs:
    """Find pairs of annotators who share more answers than independence given the items explains.

    The chance that an annotator gives the other one's answer to an item is the largest of four: from the own
    confusions and what is believed of the item, and from these with the votes of all others on the item, which
    know how hard it is and which wrong answer it invites; each from both sides. A sum of independent chances
    has a lighter tail than the binomial with their mean, so the p-value is a bound.

    Args:
        coded: The annotations.
        found: Beliefs of their items.
        sequence: Place of each annotation in the order of arrival.
        is_named: Whether each annotator is a person; others are in no pair.

    Returns:
        All pairs that share an item.

    Source: Hoeffding (1956), On the distribution of the number of successes in independent trials, Annals of
    Mathematical Statistics 27(3); false pairs: Benjamini and Hochberg (1995), JRSS B 57(1).
    """
    people = len(coded.annotators)
    parts = [_Piece(np.zeros(0, np.int64), np.zeros((0, 4))), *_pieces(coded, found, sequence, is_named)]
    key, sums = _summed(np.concatenate([part.key for part in parts]), np.concatenate([part.sums for part in parts]))
    shared, equal, expected, first = sums.T
    mean = expected / np.maximum(shared, 1)
    is_more = equal > expected + 1
    p_value = np.where(is_more, betainc(np.maximum(equal, 1), shared - equal + 1, mean), 1.0)
    excess = (equal - expected) / np.maximum(shared - expected, 1e-9)
    is_tested = shared >= FEWEST_SHARED
    is_found = np.zeros(len(key), dtype=np.bool_)
    is_found[is_tested] = passes(p_value[is_tested], FALSE_SHARE)
    is_found &= excess >= LEAST_EXCESS
    one, other = key // people, key % people
    return Pairs(
        one, other, shared.astype(np.int64), equal.astype(np.int64), expected, excess, p_value, is_found,
        _source(one, other, equal, first),
    )  # fmt: skip


def groups(found: Pairs, people: int) -> Integers:
    """Return each annotator's group, -1 for who is in none: who is linked by pairs that were found is in one.

    Args:
        found: The pairs.
        people: Number of annotators.
    """
    chosen = found.is_found
    links = coo_array((np.ones(int(chosen.sum())), (found.one[chosen], found.other[chosen])), shape=(people, people))
    label = connected_components(links, directed=False)[1]
    is_in = np.zeros(people, dtype=np.bool_)
    is_in[found.one[chosen]] = is_in[found.other[chosen]] = True
    numbers = np.full(people, -1, dtype=np.int64)
    numbers[is_in] = np.unique(label[is_in], return_inverse=True)[1]
    return numbers


def comparable(found: Pairs, people: int) -> Integers:
    """Return with how many others each annotator shares items enough to be compared."""
    is_tested = found.shared >= FEWEST_SHARED
    return np.bincount(np.concatenate([found.one[is_tested], found.other[is_tested]]), minlength=people)


class _Piece(NamedTuple):
    """Some pairs of annotations on one item: the annotators' number of the pair, and what is summed of it."""

    key: Integers
    sums: Reals


def _pieces(coded: Coded, found: Beliefs, sequence: Integers, is_named: Flags) -> Iterator[_Piece]:
    """Yield all pairs of annotations on one item, summed by pair of annotators within each piece."""
    keep = np.flatnonzero(is_named[coded.annotator])
    if not len(keep):
        return
    item = coded.item[keep]
    starts = np.flatnonzero(np.diff(item, prepend=-1))
    ends = np.repeat(np.append(starts[1:], len(item)), np.diff(starts, append=len(item)))
    counts = tally(coded, found.unflattened)
    pool = counts.sum(axis=0) + 0.5
    seen = counts + SMOOTHING * pool / pool.sum(axis=1, keepdims=True)
    confusion, votes = seen / seen.sum(axis=2, keepdims=True), vote_counts(coded)
    for step in range(1, int((ends - np.arange(len(item))).max(initial=1))):
        # Annotations that are `step` places apart, on the same item.
        place = np.flatnonzero(np.arange(len(item)) + step < ends)
        for begin in range(0, len(place), PIECE_ANSWERS):
            chosen = place[begin : begin + PIECE_ANSWERS]
            u, v = keep[chosen], keep[chosen + step]
            one, other = _chance(coded, found, confusion, votes, u, v), _chance(coded, found, confusion, votes, v, u)
            chance = np.minimum(np.maximum(one, other), SUREST)
            is_equal = coded.label[u] == coded.label[v]
            is_led = is_equal & (sequence[u] < sequence[v])
            values = np.column_stack([np.ones(len(u)), is_equal, chance, is_led])
            # Within an item annotators ascend, so the first of a pair is the lower one.
            yield _summed(coded.annotator[u] * len(coded.annotators) + coded.annotator[v], values)


def _summed(key: Integers, values: Reals) -> _Piece:
    distinct, inverse = np.unique(key, return_inverse=True)
    return _Piece(distinct, np.stack([np.bincount(inverse, column, len(distinct)) for column in values.T], axis=1))


def _chance(coded: Coded, found: Beliefs, confusion: Reals, votes: Integers, u: Integers, v: Integers) -> Reals:
    """Return the chance that the annotator of `v` gives the answer of `u` without knowing it."""
    said = coded.label[u]
    by_model = np.einsum("nk,nk->n", found.unflattened[v], confusion[coded.annotator[v], :, said])
    rest = votes[coded.item[u]]
    same = rest[np.arange(len(u)), said] - 1 - (coded.label[v] == said)
    with_votes = (MODEL_VOTES * by_model + same) / (MODEL_VOTES + rest.sum(axis=1) - 2)
    return np.asarray(np.maximum(by_model, with_votes))


def _source(one: Integers, other: Integers, equal: Reals, first: Reals) -> Integers:
    """Return who of each pair was first in nearly all equal answers, -1 where that changes about."""
    led = np.maximum(first, equal - first)
    by_chance = 2 * betainc(np.maximum(led, 1), equal - led + 1, 0.5)
    is_clear = (led >= FIRST_SHARE * equal) & (by_chance <= ORDER_CHANCE) & (equal > 0)
    return np.where(is_clear, np.where(first >= equal - first, one, other), -1)
