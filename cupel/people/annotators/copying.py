"""Copying: annotators whose answers are better explained by another one's than by the items, and their groups."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.special import betainc

from cupel.consensus.coding import Coded, Integers, Reals
from cupel.people.annotators.beliefs import Beliefs, Flags
from cupel.people.annotators.expected import log_chances
from cupel.people.annotators.guessing import CONSTANT_SHARE

# Fewer shared items say nothing of a pair.
FEWEST_SHARED = 5
# Shares of the answers that one who copies may copy; the others are guessed.
COPIED = (0.9, 0.99)
# No answer is taken to be less likely without copying, so that no single one convicts.
LEAST_CHANCE = 0.02
# A pair that fills less than this share of the agreement left open speaks for nobody copying, however many items it
# shares: two who copy fill nine tenths, and chances that are a little wrong would convict anybody in the end.
LEAST_EXCESS = 0.5
# An annotator is found where copying makes the answers so many times likelier.
TIMES_LIKELIER = 20.0
# One is the source where it was first on this share of the shared items, and chance would do that so seldom.
FIRST_SHARE = 0.9
ORDER_CHANCE = 0.01
# The weight of those who were always first, among all who may have been copied from.
FIRST_WEIGHT = 0.9
PIECE_ANSWERS = 20_000
# Logarithms from here on are as good as certain, and may be added up.
SURE = 600.0


class Pairs(NamedTuple):
    """Pairs of annotators who share items; arrays of shape pairs, `one` before `other` in the coding's order.

    `shared` counts the items, `equal` the equal answers among them and `expected` how many independence given
    the items would bring; `excess` is (equal - expected) / (shared - expected), an estimate of the share copied.
    `one_copies` is the log of how many times likelier the answers of `one` are, had they been copied from `other`,
    and `other_copies` the other way round. `source` is -1, or the annotator of the two who was first on nearly all
    shared items. `is_found`: the pair speaks for copying.

    `evidence`, of shape annotators: the log of how many times likelier an annotator's answers are, had they been
    copied from somebody. If they were not, it is `log(n)` or more with a chance of 1/n at most.
    """

    one: Integers
    other: Integers
    shared: Integers
    equal: Integers
    expected: Reals
    excess: Reals
    one_copies: Reals
    other_copies: Reals
    source: Integers
    is_found: Flags
    evidence: Reals


def pairs(coded: Coded, found: Beliefs, sequence: Integers, is_named: Flags, is_heard: Flags) -> Pairs:
    """Find annotators who copied, and from whom.

    For each pair the answers of one are weighed: how likely are they if most are copied from the other, the rest
    guessed, against how likely they are without (`expected.log_chances`)? From whom somebody copied is not known, so
    of an annotator the ratios are averaged: nine tenths of the weight go to those who were first on nearly all shared
    items, the rest to all but those who came after. The order of arrival says nothing by itself, as whole shifts
    come one after the other. Who always says the same is nobody's source, or every run of that answer would be
    copied. Such an average is a fair bet's gain where nobody copies: it is n or more with a chance of 1/n at most,
    however many others there are.

    Args:
        coded: The annotations.
        found: Beliefs of their items.
        sequence: Place of each annotation in the order of arrival.
        is_named: Whether each annotator is a person; others are in no pair.
        is_heard: Whether each annotator's answers tell what an item is like.

    Returns:
        All pairs that share an item.

    Source: ratios of likelihoods as bets: Vovk and Wang (2021), E-values: calibration, combination and
    applications, Annals of Statistics 49(3).
    """
    people = len(coded.annotators)
    parts = [_Piece(np.zeros(0, np.int64), np.zeros((0, 6))), *_pieces(coded, found, sequence, is_named, is_heard)]
    key, sums = _summed(np.concatenate([part.key for part in parts]), np.concatenate([part.sums for part in parts]))
    shared, equal, expected, first, own_one, own_other = sums.T
    one, other = key // people, key % people
    source = _source(one, other, shared, first)
    copied = _copied(shared, equal, len(coded.classes))
    excess = (equal - expected) / np.maximum(shared - expected, 1e-9)
    most = np.where(excess >= LEAST_EXCESS, np.inf, 0.0)
    is_varied = _top_share(coded) < CONSTANT_SHARE
    one_copies, other_copies = (
        np.where(
            (shared >= FEWEST_SHARED) & (source != who) & is_varied[model], np.minimum(copied - own, most), -np.inf
        )
        for who, model, own in ((one, other, own_one), (other, one, own_other))
    )
    evidence, is_found = _weighed(one, other, source, one_copies, other_copies, people)
    return Pairs(
        one, other, shared.astype(np.int64), equal.astype(np.int64), expected,
        excess, one_copies, other_copies, source,
        is_found, evidence,
    )  # fmt: skip


def copiers(found: Pairs) -> Flags:
    """Tell which annotators copy or collude: who is the source only is not among them."""
    return np.asarray(found.evidence >= np.log(TIMES_LIKELIER))


def groups(found: Pairs) -> Integers:
    """Return each annotator's group, -1 for who is in none: who is linked by pairs that were found is in one.

    Args:
        found: The pairs.
    """
    chosen, people = found.is_found, len(found.evidence)
    links = coo_array((np.ones(int(chosen.sum())), (found.one[chosen], found.other[chosen])), shape=(people, people))
    label = connected_components(links, directed=False)[1]
    is_in = np.zeros(people, dtype=np.bool_)
    is_in[found.one[chosen]] = is_in[found.other[chosen]] = True
    numbers = np.full(people, -1, dtype=np.int64)
    numbers[is_in] = np.unique(label[is_in], return_inverse=True)[1]
    return numbers


def comparable(found: Pairs) -> Integers:
    """Return with how many others each annotator shares items enough to be compared."""
    is_tested = found.shared >= FEWEST_SHARED
    return np.bincount(np.concatenate([found.one[is_tested], found.other[is_tested]]), minlength=len(found.evidence))


class _Piece(NamedTuple):
    """Some pairs of annotations on one item: the annotators' number of the pair, and what is summed of it."""

    key: Integers
    sums: Reals


