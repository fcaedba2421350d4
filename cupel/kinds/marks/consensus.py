"""The consensus of a batch of marks: of each item the marks that are there, and the chance that all of it is right."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cupel.consensus.coding import ItemIds, Reals, lists_of
from cupel.contract.columns import TEXT
from cupel.contract.kind import ConsensusResult
from cupel.contract.ontology import Ontology
from cupel.contract.table import conform
from cupel.contract.tables.labeling import CONSENSUS
from cupel.kinds.marks.fused_answers import FusedAnswers, fuse_answers
from cupel.kinds.marks.label import least_overlap
from cupel.marks.canonical_text import CLASS, MarkForm, write_marks
from cupel.marks.fusion.arrays import FusedMarks
from cupel.marks.same_marks import are_same

METHOD = "fused marks: existence by two-coin EM, edges without each annotator's bias"


def find_consensus(annotations: pa.Table, item_ids: ItemIds, ontology: Ontology, form: MarkForm) -> ConsensusResult:
    """Return what the annotators of every item say together.

    An answer agrees where it says the same as the consensus. The majority's label is the consensus where more than half
    of the answers agree with it; a tie is where exactly half do.

    Args:
        annotations: ANNOTATIONS of one batch with canonical texts, any order.
        item_ids: All items of the batch; those without answers get a row too.
        ontology: The classes of marks, and the overlap from which on two are the same.
        form: What a mark consists of.

    Returns:
        CONSENSUS, one row per item, by item id. `agreement` is the share of answers that agree; `posterior` the chances
        that the label is wrong as a whole, and right.

    Raises:
        TableError: An item id stands twice, or an annotation's item is not known.
    """
    found = fuse_answers(annotations, item_ids, ontology.classes, form)
    items = len(found.item_ids)
    votes = np.bincount(found.item, minlength=items)
    is_answered = votes > 0
    labels = _write_labels(found, ontology, form)
    said = annotations["label"].combine_chunks()
    agrees = np.asarray(are_same(said, labels.take(pa.array(found.item)), form, least_overlap(ontology)), np.bool_)
    agreeing = np.bincount(found.item, agrees, items)
    label = pc.if_else(pa.array(is_answered), labels, pa.scalar(None, TEXT))
    right = chance_right(found.fused, items)
    columns = {
        "item_id": found.item_ids,
        "votes": pa.array(votes),
        "majority_label": pc.if_else(pa.array(2 * agreeing > votes), label, pa.scalar(None, TEXT)),
        "is_tie": pa.array(is_answered & (2 * agreeing == votes)),
        "agreement": pa.array(agreeing / np.maximum(votes, 1), mask=~is_answered),
        "consensus_label": label,
        "posterior": lists_of(np.column_stack([1 - right, right]), is_answered),
    }
    return ConsensusResult({"consensus": conform(pa.table(columns), CONSENSUS)}, METHOD)


def chance_right(fused: FusedMarks, items: int) -> Reals:
    """Return the chance that the label of each item is right: what is kept is there, and nothing else is.

    Marks are taken to be there or not independently of each other, and those that nobody made to be as many as are
    expected. That edges are off is not in it: the chance ranks labels, and bounds nothing.

    Args:
        fused: The consensus.
        items: How many items there are.
    """
    existence = np.clip(fused.existence, 0.0, 1.0)
    with np.errstate(divide="ignore"):
        log_right = np.log(np.where(fused.is_kept, existence, 1 - existence))
    total: Reals = np.bincount(fused.item, log_right, items).astype(np.float64)
    total[fused.asked_item] -= fused.missed
    return np.asarray(np.exp(total))


def _write_labels(found: FusedAnswers, ontology: Ontology, form: MarkForm) -> pa.Array:
    """Return the canonical text of what is kept of each item."""
    fused, kept = found.fused, np.flatnonzero(found.fused.is_kept)
    edges = round_edges(fused.low[kept], fused.high[kept], form)
    marks: list[list[dict[str, object]]] = [[] for _ in found.item_ids]
    for row, place in enumerate(kept.tolist()):
        values = dict(zip(form.edges, edges[row].tolist(), strict=True))
        marks[int(fused.item[place])].append({CLASS: ontology.classes[int(fused.mark_class[place])], **values})
    return pa.array([write_marks(some, form) for some in marks], TEXT)


def round_edges(low: Reals, high: Reals, form: MarkForm) -> Reals:
    """Return edges on the form's grid, shape marks x edges; a mark keeps at least the smallest extent that there is.

    >>> from cupel.marks.canonical_text import SPANS
    >>> round_edges(np.array([[2.4], [3.4]]), np.array([[7.6], [3.45]]), SPANS).tolist()
    [[2.0, 8.0], [3.0, 4.0]]
    """
    scale = 10.0**form.decimals
    first = np.maximum(np.rint(low * scale), 0)
    last = np.maximum(np.rint(high * scale), first + 1)
    return np.asarray(np.column_stack([first, last if form.dimensions == 1 else last - first]) / scale)
