"""EBCC: each class comes in kinds of items on which annotators err together: they need not err independently."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cupel.consensus.coding import Coded, Reals
from cupel.consensus.estimates import starting_beliefs
from cupel.consensus.ibcc import expected_log
from cupel.consensus.passes import Beliefs, by_truth, collect, evidence, is_answered, prepare, step


@dataclass(frozen=True)
class EbccSettings:
    """What EBCC believes before it sees an answer, how it starts, and when it stops.

    Attributes:
        kinds: Most kinds of items within a class; those that are not needed empty themselves.
        kind_smoothing: Items' worth of belief, per class, shared by its kinds; below 1 few kinds are used.
        right: Answers' worth of belief, per kind, that an annotator answers the class with itself.
        wrong: Answers' worth of belief, per kind, in each other answer.
        class_smoothing: Items' worth of belief, per class, that classes are equally frequent.
        starts: Fits from this many random divisions into kinds; the one with the best bound counts.
        seed: Seed of the divisions.
        tolerance: Stop when no probability moves by more than this.
        max_iterations: Stop after this many rounds in any case.
    """

    kinds: int = 10
    kind_smoothing: float = 0.1
    right: float = 4.0
    wrong: float = 1.0
    class_smoothing: float = 1.0
    starts: int = 4
    seed: int = 0
    tolerance: float = 1e-3
    max_iterations: int = 100


WITH_KINDS = EbccSettings()


class Ebcc(NamedTuple):
    """What EBCC found.

    `posterior` has shape items x classes, `confusion` annotators x true class x answer, the mean over
    the kinds of a class; `bound` is the lower bound of the answers' log-evidence.
    """

    posterior: Reals
    confusion: Reals
    bound: float
    iterations: int
    is_converged: bool


def ebcc(coded: Coded, settings: EbccSettings = WITH_KINDS, start: Reals | None = None) -> Ebcc:
    """Estimate labels where annotators make the same mistakes on the same items, by variational inference.

    Args:
        coded: The annotations; any overlap.
        settings: What is believed before, and how to start.
        start: Where to start: the last round's posterior, shape items x classes, NaN where an item is
            new; None starts from vote shares.

    Returns:
        The best of the fits.

    Source: Li, Rubinstein and Cohn (2019), Exploiting worker correlation for label aggregation in
    crowdsourcing, ICML.

    >>> import pyarrow as pa
    >>> from cupel.consensus.coding import code
    >>> rows = {"item_id": ["a", "a", "b", "b"], "annotator": ["p", "q"] * 2, "label": ["x", "x", "y", "y"]}
    >>> found = ebcc(code(pa.table(rows), ["a", "b"], ("x", "y")))
    >>> found.posterior.argmax(axis=1).tolist()
    [0, 1]
    """
    rng = np.random.default_rng(settings.seed)
    fits = [_fit(coded, settings, _divided(coded, settings, start, rng)) for _ in range(settings.starts)]
    return max(fits, key=lambda fit: fit.bound)


def count_operations(coded: Coded, settings: EbccSettings = WITH_KINDS) -> int:
    """Return about how many operations a round of EBCC takes on these answers, in units of one answer and state.

    A number of an annotator's matrices takes about ten times as long as an answer: it goes through digamma functions.
    """
    classes = len(coded.classes)
    return classes * settings.kinds * (len(coded.item) + 10 * len(coded.annotators) * classes)


def _divided(coded: Coded, settings: EbccSettings, start: Reals | None, rng: np.random.Generator) -> Reals:
    """Return starting beliefs, each class divided at random among its kinds; shape items x (classes x kinds)."""
    beliefs, answered = starting_beliefs(coded, start), is_answered(coded)
    shares = np.ones((*beliefs.shape, settings.kinds))
    shares[answered] = rng.standard_exponential((int(answered.sum()), *shares.shape[1:]))
    shares /= shares.sum(axis=2, keepdims=True)
    return np.asarray((beliefs[:, :, None] * shares).reshape(len(beliefs), -1))


def _fit(coded: Coded, settings: EbccSettings, posterior: Reals) -> Ebcc:
    classes, kinds = len(coded.classes), settings.kinds
    before = np.full((classes, classes), settings.wrong) + (settings.right - settings.wrong) * np.eye(classes)
    before = np.repeat(before, kinds, axis=0)
    given = prepare(coded)
    beliefs = collect(given, posterior)
    iteration, is_converged = 0, False
    while True:
        in_kinds = beliefs.sums.reshape(classes, kinds) + settings.kind_smoothing / kinds
        in_classes = beliefs.sums.reshape(classes, kinds).sum(axis=1) + settings.class_smoothing
        answers = by_truth(beliefs.counts) + before
        log_prior = (expected_log(in_classes)[:, None] + expected_log(in_kinds)).ravel()
        logs = by_truth(expected_log(answers))
        if is_converged or iteration == settings.max_iterations:
            bound = evidence(given, logs, log_prior) - _distance(in_classes, in_kinds, answers, before, settings)
            joint = posterior.reshape(len(posterior), classes, kinds).sum(axis=2)
            return Ebcc(joint, _confusion(beliefs, before, kinds), bound, iteration, is_converged)
        found = step(given, logs, log_prior, posterior)
        is_converged = found.moved <= settings.tolerance
        beliefs, iteration = found.beliefs, iteration + 1


def _confusion(beliefs: Beliefs, before: Reals, kinds: int) -> Reals:
    """Return each annotator's mean confusion over the kinds, weighted by how frequent they are."""
    answers = by_truth(beliefs.counts) + before
    shares = answers / answers.sum(axis=2, keepdims=True)
    weights = beliefs.sums.reshape(-1, kinds) + 1e-9
    weights = weights / weights.sum(axis=1, keepdims=True)
    annotators, states, classes = shares.shape
    return np.asarray(np.einsum("atkl,tk->atl", shares.reshape(annotators, states // kinds, kinds, classes), weights))


def _distance(in_classes: Reals, in_kinds: Reals, answers: Reals, before: Reals, settings: EbccSettings) -> float:
    """Return how far all distributions are from what was believed before, in nats (Kullback-Leibler)."""
    kinds = np.full(in_kinds.shape, settings.kind_smoothing / settings.kinds)
    return (
        _divergence(in_classes, np.full(in_classes.shape, settings.class_smoothing))
        + _divergence(in_kinds, kinds)
        + _divergence(answers, np.broadcast_to(before, answers.shape))
    )


def _divergence(found: NDArray[np.float64], before: NDArray[np.float64]) -> float:
    """Return the summed divergence of Dirichlet distributions from others, along the last axis."""
    from scipy.special import gammaln

    each = gammaln(found.sum(axis=-1)) - gammaln(before.sum(axis=-1)) - (gammaln(found) - gammaln(before)).sum(axis=-1)
    each = each + ((found - before) * expected_log(found)).sum(axis=-1)
    return float(np.sum(each))
