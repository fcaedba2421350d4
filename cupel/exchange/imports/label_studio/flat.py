"""Label Studio's JSON_MIN, CSV and TSV: a row is an annotation, a column a field of the task or a control's answer."""

import json
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from cupel.exchange.imports.answer_labels import label_answer, label_objects
from cupel.exchange.imports.answer_rows import read_number
from cupel.exchange.imports.columns import CONTENT_NAMES, LABEL_NAMES, choose_columns
from cupel.exchange.imports.file import File, first_records, records
from cupel.exchange.imports.headers import first_row
from cupel.exchange.imports.item_identity import content_of
from cupel.exchange.imports.label_studio.annotations import read_time
from cupel.exchange.imports.tool import ReadOptions
from cupel.people.tool_annotation import (
    Annotation,
    Notice,
    Read,
    UnreadKey,
    as_id,
    as_seconds,
    entries,
    fields_of,
    hold_to_question,
    unread_keys,
)
from cupel.sources.reasons import BadRow, Row, evidence

# What Label Studio adds to the fields of a task; `agreement` where it was computed.
ALWAYS = ("annotator", "annotation_id")
OF_ANNOTATION = (*ALWAYS, "id", "created_at", "updated_at", "lead_time", "was_cancelled", "agreement")
# Answers that are no class: a control's answer is a list of objects with one such key.
NO_CLASS = ("taxonomy", "rating", "number", "datetime", "ranker")
ASK_FOR_JSON = "Label Studio's JSON export says which"


class AnswerColumns(NamedTuple):
    """Columns that hold controls' answers: classes of the task, classes of regions, and others."""

    chosen: list[str]
    drawn: list[str]
    others: list[str]


def is_flat(file: File) -> bool:
    """Tell whether a table is Label Studio's, by its columns, or by its answers in cells beside an annotator."""
    names = first_row(file).keys()
    if file.format not in ("json", "jsonl"):
        return names >= {*ALWAYS, "lead_time"}
    found = [record for record in first_records(file) if "annotator" in record]
    return any(
        row.keys() >= {*ALWAYS, "lead_time"} or any(_is_answer(value) for value in row.values()) for row in found
    )


def _is_answer(value: object) -> bool:
    return _holds_choices(value) or _holds_labels(value)


def _holds_choices(value: object) -> bool:
    return any(isinstance(one.get("choices"), list) or "selected" in one for one in _objects_in(value))


def _holds_labels(value: object) -> bool:
    return any(_labels_key(one) is not None for one in _objects_in(value))


def _objects_in(value: object) -> list[dict[str, Any]]:
    return [value] if isinstance(value, dict) else entries(value)


def _labels_key(value: dict[str, Any]) -> str | None:
    return next((key for key, found in value.items() if key.endswith("labels") and isinstance(found, list)), None)


def read_flat(file: File, options: ReadOptions) -> Read:
    """Yield the annotations of a table, in its order, and all else that it holds.

    Raises:
        SourceError: Which column is the label cannot be told, or the named one is not there.
    """
    rows = [row if isinstance(row, BadRow) else Row(row.line, _parse_cells(row.values)) for row in records(file)]
    names = list(dict.fromkeys(column for row in rows if isinstance(row, Row) for column in row.values))
    columns = _find_answers(rows, names)
    label = _choose_label(str(file.path), names, columns, options)
    drawn = [column for column in columns.drawn if column != label]
    yield Notice(f"{file.path.name}: label: {label!r}" if label else f"{file.path.name}: no column is the label")
    if label and drawn:
        yield Notice(
            f"{file.path.name}: answers in {label!r} may be about regions ({', '.join(drawn)}): {ASK_FOR_JSON}"
        )
    shown: dict[str, dict[str, object]] = {}
    for row in rows:
        if isinstance(row, BadRow):
            yield row
        else:
            yield from _row(row, label, columns, options, shown)


def _parse_cells(values: dict[str, object]) -> dict[str, object]:
    """Return a row with the JSON in its cells taken apart."""
    return {column: _parse_cell(value) for column, value in values.items()}


def _parse_cell(value: object) -> object:
    if not isinstance(value, str) or value[:1] not in ("[", "{"):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def _find_answers(rows: Iterable[Row | BadRow], names: list[str]) -> AnswerColumns:
    """Return which columns hold answers that are not plain text."""
    found = AnswerColumns([], [], [])
    given = [row.values for row in rows if isinstance(row, Row)]
    for column in names:
        cells = [row.get(column) for row in given] if column not in OF_ANNOTATION else []
        if any(_holds_labels(cell) for cell in cells):
            found.drawn.append(column)
        elif any(_holds_choices(cell) for cell in cells):
            found.chosen.append(column)
        elif any(key in one for cell in cells if isinstance(cell, list) for one in entries(cell) for key in NO_CLASS):
            found.others.append(column)
    return found


