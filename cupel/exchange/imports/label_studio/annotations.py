"""Label Studio's tasks to annotations: who answered what when, and which answers do not count."""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from cupel.exchange.imports.file import File
from cupel.exchange.imports.item_identity import content_of
from cupel.exchange.imports.label_studio.regions import read_results, tell_classes, tell_keys
from cupel.exchange.imports.label_studio.tasks import NOTES, Placed, TaskRecord, split_tasks, task_rows
from cupel.exchange.imports.tool import ReadOptions
from cupel.people.tool_annotation import (
    Annotation,
    Notice,
    Read,
    as_id,
    as_seconds,
    as_time,
    entries,
    fields_of,
    hold_to_question,
    unread_keys,
)
from cupel.sources.class_values import value_text
from cupel.sources.reasons import BadRow, Row, evidence

# What a reviewer's last action says of an answer; an answer that was changed since then is judged no more.
REJECTED, FIXED = ("rejected",), ("fixed", "fixed_and_accepted")
CHANGED_SINCE = ("updated", "submitted", "accepted", "imported", "prediction")
# Numbers below this are seconds since 1970 and no milliseconds: Label Studio is younger than 1973.
LEAST_MILLISECONDS = 100_000_000_000
OF_PERSON = ("email", "username", "id")
OF_REVIEW = ("accepted", "fixed_annotation_history", "created_at")
_USERNAME = re.compile(r"\s*(\S+@\S+?|\S+), (\d+)\s*\Z")


def read_tasks(file: File, options: ReadOptions) -> Read:
    """Yield the annotations of an export of tasks, in its order, and all else that it holds.

    An item is named by `id` of the task's data, else by the task's id, with its project's before it where the file
    holds tasks of several.

    Raises:
        SourceError: There are several questions and none was named, or the one named is not there.
    """
    return read_task_rows(file.path.name, task_rows(file) or [], options)


def read_task_rows(name: str, rows: Iterable[Row | BadRow], options: ReadOptions) -> Read:
    """Yield the annotations of records of tasks; `name` is the file's, for errors."""
    found = list(split_tasks(rows))
    asked = choose_question(name, [one for one in found if isinstance(one, TaskRecord)], options)
    yield Notice(_describe(name, [one.task.values for one in found if isinstance(one, TaskRecord)], asked, options))
    projects = {as_id(one.task.values.get("project")) for one in found if isinstance(one, TaskRecord)} - {None}
    for one in found:
        if isinstance(one, BadRow):
            yield one
        else:
            yield from _task(one, asked, options, has_projects=len(projects) > 1)


def choose_question(name: str, tasks: Iterable[TaskRecord], options: ReadOptions) -> str | None:
    """Return the name of the control whose answer is the label; None where the file asks none.

    Raises:
        SourceError: There are several and none was named, or the one named is not there.
    """
    of_tasks: set[str] = set()
    of_parts: set[str] = set()
    for task in tasks:
        for note in task.notes:
            if not judge_state(note.values):
                for one in read_results(note.values):
                    if one.is_asked:
                        (of_tasks if one.part is None else of_parts).add(one.control)
    question = options.question
    asked = sorted(of_tasks if question is None else of_tasks | of_parts)
    hold_to_question(name, asked, question, options.option("question"))
    return question if question is not None else next(iter(of_tasks), None)


def _describe(name: str, tasks: list[dict[str, Any]], asked: str | None, options: ReadOptions) -> str:
    """Return which question is taken for the label, and what names the item."""
    field = options.id_field or "id"
    has_field = [as_id(task["data"].get(field)) is not None for task in tasks]
    named = ([f"{field!r} of its data"] if any(has_field) else []) + (["the task's id"] if not all(has_field) else [])
    label = f"label: {asked!r} ({'named' if options.question else 'the only question'})" if asked else "no question"
    return f"{name}: {label}; item: {', else '.join(named) or 'none'}"


def _task(found: TaskRecord, asked: str | None, options: ReadOptions, *, has_projects: bool) -> Read:
    line, task, data = found.line, found.task.values, found.task.values["data"]
    yield from found.left
    item, used = item_of(task, options.id_field, line, has_projects=has_projects)
    if item is None:
        yield BadRow(line, "missing_id", evidence(data))
        return
    if not found.notes:
        yield BadRow(line, "no_answer", evidence(item))
    for note in found.notes:
        yield from _note(line, item, note, data, asked, options)
    yield from tell_others(line, item, task)
    own = ("data", "drafts", "predictions", *NOTES, *used)
    yield from unread_keys(line, found.task.path, task, own)


