"""Expected: how likely an annotator's answer was before it was given, without copying."""

from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize
from scipy.special import logsumexp

from cupel.consensus.coding import Coded, Integers, Reals
from cupel.people.annotators.beliefs import SMOOTHING, Beliefs, Flags, tally
from cupel.people.annotators.occasions import sum_judges

# Votes' worth of belief in the annotator's own confusions, beside the votes of the others on the item.
MODEL_VOTES = 1.0
# A chance is never taken to be smaller than this before it is weighed.
LEAST_CHANCE = 1e-4
# How much either opinion may count; more answers than so many say nothing new of it.
MOST_WEIGHT = 3.0
ENOUGH_ANSWERS = 100_000


class _Opinions(NamedTuple):
    """Chances of each answer by the own confusions, and by these with the others' votes; shape answers x classes."""

    own: Reals
    voted: Reals


def log_chances(coded: Coded, found: Beliefs, is_heard: Flags) -> Reals:
    """Return the log of the chance of each answer that the annotator might have given to the item.

    Two opinions are multiplied, each raised to a power: what the annotator's own confusions say of the item's class,
    and this together with the votes of all others on the item, which know how hard it is and which wrong answer it
    invites. The answer itself has no part in either, nor has any that was asked because of it. The powers are those
    under which all answers that came to be asked alike are likeliest, so that chances are right on average, whatever
    the crowd is like, and where only doubtful items were asked too.

    Args:
        coded: The annotations.
        found: Beliefs of their items.
        is_heard: Whether each annotator's answers count as votes.

    Returns:
        Shape answers x classes; chances add up to 1.
    """
    logs = np.log(np.maximum(np.stack(_opinions(coded, found, is_heard)), LEAST_CHANCE))
    stratum, strata = found.occasions.stratum, found.occasions.strata
    powers = np.full((2, strata), 0.5)
    for one in range(strata):
        told = np.flatnonzero(is_heard[coded.annotator] & (stratum == one))
        if len(told):
            powers[:, one] = _powers(logs, coded, told)
    mixed = (powers[:, stratum][:, :, None] * logs).sum(axis=0) if strata > 1 else np.tensordot(powers[:, 0], logs, 1)
    return np.asarray(mixed - logsumexp(mixed, axis=1, keepdims=True))


def _opinions(coded: Coded, found: Beliefs, is_heard: Flags) -> _Opinions:
    rows, classes, who, belief = np.arange(len(coded.item)), len(coded.classes), coded.annotator, found.unflattened
    joined = found.joined
    counts = tally(coded, joined)
    pool = counts[is_heard].sum(axis=0) + 0.5
    pool /= pool.sum(axis=1, keepdims=True)
    sums = counts.sum(axis=2)
    own = np.zeros((len(rows), classes))
    for true in range(classes):
        answers = counts[who, true] + SMOOTHING * pool[true]
        answers[rows, coded.label] -= joined[:, true]
        own += (belief[:, true] / (sums[who, true] - joined[:, true] + SMOOTHING))[:, None] * answers
    heard = is_heard[who].astype(np.float64)
    votes = np.zeros((len(rows), classes))
    votes[rows, coded.label] = heard
    others = sum_judges(coded, found.occasions, votes)
    return _Opinions(own, (others + MODEL_VOTES * own) / (others.sum(axis=1, keepdims=True) + MODEL_VOTES))


def _powers(logs: Reals, coded: Coded, told: Integers) -> Reals:
    """Return the powers of the opinions under which some of the answers are likeliest."""
    told = told[:: -(-len(told) // ENOUGH_ANSWERS)]
    some, given = logs[:, told], coded.label[told]
    said = some[:, np.arange(len(given)), given]

    def unlikely(powers: Reals) -> tuple[float, Reals]:
        mixed = np.tensordot(powers, some, axes=1)
        total = logsumexp(mixed, axis=1)
        mean = (np.exp(mixed - total[:, None]) * some).sum(axis=2)
        return float(total.sum() - powers @ said.sum(axis=1)), (mean - said).sum(axis=1)

    return np.asarray(
        minimize(unlikely, np.full(2, 0.5), jac=True, method="L-BFGS-B", bounds=[(0.0, MOST_WEIGHT)] * 2).x
    )
