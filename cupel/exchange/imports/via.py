"""VGG Image Annotator's CSV: a row is a region of a file, or the file itself; attributes stand as JSON in cells."""

import json
from collections.abc import Iterator
from typing import Any

from cupel.exchange.imports.answer_rows import check_named, choose_question, header_names, read_rows
from cupel.exchange.imports.file import File
from cupel.exchange.imports.mturk import read_choices
from cupel.exchange.imports.tool import ReadOptions, Tool
from cupel.people.tool_annotation import Annotation, Found, Notice, Read, as_id, fields_of, object_id, unread_keys
from cupel.sources.reasons import BadRow, Row, evidence

OF_FILE, OF_REGION = "file_attributes", "region_attributes"


def is_via(file: File) -> bool:
    """Tell whether a file is an export of the annotator, by its columns."""
    return {OF_FILE, OF_REGION, "region_shape_attributes"} <= set(header_names(file))


def read_via(file: File, options: ReadOptions) -> Read:
    """Yield the answers of an export: attributes of regions label objects, attributes of files label files.

    Where several attributes are there, one must be named: as `kind`, or `file.kind` where files and regions have it.

    Raises:
        SourceError: A named column is missing, or a question must be named.
    """
    rows, names = read_rows(file)
    name = file.path.name
    check_named(name, names, options._replace(annotator=None))
    item_column = options.id_field or next(one for one in (*names, "") if one.lstrip("#") == "filename" or not one)
    asked: dict[str, None] = {}
    for row in rows:
        if isinstance(row, Row):
            asked.update(dict.fromkeys(_parse(row, OF_REGION) or ()))
            asked.update(dict.fromkeys(f"file.{key}" for key in _parse(row, OF_FILE) or ()))
    question = choose_question(name, list(asked), options, "file.")
    yield Notice(f"{name}: item: {item_column!r}; label: attribute {question!r}; annotator: no column")
    seen: set[str] = set()
    for row in rows:
        yield from [row] if isinstance(row, BadRow) else _read_row(row, question, item_column, seen, options)


def _read_row(row: Row, question: str, item_column: str, seen: set[str], options: ReadOptions) -> Iterator[Found]:
    values = row.values
    item = as_id(values.get(item_column))
    column = OF_FILE if question.startswith("file.") else OF_REGION
    attributes, others = _parse(row, column), _parse(row, OF_REGION if column == OF_FILE else OF_FILE)
    key = question.removeprefix("file.")
    if item is None or attributes is None or others is None:
        reason = "missing_id" if item is None else "unexpected_shape"
        yield BadRow(row.line, reason, evidence(values))
        return
    is_repeated = column == OF_FILE and item in seen
    seen.add(item)
    if not is_repeated:  # each region's row says the attributes of its file again
        label = options.read(row.line, [one for one in read_choices(attributes.get(key)) if one != ""])
        name = item if column == OF_FILE else object_id(item, as_id(values.get("region_id")) or row.line)
        if isinstance(label, BadRow):
            yield label._replace(evidence=label.evidence or evidence(name))
        else:
            yield Annotation(row.line, name, label, fields={item_column: values.get(item_column)})
    for path, found, read in ((column, attributes, (key,)), (OF_REGION if column == OF_FILE else OF_FILE, others, ())):
        yield from unread_keys(row.line, path, found, read)
    yield from unread_keys(row.line, "", values, (item_column, "region_id", OF_FILE, OF_REGION))


def _parse(row: Row, column: str) -> dict[str, Any] | None:
    cell = row.values.get(column)
    try:
        found = json.loads(cell) if isinstance(cell, str) and cell else cell or {}
    except (ValueError, RecursionError):
        return None
    return fields_of(found) if isinstance(found, dict) else None


VIA = Tool("via", is_via, read_via)