def _choose_label(name: str, names: list[str], columns: AnswerColumns, options: ReadOptions) -> str | None:
    """Return the column of the label; None where only regions have classes.

    Raises:
        SourceError: There are several, none looks like one, or the named one is not there.
    """
    if options.question is not None:
        if options.question in names:
            return options.question
        hold_to_question(name, [one for one in names if one not in OF_ANNOTATION], options.question)
    plain = [one for one in names if one not in (*OF_ANNOTATION, *columns.drawn, *columns.others)]
    by_name = [one for one in plain if one.strip().lower() in LABEL_NAMES]
    found = list(dict.fromkeys([*columns.chosen, *by_name[:1]]))
    hold_to_question(name, found, None, options.option("question"))
    if found or columns.drawn or (columns.others and not set(plain).difference(CONTENT_NAMES)):
        return found[0] if found else None
    return choose_columns(name, plain, options={"label": options.option("question")}).label


def _row(
    row: Row, label: str | None, columns: AnswerColumns, options: ReadOptions, shown: dict[str, dict[str, object]]
) -> Iterator[Annotation | BadRow | UnreadKey]:
    line, values = row.line, row.values
    item = as_id(values.get(options.id_field or "id"))
    if item is None:
        yield BadRow(line, "missing_id", evidence(values))
        return
    if str(values.get("was_cancelled")).lower() in ("true", "1"):
        yield BadRow(line, "skipped", evidence(f"{item}, {values.get('annotator')}"))
        return
    time = next((key for key in ("updated_at", "created_at") if values.get(key)), "created_at")
    answers = {label, *columns.chosen, *columns.drawn, *columns.others}
    data = {key: value for key, value in values.items() if key not in OF_ANNOTATION and key not in answers}
    given = Annotation(
        line, item, "", as_id(values.get("annotator")), as_seconds(read_number(values.get("lead_time"))),
        read_time(values.get(time)), fields=data, content=content_of(data),
    )  # fmt: skip
    if label is not None:
        yield from _answer(given, values.get(label), options, is_beside_regions=bool(columns.drawn))
    own = [label, *data, "id", "annotator", "lead_time", time, "was_cancelled"]
    for column in columns.drawn:
        if column != label:
            yield from _regions(given, column, values.get(column), as_id(values.get("annotation_id")))
            own += [column, "annotation_id"]
    for column in columns.others:
        if column != label and values.get(column) not in (None, "", []):
            yield BadRow(line, "other_kind", evidence(f"{item}: {column}: {values[column]}"))
            own.append(column)
    yield from unread_keys(line, "", values, [one for one in own if one is not None])
    first = shown.setdefault(item, data)
    for column in data if first is not data else ():
        if data[column] not in (first.get(column), None, ""):
            yield UnreadKey(line, column, evidence(data[column]))


def _answer(
    given: Annotation, value: object, options: ReadOptions, *, is_beside_regions: bool
) -> Iterator[Annotation | BadRow]:
    """Yield the answer in a cell; choices with a place are about regions, and so may several beside regions be."""
    choices: list[object] = []
    parts = value if isinstance(value, list) else [value]
    if len(parts) > 1 and is_beside_regions:
        yield BadRow(given.line, "nested_answer", evidence(f"{given.item_id}: {value}: {ASK_FOR_JSON}"))
        return
    for one in parts:
        found = fields_of(one)
        if isinstance(found.get("choices"), list) and len(found) > 1:
            yield BadRow(
                given.line, "nested_answer", evidence(f"{given.item_id}: {', '.join(map(str, found['choices']))}")
            )
            return
        choices += found["choices"] if isinstance(found.get("choices"), list) else [found.get("selected", one)]
    yield label_answer(given, choices, options.read)


def _regions(
    given: Annotation, column: str, value: object, note: str | None
) -> Iterator[Annotation | BadRow | UnreadKey]:
    """Yield the regions of a cell as objects, named by the annotation and their place in it: they have no ids here."""
    found = value if isinstance(value, list) else [value] if value not in (None, "") else []
    for number, one in enumerate(found, 1):
        key = _labels_key(fields_of(one))
        if key is None or note is None:
            yield BadRow(given.line, "unexpected_shape", evidence(f"{given.item_id}: {column}: {one}"))
            continue
        yield from label_objects(given, [(f"{note}-{number}", choice) for choice in one[key] or [None]])
        yield from unread_keys(given.line, f"{column}[]", one, (key,))
