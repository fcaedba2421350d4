"""One coin: one number per annotator, how often an answer is right; all wrong answers are alike."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from cupel.consensus.coding import Coded, Reals, vote_counts
from cupel.consensus.estimates import FLOOR, logs_of, prior_of, starting_beliefs, typical_accuracy
from cupel.consensus.passes import collect, prepare, step


@dataclass(frozen=True)
class OneCoinSettings:
    """How one-coin Dawid-Skene is fitted.

    Attributes:
        smoothing: Answers' worth of belief that an annotator is as often right as all annotators together.
        class_smoothing: Items' worth of belief, per class, that classes are equally frequent; None takes
            them as equally frequent.
        tolerance: Stop when no probability moves by more than this.
        max_iterations: Stop after this many rounds in any case.
    """

    smoothing: float = 4.0
    class_smoothing: float | None = None
    tolerance: float = 1e-4
    max_iterations: int = 100


ONE_COIN = OneCoinSettings()


class OneCoin(NamedTuple):
    """What one-coin Dawid-Skene found.

    `posterior` has shape items x classes, `accuracy` shape annotators: how often each is right;
    `confusion` says the same as matrices, annotators x true class x answer.
    """

    posterior: Reals
    accuracy: Reals
    confusion: Reals
    iterations: int
    is_converged: bool


def one_coin(coded: Coded, settings: OneCoinSettings = ONE_COIN, start: Reals | None = None) -> OneCoin:
    """Estimate labels and how often each annotator is right, by expectation maximisation; classes are alike.

    For many classes and few answers, where confusion matrices cannot be told.

    Args:
        coded: The annotations; any overlap.
        settings: How to fit.
        start: Where to start: the last round's posterior, shape items x classes, NaN where an item is
            new; None starts from vote shares.

    Returns:
        Posterior, and how often each annotator is right.

    Source: Zhang, Chen, Zhou and Jordan (2014), Spectral methods meet EM, the one-coin model.

    >>> import pyarrow as pa
    >>> from cupel.consensus.coding import code
    >>> rows = {"item_id": ["a", "a", "b", "b"], "annotator": ["p", "q"] * 2, "label": ["x", "x", "y", "y"]}
    >>> found = one_coin(code(pa.table(rows), ["a", "b"], ("x", "y")))
    >>> found.posterior.argmax(axis=1).tolist()
    [0, 1]
    """
    classes = len(coded.classes)
    typical = crowd_accuracy(coded)
    posterior = starting_beliefs(coded, start)
    answers = np.bincount(coded.annotator, minlength=len(coded.annotators))
    given = prepare(coded)
    items = given.items if settings.class_smoothing is not None else 0
    beliefs = collect(given, posterior)
    iteration, is_converged = 0, False
    while True:
        right = np.einsum("akk->a", beliefs.counts) + settings.smoothing * typical
        accuracy = right / np.maximum(answers + settings.smoothing, FLOOR)
        confusion = coins(accuracy, classes)
        if is_converged or iteration == settings.max_iterations:
            return OneCoin(posterior, accuracy, confusion, iteration, is_converged)
        prior = prior_of(beliefs.sums, items, settings.class_smoothing or 0.0)
        found = step(given, logs_of(confusion), np.log(np.maximum(prior, FLOOR)), posterior)
        is_converged = found.moved <= settings.tolerance
        beliefs, iteration = found.beliefs, iteration + 1


def crowd_accuracy(coded: Coded) -> float:
    """Return how often all annotators together are right, as far as the agreement of their votes tells."""
    counts = vote_counts(coded)
    votes = counts.sum(axis=1)
    agreeing, pairs = int((counts * (counts - 1)).sum()), int((votes * (votes - 1)).sum())
    return typical_accuracy(agreeing, pairs, len(coded.classes))


def coins(accuracy: Reals, classes: int) -> Reals:
    """Return the confusion matrices of annotators who are right so often, wrong answers being alike.

    Args:
        accuracy: Shape annotators.
        classes: Number of classes.

    Returns:
        Shape annotators x true class x answer.
    """
    wrong = (1 - accuracy) / max(classes - 1, 1)
    matrices = np.repeat(wrong, classes * classes).reshape(-1, classes, classes)
    matrices[:, np.arange(classes), np.arange(classes)] = accuracy[:, None]
    return np.asarray(matrices)
