"""Fusion: people's answers and the checker's opinion as one belief, each with the weight that it has earned."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cupel.checking.weights import Weights, choose_weight, weights_by_verdicts
from cupel.consensus.coding import Integers, Reals, by_item, lists_of, sorted_ids, vectors
from cupel.consensus.estimates import class_prior
from cupel.consensus.passes import log_sum, softmax
from cupel.contract.columns import TEXT
from cupel.errors import TableError

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


def fuse(
    consensus: pa.Table, predictions: pa.Table, classes: Sequence[str], verdicts: Mapping[str, str] | None = None
) -> Fusion:
    """Return what people and checker believe together.

    The belief is class prior x chance of the answers ^ crowd's weight x (checker / class prior of the
    checker) ^ checker's weight. The answers of an item are out of the checker's sample, so they can judge
    it: without experts the crowd's weight is 1 and the checker's the one under which all answers are
    likeliest (the smallest, if several are), so that a checker that knows nothing gets none. Once experts
    have spoken on some items, both weights are those under which their verdicts are likeliest. An exact
    tie goes to the class that the ontology names first; its log-odds show it.

    Args:
        consensus: CONSENSUS of one batch.
        predictions: PREDICTIONS of the same items.
        classes: The ontology, at least two classes.
        verdicts: Experts' labels by item id, as far as they were asked before labels are frozen; they
            weigh people against checker, and change no item's own label here.

    Returns:
        Label and log-odds, rounded to 6 decimals, for every item.

    Raises:
        TableError: The two tables hold different items, or a verdict speaks of an item or class not known.
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
    weights, fit = Weights(1.0, choose_weight(answers[judges], opinion[judges], prior)), 0.0
    if verdicts:
        item, label = _verdict_places(verdicts, ids, classes)
        weights, fit = weights_by_verdicts(answers[item], opinion[item], prior, label, weights.checker)
    scores = prior + weights.crowd * answers + weights.checker * opinion
    label, log_odds = top_log_odds(scores)
    return Fusion(ids, label, np.round(log_odds, DECIMALS), softmax(scores), is_answered | is_predicted, weights, fit)


def lessons(consensus: pa.Table, found: Fusion, classes: Sequence[str], verdicts: Mapping[str, str]) -> pa.Table:
    """Return what a checker may be trained on in a further round: the joint belief, and experts' verdicts.

    Args:
        consensus: CONSENSUS of one batch.
        found: Its fusion.
        classes: The ontology.
        verdicts: Experts' labels by item id.

    Returns:
        CONSENSUS by item id, with that as its posterior; null where there are neither answers nor a verdict.

    Raises:
        TableError: A verdict speaks of an item or class not known.
    """
    table = by_item(consensus)
    item, label = _verdict_places(verdicts, found.item_ids, classes)
    posterior = found.posterior.copy()
    posterior[item], posterior[item, label] = 0.0, 1.0
    is_taught = np.asarray(pc.is_valid(table["posterior"]).to_numpy(), dtype=np.bool_).copy()
    is_taught[item] = True
    return table.set_column(table.column_names.index("posterior"), "posterior", lists_of(posterior, is_taught))


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


def _verdict_places(verdicts: Mapping[str, str], ids: pa.Array, classes: Sequence[str]) -> tuple[Integers, Integers]:
    """Return the places of items and labels, in ascending order of items."""
    names = sorted(verdicts)
    item = pc.index_in(pa.array(names, TEXT), value_set=ids)
    label = pc.index_in(pa.array([verdicts[name] for name in names], TEXT), value_set=pa.array(classes, TEXT))
    for places, what in ((item, "item"), (label, "class")):
        if places.null_count:
            name = names[pc.index(pc.is_null(places), True).as_py()]
            raise TableError(f"verdict {verdicts[name]!r} on item {name!r}: no such {what}; drop it or mend it")
    return np.asarray(item.to_numpy(), np.int64), np.asarray(label.to_numpy(), np.int64)
