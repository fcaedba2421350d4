"""Scale's tasks as its API returns them: categories are classes of the task, annotations are objects in it."""

from collections.abc import Iterator
from typing import Any

from cupel.exchange.imports.file import File, first_record, tool_records
from cupel.exchange.imports.tool import ReadOptions, Tool
from cupel.people.tool_annotation import (
    Annotation,
    Read,
    ReadChoices,
    as_id,
    as_time,
    entries,
    fields_of,
    hold_to_question,
    object_id,
    one_class,
)
from cupel.sources.reasons import BadRow, Row, evidence


def is_scale(record: Any) -> bool:
    """Tell whether a record is a task of Scale: it holds `task_id` and `params`, or `response`."""
    return isinstance(record, dict) and "task_id" in record and ("params" in record or "response" in record)


def scale(name: str, rows: list[Row | BadRow], question: str | None = None, read: ReadChoices = one_class) -> Read:
    """Yield the annotations of Scale's tasks.

    Args:
        name: The file, for errors.
        rows: Its tasks.
        question: Name of the field whose answer is the label, where a task asks several; None where there is one.
        read: Returns the label of an answer's choices.

    Yields:
        Annotations in the file's order, and what is not understood. An item is named by the task's `unique_id`, else
        by its `task_id`. Scale names no annotator.

    Raises:
        SourceError: There are several fields and none was named, or the one named is not there.
    """
    asked = sorted({field for row in rows if isinstance(row, Row) for field in _answers(row.values)})
    hold_to_question(name, asked, question)
    for row in rows:
        yield from [row] if isinstance(row, BadRow) else _task(row, question, read)


def _task(row: Row, question: str | None, read: ReadChoices) -> Read:
    task, params = row.values, fields_of(row.values.get("params"))
    item = as_id(task.get("unique_id")) or as_id(params.get("unique_id")) or as_id(task.get("task_id"))
    if item is None:
        yield BadRow(row.line, "missing_id", evidence(task))
    elif task.get("status", "completed") != "completed":
        yield BadRow(row.line, "not_finished", evidence(f"{item}: {task.get('status')}"))
    else:
        shown: dict[str, object] = {key: params[key] for key in ("attachment", "text") if key in params}
        given = Annotation(row.line, item, "", answered_at=as_time(task.get("completed_at")), fields=shown)
        yield from _answer(given, task, question, read)


def _answer(
    given: Annotation, task: dict[str, object], question: str | None, read: ReadChoices
) -> Iterator[Annotation | BadRow]:
    answers, objects = _answers(task), entries(fields_of(task.get("response")).get("annotations"))
    for field, found in answers.items():
        if question is None or field == question:
            label = read(given.line, found)
            yield label if isinstance(label, BadRow) else given._replace(label=label)
    for number, one in enumerate(objects, 1):
        label = one_class(given.line, [one.get("label")])
        item = object_id(given.item_id, one.get("uuid") or number)
        yield label if isinstance(label, BadRow) else given._replace(item_id=item, label=label)
    if not answers and not objects:
        response = fields_of(task.get("response"))
        yield BadRow(
            given.line, "other_kind" if response else "no_answer", evidence(f"{given.item_id}: {list(response)}")
        )


def _answers(task: dict[str, Any]) -> dict[str, list[object]]:
    """Return the classes chosen, by field; of a plain categorization the field is `category`."""
    response = fields_of(task.get("response"))
    found: dict[str, list[object]] = {}
    for field in ("category", "categories"):
        if field in response:
            found["category"] = _flat(response[field])
    for field, answer in fields_of(response.get("annotations")).items():
        value = answer.get("response", answer.get("category")) if isinstance(answer, dict) else answer
        found[str(field)] = _flat(value)
    return found


def _flat(value: object) -> list[object]:
    if isinstance(value, list):
        return [one for part in value for one in _flat(part)]
    return [value] if isinstance(value, str | int | float) else []


def _read(file: File, options: ReadOptions) -> Read:
    return scale(str(file.path), tool_records(file), options.question, options.read)


SCALE = Tool("scale", lambda file: is_scale(first_record(file)), _read)
