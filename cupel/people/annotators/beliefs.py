"""Beliefs: what the others and hidden gold say of an item, so that nobody is judged by the own answer."""

from functools import reduce
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cupel.consensus.coding import Coded, Integers, Reals, vote_counts
from cupel.people.annotators.occasions import Occasions, find_occasions, sum_judges

Flags = NDArray[np.bool_]

# Answers' worth of belief, per true class, that an annotator is like all annotators together.
SMOOTHING = 4.0
# Answers' worth of belief, per true class, that all together are right half the time and guess otherwise.
POOL_SMOOTHING = 0.5
TOLERANCE = 1e-3
MAX_ITERATIONS = 60
# What is left for the other classes where the class is known.
DOUBT_OF_GOLD = 0.002
# How far beliefs may be flattened, and how much of the class prior mixed in, so that they fit the hidden gold.
POWERS = (0.1, 0.2, 0.35, 0.5, 0.75, 1.0)
DOUBTS = (0.01, 0.03, 0.1, 0.2, 0.4, 0.7)
# Fewer gold items say nothing of how far beliefs can be trusted; then these are taken.
FEWEST_TO_CALIBRATE = 10
UNCALIBRATED = (0.75, 0.03)


class Beliefs(NamedTuple):
    """What is believed of the item of each answer, that answer left out.

    Beliefs have shape answers x classes, in the coding's order. `others` are for ratios of likelihoods and count all
    answers of the item that may be weighed with this one (`Occasions.is_weighable`). `judges` are for what looks at
    single answers and leave out all that were asked because of this one (`occasions.sum_judges`). `unflattened` are
    the judges as they came from the fit, too sure: they explain the most agreement; `joined` are these with the own
    answer, which a count of confusions needs: by the others alone, what is said of one class counts for all that it
    might be, and the better somebody is, the more is lost.

    `is_gold` tells answers on hidden gold, where the class is known, and `is_judged` those that gold or anybody else's
    answer can judge; `prior` is the class prior. `power` and `doubt` say how far beliefs were flattened to fit the
    gold. `occasions` tell how each answer came to be asked.
    """

    others: Reals
    judges: Reals
    is_gold: Flags
    is_judged: Flags
    prior: Reals
    unflattened: Reals
    joined: Reals
    power: float
    doubt: float
    occasions: Occasions


def beliefs(coded: Coded, gold: Integers, is_heard: Flags | None = None, occasions: Occasions | None = None) -> Beliefs:
    """Return what the other annotators and hidden gold say of the item of each answer.

    Labels and confusions are estimated together as by Dawid and Skene, with the known items held fast; once
    from the votes, and once from what is known of the gold items alone, so that a crowd whose majority is wrong
    does not decide who is right. Of the two, that counts under which the gold is likelier. The answer of the
    annotator who is judged is taken out again. Beliefs are then flattened until they fit the gold items, which
    they are too sure of. They measure annotators and nothing else: no label is made of them.

    Args:
        coded: The annotations; any overlap.
        gold: Each item's known class as a place in the classes, -1 where it is not known; shape items.
        is_heard: Whether each annotator's answers count; null for all. Who is not heard is judged all the same.
        occasions: How each answer came to be asked; null where all of an item were, whatever the others said.

    Returns:
        The beliefs; an item that nobody else answered has the class prior.
    """
    classes = len(coded.classes)
    asked = find_occasions(coded, np.arange(len(coded.item)), None) if occasions is None else occasions
    heard = np.ones(len(coded.item)) if is_heard is None else is_heard[coded.annotator].astype(np.float64)
    known = np.flatnonzero((gold >= 0) & (vote_counts(coded).sum(axis=1) > 0))
    scores, own, prior = _fit(coded, gold, heard, is_from_gold=False)
    power, doubt = UNCALIBRATED
    if len(known) >= FEWEST_TO_CALIBRATE:
        power, doubt, fit = _calibrated(scores[known], gold[known], prior)
        other = _fit(coded, gold, heard, is_from_gold=True)
        other_power, other_doubt, other_fit = _calibrated(other[0][known], gold[known], other[2])
        if other_fit > fit:
            (scores, own, prior), power, doubt = other, other_power, other_doubt
    is_gold = gold[coded.item] >= 0
    counted = own * heard[:, None]
    judged = np.log(prior) + sum_judges(coded, asked, counted)
    judges = flattened(judged, power, doubt, prior)
    others, more = judges.copy(), np.flatnonzero(asked.is_weighable)
    others[more] = flattened(scores[coded.item[more]] - counted[more], power, doubt, prior)
    unflattened = flattened(judged, 1.0, DOUBTS[0], prior)
    joined = flattened(judged + own, 1.0, DOUBTS[0], prior)
    for known_too in (others, judges, unflattened, joined):
        known_too[is_gold] = DOUBT_OF_GOLD / max(1, classes - 1)
        known_too[np.flatnonzero(is_gold), gold[coded.item][is_gold]] = 1 - DOUBT_OF_GOLD
    is_judged = is_gold | (sum_judges(coded, asked, heard[:, None])[:, 0] > 0)
    is_judged[more] |= (np.bincount(coded.item, heard, len(coded.item_ids))[coded.item] > heard)[more]
    return Beliefs(others, judges, is_gold, is_judged, prior, unflattened, joined, power, doubt, asked)


