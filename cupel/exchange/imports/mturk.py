"""Amazon Mechanical Turk's batch results: a row is an assignment, `HITId` the item, `Answer.*` what was answered."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, NamedTuple

from cupel.exchange.imports.answer_rows import (
    AnswerRoles,
    check_named,
    choose_question,
    choose_text,
    describe_roles,
    find_unread,
    header_names,
    is_true,
    read_answer,
    read_choices,
    read_rows,
)
from cupel.exchange.imports.file import File
from cupel.exchange.imports.tool import ReadOptions, Tool
from cupel.people.tool_annotation import Read, as_time, unread_keys
from cupel.sources.class_values import value_text
from cupel.sources.reasons import BadRow, Row, evidence

ANSWER = "Answer."
# Forms of crowd elements write all answers of an assignment into this column, as JSON.
TASK_ANSWERS = "answer.taskanswers"
STATES = {"approved": None, "submitted": None, "": None, "rejected": "rejected"}
# What Mechanical Turk writes between several choices of one answer.
JOIN = "|"
_ZONES = {"PST": -8, "PDT": -7, "UTC": 0, "GMT": 0}


class Question(NamedTuple):
    """A question: its column, or the columns of its checkboxes by option; in `Answer.taskAnswers` its key."""

    columns: dict[str, str]
    key: str | None = None


def is_mturk(file: File) -> bool:
    """Tell whether a file is a table of assignments and answers, by its columns; without answers it is any table."""
    names = {name.casefold() for name in header_names(file)}
    has_answers = any(name.startswith(ANSWER.casefold()) for name in names)
    return has_answers and "hitid" in names and bool(names & {"assignmentid", "workerid"})


def find_questions(names: Sequence[str], rows: Sequence[Row | BadRow]) -> dict[str, Question]:
    """Return the questions of a table by name.

    Columns of one name with an ending each, as `Answer.topic.war` and `Answer.topic.law`, that hold nothing but true
    and false are the checkboxes of one question, `Answer.topic`.
    """
    answers = [name for name in names if name.casefold().startswith(ANSWER.casefold())]
    boxes = set(answers)
    keys: dict[str, None] = {}
    task_answers = next((name for name in answers if name.casefold() == TASK_ANSWERS), None)
    for row in rows:
        if isinstance(row, Row):
            boxes -= {name for name in boxes if not _is_truth_value(row.values.get(name))}
            keys.update(dict.fromkeys(_parse_answers(row.values.get(task_answers or "")) or ()))
    groups: dict[str, dict[str, str]] = {}
    for name in answers:
        prefix, _, option = name.rpartition(".")
        if name in boxes and len(prefix) >= len(ANSWER):
            groups.setdefault(prefix, {})[option] = name
    found: dict[str, Question] = {}
    for name in answers:
        prefix = name.rpartition(".")[0]
        if name == task_answers:
            found.update({key: Question({}, key) for key in keys})
        elif len(groups.get(prefix, ())) > 1 and name in boxes:
            found[prefix] = Question(groups[prefix])
        else:
            found[name] = Question({"": name})
    return found


def _is_truth_value(cell: object) -> bool:
    return (value_text(cell) or "true").casefold() in ("true", "false")


def _parse_answers(cell: object) -> dict[str, Any] | None:
    """Return the answers of an `Answer.taskAnswers` cell by question, or None."""
    try:
        parsed: Any = json.loads(cell) if isinstance(cell, str) else cell
    except (ValueError, RecursionError):
        return None
    objects = parsed if isinstance(parsed, list) else [parsed]
    if not all(isinstance(one, dict) for one in objects):
        return None
    return {str(key): value for one in objects for key, value in one.items()}


def _choices(question: Question, answers: dict[str, Any], row: Row, classes: Sequence[str]) -> list[object]:
    if question.key is not None:
        return read_choices(answers.get(question.key))
    if len(question.columns) == 1:
        (column,) = question.columns.values()
        cell = row.values.get(column)
        text = value_text(cell) or ""
        return list(text.split(JOIN)) if JOIN in text and text not in classes else read_choices(cell)
    return [option for option, column in question.columns.items() if is_true(row.values.get(column))]


def read_mturk(file: File, options: ReadOptions) -> Read:
    """Yield the answers of a table of assignments.

    Approved assignments are answers, and submitted ones that nobody reviewed yet; rejected ones are told, by their
    status or by a mark in the column Reject. Columns of the task, as Title and Reward, are told as not used.

    Raises:
        SourceError: A named column is missing, or a question must be named.
    """
    rows, names = read_rows(file)
    check_named(file.path.name, names, options)
    called = {name.casefold(): name for name in reversed(names)}
    questions = find_questions(names, rows)
    task_answers = called.get(TASK_ANSWERS, "")
    name = choose_question(file.path.name, list(questions), options, ANSWER)
    question = questions[name]
    shown = tuple(one for one in names if one.casefold().startswith("input."))
    states = [called[one] for one in ("assignmentstatus", "reject") if one in called]
    roles = AnswerRoles(
        name, options.id_field or called["hitid"], options.annotator or called.get("workerid"),
        choose_text(shown, options), shown, frozenset((*states, *question.columns.values(), task_answers)),
        called.get("worktimeinseconds"), called.get("submittime"), read_time,
    )  # fmt: skip
    unread = find_unread(names, roles)
    yield describe_roles(file.path.name, roles, options)
    for row in rows:
        if isinstance(row, BadRow):
            yield row
            continue
        answers = _parse_answers(row.values.get(task_answers))
        choices = _choices(question, answers or {}, row, options.classes)
        state = _state(row, called)
        if state is None and question.key is not None and answers is None and row.values.get(task_answers):
            yield BadRow(row.line, "unexpected_shape", evidence(row.values[task_answers]))
            continue
        yield from read_answer(row, roles, unread, choices, options, state=state)
        if state is None:
            yield from unread_keys(row.line, task_answers, answers or {}, (question.key or "",))


def _state(row: Row, called: dict[str, str]) -> str | None:
    """Return why an assignment is no answer, or None."""
    status = (value_text(row.values.get(called.get("assignmentstatus", ""))) or "").casefold()
    if value_text(row.values.get(called.get("reject", ""))):
        return "rejected"
    if not status and value_text(row.values.get(called.get("rejectiontime", ""))):
        return "rejected"
    return STATES.get(status, "not_finished")


def read_time(value: object) -> datetime | None:
    """Return a time as the batch results write it, or as ISO, as UTC; None where it is neither.

    >>> read_time("Fri Oct 10 07:30:20 PDT 2025").isoformat()
    '2025-10-10T14:30:20+00:00'
    """
    words = value.split() if isinstance(value, str) else []
    if len(words) != 6 or words[4] not in _ZONES:
        return as_time(value)
    try:
        found = datetime.strptime(" ".join([*words[1:4], words[5]]), "%b %d %H:%M:%S %Y")
    except ValueError:
        return None
    return found.replace(tzinfo=timezone(timedelta(hours=_ZONES[words[4]]))).astimezone(UTC)


MTURK = Tool("mturk", is_mturk, read_mturk, is_table=True)
