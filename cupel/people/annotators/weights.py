"""Weights: the answers of annotators who are weighed down, added to a consensus that was made without them."""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cupel.consensus.coding import Reals, by_item, code, lists_of, vectors
from cupel.consensus.majority import majority
from cupel.contract.columns import TEXT
from cupel.contract.table import conform
from cupel.contract.tables.labeling import CONSENSUS
from cupel.people.annotators.beliefs import POOL_SMOOTHING, SMOOTHING, tally

TINY = 1e-12


def without(annotations: pa.Table, light: Mapping[str, float]) -> pa.Table:
    """Return the annotations of those who are not weighed down.

    Args:
        annotations: ANNOTATIONS of one batch.
        light: Weight of each annotator who is.
    """
    is_light = pc.is_in(annotations["annotator"], value_set=pa.array(sorted(light), TEXT))
    return annotations.filter(pc.invert(is_light))


def weighed(consensus: pa.Table, annotations: pa.Table, light: Mapping[str, float], classes: Sequence[str]) -> pa.Table:
    """Add the answers of annotators who are weighed down to a consensus that was made without them.

    What such an answer says of its item, by the annotator's confusions under that consensus, counts by its
    weight; it has no part in estimating anybody else. Votes and majority count heads, as ever.

    Args:
        consensus: CONSENSUS of all items, made of `without(annotations, light)`.
        annotations: ANNOTATIONS of all.
        light: Weight of each annotator who is weighed down, 0 to 1.
        classes: The ontology.

    Returns:
        CONSENSUS of all.
    """
    if not light:
        return consensus
    consensus = by_item(consensus)
    heard = vectors(consensus["posterior"], len(classes))
    is_heard = ~np.isnan(heard[:, 0])
    prior = (heard[is_heard].sum(axis=0) + 1) / (is_heard.sum() + len(classes))
    heard[~is_heard] = prior
    every = code(annotations, consensus["item_id"], classes)
    few = code(annotations.filter(pc.is_in(annotations["annotator"], value_set=pa.array(sorted(light), TEXT))),
               consensus["item_id"], classes)  # fmt: skip
    weight = np.array([light[name] for name in few.annotators.to_pylist()])
    scores = np.log(np.maximum(heard, TINY))
    if len(few.item):
        likely = np.log(_confusions(few_tally=tally(few, heard[few.item])))[few.annotator, :, few.label]
        np.add.at(scores, few.item, likely * weight[few.annotator][:, None])
    posterior = np.exp(scores - scores.max(axis=1, keepdims=True))
    posterior /= posterior.sum(axis=1, keepdims=True)
    crowd = majority(every)
    is_answered = crowd.votes > 0
    names = pa.array(classes, TEXT)
    columns = {
        "item_id": consensus["item_id"],
        "votes": pa.array(crowd.votes),
        "majority_label": names.take(pa.array(crowd.label, mask=crowd.label < 0)),
        "is_tie": pa.array(crowd.is_tie),
        "agreement": pa.array(crowd.agreement, mask=~is_answered),
        "consensus_label": names.take(pa.array(posterior.argmax(axis=1), mask=~is_answered)),
        "posterior": lists_of(posterior, is_answered),
    }
    return conform(pa.table(columns), CONSENSUS)


def _confusions(few_tally: Reals) -> Reals:
    """Return each annotator's chance of each answer by true class, drawn towards all who are weighed down."""
    classes = few_tally.shape[1]
    pool = few_tally.sum(axis=0) + POOL_SMOOTHING * (np.eye(classes) + 1 / classes)
    seen = few_tally + SMOOTHING * pool / pool.sum(axis=1, keepdims=True)
    return np.asarray(seen / seen.sum(axis=2, keepdims=True))
