"""Fusion: people's answers and the checker's opinion as one belief, with a weight that people decide."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from cupel.consensus.coding import Integers, Reals, by_item, sorted_ids, vectors
from cupel.consensus.estimates import class_prior
from cupel.consensus.passes import log_sum
from cupel.errors import TableError

# Weights that the checker may get; 0 leaves it out, above 1 it is more right than it claims.
WEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0)
# Below every probability that answers can produce, above what a logarithm cannot take.
TINY = 1e-300
DECIMALS = 6


class Fusion(NamedTuple):
    """What people and checker believe together, one entry per item in ascending order of ids.

    `label` is a place in the classes; `log_odds` are those of that label against all others together;
    `is_known` is false where there are neither answers nor an opinion; `weight` is the checker's.
    """

    item_ids: pa.Array
    label: Integers
    log_odds: Reals
    is_known: np.ndarray[tuple[int], np.dtype[np.bool_]]
    weight: float


def fuse(consensus: pa.Table, predictions: pa.Table, classes: Sequence[str]) -> Fusion:
    """Return what people and checker believe together.

    The belief is class prior x chance of the answers x (checker / class prior of the checker) ^ weight.
    The answers of an item are out of the checker's sample, so they can judge it: the weight is the one
    under which all answers are likeliest (the smallest, if several are), and a checker that knows
    nothing gets none. An exact tie goes to the class that the ontology names first; its log-odds show it.

    Args:
        consensus: CONSENSUS of one batch.
        predictions: PREDICTIONS of the same items.
        classes: The ontology, at least two classes.

    Returns:
        Label and log-odds, rounded to 6 decimals, for every item.

    Raises:
        TableError: The two tables hold different items.
    """
    ids = sorted_ids(consensus["item_id"])
    if not ids.equals(sorted_ids(predictions["item_id"])):
        raise TableError("tables consensus and predictions hold different items; make both of the same batch")
    crowd = vectors(by_item(consensus)["posterior"], len(classes))
    model = vectors(by_item(predictions)["posterior"], len(classes))
    is_answered, is_predicted = ~np.isnan(crowd[:, 0]), ~np.isnan(model[:, 0])
    prior = np.log(class_prior(crowd[is_answered]))
    answers = np.where(is_answered[:, None], np.log(np.maximum(crowd, TINY)) - prior, 0.0)
    opinion = np.zeros(model.shape)
    if is_predicted.any():
        known = np.maximum(model[is_predicted], TINY)
        opinion[is_predicted] = np.log(known) - np.log(known.mean(axis=0))
    judges = is_answered & is_predicted
    weight = choose_weight(answers[judges], opinion[judges], prior)
    label, log_odds = top_log_odds(prior + answers + weight * opinion)
    return Fusion(ids, label, np.round(log_odds, DECIMALS), is_answered | is_predicted, weight)


def choose_weight(answers: Reals, opinion: Reals, prior: Reals) -> float:
    """Return the checker's weight under which the answers are likeliest.

    Args:
        answers: Log-likelihood of each item's answers under each class, up to a constant of the item;
            shape items x classes.
        opinion: The checker's log-likelihood, likewise.
        prior: Log of the class prior.

    Returns:
        One of WEIGHTS; 0 without items.
    """
    if len(answers) == 0:
        return 0.0
    fits = []
    for weight in WEIGHTS:
        belief = prior + weight * opinion
        fits.append((log_sum(belief + answers) - log_sum(belief)).mean())
    return WEIGHTS[int(np.argmax(fits))]


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