def flattened(scores: Reals, power: float, doubt: float, prior: Reals) -> Reals:
    """Return log-probabilities as probabilities, flattened, with some of the prior mixed in.

    >>> flattened(np.log([[0.9, 0.1]]), 0.5, 0.2, np.array([0.5, 0.5])).round(2).tolist()
    [[0.7, 0.3]]
    """
    # Class by class: numpy is slow over rows of a few numbers.
    raised: Reals = scores - reduce(np.maximum, scores.T)[:, None]
    raised *= power
    np.exp(raised, out=raised)
    raised *= ((1 - doubt) / reduce(np.add, raised.T))[:, None]
    raised += doubt * prior
    return raised


def tally(coded: Coded, weights: Reals) -> Reals:
    """Return how often each annotator gave each answer, by true class; shape annotators x true x answer.

    Args:
        coded: The annotations.
        weights: Chance of each class, for each annotation; shape answers x classes.
    """
    people, classes = len(coded.annotators), len(coded.classes)
    cell = coded.annotator * classes + coded.label
    counts = np.empty((people, classes, classes))
    for true in range(classes):
        counts[:, true] = np.bincount(cell, weights[:, true], people * classes).reshape(people, classes)
    return counts


def _fit(coded: Coded, gold: Integers, heard: Reals, *, is_from_gold: bool) -> tuple[Reals, Reals, Reals]:
    """Return each item's log-scores without gold, each answer's own share in them, and the class prior."""
    items, classes = len(coded.item_ids), len(coded.classes)
    cells = np.bincount(coded.item * classes + coded.label, heard, items * classes)
    counts = cells.reshape(items, classes)
    votes = counts.sum(axis=1, keepdims=True)
    is_answered = votes[:, 0] > 0
    belief = _held(np.divide(counts, votes, out=np.full(counts.shape, 1 / classes), where=votes > 0), gold)
    pool = _pool(coded, belief, heard)
    weight = (gold[coded.item] >= 0).astype(np.float64) if is_from_gold else np.ones(len(coded.item))
    scores = np.zeros((items, classes))
    prior = np.full(classes, 1 / classes)
    own = np.zeros((len(coded.item), classes))
    for iteration in range(MAX_ITERATIONS):
        prior = belief[is_answered].sum(axis=0) + 1
        prior /= prior.sum()
        seen = tally(coded, belief[coded.item] * weight[:, None]) + SMOOTHING * pool
        own = np.log(seen / seen.sum(axis=2, keepdims=True))[coded.annotator, :, coded.label]
        votes_for = [np.bincount(coded.item, own[:, true] * heard, items) for true in range(classes)]
        scores = np.log(prior) + np.stack(votes_for, axis=1)
        new = _held(flattened(scores, 1.0, 0.0, prior), gold)
        is_converged = bool(np.abs(new - belief).max(initial=0.0) <= TOLERANCE)
        belief, weight = new, np.ones(len(coded.item))
        if is_converged and iteration:
            break
    return scores, own, prior


def _pool(coded: Coded, belief: Reals, heard: Reals) -> Reals:
    """Return how all annotators together answer, true class x answer."""
    classes = len(coded.classes)
    seen = tally(coded, belief[coded.item] * heard[:, None]).sum(axis=0)
    seen += POOL_SMOOTHING * (np.eye(classes) + 1 / classes)
    return np.asarray(seen / seen.sum(axis=1, keepdims=True))


def _held(belief: Reals, gold: Integers) -> Reals:
    """Hold the known items fast."""
    known = np.flatnonzero(gold >= 0)
    belief[known] = 0.0
    belief[known, gold[known]] = 1.0
    return belief


def _calibrated(scores: Reals, gold: Integers, prior: Reals) -> tuple[float, float, float]:
    """Return the power and doubt under which the gold classes are likeliest, the flattest of equals, and how likely."""
    fits = {
        (power, doubt): np.log(flattened(scores, power, doubt, prior)[np.arange(len(gold)), gold]).sum()
        for power in POWERS
        for doubt in DOUBTS
    }
    best = max(fits, key=lambda setting: (round(float(fits[setting]), 9), -setting[0], setting[1]))
    return *best, round(float(fits[best]), 9)
