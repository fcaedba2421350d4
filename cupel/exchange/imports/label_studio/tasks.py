"""The shapes in which Label Studio writes a task and its annotations: exports, storage files, messages of webhooks."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from cupel.exchange.imports.file import File, first_records, records
from cupel.people.tool_annotation import UnreadKey, as_id, entries, fields_of, unread_keys
from cupel.sources.reasons import BadRow, Row, evidence

# What holds a task's annotations: `completions` are of before version 1.0.
NOTES = ("annotations", "completions")
WITHOUT_TASK = "the message names no task: nothing in it can be imported"


class Placed(NamedTuple):
    """An object of a record, and the path of its keys in the record."""

    path: str
    values: dict[str, Any]


class TaskRecord(NamedTuple):
    """A task, its annotations, and the record's other keys: `line` is the record's number."""

    line: int
    task: Placed
    notes: list[Placed]
    left: list[BadRow | UnreadKey]


def task_rows(file: File) -> list[Row | BadRow] | None:
    """Return the records of JSON, JSON Lines, or a page of the API (`tasks`); None of other formats."""
    if file.format not in ("json", "jsonl"):
        return None
    document: Any = file.document
    if isinstance(document, dict) and isinstance(document.get("tasks"), list) and "action" not in document:
        return [
            Row(number, one) if isinstance(one, dict) else BadRow(number, "not_an_object", evidence(one))
            for number, one in enumerate(document["tasks"], 1)
        ]
    return records(file)


def has_tasks(file: File) -> bool:
    """Tell whether any record of a file is a Label Studio task, an annotation with its task, or a webhook's message."""
    rows = task_rows(file) if file.format == "json" else None
    found = first_records(file) if rows is None else [row.values for row in rows if isinstance(row, Row)]
    return any(_is_record(record) for record in found)


def _is_record(record: dict[str, Any]) -> bool:
    if isinstance(record.get("data"), dict):
        return any(isinstance(record.get(key), list) for key in (*NOTES, "predictions", "drafts"))
    has_task = isinstance(fields_of(record.get("task")).get("data"), dict)
    if has_task and isinstance(record.get("result"), list):
        return True
    action = str(record.get("action"))
    return action.startswith(("ANNOTATION", "TASK")) and any(
        key in record for key in ("annotation", "annotations", "tasks")
    )


def split_tasks(rows: Iterable[Row | BadRow]) -> Iterator[TaskRecord | BadRow]:
    """Yield each task with its annotations, in the file's order; of a webhook's messages, deleted annotations are told.

    A record that is no task is told with its reason.
    """
    rows = list(rows)
    deleted = _deleted(rows)
    for row in rows:
        if isinstance(row, BadRow):
            yield row
            continue
        for found in _split(row):
            yield found if isinstance(found, BadRow) else _without_deleted(found, deleted)


def _split(row: Row) -> Iterator[TaskRecord | BadRow]:
    line, record = row.line, row.values
    task, note = record.get("task"), record.get("annotation")
    if isinstance(record.get("data"), dict):
        yield _with_notes(TaskRecord(line, Placed("", record), [], []))
    elif isinstance(task, dict) and isinstance(task.get("data"), dict):
        if isinstance(note, dict):
            left: list[BadRow | UnreadKey] = list(unread_keys(line, "", record, ("action", "annotation", "task")))
            yield TaskRecord(line, Placed("task", task), [Placed("annotation", note)], left)
        else:
            note = {key: value for key, value in record.items() if key != "task"}
            yield TaskRecord(line, Placed("task", task), [Placed("", note)], [])
    elif isinstance(record.get("tasks"), list):
        yield BadRow(line, "no_answer", evidence(f"{record.get('action')}: {len(entries(record['tasks']))} tasks"))
    elif "action" in record:
        yield BadRow(line, "unknown_item", evidence(f"{record['action']}: {WITHOUT_TASK}"))
    else:
        yield BadRow(line, "not_an_object", evidence(record))


def _with_notes(found: TaskRecord) -> TaskRecord:
    """Return a task with the annotations that it holds; what is no object in their place is told."""
    for key in NOTES:
        value = found.task.values.get(key)
        for one in value if isinstance(value, list) else [value] if value else []:
            if isinstance(one, dict):
                found.notes.append(Placed(f"{key}[]", one))
            else:
                found.left.append(BadRow(found.line, "unexpected_shape", evidence(f"{key}: {one!r}")))
    return found


def _deleted(rows: list[Row | BadRow]) -> frozenset[str]:
    """Return the ids of annotations that a webhook's message says are deleted."""
    return frozenset(
        name
        for row in rows
        if isinstance(row, Row) and row.values.get("action") == "ANNOTATIONS_DELETED"
        for one in entries(row.values.get("annotations"))
        if (name := as_id(one.get("id"))) is not None
    )


def _without_deleted(found: TaskRecord, deleted: frozenset[str]) -> TaskRecord:
    gone = [note for note in found.notes if deleted and as_id(note.values.get("id")) in deleted]
    left = [BadRow(found.line, "rejected", evidence(f"annotation {one.values['id']} was deleted")) for one in gone]
    return found._replace(notes=[one for one in found.notes if one not in gone], left=[*found.left, *left])
