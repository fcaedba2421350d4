"""Zooniverse's classifications: a row is what one person said of one subject, answers as JSON in `annotations`."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from cupel.exchange.imports.answer_rows import check_named, choose_question, header_names, read_rows
from cupel.exchange.imports.columns import Columns, describe_columns, list_columns
from cupel.exchange.imports.file import File
from cupel.exchange.imports.tool import ReadOptions, Tool
from cupel.people.tool_annotation import (
    Annotation,
    Found,
    Notice,
    Read,
    as_id,
    as_time,
    entries,
    fields_of,
    unread_keys,
)
from cupel.sources.class_values import value_text
from cupel.sources.reasons import BadRow, Row, evidence

READ = (
    "user_name", "user_id", "workflow_id", "created_at", "gold_standard", "metadata", "annotations", "subject_data",
    "subject_ids",
)  # fmt: skip
# How far the subject's own work has come; it differs among the classifications of one subject.
PROGRESS = ("retired",)


class Parsed(NamedTuple):
    """A row with its cells of JSON read: answers by question, what the browser said, and the subject."""

    row: Row
    answers: dict[str, list[dict[str, Any]]]
    metadata: dict[str, Any]
    subject: dict[str, Any]


def is_zooniverse(file: File) -> bool:
    """Tell whether a file is an export of classifications, by its columns."""
    names = set(header_names(file))
    return {"annotations", "subject_data"} <= names and bool(names & {"classification_id", "user_name", "workflow_id"})


def read_zooniverse(file: File, options: ReadOptions) -> Read:
    """Yield the answers of an export of classifications.

    A task is a question, named `T0`, and with its workflow before it where the file holds several. Choices are read;
    drawings, texts in words and numbers are told. What was made in gold standard mode is ground truth.

    Raises:
        SourceError: A named column is missing, or a question must be named.
    """
    rows, names = read_rows(file)
    check_named(file.path.name, names, options)
    workflows = {value_text(row.values.get("workflow_id")) for row in rows if isinstance(row, Row)}
    parsed = [_parse(row, is_of_several=len(workflows) > 1) if isinstance(row, Row) else row for row in rows]
    asked = {name: None for one in parsed if isinstance(one, Parsed) for name in one.answers}
    question = choose_question(file.path.name, list(asked), options)
    item, who = options.id_field or "subject_ids", options.annotator or "user_name"
    told = describe_columns(Columns(question, item, "subject_data", who), options[:4])
    yield Notice(f"{file.path.name}: {told}; workflow {list_columns(sorted(filter(None, workflows)))}")
    for one in parsed:
        yield from [one] if isinstance(one, BadRow) else _read_row(one, question, item, who, options)


def _parse(row: Row, *, is_of_several: bool) -> Parsed | BadRow:
    cells = {name: _parse_cell(row.values.get(name)) for name in ("annotations", "metadata", "subject_data")}
    if not isinstance(cells["annotations"], list):
        return BadRow(row.line, "unexpected_shape", evidence(row.values.get("annotations")))
    before = f"{value_text(row.values.get('workflow_id'))}/" if is_of_several else ""
    answers: dict[str, list[dict[str, Any]]] = {}
    for one in _single_tasks(cells["annotations"]):
        answers.setdefault(f"{before}{one.get('task')}", []).append(one)
    subjects = fields_of(cells["subject_data"])
    subject = {key: value for one in subjects.values() for key, value in fields_of(one).items()}
    return Parsed(row, answers, fields_of(cells["metadata"]), subject)


def _single_tasks(annotations: object) -> Iterator[dict[str, Any]]:
    """Yield the answers to single tasks; a combination of tasks holds theirs as its value."""
    for one in entries(annotations):
        inside = entries(one.get("value"))
        if inside and all("task" in part for part in inside):
            yield from _single_tasks(inside)
        else:
            yield one


def _parse_cell(cell: object) -> Any:
    try:
        return json.loads(cell) if isinstance(cell, str) else cell
    except (ValueError, RecursionError):
        return None


def _read_row(one: Parsed, question: str, item_column: str, who: str, options: ReadOptions) -> Iterator[Found]:
    row, line = one.row, one.row.line
    item = as_id(row.values.get(item_column))
    if item is None:
        yield BadRow(line, "missing_id", evidence(row.values))
        return
    given = Annotation(
        line, item, "", as_id(row.values.get(who)) or as_id(row.values.get("user_id")), _seconds(one.metadata),
        as_time(str(row.values.get("created_at") or "").replace(" UTC", "+00:00")),
        (value_text(row.values.get("gold_standard")) or "").casefold() not in ("", "false", "0"),
        {key: value for key, value in one.subject.items() if key not in PROGRESS},
    )  # fmt: skip
    answers = one.answers.get(question, [])
    if not answers:
        yield BadRow(line, "no_answer", evidence(f"{item}, {given.annotator}"))
    for answer in answers:
        yield from _answer(given, answer, options)
    for name, others in one.answers.items():
        if name != question:
            for other in others:
                yield from unread_keys(line, f"annotations[].{name}", other, ("task",))
    yield from unread_keys(line, "metadata", one.metadata, ("started_at", "finished_at"))
    yield from unread_keys(line, "subject_data", {key: one.subject.get(key) for key in PROGRESS}, ())
    yield from unread_keys(line, "", row.values, {*READ, item_column, who})


def _answer(given: Annotation, answer: dict[str, Any], options: ReadOptions) -> Iterator[Found]:
    value = answer.get("value")
    parts = entries(value)
    is_survey = bool(parts) and all("choice" in part for part in parts)
    if parts and not is_survey:
        yield BadRow(given.line, "other_kind", evidence(f"{given.item_id}: {answer.get('task')}: {value}"))
    else:
        choices = [part["choice"] for part in parts] if is_survey else value if isinstance(value, list) else [value]
        label = options.read(given.line, choices)
        if isinstance(label, BadRow):
            yield label._replace(evidence=label.evidence or evidence(f"{given.item_id}, {given.annotator}"))
        else:
            yield given._replace(label=label)
        for part in parts:
            yield from unread_keys(given.line, "annotations[].value[]", part, ("choice",))
    yield from unread_keys(given.line, "annotations[]", answer, ("task", "task_label", "value"))


def _seconds(metadata: dict[str, Any]) -> float | None:
    """Return the seconds between start and end of a classification, by the clock of one browser."""
    start, end = as_time(metadata.get("started_at")), as_time(metadata.get("finished_at"))
    taken = (end - start).total_seconds() if start is not None and end is not None else -1.0
    return taken if taken >= 0 else None


ZOONIVERSE = Tool("zooniverse", is_zooniverse, read_zooniverse, is_table=True)
