"""Skilled Dawid-Skene: an annotator errs as the crowd errs, more or less often, until own answers say otherwise."""

from dataclasses import dataclass

import numpy as np

from cupel.consensus.coding import Coded, Reals, vote_counts
from cupel.consensus.dawid_skene import DawidSkene
from cupel.consensus.estimates import FLOOR, drawn_to, logs_of, pooled_confusion, prior_of, starting_beliefs
from cupel.consensus.one_coin import crowd_accuracy
from cupel.consensus.passes import by_truth, collect, prepare, step

# A class that all annotators always or never get right leaves no room for skill.
LEAST = 1e-3


@dataclass(frozen=True)
class SkilledSettings:
    """How skilled Dawid-Skene is fitted.

    Attributes:
        smoothing: Answers' worth of belief, per true class, that an annotator confuses classes as the
            crowd does at that annotator's skill.
        skill_smoothing: Answers' worth of belief that an annotator's skill is the crowd's.
        class_smoothing: Items' worth of belief, per class, that classes are equally frequent.
        tolerance: Stop when no probability moves by more than this.
        max_iterations: Stop after this many rounds in any case.
    """

    smoothing: float = 16.0
    skill_smoothing: float = 4.0
    class_smoothing: float = 1.0
    tolerance: float = 1e-4
    max_iterations: int = 100


SKILLED = SkilledSettings()


def skilled_dawid_skene(coded: Coded, settings: SkilledSettings = SKILLED, start: Reals | None = None) -> DawidSkene:
    """Estimate labels and annotators' confusions together, drawing each annotator to the crowd at the own skill.

    Dawid-Skene draws everybody to one matrix, so a poor annotator with few answers is taken for a middling
    one. Here the matrix that an annotator is drawn to has the crowd's confusions, and its odds of being
    right are the crowd's times a factor of the annotator's own: answers in all classes tell one factor
    much sooner than they tell a matrix.

    Args:
        coded: The annotations; any overlap.
        settings: How to fit.
        start: Where to start: the last round's posterior, shape items x classes, NaN where an item is
            new; None starts from vote shares.

    Returns:
        As Dawid-Skene.

    Source: of this project; the middle level between the one-coin model and Dawid and Skene (1979).

    >>> import pyarrow as pa
    >>> from cupel.consensus.coding import code
    >>> rows = {"item_id": ["a", "a", "b", "b"], "annotator": ["p", "q"] * 2, "label": ["x", "x", "y", "y"]}
    >>> found = skilled_dawid_skene(code(pa.table(rows), ["a", "b"], ("x", "y")))
    >>> found.posterior.argmax(axis=1).tolist()
    [0, 1]
    """
    pool, typical = pooled_confusion(vote_counts(coded)), crowd_accuracy(coded)
    posterior = starting_beliefs(coded, start)
    answers = prepare(coded)
    beliefs = collect(answers, posterior)
    items = answers.items
    iteration, is_converged = 0, False
    while True:
        prior = prior_of(beliefs.sums, items, settings.class_smoothing)
        counts = by_truth(beliefs.counts)
        anchor = at_skill(pool, counts, typical, settings.skill_smoothing)
        confusion = drawn_to(anchor, counts, settings.smoothing)
        if is_converged or iteration == settings.max_iterations:
            return DawidSkene(posterior, prior, confusion, iteration, is_converged)
        found = step(answers, logs_of(confusion), np.log(np.maximum(prior, FLOOR)), posterior)
        is_converged = found.moved <= settings.tolerance
        beliefs, iteration = found.beliefs, iteration + 1


def at_skill(pool: Reals, counts: Reals, typical: float, smoothing: float) -> Reals:
    """Return the crowd's confusion matrix at each annotator's skill.

    Args:
        pool: The crowd's matrix, shape true class x answer.
        counts: Each annotator's answers, shape annotators x true class x answer.
        typical: How often the crowd is right.
        smoothing: Answers' worth of belief that an annotator's skill is the crowd's.

    Returns:
        Shape annotators x true class x answer; rows add up to 1.

    >>> pool = np.array([[0.8, 0.2], [0.4, 0.6]])
    >>> better = np.array([[[9.0, 1.0], [2.0, 8.0]]])
    >>> at_skill(pool, better, 0.7, 4.0).round(2).tolist()
    [[[0.89, 0.11], [0.25, 0.75]]]
    """
    right_of = np.clip(np.diagonal(pool), LEAST, 1 - LEAST)
    answers = counts.sum(axis=2)
    right = np.einsum("akk->a", counts)
    expected = answers @ right_of
    known, wrong = smoothing * typical, smoothing * (1 - typical)
    more_right = (right + known) / np.maximum(expected + known, FLOOR)
    more_wrong = (answers.sum(axis=1) - right + wrong) / np.maximum(answers @ (1 - right_of) + wrong, FLOOR)
    hit, miss = right_of * more_right[:, None], (1 - right_of) * more_wrong[:, None]
    share = hit / np.maximum(hit + miss, FLOOR)
    elsewhere = pool * (1 - np.eye(len(pool)))
    elsewhere = elsewhere / np.maximum(elsewhere.sum(axis=1, keepdims=True), FLOOR)
    matrices = elsewhere * (1 - share)[:, :, None]
    places = np.arange(len(pool))
    matrices[:, places, places] = share
    return np.asarray(matrices)
