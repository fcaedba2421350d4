"""Carelessness: are answers better explained by guessing half of them than by what others of this crowd can do?"""

import numpy as np
from scipy.special import gammaln, logsumexp

from cupel.consensus.coding import Coded, Integers, Reals
from cupel.people.annotators.beliefs import SMOOTHING, Beliefs, Flags

# Those who know something are split into kinds by skill: so many, where each has so many annotators.
KINDS = 8
LEAST_OF_A_KIND = 10
# Of a habit (one answer more often than others, whatever the item) only hidden gold can convict, and so much less
# likely it is taken to be than half guessing, before the answers are seen.
HABIT_WEIGHT = 0.1
# Answers' worth of belief, per class, that habits are even.
HABIT_SMOOTHING = 0.5
# Share of the answers that one who is careless guesses.
GUESSED = 0.5
# No single answer counts for more.
LEAST_CHANCE = 1e-6


def careless(coded: Coded, found: Beliefs, informed: Flags, usual: Reals) -> Reals:
    """Return the log of how many times likelier each annotator's answers are, had half of them been guessed.

    Half of them guessed, the others given by one of those who know something, against all of them given by such a
    one. These are of several kinds, from the least to the most skilled, so that who is no worse than the worst of
    them is not called careless; over kinds both chances are averaged, each as often as there are annotators of it.
    Hidden gold is asked alone, too, and the largest ratio counts: a crowd that agrees on everything is no witness
    against it. All this among answers that came to be asked alike: on items that are asked again, because people or a
    checker disagreed, everybody is less often right. An answer that nobody else can judge says nothing. And of gold
    it is asked whether a mere habit explains the answers; of other items it is not, for where a stretch of items is of
    one class, one who is right has the same answers as one who has a habit.

    Args:
        coded: The annotations.
        found: Beliefs of their items.
        informed: Annotators who know something.
        usual: How they answer together, true class x answer; drawn on where a kind has few answers.

    Returns:
        Shape annotators; 0 is as likely.
    """
    people, classes, who, said = len(coded.annotators), len(coded.classes), coded.annotator, coded.label
    rows = np.arange(len(said))
    stratum, strata = found.occasions.stratum, found.occasions.strata
    fit = found.others[rows, said]
    if strata > 1:
        fit = fit - (np.bincount(stratum, fit, strata) / np.maximum(np.bincount(stratum, minlength=strata), 1))[stratum]
    right = np.bincount(who, fit, people) / np.maximum(np.bincount(who, minlength=people), 1)
    ordered = np.flatnonzero(informed)
    ordered = ordered[np.argsort(right[ordered], kind="stable")]
    kinds = np.array_split(ordered, max(1, min(KINDS, len(ordered) // LEAST_OF_A_KIND)))
    sums = np.zeros((2, 2, people, len(kinds)))
    alike = [np.flatnonzero(stratum == one) for one in range(strata)]
    usually = [usual, *(_confusion(coded, found, some[informed[who[some]]], usual) for some in alike[1:])]
    for place, kind in enumerate(kinds):
        is_theirs, chance = np.isin(who, kind), np.empty(len(said))
        for some, theirs in zip(alike, usually, strict=True):
            confusion = _confusion(coded, found, some[is_theirs[some]], theirs)
            chance[some] = (found.others[some] * confusion.T[said[some]]).sum(axis=1)
        for careful, share in enumerate((GUESSED, 0.0)):
            logs = np.log(np.maximum((1 - share) * chance + share / classes, LEAST_CHANCE)) * found.is_judged
            sums[careful, 0, :, place] = np.bincount(who, logs, people)
            sums[careful, 1, :, place] = np.bincount(who, logs * found.is_gold, people)
    sums += np.log([max(1, len(kind)) for kind in kinds])
    sums -= np.log(max(1, len(ordered)))
    guessed, known = logsumexp(sums, axis=3)
    by_habit = np.log(HABIT_WEIGHT) + _habit(coded, found.is_gold) - known[1]
    return np.asarray(np.maximum((guessed - known).max(axis=0), by_habit))


def _confusion(coded: Coded, found: Beliefs, theirs: Integers, usual: Reals) -> Reals:
    """Return the likeliest confusions, true class x answer, of those who gave some of the answers.

    An answer counts for each class as it and the beliefs have it together; for beliefs alone would mix what is said
    of one class into all that it might be, most where items are hard.
    """
    belief, said = found.others[theirs], coded.label[theirs]
    weight = belief * usual.T[said]
    weight /= weight.sum(axis=1, keepdims=True)
    answers = SMOOTHING * usual + np.stack([np.bincount(said, one, len(usual)) for one in weight.T])
    return np.asarray(answers / answers.sum(axis=1, keepdims=True))


def _habit(coded: Coded, is_counted: Flags) -> Reals:
    """Return the log of the chance of each annotator's answers, of those that count, under an unknown habit."""
    people, classes = len(coded.annotators), len(coded.classes)
    cell = coded.annotator * classes + coded.label
    given = np.bincount(cell, is_counted, people * classes).reshape(people, classes)
    total = classes * HABIT_SMOOTHING
    single = (gammaln(given + HABIT_SMOOTHING) - gammaln(HABIT_SMOOTHING)).sum(axis=1)
    return np.asarray(gammaln(total) - gammaln(total + given.sum(axis=1)) + single)
