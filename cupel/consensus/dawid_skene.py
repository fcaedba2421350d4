"""Dawid-Skene: who confuses what with what, and from that the likeliest label of each item."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from cupel.consensus.coding import Coded, Integers, Reals, vote_counts

# Where counts are zero, logarithms need a floor; the same floor as crowd-kit's, so that results can be compared.
FLOOR = 1e-10
# How often an answer is taken to be right where no item has two answers to tell by.
UNTESTED_ACCURACY = 0.8


@dataclass(frozen=True)
class DawidSkeneSettings:
    """How Dawid-Skene is fitted.

    Attributes:
        smoothing: Answers' worth of belief, per true class, that an annotator is like all annotators
            together. 0 trusts each annotator's own answers alone.
        class_smoothing: Items' worth of belief, per class, that classes are equally frequent.
        tolerance: Stop when no probability moves by more than this.
        max_iterations: Stop after this many rounds in any case.
    """

    smoothing: float = 16.0
    class_smoothing: float = 1.0
    tolerance: float = 1e-4
    max_iterations: int = 100


SMOOTHED = DawidSkeneSettings()
# The algorithm as published.
PLAIN = DawidSkeneSettings(smoothing=0.0, class_smoothing=0.0)


class DawidSkene(NamedTuple):
    """What Dawid-Skene found.

    `posterior` has shape items x classes (rows of items without answers hold the class prior),
    `class_prior` shape classes, `confusion` shape annotators x true class x answer, annotators in the
    coding's order; `is_converged` is false where the iterations ran out.
    """

    posterior: Reals
    class_prior: Reals
    confusion: Reals
    iterations: int
    is_converged: bool


def dawid_skene(coded: Coded, settings: DawidSkeneSettings = SMOOTHED) -> DawidSkene:
    """Estimate labels and annotators' confusions together, by expectation maximisation.

    Starts from vote shares. Annotations that name nobody share one matrix, as if one person had given
    them. An annotator's matrix is drawn towards the pooled matrix of the vote shares, which stays as it
    is: a pool that moved along would let the classes of small crews swap or merge.

    Args:
        coded: The annotations; any overlap.
        settings: How to fit.

    Returns:
        Posterior, prior and confusions.

    Source: Dawid and Skene (1979), Applied Statistics 28(1).

    >>> import pyarrow as pa
    >>> from cupel.consensus.coding import code
    >>> rows = {"item_id": ["a", "a", "b", "b"], "annotator": ["p", "q"] * 2, "label": ["x", "x", "y", "y"]}
    >>> found = dawid_skene(code(pa.table(rows), ["a", "b"], ("x", "y")))
    >>> found.posterior.argmax(axis=1).tolist()
    [0, 1]
    """
    counts = vote_counts(coded)
    is_answered = counts.sum(axis=1) > 0
    anchor = pooled_confusion(counts)
    posterior = vote_shares(counts)
    iteration, is_converged = 0, False
    while True:
        prior = class_prior(posterior[is_answered], settings.class_smoothing)
        confusion = confusions(coded, posterior, anchor, settings.smoothing)
        if is_converged or iteration == settings.max_iterations:
            return DawidSkene(posterior, prior, confusion, iteration, is_converged)
        scores = log_likelihood(coded, confusion) + np.log(np.maximum(prior, FLOOR))
        new = np.exp(scores - log_sum(scores)[:, None])
        is_converged = bool(np.abs(new - posterior).max(initial=0.0, where=is_answered[:, None]) <= settings.tolerance)
        posterior, iteration = new, iteration + 1


def vote_shares(counts: Integers) -> Reals:
    """Return each item's share of votes per class, equal shares where it has none; shape items x classes."""
    votes = counts.sum(axis=1, keepdims=True)
    shares = np.full(counts.shape, 1 / counts.shape[1])
    return np.asarray(np.divide(counts, votes, out=shares, where=votes > 0))


