"""Counted marks: answers as yes or no to each mark that anybody made, by which annotators are measured."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cupel.consensus.coding import Flags, Integers
from cupel.contract.columns import TEXT
from cupel.contract.item_numbers import ranks
from cupel.contract.kind import CountedAnswers
from cupel.contract.ontology import Ontology
from cupel.kinds.marks.consensus import round_edges
from cupel.kinds.marks.fused_answers import FusedAnswers, fuse_answers
from cupel.kinds.marks.label import ANSWERS, NO, YES, least_overlap
from cupel.marks.canonical_text import CLASS, MarkForm, read_marks, write_marks
from cupel.marks.same_marks import count_partners, list_marks

# Stands between an item's id and the number of the question about it.
NUMBER = "#"


class MarkQuestions(NamedTuple):
    """Questions about a batch's items: is this mark there? The candidates come first, in their order.

    Attributes:
        item: The place of each question's item.
        truth: YES or NO where the item's label is known, else null.
    """

    item: Integers
    truth: pa.Array


def count_marks(
    annotations: pa.Table, item_ids: pa.ChunkedArray, gold: pa.Table | None, ontology: Ontology, form: MarkForm
) -> CountedAnswers:
    """Return answers as yes or no to each mark that anybody made in the items that each annotator answered.

    Marks that mean the same are one question. An item in which nobody marked anything is a question, too, which all
    answered no; so is a known mark that nobody made.

    Args:
        annotations: ANNOTATIONS of one batch with canonical texts, any order.
        item_ids: All items of the batch.
        gold: Known labels, columns item_id and label; None: none are known.
        ontology: The classes of marks, and the overlap from which on two are the same.
        form: What a mark consists of.
    """
    found = fuse_answers(annotations, item_ids, ontology.classes, form)
    known = {} if gold is None else dict(zip(gold["item_id"].to_pylist(), gold["label"].to_pylist(), strict=True))
    questions = _ask(found, known, ontology, form)
    ids = found.item_ids.take(pa.array(questions.item))
    numbers = pa.array(ranks(questions.item) + 1).cast(TEXT)
    names = pc.binary_join_element_wise(ids, numbers, NUMBER)
    answer, question = _pair(found.item, questions.item)
    count = max(1, len(questions.item))
    said = np.isin(answer * count + question, found.mark_answer * count + found.fused.cluster)
    table = annotations.take(pa.array(answer))
    for name, column in (("item_id", names.take(pa.array(question))), ("label", _say(said))):
        table = table.set_column(table.column_names.index(name), name, column)
    truth = pa.table({"item_id": names, "label": questions.truth}).filter(questions.truth.is_valid())
    return CountedAnswers(table, pa.chunked_array([names], TEXT), ANSWERS, None if gold is None else truth)


def _ask(found: FusedAnswers, known: Mapping[str, str], ontology: Ontology, form: MarkForm) -> MarkQuestions:
    """Return the questions about a batch's items."""
    ids, items = found.item_ids.to_pylist(), found.fused.item
    start, end = (np.searchsorted(items, np.arange(len(ids)), side) for side in ("left", "right"))
    truth: list[str | None] = [None] * len(items)
    missed: list[int] = []
    for place in (place for place, name in enumerate(ids) if name in known):
        clusters = np.arange(start[place], end[place])
        is_there, more = _compare_known(clusters, known[ids[place]], found, ontology, form)
        truth[start[place] : end[place]] = [YES if flag else NO for flag in is_there]
        missed += [place] * more
    empty = np.setdiff1d(np.arange(len(ids)), np.concatenate([items, np.array(missed, np.int64)]))
    truth += [YES] * len(missed) + [NO if ids[place] in known else None for place in empty.tolist()]
    return MarkQuestions(np.concatenate([items, np.array(missed, np.int64), empty]), pa.array(truth, TEXT))


def _compare_known(
    clusters: Integers, label: str, found: FusedAnswers, ontology: Ontology, form: MarkForm
) -> tuple[list[bool], int]:
    """Return which candidates of an item are known marks, and how many known marks are no candidate."""
    fused = found.fused
    edges = round_edges(fused.low[clusters], fused.high[clusters], form).tolist()
    classes = [ontology.classes[place] for place in fused.mark_class[clusters].tolist()]
    made = [{CLASS: name, **dict(zip(form.edges, row, strict=True))} for name, row in zip(classes, edges, strict=True)]
    texts = [write_marks([mark], form) for mark in (*made, *read_marks(label, form))]
    one, other = np.indices((len(made), len(texts) - len(made)))
    marks = list_marks(texts, form)
    least = least_overlap(ontology)
    is_same = count_partners(one.ravel(), other.ravel() + len(made), marks, least).reshape(one.shape) > 0
    is_there: list[bool] = np.asarray(is_same.any(axis=1)).tolist()
    return is_there, int((~is_same.any(axis=0)).sum())


def _pair(answered: Integers, asked: Integers) -> tuple[Integers, Integers]:
    """Return every answer beside every question about its item, given the item of each."""
    order = np.argsort(asked, kind="stable")
    start, end = (np.searchsorted(asked[order], answered, side) for side in ("left", "right"))
    count = end - start
    inside = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    return np.repeat(np.arange(len(count)), count), order[np.repeat(start, count) + inside]


def _say(is_yes: Flags) -> pa.Array:
    return pa.array(ANSWERS, TEXT).take(pa.array(is_yes.astype(np.int64)))
