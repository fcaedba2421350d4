"""Regions: the marks of labels as rows of a table; made from the labels' canonical texts, and back into them."""

import json
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from cupel.contract.columns import TEXT
from cupel.contract.table import conform
from cupel.contract.tables.regions import REGIONS
from cupel.errors import TableError
from cupel.marks.canonical_text import ATTRIBUTES, CLASS, NOTHING, MarkForm, read_marks, write_marks

_KEPT = ("batch", "item_id", "answer", "annotator")


def make_regions(labels: pa.Table, form: MarkForm) -> pa.Table:
    """Return the marks of labels as rows.

    Args:
        labels: Columns batch, item_id, answer, annotator (may be null) and label: texts of marks; null has none.
        form: What a mark consists of.

    Returns:
        REGIONS, in the order of the labels. A label without a mark has no row: it is in `labels` alone.

    Raises:
        MarkError: A label is no text of marks.
    """
    encoded = _encode(labels)
    marks = [[] if text is None else read_marks(text, form) for text in encoded.dictionary.to_pylist()]
    places = [place for place in encoded.indices.to_pylist()]
    rows = [row for row, place in enumerate(places) for _ in range(0 if place is None else len(marks[place]))]
    found = [mark for place in places if place is not None for mark in marks[place]]
    numbers = [number for place in places if place is not None for number in range(1, len(marks[place]) + 1)]
    kept = labels.select(_KEPT).take(pa.array(rows, pa.int64()))
    columns: dict[str, Any] = {name: kept[name] for name in _KEPT}
    columns |= {"region": pa.array(numbers, pa.int64()), "class": pa.array([mark[CLASS] for mark in found], TEXT)}
    for column in REGIONS.columns:
        if column.name in form.edges:
            columns[column.name] = pa.array([mark[column.name] for mark in found], column.type)
        elif column.name == ATTRIBUTES:
            columns[ATTRIBUTES] = pa.array([_write_attributes(mark) for mark in found], TEXT)
        elif column.name not in columns:
            columns[column.name] = pa.nulls(len(found), column.type)
    return conform(pa.table(columns), REGIONS)


def join_regions(regions: pa.Table, labels: pa.Table, form: MarkForm) -> pa.Array:
    """Return the canonical text of each label from its rows in REGIONS: the inverse of `make_regions`.

    Args:
        regions: REGIONS.
        labels: Columns batch, item_id, answer and annotator of every label, those without a mark, too; each once.
        form: What a mark consists of.

    Raises:
        TableError: A region is of a label that is not there.
        MarkError: A region is no mark.
    """
    keys = list(zip(*(labels[name].to_pylist() for name in _KEPT), strict=True))
    marks: dict[Any, list[dict[str, Any]]] = {key: [] for key in keys}
    for row in regions.to_pylist():
        key = tuple(row[name] for name in _KEPT)
        if key not in marks:
            raise TableError(
                f"table regions: item {row['item_id']!r} has a region of an answer that is not there: {key}"
            )
        mark = {CLASS: row["class"], **{edge: row[edge] for edge in form.edges}}
        marks[key].append(mark if row[ATTRIBUTES] is None else {**mark, ATTRIBUTES: json.loads(row[ATTRIBUTES])})
    return pa.array([write_marks(marks[key], form) if marks[key] else NOTHING for key in keys], TEXT)


def _encode(labels: pa.Table) -> pa.DictionaryArray:
    column = labels["label"]
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    return pc.dictionary_encode(whole.cast(TEXT))


def _write_attributes(mark: dict[str, Any]) -> str | None:
    found = mark.get(ATTRIBUTES)
    return None if found is None else json.dumps(found, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
