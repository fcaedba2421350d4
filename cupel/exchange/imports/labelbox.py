"""Labelbox's export (NDJSON, version 2): radio answers are classes of the data row, objects are objects in it."""

from collections.abc import Iterator
from typing import Any

from cupel.exchange.imports.file import File, first_record, tool_records
from cupel.exchange.imports.tool import ReadOptions, Tool
from cupel.people.tool_annotation import (
    Annotation,
    Read,
    ReadChoices,
    as_id,
    as_seconds,
    as_time,
    entries,
    fields_of,
    hold_to_question,
    object_id,
    one_class,
)
from cupel.sources.reasons import BadRow, Row, evidence


def is_labelbox(record: Any) -> bool:
    """Tell whether a record is of a Labelbox export: it holds `data_row` and `projects`."""
    return isinstance(record, dict) and isinstance(record.get("data_row"), dict) and "projects" in record


def labelbox(name: str, rows: list[Row | BadRow], question: str | None = None, read: ReadChoices = one_class) -> Read:
    """Yield the annotations of an export.

    Args:
        name: The file, for errors.
        rows: Its records.
        question: Name of the classification that is the label; None where there is only one.
        read: Returns the label of an answer's choices.

    Yields:
        Annotations in the file's order, and what is not understood. An item is named by its `global_key`, else its
        `external_id`, else its `id`.

    Raises:
        SourceError: There are several questions and none was named, or the one named is not there.
    """
    asked = sorted(
        {
            _asked(one)
            for row in rows
            if isinstance(row, Row)
            for label in _labels(row.values)
            for one in _classes(label)
        }
    )
    hold_to_question(name, asked, question)
    for row in rows:
        yield from [row] if isinstance(row, BadRow) else _record(row, question, read)


def _record(row: Row, question: str | None, read: ReadChoices) -> Read:
    data = fields_of(row.values.get("data_row"))
    item = next((found for key in ("global_key", "external_id", "id") if (found := as_id(data.get(key)))), None)
    if item is None:
        yield BadRow(row.line, "missing_id", evidence(data))
        return
    labels = _labels(row.values)
    if not labels:
        yield BadRow(row.line, "no_answer", evidence(item))
    for label in labels:
        details = fields_of(label.get("label_details"))
        given = Annotation(
            row.line, item, "", as_id(details.get("created_by")),
            as_seconds(fields_of(label.get("performance_details")).get("seconds_to_create")),
            as_time(details.get("updated_at") or details.get("created_at")),
            bool(details.get("is_benchmark_reference")), {"content": data.get("row_data")},
        )  # fmt: skip
        yield from _label(given, label, question, read)


def _label(
    given: Annotation, label: dict[str, Any], question: str | None, read: ReadChoices
) -> Iterator[Annotation | BadRow]:
    objects = entries(fields_of(label.get("annotations")).get("objects"))
    wanted = [one for one in _classes(label) if question is None or _asked(one) == question]
    if label.get("label_kind") == "Skipped" or fields_of(label.get("label_details")).get("skipped"):
        yield BadRow(given.line, "skipped", evidence(f"{given.item_id}, {given.annotator}"))
        return
    if not wanted and not objects:
        yield BadRow(given.line, "no_answer", evidence(given.item_id))
    for one in wanted:
        if "radio_answer" not in one and "checklist_answers" not in one:
            yield BadRow(given.line, "other_kind", evidence(f"{given.item_id}: {_asked(one)}"))
            continue
        answers = [one.get("radio_answer"), *entries(one.get("checklist_answers"))]
        found = read(
            given.line, [fields_of(answer).get("name") or fields_of(answer).get("value") for answer in answers]
        )
        yield found if isinstance(found, BadRow) else given._replace(label=found)
    for number, one in enumerate(objects, 1):
        found = one_class(given.line, [one.get("name") or one.get("value")])
        item = object_id(given.item_id, one.get("feature_id") or number)
        yield found if isinstance(found, BadRow) else given._replace(item_id=item, label=found)


def _labels(record: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        label
        for project in fields_of(record.get("projects")).values()
        for label in entries(fields_of(project).get("labels"))
    ]


def _classes(label: dict[str, Any]) -> list[dict[str, Any]]:
    return entries(fields_of(label.get("annotations")).get("classifications"))


def _asked(classification: dict[str, Any]) -> str:
    return str(classification.get("name") or classification.get("value") or "")


def _read(file: File, options: ReadOptions) -> Read:
    return labelbox(str(file.path), tool_records(file), options.question, options.read)


LABELBOX = Tool("labelbox", lambda file: is_labelbox(first_record(file)), _read)
