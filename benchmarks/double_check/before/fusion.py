"""One belief of people's answers and a model's opinion, weighed by verdicts: frozen."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from cupel.consensus.coding import Flags, Integers, Reals
from cupel.consensus.estimates import class_prior
from cupel.consensus.passes import log_sum, softmax

WEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0)
CROWD_WEIGHTS = (0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.85, 1.0, 1.2)
CHECKER_WEIGHTS = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0)
DOUBT, LEAST_WEIGHT, ANOTHER, TINY, DECIMALS = 4.0, 0.05, 4.0, 1e-300, 6

# Places of items with a verdict, and of their labels in the classes.
Verdicts = tuple[Integers, Integers]


class FusedBefore(NamedTuple):
    """One entry per item: label (a place in the classes), its log-odds, the belief, and whether anything is known."""

    label: Integers
    log_odds: Reals
    posterior: Reals
    is_known: Flags
    fit: float


def fuse_before(crowds: Mapping[str, Reals], model: Reals, verdicts: Verdicts | None) -> tuple[str, FusedBefore]:
    """Return the consensus that counts, and its fusion with the model.

    Args:
        crowds: Belief of each consensus, shape items x classes, NaN rows without answers; the first was chosen, and
            counts until verdicts are likelier by `ANOTHER` nats under another.
        model: Of the model, likewise.
        verdicts: Of experts so far; None: none.
    """
    first, *others = crowds
    method, best = first, _fuse(crowds[first], model, verdicts)
    least = best.fit + ANOTHER
    for name in others if verdicts is not None else ():
        found = _fuse(crowds[name], model, verdicts)
        if found.fit > least:
            method, best, least = name, found, found.fit
    return method, best


def _fuse(crowd: Reals, model: Reals, verdicts: Verdicts | None) -> FusedBefore:
    is_answered, is_predicted = ~np.isnan(crowd[:, 0]), ~np.isnan(model[:, 0])
    prior = np.log(class_prior(crowd[is_answered]))
    answers = np.where(is_answered[:, None], np.log(np.maximum(crowd, TINY)) - prior, 0.0)
    opinion = np.zeros(model.shape)
    if is_predicted.any():
        known = np.maximum(model[is_predicted], TINY)
        opinion[is_predicted] = np.log(known) - np.log(known.mean(axis=0))
    judges = is_answered & is_predicted
    weights, fit = (1.0, _weigh_model(answers[judges], opinion[judges], prior)), 0.0
    if verdicts is not None:
        item, label = verdicts
        weights, fit = _weigh_by_verdicts(answers[item], opinion[item], prior, label, weights[1])
    scores = prior + weights[0] * answers + weights[1] * opinion
    top, rows = scores.argmax(axis=1), np.arange(len(scores))
    rest = scores.copy()
    rest[rows, top] = -np.inf
    log_odds = np.round(scores[rows, top] - log_sum(rest), DECIMALS)
    return FusedBefore(top, log_odds, softmax(scores), is_answered | is_predicted, fit)


def _weigh_model(answers: Reals, opinion: Reals, prior: Reals) -> float:
    if len(answers) == 0:
        return 0.0
    beliefs = [prior + weight * opinion for weight in WEIGHTS]
    return WEIGHTS[int(np.argmax([(log_sum(one + answers) - log_sum(one)).mean() for one in beliefs]))]


def _weigh_by_verdicts(
    answers: Reals, opinion: Reals, prior: Reals, verdict: Integers, checker: float
) -> tuple[tuple[float, float], float]:
    rows, best, most = np.arange(len(verdict)), (1.0, checker), -np.inf
    for crowd in CROWD_WEIGHTS:
        for weight in CHECKER_WEIGHTS if checker else (0.0,):
            scores = prior + crowd * answers + weight * opinion
            moved = np.log(crowd) ** 2 + np.log(max(weight, LEAST_WEIGHT) / max(checker, LEAST_WEIGHT)) ** 2
            fit = float((scores[rows, verdict] - log_sum(scores)).sum() - DOUBT * moved)
            if fit > most:
                best, most = (crowd, weight), fit
    return best, most
