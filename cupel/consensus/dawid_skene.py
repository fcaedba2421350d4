"""Dawid-Skene: who confuses what with what, and from that the likeliest label of each item."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from cupel.consensus.coding import Coded, Reals, vote_counts
from cupel.consensus.estimates import FLOOR, drawn_to, log_shares, pooled_confusion, prior_of, starting_beliefs
from cupel.consensus.passes import by_truth, collect, prepare, step


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


def dawid_skene(coded: Coded, settings: DawidSkeneSettings = SMOOTHED, start: Reals | None = None) -> DawidSkene:
    """Estimate labels and annotators' confusions together, by expectation maximisation.

    Starts from vote shares. Annotations that name nobody share one matrix, as if one person had given
    them. An annotator's matrix is drawn towards the pooled matrix of the vote shares, which stays as it
    is: a pool that moved along would let the classes of small crews swap or merge.

    Args:
        coded: The annotations; any overlap.
        settings: How to fit.
        start: Where to start instead: the last round's posterior, shape items x classes, NaN where an
            item is new.

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
    classes = len(coded.classes)
    anchor = pooled_confusion(vote_counts(coded)) if settings.smoothing else np.zeros((classes, classes))
    posterior = starting_beliefs(coded, start)
    answers = prepare(coded)
    beliefs = collect(answers, posterior)
    items = answers.items
    iteration, is_converged = 0, False
    while True:
        prior = prior_of(beliefs.sums, items, settings.class_smoothing)
        if is_converged or iteration == settings.max_iterations:
            confusion = drawn_to(anchor, by_truth(beliefs.counts), settings.smoothing)
            return DawidSkene(posterior, prior, confusion, iteration, is_converged)
        logs = log_shares(anchor, beliefs.counts, settings.smoothing)
        found = step(answers, logs, np.log(np.maximum(prior, FLOOR)), posterior)
        is_converged = found.moved <= settings.tolerance
        beliefs, iteration = found.beliefs, iteration + 1