def class_prior(posterior: Reals, smoothing: float = DawidSkeneSettings.class_smoothing) -> Reals:
    """Return how frequent each class is.

    Args:
        posterior: Shape answered items x classes.
        smoothing: Items' worth of belief, per class, that classes are equally frequent.

    Returns:
        Shape classes; adds up to 1.
    """
    items, classes = posterior.shape
    if items == 0:
        return np.full(classes, 1 / classes)
    return np.asarray((posterior.sum(axis=0) + smoothing) / (items + classes * smoothing))


def pooled_confusion(counts: Integers) -> Reals:
    """Return the confusion matrix of all annotators together, the truth being the vote shares.

    Only items with two or more votes can tell; a matrix of equal errors counts as one more answer per
    class, so that a class that never came up has a row too.

    Args:
        counts: Votes, shape items x classes.

    Returns:
        Shape true class x answer; rows add up to 1.
    """
    several = counts[counts.sum(axis=1) > 1]
    answers = vote_shares(several).T @ several + _equal_errors(several)
    pooled: Reals = answers / answers.sum(axis=1, keepdims=True)
    return pooled


def confusions(coded: Coded, posterior: Reals, anchor: Reals, smoothing: float) -> Reals:
    """Return each annotator's confusion matrix, the truth being the posterior.

    Args:
        coded: The annotations.
        posterior: Shape items x classes.
        anchor: Matrix that each is drawn to, shape true class x answer.
        smoothing: Answers' worth of that, per true class.

    Returns:
        Shape annotators x true class x answer; rows add up to 1.
    """
    annotators, classes = len(coded.annotators), len(coded.classes)
    cell = coded.annotator * classes + coded.label
    answers = np.empty((annotators, classes, classes))
    for true in range(classes):
        weights = posterior[coded.item, true]
        answers[:, true] = np.bincount(cell, weights, annotators * classes).reshape(annotators, classes)
    answers += smoothing * anchor
    sums = answers.sum(axis=2, keepdims=True)
    equal = np.full(answers.shape, 1 / classes)
    return np.asarray(np.divide(answers, sums, out=equal, where=sums > FLOOR))


def log_likelihood(coded: Coded, confusion: Reals) -> Reals:
    """Return the logarithm of the chance of each item's answers under each class, shape items x classes."""
    logs = np.log(np.maximum(confusion, FLOOR))
    items, classes = len(coded.item_ids), len(coded.classes)
    scores = np.empty((items, classes))
    for true in range(classes):
        scores[:, true] = np.bincount(coded.item, logs[coded.annotator, true, coded.label], items)
    return scores


def log_sum(scores: Reals) -> Reals:
    """Return the logarithm of each row's sum of exponentials, without overflow."""
    top = scores.max(axis=1, initial=-np.inf)
    with np.errstate(invalid="ignore"):
        sums: Reals = top + np.log(np.exp(scores - top[:, None]).sum(axis=1))
    return sums


def _equal_errors(several: Integers) -> Reals:
    """Return the matrix of annotators who err alike on all classes, as often as pairs of votes differ.

    Two answers, each right with chance p and else any other class, agree with chance
    p^2 + (1 - p)^2 / (classes - 1); p is solved from the agreement seen.
    """
    classes = several.shape[1]
    votes = several.sum(axis=1)
    pairs = (votes * (votes - 1)).sum()
    accuracy = UNTESTED_ACCURACY
    if pairs:
        agreement = (several * (several - 1)).sum() / pairs
        accuracy = 1 / classes + np.sqrt(max(0.0, (agreement - 1 / classes) * (classes - 1) / classes))
    # Neither blind guessing nor certainty is believed before it is seen.
    accuracy = min(max(accuracy, 1 / classes + 0.05), 0.99)
    matrix = np.full((classes, classes), (1 - accuracy) / (classes - 1))
    np.fill_diagonal(matrix, accuracy)
    return matrix
