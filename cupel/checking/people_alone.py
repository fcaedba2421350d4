"""People alone: labels and their risk order where no model says anything, from all consensus methods and verdicts."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cupel.checking.fusion import DECIMALS, TINY
from cupel.checking.label_fusion import LabelFusion, verdict_places
from cupel.consensus.coding import Integers, Reals, by_item, code, lists_of, vectors
from cupel.consensus.passes import log_sum, softmax
from cupel.consensus.verdict_step import VERDICT_WEIGHT, judge_by_verdicts
from cupel.contract.kind import Kind
from cupel.contract.ontology import Ontology


def fuse_people(
    consensuses: Mapping[str, pa.Table],
    method: str,
    annotations: pa.Table,
    predictions: pa.Table,
    kind: Kind,
    ontology: Ontology,
    verdicts: Mapping[str, str],
    weight: float = VERDICT_WEIGHT,
) -> LabelFusion:
    """Return labels of one class each as people bear them out, in an order that hangs on no single method.

    Without verdicts the label is the method's own. With some, annotators are judged by them (`judge_by_verdicts`),
    and the belief is the geometric mean of the method's and of what their answers then say.

    A method that is right most often may still be blind to the labels that it gets wrong: one that knows no
    confusions finds a unanimous answer safe whatever it is. So the order is by the mean of an item's places in three
    orders: by that belief, by the answers of the annotators so judged, and by the mean place under all methods. The
    log-odds are the belief's own, dealt out in the new order.

    Args:
        consensuses: CONSENSUS of one batch by method.
        method: Whose labels are taken, one of them.
        annotations: ANNOTATIONS that they are made from.
        predictions: PREDICTIONS of the same items, all null.
        kind: A kind of one part.
        ontology: What a label may say.
        verdicts: Experts' labels by item id.
        weight: What an item with a verdict counts where annotators are judged.

    Returns:
        Label and log-odds of every item.

    Raises:
        TableError: Tables hold different items, or a verdict speaks of an item or label not known.
    """
    classes = ontology.classes
    beliefs = {name: vectors(by_item(table)["posterior"], len(classes)) for name, table in consensuses.items()}
    own = by_item(consensuses[method])
    ids, is_answered = own["item_id"].combine_chunks(), ~np.isnan(beliefs[method][:, 0])
    item, label = verdict_places(verdicts, ids, lambda labels: kind.split(labels, ontology))
    known = np.where(is_answered[:, None], beliefs[method], 1 / len(classes))
    judged = judge_by_verdicts(code(annotations, ids, classes), known, item, label[:, 0], weight)
    if verdicts:
        mean = softmax(_logs(known) + _logs(judged))
        own = own.set_column(own.column_names.index("posterior"), "posterior", lists_of(mean, is_answered))
    found = kind.fuse(own, predictions, ontology, verdicts)
    places = pc.index_in(found.label, value_set=pa.array(classes, found.label.type)).to_numpy(zero_copy_only=False)
    under = [mean_place(_odds_of(belief, places)[is_answered]) for belief in beliefs.values()]
    orders = [
        mean_place(found.log_odds[is_answered]), mean_place(_odds_of(judged, places)[is_answered]),
        np.mean(under, axis=0),
    ]  # fmt: skip
    log_odds = found.log_odds.copy()
    log_odds[is_answered] = deal_out(found.log_odds[is_answered], np.mean(orders, axis=0))
    return found._replace(log_odds=log_odds)


def mean_place(values: Reals) -> Reals:
    """Return each value's place in ascending order, from 1 on; equal ones share the mean of their places.

    >>> mean_place(np.array([5.0, 1.0, 5.0])).tolist()
    [2.5, 1.0, 2.5]
    """
    _, group, size = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(size)
    return np.asarray((last - (size - 1) / 2)[group], np.float64)


def deal_out(values: Reals, order: Reals) -> Reals:
    """Return the values in another order: the lowest goes where `order` is lowest; where it is equal, their mean.

    >>> deal_out(np.array([3.0, 1.0, 2.0, 9.0]), np.array([1.0, 2.0, 3.0, 3.0])).tolist()
    [1.0, 2.0, 6.0, 6.0]
    """
    if not len(values):
        return values
    _, group, size = np.unique(order, return_inverse=True, return_counts=True)
    sums = np.add.reduceat(np.sort(values), np.concatenate([[0], np.cumsum(size)[:-1]]))
    return np.asarray(np.round((sums / size)[group], DECIMALS))


def _logs(belief: Reals) -> Reals:
    return np.log(np.maximum(belief, TINY))


def _odds_of(belief: Reals, label: Integers) -> Reals:
    """Return the log-odds of one label of each item under a belief, rounded as log-odds are."""
    logs, rows = _logs(belief), np.arange(len(belief))
    rest = logs.copy()
    rest[rows, label] = -np.inf
    return np.asarray(np.round(logs[rows, label] - log_sum(rest), DECIMALS))
