"""IBCC: Dawid-Skene with doubt. Confusions and class frequencies are distributions, not single best values."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from cupel.consensus.coding import Coded, Reals
from cupel.consensus.estimates import starting_beliefs
from cupel.consensus.passes import by_truth, collect, prepare, step


@dataclass(frozen=True)
class IbccSettings:
    """What IBCC believes of an annotator and of the classes before it sees an answer, and when it stops.

    Attributes:
        right: Answers' worth of belief, per true class, that an annotator answers it with itself.
        wrong: Answers' worth of belief, per true class, in each other answer.
        class_smoothing: Items' worth of belief, per class, that classes are equally frequent.
        tolerance: Stop when no probability moves by more than this.
        max_iterations: Stop after this many rounds in any case.
    """

    right: float = 4.0
    wrong: float = 1.0
    class_smoothing: float = 1.0
    tolerance: float = 1e-4
    max_iterations: int = 100


AS_PUBLISHED = IbccSettings()


class Ibcc(NamedTuple):
    """What IBCC found.

    `posterior` has shape items x classes (rows of items without answers hold the class prior),
    `class_prior` shape classes, `confusion` shape annotators x true class x answer, the means of what
    is believed of them; `is_converged` is false where the iterations ran out.
    """

    posterior: Reals
    class_prior: Reals
    confusion: Reals
    iterations: int
    is_converged: bool


def ibcc(coded: Coded, settings: IbccSettings = AS_PUBLISHED, start: Reals | None = None) -> Ibcc:
    """Estimate labels and annotators' confusions together, by mean-field variational inference.

    An annotator with few answers stays near what is believed of everybody, and weighs less: doubt about
    a confusion makes its answers say less. Annotations that name nobody share one matrix.

    Args:
        coded: The annotations; any overlap.
        settings: What is believed before.
        start: Where to start: the last round's posterior, shape items x classes, NaN where an item is
            new; None starts from vote shares.

    Returns:
        Posterior, prior and confusions.

    Source: Kim and Ghahramani (2012), Bayesian classifier combination, AISTATS; the variational form of
    Simpson, Roberts, Psorakis and Smith (2013), Dynamic Bayesian combination of multiple imperfect
    classifiers.

    >>> import pyarrow as pa
    >>> from cupel.consensus.coding import code
    >>> rows = {"item_id": ["a", "a", "b", "b"], "annotator": ["p", "q"] * 2, "label": ["x", "x", "y", "y"]}
    >>> found = ibcc(code(pa.table(rows), ["a", "b"], ("x", "y")))
    >>> found.posterior.argmax(axis=1).tolist()
    [0, 1]
    """
    classes = len(coded.classes)
    before = np.full((classes, classes), settings.wrong) + (settings.right - settings.wrong) * np.eye(classes)
    posterior = starting_beliefs(coded, start)
    given = prepare(coded)
    beliefs = collect(given, posterior)
    iteration, is_converged = 0, False
    while True:
        frequency = beliefs.sums + settings.class_smoothing
        answers = by_truth(beliefs.counts) + before
        if is_converged or iteration == settings.max_iterations:
            confusion = answers / answers.sum(axis=2, keepdims=True)
            return Ibcc(posterior, frequency / frequency.sum(), confusion, iteration, is_converged)
        found = step(given, by_truth(expected_log(answers)), expected_log(frequency), posterior)
        is_converged = found.moved <= settings.tolerance
        beliefs, iteration = found.beliefs, iteration + 1


def expected_log(weights: Reals) -> Reals:
    """Return the mean of the logarithm of shares that follow a Dirichlet distribution with these weights.

    Args:
        weights: Positive; the last axis is one distribution.

    >>> expected_log(np.array([1.0, 1.0])).round(6).tolist()
    [-1.0, -1.0]
    """
    from scipy.special import digamma

    return np.asarray(digamma(weights) - digamma(weights.sum(axis=-1, keepdims=True)))