def _pieces(
    coded: Coded, found: Beliefs, sequence: Integers, is_named: Flags, is_heard: Flags
) -> Iterator[_Piece]:  # fmt: skip
    """Yield all pairs of annotations on one item, summed by pair of annotators within each piece."""
    keep = np.flatnonzero(is_named[coded.annotator])
    if not len(keep):
        return
    item, said = coded.item[keep], coded.label
    starts = np.flatnonzero(np.diff(item, prepend=-1))
    ends = np.repeat(np.append(starts[1:], len(item)), np.diff(starts, append=len(item)))
    chances = np.exp(log_chances(coded, found, is_heard))
    own = np.log(np.maximum(chances[np.arange(len(said)), said], LEAST_CHANCE))
    for step in range(1, int((ends - np.arange(len(item))).max(initial=1))):
        # Annotations that are `step` places apart, on the same item.
        place = np.flatnonzero(np.arange(len(item)) + step < ends)
        for begin in range(0, len(place), PIECE_ANSWERS):
            chosen = place[begin : begin + PIECE_ANSWERS]
            u, v = keep[chosen], keep[chosen + step]
            # Where one was asked because of the other, only what the later one said was still open.
            rank, is_asked_alike = found.occasions.rank, found.occasions.is_first[u] & found.occasions.is_first[v]
            of_u, of_v = is_asked_alike | (rank[u] > rank[v]), is_asked_alike | (rank[v] > rank[u])
            expected = (chances[u, said[v]] * of_u + chances[v, said[u]] * of_v) / (of_u * 1 + of_v * 1)
            is_first = sequence[u] < sequence[v]
            values = np.column_stack([np.ones(len(u)), said[u] == said[v], expected, is_first,
                                      own[np.where(of_u, u, v)], own[np.where(of_v, v, u)]])  # fmt: skip
            # Within an item annotators ascend, so the first of a pair is the lower one.
            yield _summed(coded.annotator[u] * len(coded.annotators) + coded.annotator[v], values)


def _summed(key: Integers, values: Reals) -> _Piece:
    distinct, inverse = np.unique(key, return_inverse=True)
    return _Piece(distinct, np.stack([np.bincount(inverse, column, len(distinct)) for column in values.T], axis=1))


def _top_share(coded: Coded) -> Reals:
    """Return the share of each annotator's commonest answer."""
    people, classes = len(coded.annotators), len(coded.classes)
    given = np.bincount(coded.annotator * classes + coded.label, minlength=people * classes).reshape(people, classes)
    return np.asarray(given.max(axis=1) / np.maximum(given.sum(axis=1), 1))


def _copied(shared: Reals, equal: Reals, classes: int) -> Reals:
    """Return the log of the chance of answers of which so many equal those that are copied."""
    fits = [
        equal * np.log(share + (1 - share) / classes) + (shared - equal) * np.log((1 - share) / classes)
        for share in COPIED
    ]
    return np.asarray(np.logaddexp(*fits) - np.log(len(COPIED)))


def _weighed(
    one: Integers, other: Integers, source: Integers, one_copies: Reals, other_copies: Reals, people: int
) -> tuple[Reals, Flags]:
    """Return the log of each annotator's evidence, and which pairs make it.

    Of who is found these are the likeliest source, and every other one who would be enough alone.
    """
    copier, model = np.concatenate([one, other]), np.concatenate([other, one])
    ratio = np.concatenate([one_copies, other_copies])
    is_possible, is_first = ratio > -np.inf, np.tile(source, 2) == model
    first = np.bincount(copier, is_first & is_possible, people)[copier]
    every = np.bincount(copier, is_possible, people)[copier]
    weight = FIRST_WEIGHT * is_first / np.maximum(first, 1) + (1 - FIRST_WEIGHT) / np.maximum(every, 1)
    part = np.where(is_possible, np.minimum(np.log(weight) + ratio, SURE), -np.inf)
    evidence = np.log(np.maximum(np.bincount(copier, np.exp(part), people), np.exp(-SURE)))
    most = np.full(people, -np.inf)
    np.maximum.at(most, copier, part)
    makes_it = is_possible & ((part >= np.log(TIMES_LIKELIER)) | (part >= most[copier]))
    makes_it &= evidence[copier] >= np.log(TIMES_LIKELIER)
    return np.asarray(evidence), makes_it[: len(one)] | makes_it[len(one) :]


def _source(one: Integers, other: Integers, shared: Reals, first: Reals) -> Integers:
    """Return who of each pair was first on nearly all shared items, -1 where that changes about."""
    led = np.maximum(first, shared - first)
    by_chance = 2 * betainc(np.maximum(led, 1), shared - led + 1, 0.5)
    is_clear = (led >= FIRST_SHARE * shared) & (by_chance <= ORDER_CHANCE)
    return np.where(is_clear, np.where(first >= shared - first, one, other), -1)
