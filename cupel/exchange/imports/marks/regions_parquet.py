"""Parquet of answers with marks: a row an answer with its canonical text, what its item is, and its regions."""

import io
import json
from typing import Any

import pyarrow as pa

from cupel.errors import SourceError
from cupel.exchange.imports.bad_marks import BadMarkError
from cupel.exchange.imports.file import File
from cupel.exchange.imports.marks.drawn_answers import DrawnAnswer, DrawnMark, MarkTerms, ReadDrawn
from cupel.exchange.imports.marks.item_facts import read_facts
from cupel.marks.canonical_text import ATTRIBUTES, CLASS, MarkError, MarkForm, read_marks
from cupel.people.tool_annotation import as_id, as_seconds
from cupel.sources.parquet_rows import open_packed
from cupel.sources.reasons import BadRow, evidence

REQUIRED = ("item_id", "annotator", "label")


def is_regions_parquet(file: File) -> bool:
    """Tell whether a file is Parquet of answers with their labels, and says of which kind the marks are."""
    return file.format == "parquet" and b"cupel.marks" in file.content


def read_regions_parquet(file: File, form: MarkForm, terms: MarkTerms) -> ReadDrawn:
    """Yield the answers of a file, in its order.

    Raises:
        SourceError: It lacks a column, or its marks are of another kind.
    """
    try:
        with open_packed(io.BytesIO(file.content)) as opened:
            names = opened.schema_arrow.names
            kind = (opened.schema_arrow.metadata or {}).get(b"cupel.marks", form.name.encode()).decode()
            missing = [name for name in REQUIRED if name not in names]
            if missing or kind != form.name:
                what = f"no column {missing[0]}" if missing else f"marks are {kind}, not {form.name}"
                raise SourceError(f"{file.path}: {what}; name a file that `cupel` wrote with marks of this kind")
            rows = (row for batch in opened.iter_batches() for row in batch.to_pylist())
            for line, row in enumerate(rows, 1):
                yield read_record(line, row, form, terms)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{file.path}: not a Parquet file: {error}; export it again") from None


def read_record(line: int, row: dict[str, Any], form: MarkForm, terms: MarkTerms) -> DrawnAnswer | BadRow:
    """Return the answer of a record: `item_id`, `annotator`, `label` (text or list of marks), and facts of the item."""
    item = as_id(row.get("item_id"))
    if item is None:
        return BadRow(line, "missing_id", evidence(row))
    try:
        label = row.get("label")
        found = read_marks(label if isinstance(label, str) else json.dumps(label), form)
        marks = [
            DrawnMark(f"mark {number}", mark[CLASS], tuple(mark[edge] for edge in form.edges), mark.get(ATTRIBUTES, {}))
            for number, mark in enumerate(found, 1)
        ]
        facts = terms.facts_of(item, read_facts(row))
    except MarkError as error:
        return BadRow(line, "bad_mark", evidence(f"{item}, label: {error}"))
    except BadMarkError as bad:
        return BadRow(line, bad.reason, evidence(f"{item}, {bad.found}"))
    return DrawnAnswer(
        line, item, marks, facts, as_id(row.get("annotator")), as_seconds(row.get("seconds_spent")),
        is_truth=row.get("is_truth") is True,
    )  # fmt: skip
