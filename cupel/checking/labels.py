"""Labels: the labels of a batch as they go to the audit, once no item awaits an annotator."""

import pyarrow as pa
import pyarrow.compute as pc

from cupel.checking.routes import UNDECIDED
from cupel.consensus.coding import by_item
from cupel.contract.columns import TEXT
from cupel.contract.kind import Kind
from cupel.contract.ontology import Ontology
from cupel.contract.table import conform
from cupel.contract.tables.checking import LABELS
from cupel.errors import TableError

TOGETHER = "people and checker"
CHECKER_AGAINST_PEOPLE = "checker against people"
NOBODY = "nobody"
# Log-odds of what annotators cannot decide: behind all others in the risk order, so that experts decide it.
LAST_LOG_ODDS = -1000.0


def awaiting(routes: pa.Table) -> list[str]:
    """Return the ids of the items that await an annotator, in ascending order; labels can be made when it is empty."""
    ids = routes.filter(pc.equal(routes["route"], "annotator"))["item_id"]
    return list(ids.take(pc.sort_indices(ids)).to_pylist())


def labels(routes: pa.Table, consensus: pa.Table, predictions: pa.Table, kind: Kind, ontology: Ontology) -> pa.Table:
    """Return the labels of a batch before the audit.

    Args:
        routes: ROUTES of one batch, none of them `annotator`.
        consensus: CONSENSUS of the same items.
        predictions: PREDICTIONS of the same items.
        kind: The label kind.
        ontology: What a label may say.

    Returns:
        LABELS, one row per item, by item id. What annotators cannot decide has `LAST_LOG_ODDS`, and is decided by
        nobody: its label only holds the place of the experts'.

    Raises:
        TableError: An item awaits an annotator, or the tables hold different items.
    """
    if waiting := awaiting(routes):
        raise TableError(
            f"table routes: {len(waiting)} items await an annotator, the first is {waiting[0]!r}; "
            "have their tasks answered before labels are made"
        )
    routes, consensus, predictions = (by_item(table) for table in (routes, consensus, predictions))
    for table, name in ((consensus, "consensus"), (predictions, "predictions")):
        if not table["item_id"].equals(routes["item_id"]):
            raise TableError(f"tables routes and {name} hold different items; make both of the same batch")
    is_with_people = kind.is_same(routes["label"], consensus["consensus_label"], ontology)
    is_undecided = pc.equal(routes["reason"], UNDECIDED[1])
    decided_by = pc.if_else(is_with_people, pa.scalar(TOGETHER, TEXT), pa.scalar(CHECKER_AGAINST_PEOPLE, TEXT))
    columns = {
        "item_id": routes["item_id"],
        "label": routes["label"],
        "log_odds": pc.if_else(is_undecided, LAST_LOG_ODDS, routes["log_odds"]),
        "decided_by": pc.if_else(is_undecided, pa.scalar(NOBODY, TEXT), decided_by),
        "route": routes["route"],
        "reason": routes["reason"],
        "majority_label": consensus["majority_label"],
        "consensus_label": consensus["consensus_label"],
        "predicted_label": predictions["predicted_label"],
    }
    return conform(pa.table(columns), LABELS)
