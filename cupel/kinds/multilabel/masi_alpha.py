"""MASI alpha: how far annotators agree on sets beyond chance, sets that share classes counting as nearly equal."""

import numpy as np

from cupel.consensus.agreement import Agreement, jackknife_interval, krippendorff_alpha
from cupel.consensus.coding import Flags, Integers, Reals
from cupel.kinds.multilabel.coded_sets import CodedSets, count_yes

# Distances of so many pairs of sets are found at a time; bounds the memory.
PAIRS = 1 << 22
# MASI's weight of the share of classes in common, by how two sets lie: one within the other, or only overlapping.
WITHIN, OVERLAPPING = 2 / 3, 1 / 3


def masi_distance(one: Flags, other: Flags) -> Reals:
    """Return the distance of each of some sets to each of others, 0 (equal) to 1 (nothing in common).

    It is 1 less the share of classes in common (Jaccard) times 1 where both sets are equal, 2/3 where one lies in the
    other, 1/3 where they only overlap. Two empty sets are equal; an empty set has nothing in common with another one.

    Args:
        one: Which classes each set holds, shape sets x classes.
        other: Likewise.

    Returns:
        Shape sets x other sets.

    Source: Passonneau (2006), Measuring agreement on set-valued items (MASI) for semantic and pragmatic annotation,
    LREC.

    >>> masi_distance(np.array([[True, False, False]]), np.array([[True, True, False], [False, False, True]])).round(3)
    array([[0.667, 1.   ]])
    """
    first, second = one.astype(np.float64), other.astype(np.float64)
    common = first @ second.T
    sizes, others = first.sum(axis=1)[:, None], second.sum(axis=1)[None]
    union = sizes + others - common
    is_equal = common == union
    is_within = common == np.minimum(sizes, others)
    weight = np.where(is_equal, 1.0, np.where(is_within, WITHIN, OVERLAPPING))
    shared = np.divide(common, union, out=np.ones(common.shape), where=union > 0)
    return np.asarray(1 - shared * weight)


def masi_alpha(answers: CodedSets, confidence: float = 0.95) -> Agreement:
    """Return Krippendorff's alpha of sets, with MASI as the distance of two answers.

    Args:
        answers: The annotations, coded; items with fewer than two say nothing.
        confidence: Two-sided confidence level of the jackknife interval, items taken as drawn at random.

    Returns:
        Alpha: 1 is full agreement, 0 what chance gives.

    Source: Krippendorff (2011), Computing Krippendorff's alpha-reliability; Passonneau (2006), as above.
    """
    coded = answers.coded
    items = len(coded.item_ids)
    votes = np.bincount(coded.item, minlength=items)
    is_pairable = votes[coded.item] > 1
    item, label = coded.item[is_pairable], coded.label[is_pairable]
    chosen, place = np.unique(label, return_inverse=True)
    sets, given = answers.sets[chosen], np.bincount(place, minlength=len(chosen))
    # Of each set the sum of its distances to all answers.
    far = np.concatenate([np.zeros(0), *(masi_distance(some, sets) @ given for some in _pieces(sets))])
    apart = _within_items(item, place, sets, items)
    total = float(far @ given)
    # Without an item, its answers' distances to all others are gone, on either side.
    lost = 2 * np.bincount(item, far[place], items) - apart
    paired = votes > 1
    votes, apart, lost = votes[paired], apart[paired], lost[paired]
    differing = apart / np.maximum(votes - 1, 1)
    value = _alpha(differing.sum(keepdims=True), votes.sum(keepdims=True), np.array([total]))
    without = _alpha(differing.sum() - differing, votes.sum() - votes, total - lost)
    return jackknife_interval(float(value[0]), without, int(paired.sum()), confidence)


def class_alphas(answers: CodedSets, confidence: float = 0.95) -> list[Agreement]:
    """Return Krippendorff's alpha of the yes or no to each class.

    Args:
        answers: The annotations, coded.
        confidence: As above.
    """
    votes, yes = count_yes(answers)
    return [krippendorff_alpha(np.column_stack([votes - one, one]), confidence) for one in yes.T]


def _alpha(differing: Reals, votes: Reals, expected: Reals) -> Reals:
    """Return alpha from sums over items: distances within each over one less than its votes, votes, and all pairs."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(expected > 1e-9, 1 - (votes - 1) * differing / expected, np.nan)


def _pieces(sets: Flags) -> list[Flags]:
    step = max(1, PAIRS // max(1, len(sets)))
    return [sets[first : first + step] for first in range(0, len(sets), step)]


def _within_items(item: Integers, place: Integers, sets: Flags, items: int) -> Reals:
    """Return the sum of distances between the answers of each item, every pair counted both ways."""
    sums = np.zeros(items)
    if not len(item):
        return sums
    order = np.argsort(item, kind="stable")
    item, place = item[order], place[order]
    starts = np.flatnonzero(np.diff(item, prepend=-1))
    ends = np.repeat(np.append(starts[1:], len(item)), np.diff(starts, append=len(item)))
    rows = np.arange(len(item))
    for step in range(1, int((ends - rows).max(initial=1))):
        first = np.flatnonzero(rows + step < ends)
        one, other = sets[place[first]], sets[place[first + step]]
        sums += 2 * np.bincount(item[first], _distances(one, other), items)
    return sums


def _distances(one: Flags, other: Flags) -> Reals:
    """Return the distance of each set to the one beside it."""
    common, union = (one & other).sum(axis=1), (one | other).sum(axis=1)
    sizes, others = one.sum(axis=1), other.sum(axis=1)
    weight = np.where(common == union, 1.0, np.where(common == np.minimum(sizes, others), WITHIN, OVERLAPPING))
    return np.asarray(1 - np.divide(common, union, out=np.ones(len(one)), where=union > 0) * weight)
