"""Calibration: how sure a checker may be, as far as people's answers bear it out."""

import numpy as np

from cupel.consensus.coding import Integers, Reals
from cupel.consensus.estimates import class_prior
from cupel.consensus.passes import log_sum

# What log-probabilities are multiplied by: below 1 a checker is less sure than it claims, above 1 more.
SHARPNESS = np.exp(np.linspace(np.log(0.05), np.log(8.0), 41))
# Of a checker that fewer answered items can judge, the claims stand as they are.
MIN_JUDGES = 50
# One number is found well enough by so many; of more, every second, third, ... judges.
MAX_JUDGES = 100_000
# No class is ever held to be impossible; also what keeps logarithms finite after rounding.
MIN_PROBABILITY = 1e-6
# Below every probability that answers can produce, above what a logarithm cannot take.
TINY = 1e-300
DECIMALS = 9


def calibrated(scores: Reals, crowd: Reals, fold: Integers) -> Reals:
    """Return a checker's probabilities, as sure as people's answers on other folds bear out.

    One temperature a fold: the one under which the answers of the other folds are likeliest. The chance
    of an item's answers is taken over all classes that it may be of, so doubts of the crowd are not held
    against the checker. It must not have seen the answers of the items it judges.

    Args:
        scores: Log-probabilities up to a constant of the item, shape items x classes; NaN rows where the
            checker abstains.
        crowd: What the consensus believes, shape items x classes; NaN rows where it has no answers.
        fold: The fold of each item.

    Returns:
        Probabilities, rounded to 9 decimals, none below 1e-6; NaN rows stay. As they are, but for that,
        where fewer than 50 items can judge.

    Source: Guo and others (2017), On Calibration of Modern Neural Networks; with people's answers in
    the place of known labels.
    """
    chance = answers_chance(crowd)
    is_judge = ~np.isnan(scores[:, 0]) & ~np.isnan(chance[:, 0])
    probability = np.full(scores.shape, np.nan)
    for held_out in np.unique(fold).tolist():
        here = fold == held_out
        judges = np.flatnonzero(is_judge & ~here)
        factor = sharpness(scores[judges], chance[judges]) if len(judges) >= MIN_JUDGES else 1.0
        probability[here] = np.exp(normal(factor * scores[here]))
    probability = np.maximum(probability, MIN_PROBABILITY)
    rounded: Reals = np.round(probability / probability.sum(axis=1, keepdims=True), DECIMALS)
    return rounded


def sharpness(scores: Reals, chance: Reals) -> float:
    """Return what a checker's log-probabilities must be multiplied by for people's answers to be likeliest.

    Args:
        scores: The checker's log-probabilities up to a constant of the item, shape items x classes.
        chance: Log-likelihood of each item's answers under each class, likewise.

    Returns:
        One of SHARPNESS, 1 / temperature; the smallest, if several are best.

    >>> sharpness(np.log([[0.99, 0.01]] * 4), np.log([[0.8, 0.2]] * 3 + [[0.2, 0.8]])) < 1
    True
    """
    step = -(-len(scores) // MAX_JUDGES) or 1
    scores, chance = scores[::step], chance[::step]
    fits = []
    for factor in SHARPNESS:
        # Added up one after the other: the order of a sum decides its last digits.
        fits.append(np.cumsum(log_sum(normal(factor * scores) + chance))[-1])
    return float(SHARPNESS[int(np.argmax(fits))])


def answers_chance(crowd: Reals) -> Reals:
    """Return the log-likelihood of each item's answers under each class, up to a constant of the item.

    Args:
        crowd: What the consensus believes, shape items x classes; NaN rows where it has no answers.

    Returns:
        The logarithm of belief / class prior; NaN rows stay.
    """
    prior = class_prior(crowd[~np.isnan(crowd[:, 0])])
    chance: Reals = np.log(np.maximum(crowd, TINY)) - np.log(prior)
    return chance


def normal(scores: Reals) -> Reals:
    """Return log-probabilities that add up to 1 in each row, of scores that lack a constant."""
    return scores - log_sum(scores)[:, None]
