"""Fusion: people's answers and the checker's opinion as one belief, each with the weight that it has earned."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from cupel.checking.weights import Weights, choose_weight, weights_by_verdicts
from cupel.consensus.coding import Integers, Reals
from cupel.consensus.estimates import class_prior
from cupel.consensus.passes import log_sum, softmax

# Below every probability that answers can produce, above what a logarithm cannot take.
TINY = 1e-300
DECIMALS = 6


class Fusion(NamedTuple):
    """What people and checker believe together, one entry per item in ascending order of ids.

    `label` is a place in the classes; `log_odds` are those of that label against all others together;
    `posterior` has shape items x classes; `is_known` is false where there are neither answers nor an
    opinion; `weights` are those of people and checker, `fit` how likely experts' verdicts are under them
    (log-likelihood less the doubt of weights that are unlike those without experts; 0 without verdicts).
    """

    item_ids: pa.Array
    label: Integers
    log_odds: Reals
    posterior: Reals
    is_known: np.ndarray[tuple[int], np.dtype[np.bool_]]
    weights: Weights
    fit: float


def fuse_beliefs(
    ids: pa.Array, crowd: Reals, model: Reals, verdicts: tuple[Integers, Integers] | None = None
) -> Fusion:
    """Return what people and checker believe together of one part of the labels.

    The belief is class prior x chance of the answers ^ crowd's weight x (checker / class prior of the
    checker) ^ checker's weight. The answers of an item are out of the checker's sample, so they can judge
    it: without experts the crowd's weight is 1 and the checker's the one under which all answers are
    likeliest (the smallest, if several are), so that a checker that knows nothing gets none. Once experts
    have spoken on some items, both weights are those under which their verdicts are likeliest. An exact
    tie goes to the class that the ontology names first; its log-odds show it.

    Args:
        ids: The items, in ascending order.
        crowd: What the consensus believes, shape items x classes; NaN rows where it has no answers.
        model: What the checker believes, likewise.
        verdicts: Places of items on which experts have spoken before labels are frozen, and of their labels; None:
            none. They weigh people against checker, and change no item's own label here.

    Returns:
        Label and log-odds, rounded to 6 decimals, for every item.
    """
    is_answered, is_predicted = ~np.isnan(crowd[:, 0]), ~np.isnan(model[:, 0])
    prior = np.log(class_prior(crowd[is_answered]))
    answers = np.where(is_answered[:, None], np.log(np.maximum(crowd, TINY)) - prior, 0.0)
    opinion = np.zeros(model.shape)
    if is_predicted.any():
        known = np.maximum(model[is_predicted], TINY)
        opinion[is_predicted] = np.log(known) - np.log(known.mean(axis=0))
    judges = is_answered & is_predicted
    weights, fit = Weights(1.0, choose_weight(answers[judges], opinion[judges], prior)), 0.0
    if verdicts is not None:
        item, label = verdicts
        weights, fit = weights_by_verdicts(answers[item], opinion[item], prior, label, weights.checker)
    scores = prior + weights.crowd * answers + weights.checker * opinion
    label, log_odds = top_log_odds(scores)
    return Fusion(ids, label, np.round(log_odds, DECIMALS), softmax(scores), is_answered | is_predicted, weights, fit)


def top_log_odds(scores: Reals) -> tuple[Integers, Reals]:
    """Return each row's best class, and its log-odds against all others together.

    Args:
        scores: Unnormalised log-probabilities, shape items x classes, at least two classes.

    Returns:
        Places of the classes (the first of equals), and log-odds; each of shape items.

    >>> label, log_odds = top_log_odds(np.log([[0.2, 0.6, 0.2], [0.5, 0.5, 0.0001]]))
    >>> label.tolist(), log_odds.round(3).tolist()
    ([1, 0], [0.405, -0.0])
    """
    label = scores.argmax(axis=1)
    rows = np.arange(len(scores))
    rest = scores.copy()
    rest[rows, label] = -np.inf
    return label, scores[rows, label] - log_sum(rest)
