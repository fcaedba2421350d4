"""Fused answers: a batch's answers of marks as arrays, and what they say together."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cupel.consensus.coding import Integers, ItemIds, Reals, sorted_ids
from cupel.contract.columns import TEXT
from cupel.errors import TableError
from cupel.marks.canonical_text import CLASS, MarkForm, read_marks
from cupel.marks.fusion.arrays import AskedPairs, FusedMarks, MarkArrays
from cupel.marks.fusion.fuse import fuse_marks


class FusedAnswers(NamedTuple):
    """What a batch's answers say together.

    Attributes:
        item_ids: All items, ascending: `item` of everything else is a place in it.
        item: The item of each answer.
        annotator: A number of who gave it; answers that name nobody are each of somebody of their own.
        mark_answer: The answer that each mark stands in.
        fused: The consensus; clusters are candidates, of which some are kept.
    """

    item_ids: pa.Array
    item: Integers
    annotator: Integers
    mark_answer: Integers
    fused: FusedMarks


def fuse_answers(annotations: pa.Table, item_ids: ItemIds, classes: Sequence[str], form: MarkForm) -> FusedAnswers:
    """Return what a batch's answers say together.

    Args:
        annotations: ANNOTATIONS with canonical texts, any order.
        item_ids: All items of the batch.
        classes: The classes of marks.
        form: What a mark consists of.

    Raises:
        TableError: An item id stands twice, or an annotation's item is not known.
        MarkError: A label is no text of marks.
    """
    ids = sorted_ids(item_ids)
    place = pc.index_in(annotations["item_id"].cast(TEXT), value_set=ids)
    if place.null_count:
        name = annotations["item_id"].filter(pc.is_null(place))[0].as_py()
        raise TableError(f"table annotations: item {name!r} is none of the batch")
    item = np.asarray(place, np.int64)
    annotator = _number_annotators(annotations["annotator"])
    label = annotations["label"].combine_chunks().dictionary_encode()
    texts = [read_marks(text, form) for text in label.dictionary.to_pylist()]
    size = np.array([len(marks) for marks in texts], np.int64)
    text = np.asarray(label.indices, np.int64)
    answer = np.repeat(np.arange(len(text)), size[text])
    edges, mark_class = _list_edges(texts, classes, form)
    start = np.cumsum(size) - size
    row = start[text[answer]] + np.arange(len(answer)) - np.repeat(np.cumsum(size[text]) - size[text], size[text])
    low = edges[row, : form.dimensions]
    high = edges[row, form.dimensions :] + (low if form.dimensions > 1 else 0)
    marks = MarkArrays(item[answer], annotator[answer], mark_class[row], low, high)
    return FusedAnswers(ids, item, annotator, answer, fuse_marks(marks, AskedPairs(item, annotator)))


def _list_edges(
    texts: Sequence[list[dict[str, Any]]], classes: Sequence[str], form: MarkForm
) -> tuple[Reals, Integers]:
    """Return the edges of all marks, shape marks x edges, and the places of their classes."""
    every = [mark for marks in texts for mark in marks]
    number = {name: place for place, name in enumerate(classes)}
    edges = np.array([[mark[edge] for edge in form.edges] for mark in every], np.float64).reshape(-1, len(form.edges))
    return edges, np.array([number[mark[CLASS]] for mark in every], np.int64)


def _number_annotators(names: pa.ChunkedArray) -> Integers:
    """Return a number for each annotator, and one of its own for each answer that names nobody."""
    encoded = names.combine_chunks().cast(TEXT).dictionary_encode()
    numbers = np.arange(len(names)) + len(encoded.dictionary)
    is_named = np.asarray(encoded.indices.is_valid(), np.bool_)
    numbers[is_named] = np.asarray(encoded.indices.drop_null(), np.int64)
    return numbers.astype(np.int64)
