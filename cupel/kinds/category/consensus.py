"""The consensus of a batch of categories, by the project's method, those who are weighed down counted lightly."""

import pyarrow as pa

from cupel.config.labeling import Labeling
from cupel.consensus.chooser import chosen
from cupel.consensus.coding import code
from cupel.consensus.consensus import consensus
from cupel.contract.kind import ConsensusResult, Light
from cupel.people.annotators.weights import weighed, without


def category_consensus(
    annotations: pa.Table, items: pa.Table, labeling: Labeling, light: Light, method: str | None = None
) -> ConsensusResult:
    """Return what the annotators of every item say together.

    Args:
        annotations: ANNOTATIONS of one batch.
        items: CLEAN_ITEMS, or any table with item_id.
        labeling: Classes and method.
        light: Weight of each annotator who is weighed down.
        method: Another method than the project's.
    """
    ids, classes = items["item_id"], labeling.classes
    full = without(annotations, light)
    named = method or labeling.consensus
    choice = chosen(named, code(full, ids, classes))
    table = weighed(consensus(full, ids, classes, choice.method), annotations, light, classes)
    return ConsensusResult({"consensus": table}, choice.why)
