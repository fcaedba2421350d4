"""Consensus: the table that says, for every item of a batch, what its annotators say together."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from cupel.consensus.coding import ItemIds, code, lists_of
from cupel.consensus.majority import majority
from cupel.consensus.methods import METHODS
from cupel.contract.columns import TEXT
from cupel.contract.table import conform
from cupel.contract.tables.labeling import CONSENSUS


def consensus(
    annotations: pa.Table,
    item_ids: ItemIds,
    classes: Sequence[str],
    method: str = "dawid_skene",
) -> pa.Table:
    """Return what the annotators of every item say together.

    A majority tie is never broken. The consensus label of an exact tie of posteriors is the class that
    the ontology names first; the posterior shows it.

    Args:
        annotations: ANNOTATIONS of one batch, any order.
        item_ids: All items of the batch; those without answers get a row too.
        classes: The ontology.
        method: Where posterior and consensus label come from, a name in METHODS; majority columns do not.

    Returns:
        CONSENSUS, one row per item, by item id.

    Raises:
        TableError: An item id stands twice, or an annotation's item or label is not known.

    >>> rows = {"item_id": ["a", "a"], "annotator": ["p", "q"], "label": ["x", "x"]}
    >>> consensus(pa.table(rows), ["a", "b"], ("x", "y")).select(["item_id", "votes", "majority_label"]).to_pylist()
    [{'item_id': 'a', 'votes': 2, 'majority_label': 'x'}, {'item_id': 'b', 'votes': 0, 'majority_label': None}]
    """
    coded = code(annotations, item_ids, classes)
    crowd = majority(coded)
    posterior = METHODS[method](coded).posterior
    is_answered = crowd.votes > 0
    names = pa.array(coded.classes, TEXT)
    best = posterior.argmax(axis=1)
    columns = {
        "item_id": coded.item_ids,
        "votes": pa.array(crowd.votes),
        "majority_label": names.take(pa.array(crowd.label, mask=crowd.label < 0)),
        "is_tie": pa.array(crowd.is_tie),
        "agreement": pa.array(crowd.agreement, mask=~is_answered),
        "consensus_label": names.take(pa.array(best, mask=~is_answered)),
        "posterior": lists_of(np.asarray(posterior), is_answered),
    }
    return conform(pa.table(columns), CONSENSUS)
