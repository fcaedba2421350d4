"""Estimates: what counts say of classes and annotators, by themselves and drawn to what all annotators say."""

import numpy as np

from cupel.consensus.coding import Coded, Integers, Reals
from cupel.consensus.passes import by_truth, collect, prepare

# Where counts are zero, logarithms need a floor; the same floor as crowd-kit's, so that results can be compared.
FLOOR = 1e-10
# How often an answer is taken to be right where no item has two answers to tell by.
UNTESTED_ACCURACY = 0.8
# Items whose votes are pooled at a time; bounds the memory.
POOLED = 1 << 18


def vote_shares(counts: Integers) -> Reals:
    """Return each item's share of votes per class, equal shares where it has none; shape items x classes."""
    votes = counts.sum(axis=1, keepdims=True)
    shares = np.full(counts.shape, 1 / counts.shape[1])
    return np.asarray(np.divide(counts, votes, out=shares, where=votes > 0))


def starting_beliefs(coded: Coded, start: Reals | None = None) -> Reals:
    """Return where a method starts: a copy of the last round's posterior, if there is one, else vote shares.

    Args:
        coded: The annotations.
        start: Posterior of the same items, shape items x classes; rows that are NaN (not known then)
            start from vote shares too.

    Raises:
        ValueError: The start has another shape than items x classes.
    """
    from cupel.consensus.kernels import add_votes

    shares = np.zeros((len(coded.item_ids), len(coded.classes)))
    add_votes(coded.item, coded.label, shares)
    if start is None:
        return shares
    if start.shape != shares.shape:
        raise ValueError(f"start has shape {start.shape}; expected {shares.shape}: the items and classes coded")
    return np.where(np.isnan(start), shares, start)


def class_prior(posterior: Reals, smoothing: float = 1.0) -> Reals:
    """Return how frequent each class is.

    Args:
        posterior: Shape answered items x classes.
        smoothing: Items' worth of belief, per class, that classes are equally frequent.

    Returns:
        Shape classes; adds up to 1.
    """
    return prior_of(posterior.sum(axis=0), len(posterior), smoothing)


def prior_of(sums: Reals, items: int, smoothing: float) -> Reals:
    """Return how frequent each class is, from the beliefs of so many answered items added up, shape classes."""
    if items == 0:
        return np.full(len(sums), 1 / len(sums))
    return np.asarray((sums + smoothing) / (items + len(sums) * smoothing))


def pooled_confusion(counts: Integers) -> Reals:
    """Return the confusion matrix of all annotators together, the truth being the vote shares.

    Only items with two or more votes can tell; a matrix of equal errors counts as one more answer per
    class, so that a class that never came up has a row too.

    Args:
        counts: Votes, shape items x classes.

    Returns:
        Shape true class x answer; rows add up to 1.
    """
    classes = counts.shape[1]
    answers, agreeing, pairs = np.zeros((classes, classes)), 0, 0
    for first in range(0, len(counts), POOLED):
        some = counts[first : first + POOLED]
        several = some[some.sum(axis=1) > 1]
        votes = several.sum(axis=1)
        answers += vote_shares(several).T @ several
        agreeing += int((several * (several - 1)).sum())
        pairs += int((votes * (votes - 1)).sum())
    answers += equal_errors(typical_accuracy(agreeing, pairs, classes), classes)
    pooled: Reals = answers / answers.sum(axis=1, keepdims=True)
    return pooled


def typical_accuracy(agreeing: int, pairs: int, classes: int) -> float:
    """Return how often annotators who err alike on all classes are right, from how often pairs of votes agree.

    Two answers, each right with chance p and else any other class, agree with chance
    p^2 + (1 - p)^2 / (classes - 1); p is solved from the agreement seen. Neither blind guessing nor
    certainty is believed before it is seen.
    """
    accuracy = UNTESTED_ACCURACY
    if pairs:
        accuracy = 1 / classes + np.sqrt(max(0.0, (agreeing / pairs - 1 / classes) * (classes - 1) / classes))
    return float(min(max(accuracy, 1 / classes + 0.05), 0.99))


def equal_errors(accuracy: float, classes: int) -> Reals:
    """Return the matrix of an annotator who errs alike on all classes, shape true class x answer."""
    matrix = np.full((classes, classes), (1 - accuracy) / (classes - 1))
    np.fill_diagonal(matrix, accuracy)
    return matrix


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
    return drawn_to(anchor, by_truth(collect(prepare(coded), posterior).counts), smoothing)


def drawn_to(anchor: Reals, counts: Reals, smoothing: float) -> Reals:
    """Return counts as shares, with so many answers' worth of the anchor among them.

    Args:
        anchor: Shares, shape true class x answer, or one such matrix per annotator.
        counts: Shape annotators x true class x answer.
        smoothing: Answers' worth of the anchor, per true class.

    Returns:
        Shape annotators x true class x answer; rows add up to 1, equal shares where there is nothing.
    """
    answers = counts + smoothing * anchor
    sums = answers.sum(axis=2, keepdims=True)
    equal = np.full(answers.shape, 1 / answers.shape[2])
    return np.asarray(np.divide(answers, sums, out=equal, where=sums > FLOOR))


def logs_of(confusion: Reals) -> Reals:
    """Return the logarithms of confusion matrices as the passes want them: annotators x answers x true classes."""
    return by_truth(np.log(np.maximum(confusion, FLOOR)))


def log_shares(anchor: Reals, counts: Reals, smoothing: float) -> Reals:
    """Return the logarithms of what `drawn_to` returns, the counts not turned about.

    Args:
        anchor: Shares, shape true class x answer.
        counts: Shape annotators x answers x true classes.
        smoothing: Answers' worth of the anchor, per true class.

    Returns:
        Shape annotators x answers x true classes.
    """
    shares = counts + smoothing * anchor.T
    sums = shares.sum(axis=1, keepdims=True)
    is_known = sums > FLOOR
    np.divide(shares, np.where(is_known, sums, 1.0), out=shares)
    if not is_known.all():
        np.copyto(shares, 1 / shares.shape[1], where=~is_known)
    np.maximum(shares, FLOOR, out=shares)
    return np.asarray(np.log(shares, out=shares))
