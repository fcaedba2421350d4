"""GLAD: annotators differ in skill, items in difficulty; a skilled annotator errs on hard items only."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from cupel.consensus.coding import Coded, Reals
from cupel.consensus.estimates import starting_beliefs
from cupel.consensus.one_coin import coins
from cupel.consensus.passes import softmax


@dataclass(frozen=True)
class GladSettings:
    """How GLAD is fitted.

    Attributes:
        skill: Skill that an annotator is drawn to; with ease 1, an answer is right with log-odds of skill.
        log_ease: Logarithm of the ease that an item is drawn to.
        tolerance: Stop when no probability moves by more than this.
        max_iterations: Stop after this many rounds in any case.
    """

    skill: float = 1.0
    log_ease: float = 1.0
    tolerance: float = 1e-4
    max_iterations: int = 50


AS_PUBLISHED = GladSettings()
# Steps of the search for skill and ease in each round; the next round goes on from there.
STEPS = 25


class Glad(NamedTuple):
    """What GLAD found.

    `posterior` has shape items x classes, `skill` shape annotators, `ease` shape items: an answer is
    right with log-odds skill x ease. `confusion` has shape annotators x true class x answer, for an item
    of middling ease.
    """

    posterior: Reals
    skill: Reals
    ease: Reals
    confusion: Reals
    iterations: int
    is_converged: bool


def glad(coded: Coded, settings: GladSettings = AS_PUBLISHED, start: Reals | None = None) -> Glad:
    """Estimate labels, skills and how easy each item is, by expectation maximisation.

    Skills and log-eases are drawn to their settings by normal distributions of variance 1. Classes are
    taken as equally frequent, wrong answers as alike.

    Args:
        coded: The annotations; any overlap.
        settings: How to fit.
        start: Where to start: the last round's posterior, shape items x classes, NaN where an item is
            new; None starts from vote shares.

    Returns:
        Posterior, skills and eases.

    Source: Whitehill, Ruvolo, Wu, Bergsma and Movellan (2009), Whose vote should count more, NIPS.

    >>> import pyarrow as pa
    >>> from cupel.consensus.coding import code
    >>> rows = {"item_id": ["a", "a", "b", "b"], "annotator": ["p", "q"] * 2, "label": ["x", "x", "y", "y"]}
    >>> found = glad(code(pa.table(rows), ["a", "b"], ("x", "y")))
    >>> found.posterior.argmax(axis=1).tolist()
    [0, 1]
    """
    from scipy.optimize import minimize

    annotators, items = len(coded.annotators), len(coded.item_ids)
    middle = np.concatenate([np.full(annotators, settings.skill), np.full(items, settings.log_ease)])
    posterior, found = starting_beliefs(coded, start), middle
    iteration, is_converged = 0, False
    while not is_converged and iteration < settings.max_iterations:
        belief = posterior[coded.item, coded.label]
        found = minimize(_cost, found, (coded, belief, middle), "L-BFGS-B", jac=True, options={"maxiter": STEPS}).x
        new = _posterior(coded, found[:annotators], np.exp(found[annotators:]))
        is_converged = bool(np.abs(new - posterior).max(initial=0.0) <= settings.tolerance)
        posterior, iteration = new, iteration + 1
    skill, ease = found[:annotators], np.exp(found[annotators:])
    usual = 1 / (1 + np.exp(-skill * np.median(ease))) if items else np.zeros(annotators)
    return Glad(posterior, skill, ease, coins(usual, len(coded.classes)), iteration, is_converged)


def _cost(values: Reals, coded: Coded, belief: Reals, middle: Reals) -> tuple[float, Reals]:
    """Return the answers' log-likelihood with its sign turned, priors included, and its slope.

    Args:
        values: Skills, then log-eases.
        coded: The annotations.
        belief: How likely each answer is right, shape answers.
        middle: What the values are drawn to.
    """
    annotators, items = len(coded.annotators), len(coded.item_ids)
    skill, ease = values[:annotators], np.exp(values[annotators:])
    log_odds = skill[coded.annotator] * ease[coded.item]
    likelihood = belief * log_odds - np.logaddexp(0, log_odds)
    slope = belief - 1 / (1 + np.exp(-log_odds))
    by_skill = np.bincount(coded.annotator, slope * ease[coded.item], annotators)
    by_ease = np.bincount(coded.item, slope * log_odds, items)
    away = values - middle
    return float(0.5 * (away @ away) - likelihood.sum()), away - np.concatenate([by_skill, by_ease])


def _posterior(coded: Coded, skill: Reals, ease: Reals) -> Reals:
    classes, items = len(coded.classes), len(coded.item_ids)
    log_odds = skill[coded.annotator] * ease[coded.item]
    # An answer says of its class, against each other one, log of right / (wrong / (classes - 1)).
    says = log_odds + np.log(max(classes - 1, 1))
    scores = np.bincount(coded.item * classes + coded.label, says, items * classes).astype(np.float64)
    return softmax(scores.reshape(items, classes))
