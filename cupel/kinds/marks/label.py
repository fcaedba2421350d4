"""A label that is a list of marks: its text, when two say the same, and how far annotators agree on it."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cupel.checking.label_fusion import LabelFusion
from cupel.config.project import Project
from cupel.consensus.agreement import Agreement, jackknife_interval
from cupel.consensus.coding import Integers, by_item, sorted_ids, vectors
from cupel.contract.columns import TEXT
from cupel.contract.item_numbers import ranks
from cupel.contract.kind import Labels
from cupel.contract.ontology import Ontology
from cupel.errors import TableError
from cupel.marks.canonical_text import CLASS, NOTHING, MarkError, MarkForm, read_marks, write_marks
from cupel.marks.same_marks import are_same, count_partners, list_marks

# Chances of a whole label as they stand in the column `posterior` of CONSENSUS: that it is wrong, and right.
WRONG, RIGHT = 0, 1
# No belief is surer than this, however many agree: log-odds stay finite, and ranks differ.
LEAST_CHANCE = 1e-9
CONFIDENCE = 0.95
# What an answer says of a mark that somebody made.
ANSWERS = NO, YES = ("no", "yes")
# How answers become one label, in a report.
COMBINED = "mark by mark, by who finds and who invents marks, and where each annotator's edges lie"


def check(project: Project, form: MarkForm) -> Iterator[str]:
    """Yield what is wrong in a project file whose labels are marks."""
    labeling, kind = project.labeling, project.labeling.kind
    if not labeling.classes:
        yield "labeling.classes: name the classes that a mark may have, one or more"
    if labeling.questions:
        yield f"labeling.questions: kind {kind} asks one question; remove them"
    if labeling.least_overlap is None:
        yield (
            f"labeling.least_overlap: kind {kind} needs it: the overlap (intersection over union) from which on two "
            f"marks are the same {form.unit_name}; 0.5 is usual"
        )
    if labeling.consensus not in ("auto", "dawid_skene"):
        yield f"labeling.consensus: found {labeling.consensus!r}; kind {kind} has one of its own; leave it out"
    if labeling.workforce != "recorded":
        yield f"labeling.workforce: kind {kind} is not asked for in Label Studio yet; set it to recorded"
    if labeling.policies.weighs_down:
        yield f"labeling.policies: kind {kind} knows no weigh_down; warn or remove"
    if "class" in project.release.certificate.by:
        yield f"release.certificate.by.class: kind {kind} has no bound by class yet; remove it"
    if project.checking.rounds:
        yield f"checking.rounds: experts of kind {kind} are asked after the freeze only; remove rounds"
    if project.checking.checker != "linear":
        yield f"checking.checker: found {project.checking.checker!r}; kind {kind} has none yet; leave it out"


def parse(labels: Labels, ontology: Ontology, form: MarkForm) -> pa.Array:
    """Return the canonical text of each answer, null where it is no list of marks of the ontology's classes."""
    column = labels.combine_chunks() if isinstance(labels, pa.ChunkedArray) else labels
    encoded = column.cast(TEXT).dictionary_encode()
    texts = [_parse(text, ontology, form) for text in encoded.dictionary.to_pylist()]
    return pa.array(texts, TEXT).take(encoded.indices)


def _parse(text: str, ontology: Ontology, form: MarkForm) -> str | None:
    try:
        marks = read_marks(text, form)
        return write_marks(marks, form) if all(mark[CLASS] in ontology.classes for mark in marks) else None
    except MarkError:
        return None


def fits(labels: pa.Array, length: pa.Array, form: MarkForm) -> pa.Array:
    """Tell which labels mark nothing behind the end of their items.

    Args:
        labels: Texts of marks on a line.
        length: Of each item, in the unit of the form.
        form: What a mark consists of.
    """
    encoded = labels.dictionary_encode()
    ends = [max((mark["end"] for mark in read_marks(text, form)), default=0) for text in encoded.dictionary.to_pylist()]
    return pc.less_equal(pa.array(ends, pa.int64()).take(encoded.indices), length)


def is_same(one: Labels, other: Labels, ontology: Ontology, form: MarkForm) -> pa.Array:
    """Tell which labels say the same; see `are_same`."""
    return are_same(one, other, form, least_overlap(ontology))


def least_overlap(ontology: Ontology) -> float:
    """Return the overlap from which on two marks are the same.

    Raises:
        TableError: The ontology names none, so that it is not one of marks.
    """
    if ontology.least_overlap is None:
        raise TableError("ontology: least_overlap is missing; marks are compared by it")
    return ontology.least_overlap


def agreement(votes: pa.Table, ontology: Ontology, form: MarkForm) -> Iterator[tuple[str, Agreement]]:
    """Yield how far pairs of annotators agree on an item's marks.

    The first is F1: of all marks that pairs of answers on an item hold, the share that have a partner in the other
    answer; two answers that nothing is there agree, and count as one mark each. The second is the share of pairs that
    say the same.

    Args:
        votes: Columns item_id, label and votes, a row an item and label; labels that are no marks are left out.
        ontology: The classes, and the overlap from which on two marks are the same.
        form: What a mark consists of.
    """
    label = parse(votes["label"], ontology, form)
    known = votes.set_column(votes.column_names.index("label"), "label", label).filter(label.is_valid())
    sums = _sum_pairs(known, form, least_overlap(ontology))
    at = f"overlapping by {least_overlap(ontology):g} or more"
    yield f"pairwise F1 of marks {at}", _ratio(sums[:, 1], sums[:, 0], sums[:, 2])
    yield f"share of pairs of answers with the same marks, {at}", _ratio(sums[:, 3], sums[:, 2], sums[:, 2])


