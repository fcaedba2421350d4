"""Guessing: do an annotator's answers tell anything of the items, or would a habit do as well?"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from cupel.consensus.coding import Coded, Integers, Reals
from cupel.people.annotators.beliefs import Beliefs, Flags, tally
from cupel.people.annotators.carelessness import careless

# An annotator is told from one who guesses where guessing would do as well at most so often.
GUESS_CHANCE = 0.02
# And found to guess where the answers are so many times likelier half guessed than given by those who know something.
TIMES_LIKELIER = 3.0
# With fewer answers, or where only one answer was ever given and never another wanted, nobody is told.
FEWEST_ANSWERS = 5
# z from which an annotator's answers enter the picture of the usual annotator.
INFORMED = 2.0
ROUNDS = 2
# From this share on, one answer is a constant one.
CONSTANT_SHARE = 0.95
# Rounding of scores leaves no less than this; below it an annotator's scores are all alike.
NO_SPREAD = 1e-9


class Guessing(NamedTuple):
    """Of each annotator, shape annotators, in the coding's order.

    `score` says how much better the answers fit their items than the same answers dealt out at random, in
    standard deviations of that deal; `guess_chance` is the chance that such a deal fits as well. `careless` is
    the log of how many times likelier the answers are, had half of them been guessed, than if they were given by
    those who know something. `is_guessing`: the chance is above GUESS_CHANCE, and they are TIMES_LIKELIER or more.
    `is_told`: one of the two speaks; where neither does, there are too few answers, or too little is known of their
    items, to tell. `top_share` is the share of the commonest answer, and `top_answer` its class.
    """

    score: Reals
    guess_chance: Reals
    careless: Reals
    is_guessing: Flags
    is_told: Flags
    top_share: Reals
    top_answer: Integers
    usual: Reals


def guessing(coded: Coded, found: Beliefs) -> Guessing:
    """Tell annotators whose answers say nothing of their items from the usual ones.

    An answer's score is the logarithm of how much likelier the usual annotator gives it to this item than to
    any. The same answers dealt out at random over the annotator's own items keep every habit and lose all
    knowledge; their mean and variance are exact, their tail is taken as normal. The usual annotator is
    made from those who beat such a deal. Where the own items are all of one class a deal tells nothing, and who
    answers them all alike is right; so the answers must also be those of somebody careless.

    Args:
        coded: The annotations.
        found: Beliefs of their items.

    Returns:
        What was found of each annotator.

    Source: mean and variance of a random deal: Hoeffding (1951), A combinatorial central limit theorem,
    Annals of Mathematical Statistics 22(4).
    """
    counts = tally(coded, found.others)
    informed = np.ones(len(coded.annotators))
    for _ in range(ROUNDS):
        usual, answers = _usual(counts, informed)
        scores = np.log(found.others @ usual / answers)
        dealt = _dealt(coded, scores)
        z = _against_a_deal(coded, dealt)
        informed = (z > INFORMED).astype(np.float64)
    guess_chance = 1 - ndtr(z)
    half = careless(coded, found, informed > 0, usual)
    is_unlike = (half >= np.log(TIMES_LIKELIER)) & (dealt.size >= FEWEST_ANSWERS)
    return Guessing(
        score=z,
        guess_chance=guess_chance,
        careless=half,
        is_guessing=(guess_chance > GUESS_CHANCE) & is_unlike,
        is_told=(guess_chance <= GUESS_CHANCE) | is_unlike,
        top_share=dealt.given.max(axis=1) / dealt.size,
        top_answer=dealt.given.argmax(axis=1),
        usual=usual,
    )


def _usual(counts: Reals, informed: Reals) -> tuple[Reals, Reals]:
    """Return how the informed answer, true class x answer, and how often each answer is given."""
    classes = counts.shape[1]
    seen = np.einsum("a,atx->tx", informed, counts) + 0.5 / classes + 0.5 * np.eye(classes)
    return seen / seen.sum(axis=1, keepdims=True), seen.sum(axis=0) / seen.sum()


class _Dealt(NamedTuple):
    """Scores less the mean score of that answer over the annotator's own items, and how often each was given."""

    gain: Reals
    given: Integers
    size: Reals


def _dealt(coded: Coded, scores: Reals) -> _Dealt:
    people, classes, who = len(coded.annotators), len(coded.classes), coded.annotator
    size = np.maximum(np.bincount(who, minlength=people), 1).astype(np.float64)
    given = np.bincount(who * classes + coded.label, minlength=people * classes).reshape(people, classes)
    mean = np.stack([np.bincount(who, scores[:, x], people) for x in range(classes)], axis=1) / size[:, None]
    return _Dealt(scores - mean[who], given.astype(np.int64), size)


def _against_a_deal(coded: Coded, dealt: _Dealt) -> Reals:
    """Return how far each annotator's total score is above that of the answers dealt out at random, in deviations."""
    people, who = len(coded.annotators), coded.annotator
    total = np.bincount(who, dealt.gain[np.arange(len(who)), coded.label], people)
    rest = dealt.gain - ((dealt.gain * dealt.given[who]).sum(axis=1) / dealt.size[who])[:, None]
    variance = np.bincount(who, (rest**2 * dealt.given[who]).sum(axis=1), people) / np.maximum(dealt.size - 1, 1)
    return _over(total, variance)


def _over(value: ArrayLike, variance: ArrayLike) -> Reals:
    """Return values in standard deviations, 0 where nothing can vary."""
    value, deviation = np.asarray(value, dtype=np.float64), np.sqrt(np.maximum(variance, 0.0))
    return np.asarray(np.divide(value, deviation, out=np.zeros(len(value)), where=deviation > NO_SPREAD))