def tell_others(line: int, item: str, task: dict[str, Any]) -> Iterator[BadRow]:
    """Yield the drafts and predictions of a task: they are no answers."""
    for key, reason in (("drafts", "not_finished"), ("predictions", "prediction")):
        value = task.get(key)
        for one in value if isinstance(value, list) else [value] if value else []:
            said = fields_of(one).get("model_version") or _said(fields_of(one))
            yield BadRow(line, reason, evidence(f"{item}: {said}"))


def item_of(
    task: dict[str, Any], id_field: str | None, line: int, *, has_projects: bool
) -> tuple[str | None, tuple[str, ...]]:
    """Return the id of a task's item, and the task's keys that it is made of."""
    item = as_id(task["data"].get(id_field or "id"))
    if item is not None or id_field not in (None, "id"):
        return item, ()
    name, project = as_id(task.get("id")) or f"task {line}", as_id(task.get("project"))
    return (f"{project}/{name}", ("id", "project")) if has_projects and project is not None else (name, ("id",))


def _note(
    line: int, item: str, note: Placed, data: dict[str, Any], asked: str | None, options: ReadOptions
) -> Read:  # fmt: skip
    values = note.values
    who, number, of_person = person(values)
    time_key = next((key for key in ("updated_at", "created_at") if values.get(key)), "created_at")
    state = judge_state(values)
    results = read_results(values)
    path = f"{note.path}.result[]".removeprefix(".")
    if state is not None:
        yield BadRow(line, state, evidence(f"{item}, {who}: {_said(values)}".removesuffix(": ")))
    else:
        given = Annotation(
            line, item, "", who, as_seconds(values.get("lead_time")), read_time(values.get(time_key)),
            bool(values.get("ground_truth")), data, content_of(data), number,
        )  # fmt: skip
        yield from tell_classes(given, path, results, asked, options)
        yield from tell_keys(line, path, values.get("result"), results)
    own = ("result", "lead_time", time_key, "ground_truth", "was_cancelled", "skipped", "last_action", of_person)
    reviews = entries(values.get("reviews"))
    yield from unread_keys(line, note.path, values, (*own, "reviews") if reviews else own)
    inside = f"{note.path}." if note.path else ""
    yield from unread_keys(line, f"{inside}{of_person}", fields_of(values.get(of_person)), OF_PERSON)
    for review in reviews:
        yield from unread_keys(line, f"{inside}reviews[]", review, OF_REVIEW)


def judge_state(note: dict[str, Any]) -> str | None:
    """Return the reason for which an annotation is no answer of its annotator; None where it is one.

    What a reviewer changed is the reviewer's: what the annotator had said was wrong, and is not in the file.
    """
    if note.get("was_cancelled") or note.get("skipped") or note.get("last_action") == "skipped":
        return "skipped"
    if note.get("was_postponed"):
        return "not_finished"
    action = note.get("last_action")
    if action in (*REJECTED, *FIXED):
        return "rejected"
    reviews = sorted(entries(note.get("reviews")), key=lambda one: str(one.get("created_at") or ""))
    if not reviews:
        return None
    last = reviews[-1]
    if last.get("fixed_annotation_history"):
        return "rejected"
    return "rejected" if last.get("accepted") is False and action not in CHANGED_SINCE else None


def _said(note: dict[str, Any]) -> str:
    """Return the classes that an annotation names, for people."""
    return ", ".join(value_text(choice) or "" for one in read_results(note) for choice in one.classes)


def person(note: dict[str, Any]) -> tuple[str | None, str | None, str]:
    """Return who annotated, the tool's number of the person where both are known, and the key that says so.

    >>> person({"completed_by": {"id": 7, "email": "ann@x.org"}})
    ('ann@x.org', '7', 'completed_by')
    >>> person({"created_username": "ann@x.org, 7"})
    ('ann@x.org', '7', 'created_username')
    """
    who = note.get("completed_by")
    if isinstance(who, dict):
        email, number = as_id(who.get("email")) or as_id(who.get("username")), as_id(who.get("id"))
        return email or number, number if email else None, "completed_by"
    if as_id(who) is None and (named := _USERNAME.match(str(note.get("created_username") or ""))):
        return named[1], named[2], "created_username"
    return as_id(who), None, "completed_by"


def read_time(value: object) -> datetime | None:
    """Return a time; before version 1.0 it was a number of seconds."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return as_time(value * 1000 if is_number and value < LEAST_MILLISECONDS else value)  # type: ignore[operator]
