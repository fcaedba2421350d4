"""doccano's JSON Lines to spans: `label` or `labels` as lists of start, end and class, or `entities`."""

from collections.abc import Iterator
from typing import Any

from cupel.exchange.imports.bad_marks import BadMarkError
from cupel.exchange.imports.doccano import is_doccano
from cupel.exchange.imports.file import File, tool_records
from cupel.exchange.imports.item_identity import choose_id_field
from cupel.exchange.imports.marks.drawn_answers import DrawnAnswer, DrawnMark, MarkTerms, ReadDrawn
from cupel.exchange.imports.marks.item_facts import ItemFacts
from cupel.exchange.imports.marks.text_units import choose_unit, to_code_points
from cupel.exchange.imports.tool import ReadOptions
from cupel.marks.canonical_text import MarkForm
from cupel.people.tool_annotation import as_id, entries
from cupel.sources.reasons import BadRow, Row, evidence

SPANS_BY = ("label", "labels", "entities")


def is_doccano_spans(file: File) -> bool:
    """Tell whether a file is doccano's of texts with spans."""
    return file.format in ("json", "jsonl") and is_doccano(file)


def read_doccano_spans(file: File, form: MarkForm, terms: MarkTerms) -> ReadDrawn:
    """Yield the spans of each text, in the file's order; a text without any is an answer.

    doccano counts halves of UTF-16, or graphemes where the project says so, and files that programs made for it count
    code points; the file does not tell. Where these differ in a text, `terms.unit` must say which it is. doccano names
    nobody: it writes a file a person.

    Raises:
        SourceError: No record has an id.
    """
    rows = tool_records(file)
    records = [row.values for row in rows if isinstance(row, Row)]
    field = choose_id_field(str(file.path), records, ("id",), ReadOptions(id_field=terms.id_field))
    unit = choose_unit((text for record in records if isinstance(text := record.get("text"), str)), terms.unit)
    for row in rows:
        if isinstance(row, BadRow):
            yield row
            continue
        item = as_id(row.values.get(field or "id"))
        text = row.values.get("text", row.values.get("data"))
        if item is None or not isinstance(text, str):
            yield BadRow(row.line, "missing_text" if item else "missing_id", evidence(row.values))
            continue
        for one in entries(row.values.get("relations")):
            yield BadRow(row.line, "other_kind", evidence(f"{item}: relation {one.get('type')}"))
        try:
            facts = terms.facts_of(item, ItemFacts(text=text))
            yield DrawnAnswer(row.line, item, list(_spans(row.values, text, unit)), facts)
        except BadMarkError as bad:
            yield BadRow(row.line, bad.reason, evidence(f"{item}, {bad.found}"))


def _spans(record: dict[str, Any], text: str, unit: str | None) -> Iterator[DrawnMark]:
    for key in SPANS_BY:
        value = record.get(key)
        for number, one in enumerate(value if isinstance(value, list) else [], 1):
            where = f"{key}[{number}]"
            edges: tuple[Any, ...]
            if isinstance(one, list) and len(one) == 3:
                edges, name = (one[0], one[1]), one[2]
            elif isinstance(one, dict) and "start_offset" in one:
                edges, name = (one["start_offset"], one.get("end_offset")), one.get("label")
            else:
                raise BadMarkError("unexpected_shape", f"{where}: {str(one)[:60]!r}, expected start, end and class")
            whole = [edge for edge in edges if isinstance(edge, int)]
            if len(whole) == 2:
                try:
                    edges = tuple(to_code_points(text, whole, unit))
                except BadMarkError as bad:
                    raise BadMarkError(bad.reason, f"{where}: {bad.found}") from None
            yield DrawnMark(where, name, edges)