def _sum_pairs(votes: pa.Table, form: MarkForm, least: float) -> Integers:
    """Return of each item sums over all pairs of its answers: their marks, those with a partner, pairs, and same ones.

    Args:
        votes: Columns item_id, label (canonical texts) and votes.
        form: What a mark consists of.
        least: The overlap from which on two marks are the same.
    """
    texts, items = (votes[name].combine_chunks().dictionary_encode() for name in ("label", "item_id"))
    item = np.asarray(items.indices, np.int64)
    order = np.argsort(item, kind="stable")
    item, label = item[order], np.asarray(texts.indices, np.int64)[order]
    times = votes["votes"].to_numpy()[order]
    # Each row beside itself and those before it of its item.
    rank = ranks(item)
    first = np.repeat(np.arange(len(item)), rank + 1)
    second = first - (np.arange(len(first)) - np.repeat(np.cumsum(rank + 1) - rank - 1, rank + 1))
    pairs = np.where(first == second, times[first] * (times[first] - 1) // 2, times[first] * times[second])
    marks = list_marks(texts.dictionary.to_pylist(), form)
    size = np.diff(marks.start)
    paired = count_partners(label[first], label[second], marks, least)
    is_same = (paired == size[label[first]]) & (paired == size[label[second]])
    # Two answers that nothing is there hold no mark, and agree all the same: they count as one mark each.
    is_empty = is_same & (paired == 0)
    count = np.where(is_empty, 2, size[label[first]] + size[label[second]])
    columns = (pairs * count, pairs * np.where(is_empty, 2, 2 * paired), pairs, pairs * is_same)
    sums = [np.bincount(item[first], column, len(items.dictionary)) for column in columns]
    return np.column_stack(sums).astype(np.int64)


def _ratio(part: Integers, whole: Integers, pairs: Integers) -> Agreement:
    """Return a ratio of sums over items, with its jackknife interval."""
    is_counted = pairs > 0
    part, whole = part[is_counted], whole[is_counted]
    with np.errstate(divide="ignore", invalid="ignore"):
        value = float(part.sum() / whole.sum()) if len(whole) else np.nan
        without = (part.sum() - part) / (whole.sum() - whole)
    return jackknife_interval(value, without, int(is_counted.sum()), CONFIDENCE)


def fuse(consensus: pa.Table, predictions: pa.Table, verdicts: Mapping[str, str] | None) -> LabelFusion:
    """Return what people believe of whole labels: the consensus, and the log-odds that all of it is right.

    Args:
        consensus: CONSENSUS of one batch; its posterior holds the chances that the label is wrong, and right.
        predictions: PREDICTIONS of the same items; no checker of marks speaks yet.
        verdicts: None: nothing is decided before the freeze.

    Raises:
        TableError: The two tables hold different items.
    """
    table = by_item(consensus)
    ids = sorted_ids(table["item_id"])
    if not ids.equals(sorted_ids(predictions["item_id"])):
        raise TableError("tables consensus and predictions hold different items; make both of the same batch")
    chances = vectors(table["posterior"], 2)
    is_known = ~np.isnan(chances[:, RIGHT])
    chances = np.clip(np.nan_to_num(chances, nan=0.5), LEAST_CHANCE, 1.0)
    log_odds = np.round(np.log(chances[:, RIGHT]) - np.log(chances[:, WRONG]), 6)
    return LabelFusion(ids, table["consensus_label"].combine_chunks(), log_odds, is_known, ())


def mark_anything(labels: Labels) -> pa.Array:
    """Return whether each label marks anything; null where it is null."""
    column = labels.combine_chunks() if isinstance(labels, pa.ChunkedArray) else labels
    return pc.if_else(pc.equal(column, NOTHING), pa.scalar(NO, TEXT), pa.scalar(YES, TEXT))


def split(labels: Labels) -> Integers:
    """Return labels in as many columns as a label of marks has parts: none."""
    return np.zeros((len(labels), 0), np.int64)


def join(places: Integers) -> pa.Array:
    """Return null for each row of places: they tell no label."""
    return pa.nulls(len(places), TEXT)


def classes_of(label: str, ontology: Ontology, form: MarkForm) -> tuple[str, ...]:
    """Return the classes of a label's marks, in the ontology's order."""
    names = {mark[CLASS] for mark in read_marks(label, form)}
    return tuple(name for name in ontology.classes if name in names)


def label_of(classes: Sequence[str]) -> str:
    """Return the label that names no class.

    Raises:
        ValueError: A class is named: its marks would have no place.
    """
    if classes:
        raise ValueError(f"classes {', '.join(classes)}: no label of marks is known by its classes alone")
    return NOTHING


def wrong_means(ontology: Ontology, form: MarkForm) -> str:
    """Return when a label is wrong, as a certificate says it.

    >>> from cupel.marks.canonical_text import SPANS
    >>> wrong_means(Ontology(("drug",), (), 0.5), SPANS)[:74]
    " A label is wrong where one of its spans, or of the experts', has no partn"
    """
    name = form.name
    return (
        f" A label is wrong where one of its {name}, or of the experts', has no partner of its class that overlaps it "
        f"by {least_overlap(ontology):g} or more (intersection over union): where one of the {name} of an item is "
        "missing, invented or off."
    )
