"""Dawid-Skene: who confuses what with what, and from that the likeliest label of each item."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from cupel.consensus.coding import Coded, Reals, vote_counts

# Below every probability that answers can produce, above what a logarithm cannot take.
TINY = 1e-300


@dataclass(frozen=True)
class DawidSkeneSettings:
    """How Dawid-Skene is fitted.

    Attributes:
        smoothing: Answers' worth of belief, per true class, that an annotator is like all annotators
            together. 0 trusts each annotator's own answers alone (the plain algorithm).
        pooled_smoothing: Answers' worth of belief, per true class, that annotators together are right
            as often as they agree with the soft majority, wrong answers spread evenly.
        tolerance: Stop when no probability moves by more than this.
        max_iterations: Stop after this many rounds in any case.
    """

    smoothing: float = 4.0
    pooled_smoothing: float = 4.0
    tolerance: float = 1e-6
    max_iterations: int = 500


class DawidSkene(NamedTuple):
    """What Dawid-Skene found.

    `log_posterior` has shape items x classes (natural logarithm; rows of items without answers hold the
    class prior), `class_prior` shape classes, `confusion` shape annotators x true class x answer,
    `annotators` being those of the coding; `is_converged` is false where the iterations ran out.
    """

    log_posterior: Reals
    log_likelihood: Reals
    class_prior: Reals
    confusion: Reals
    iterations: int
    is_converged: bool

    @property
    def posterior(self) -> Reals:
        """Probability of each class, shape items x classes."""
        return np.exp(self.log_posterior)


def dawid_skene(
    coded: Coded, settings: DawidSkeneSettings = DawidSkeneSettings(), item_log_prior: Reals | None = None
) -> DawidSkene:
    items, classes = len(coded.item_ids), len(coded.classes)
    counts = vote_counts(coded)
    votes = counts.sum(axis=1)
    answered = votes > 0
    posterior = np.full((items, classes), 1 / classes)
    posterior[answered] = counts[answered] / votes[answered, None]
    base = _base(counts, settings.pooled_smoothing)
    log_offset = np.zeros((items, classes)) if item_log_prior is None else item_log_prior
    prior, confusion, loglik, logpost = None, None, None, None
    converged = False
    iteration = 0
    while iteration < settings.max_iterations and not converged:
        iteration += 1
        prior = posterior[answered].mean(axis=0) if answered.any() else np.full(classes, 1 / classes)
        confusion = _confusion(coded, posterior, base, settings)
        loglik = _log_likelihood(coded, confusion, items)
        logpost = loglik + np.log(np.maximum(prior, TINY)) + log_offset
        logpost -= _logsumexp(logpost)[:, None]
        new = np.exp(logpost)
        converged = bool(np.abs(new - posterior).max(initial=0) <= settings.tolerance)
        posterior = new
    return DawidSkene(logpost, loglik, prior, confusion, iteration, converged)


def _base(counts, strength):
    votes = counts.sum(1)
    multi = votes > 1
    k = counts.shape[1]
    pairs = (votes[multi] * (votes[multi] - 1)).sum()
    agree = (counts[multi] * (counts[multi] - 1)).sum()
    # if each answer is right with chance p: p^2 + (1-p)^2/(k-1) = agreement -> p
    rate = agree / pairs if pairs else 0.8
    disc = max(0.0, rate - 1 / k)
    p = 1 / k + np.sqrt(disc * (k - 1) / k)
    p = min(max(p, 1 / k + .05), .99)
    m = np.full((k, k), (1 - p) / (k - 1))
    np.fill_diagonal(m, p)
    return m * strength


def _confusion(coded, posterior, base, settings):
    a, k = len(coded.annotators), len(coded.classes)
    cell = coded.annotator * k + coded.label
    weights = posterior[coded.item]
    counts = np.stack([np.bincount(cell, weights=weights[:, t], minlength=a * k).reshape(a, k) for t in range(k)], axis=1)
    pooled = counts.sum(axis=0) + base
    tot = pooled.sum(axis=1, keepdims=True)
    pooled = np.divide(pooled, tot, out=np.full((k, k), 1 / k), where=tot > 0)
    sm = counts + settings.smoothing * pooled
    tot = sm.sum(axis=2, keepdims=True)
    return np.divide(sm, tot, out=np.broadcast_to(pooled, sm.shape).copy(), where=tot > 0)


def _log_likelihood(coded, confusion, items):
    logc = np.log(np.maximum(confusion, 1e-10))[coded.annotator, :, coded.label]
    return np.stack([np.bincount(coded.item, weights=logc[:, t], minlength=items) for t in range(logc.shape[1])], axis=1)


def _logsumexp(values):
    top = values.max(axis=1)
    return top + np.log(np.exp(values - top[:, None]).sum(axis=1))
