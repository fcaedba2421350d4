"""Tables of marks, a row a mark: item, annotator, class and edges, as people and programs write them."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from cupel.errors import SourceError
from cupel.exchange.imports.answer_rows import read_number
from cupel.exchange.imports.bad_marks import BadMarkError
from cupel.exchange.imports.file import File, first_record, records
from cupel.exchange.imports.headers import column_names
from cupel.exchange.imports.marks.drawn_answers import DrawnAnswer, DrawnMark, MarkTerms, ReadDrawn, exact_number
from cupel.exchange.imports.marks.item_facts import MICROSECONDS, ItemFacts
from cupel.marks.canonical_text import BOXES, SEGMENTS, MarkForm
from cupel.people.tool_annotation import Notice, as_id
from cupel.sources.reasons import BadRow, Row, evidence

ITEM = ("item_id", "item", "image_id", "image", "video_id", "video", "document_id", "document")
ANNOTATOR = ("annotator", "annotator_id", "worker", "worker_id", "user", "completed_by")
NAME = ("class", "label", "category")
CORNERS = (("x1", "y1", "x2", "y2"), ("xmin", "ymin", "xmax", "ymax"), ("xtl", "ytl", "xbr", "ybr"))
SIDES = (("x", "y", "width", "height"), ("left", "top", "width", "height"))
ENDS = (("start", "end"),)
SECONDS = (("start_seconds", "end_seconds"), ("start_s", "end_s"))
_ANY_EDGES = (*CORNERS, *SIDES, *SECONDS, *ENDS)


class MarkColumns(NamedTuple):
    """Columns of a table by role; None where there is none."""

    item: str
    annotator: str | None
    name: str | None
    edges: tuple[str, ...]


def is_mark_table(file: File) -> bool:
    """Tell whether a file is a table of marks: with an item, and with edges."""
    names = _names(file)
    return any(name in names for name in ITEM) and any(names.issuperset(edges) for edges in _ANY_EDGES)


def read_mark_table(file: File, form: MarkForm, terms: MarkTerms) -> ReadDrawn:
    """Yield the marks of each annotator on each item, in the order of their first rows.

    Edges are `start` and `end` (characters of a text, microseconds of a clip), `start_seconds` and `end_seconds`,
    corners (`x1`, `y1`, `x2`, `y2`) or `x`, `y`, `width` and `height`. A row without edges is an answer that nothing is
    there.

    Raises:
        SourceError: There are no such columns, or no column of the class and not one class that was declared.
    """
    columns = _choose_columns(file, form, terms)
    yield Notice(
        f"{file.path.name}: item: {columns.item!r}; annotator: {columns.annotator or terms.annotator or 'none'!r}; "
        f"class: {columns.name or terms.classes[0]!r}; edges: {', '.join(columns.edges)}"
    )
    answers: dict[tuple[str, str | None], list[Row]] = {}
    for row in records(file):
        if isinstance(row, BadRow):
            yield row
            continue
        item = as_id(row.values.get(columns.item))
        if item is None:
            yield BadRow(row.line, "missing_id", evidence(row.values))
            continue
        who = as_id(row.values.get(columns.annotator)) if columns.annotator else None
        answers.setdefault((item, who), []).append(row)
    for (item, who), rows in answers.items():
        try:
            facts = terms.facts_of(item, ItemFacts())
            marks = [mark for row in rows for mark in _marks(row, columns, form, terms)]
            yield DrawnAnswer(rows[0].line, item, marks, facts, who)
        except BadMarkError as bad:
            yield BadRow(rows[0].line, bad.reason, evidence(f"{item}, {who}, {bad.found}"))


def _choose_columns(file: File, form: MarkForm, terms: MarkTerms) -> MarkColumns:
    names = _names(file)
    fitting: tuple[tuple[str, ...], ...] = ENDS
    if form in (BOXES, SEGMENTS):
        fitting = (*CORNERS, *SIDES) if form == BOXES else (*SECONDS, *ENDS)
    edges = next((one for one in fitting if names.issuperset(one)), None)
    item = terms.id_field or _first(ITEM, names)
    if edges is None or item not in names:
        wanted = " or ".join(", ".join(one) for one in fitting)
        what = f"no column {terms.id_field!r} or {ITEM[0]!r}" if item not in names else f"no columns {wanted}"
        raise SourceError(f"{file.path}: {what}; the table has {', '.join(sorted(names)[:20])}")
    name = _first(NAME, names)
    if name is None and len(terms.classes) != 1:
        raise SourceError(f"{file.path}: no column of the class; name the one class that there is with --classes")
    return MarkColumns(str(item), _first(ANNOTATOR, names), name, edges)


def _marks(row: Row, columns: MarkColumns, form: MarkForm, terms: MarkTerms) -> list[DrawnMark]:
    """Return the mark of a row; none where its edges are empty."""
    cells = [row.values.get(edge) for edge in columns.edges]
    if all(cell in (None, "") for cell in cells):
        return []
    where = f"row {row.line}"
    name = terms.classes[0] if columns.name is None else row.values.get(columns.name)
    return [DrawnMark(where, name, _edges(cells, columns.edges, form, where))]


def _edges(cells: Sequence[object], names: tuple[str, ...], form: MarkForm, where: str) -> tuple[Any, ...]:
    if form == BOXES:
        numbers = [read_number(cell) for cell in cells]
        if names in CORNERS and all(isinstance(one, int | float) for one in numbers):
            left, top, right, bottom = (float(one) for one in numbers)  # type: ignore[arg-type]
            if right < left or bottom < top:
                raise BadMarkError("end_before_start", f"{where}: corners {left}, {top} and {right}, {bottom}")
            return left, top, right - left, bottom - top
        return tuple(numbers)
    if names not in SECONDS:
        return tuple(cells)
    try:
        return tuple(exact_number(cell) * MICROSECONDS for cell in cells)
    except BadMarkError as bad:
        raise BadMarkError(bad.reason, f"{where}: {bad.found}") from None


def _names(file: File) -> frozenset[str]:
    if file.format in ("csv", "parquet"):
        return frozenset(column_names(file))
    return frozenset(first_record(file) or {})


def _first(wanted: Sequence[str], names: frozenset[str]) -> str | None:
    return next((name for name in wanted if name in names), None)
