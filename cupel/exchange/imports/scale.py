"""Scale's tasks as its API returns them: categories are classes of the task, annotations are objects in it."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

from cupel.errors import SourceError
from cupel.exchange.imports.file import File, first_record, tool_records
from cupel.exchange.imports.record_lists import read_list
from cupel.exchange.imports.tool import ReadOptions, Tool
from cupel.people.tool_annotation import (
    Annotation,
    Notice,
    Read,
    UnreadKey,
    as_id,
    as_time,
    fields_of,
    hold_to_question,
    object_id,
    one_class,
    unread_keys,
)
from cupel.sources.class_values import value_text
from cupel.sources.reasons import BadRow, Row, evidence

# What a task shows the annotator.
SHOWN = ("attachment", "attachments", "text")
# Types of a form's fields whose answer is a choice; the others are texts, numbers, dates and rankings.
CHOICE_TYPES = (None, "category", "select", "boolean", "radio", "checkbox")
EARLIER_VERSION = "earlier_version"
LONG_AGO = datetime.min.replace(tzinfo=UTC)


def is_scale(record: Any) -> bool:
    """Tell whether a record is a task of Scale, or the body of a callback that holds one."""
    return (
        isinstance(record, dict)
        and "task_id" in record
        and (any(isinstance(record.get(part), dict) for part in ("params", "response", "task")) or _has_threads(record))
    )


def _has_threads(record: dict[str, Any]) -> bool:
    return isinstance(record.get("threads"), list)


def scale(name: str, rows: list[Row | BadRow], options: ReadOptions) -> Read:
    """Yield the annotations of Scale's tasks.

    Canceled and unfinished tasks are no answers, nor are those that an audit rejected, nor responses before a fix.

    Args:
        name: The file, for errors.
        rows: Its tasks, or bodies of callbacks.
        options: `question` names the field whose answer is the label, where a task asks several; `id_field` a field of
            the task or of its metadata that is the item's id.

    Yields:
        Annotations in the file's order, and what is not understood. An item is named by the task's `unique_id`, else
        by its `task_id`. Scale names no annotator. Of a task that is there several times the latest is read.

    Raises:
        SourceError: There are several fields and none was named, or the one named is not there.
    """
    tasks = {row.line: _unwrap(row.values) for row in rows if isinstance(row, Row)}
    asked = sorted({field for task in tasks.values() for field, answer in _answers(task).items() if _is_choice(answer)})
    hold_to_question(name, asked, options.question, options.option("question"))
    latest: dict[str, int] = {}
    for line, task in tasks.items():
        number = as_id(task.get("task_id")) or f"{line}"
        if number not in latest or _time_of(task) >= _time_of(tasks[latest[number]]):
            latest[number] = line
    fixed = sum(task.get("customer_review_status") == "fixed" for task in tasks.values())
    if fixed:
        yield Notice(
            f"{name}: {fixed:,} tasks were fixed by an audit: the fix is imported, the response before it told"
        )
    for row in rows:
        if isinstance(row, BadRow):
            yield row
            continue
        task = tasks[row.line]
        yield from _unread(row.line, row.values, task, options)
        if latest[as_id(task.get("task_id")) or f"{row.line}"] != row.line:
            yield BadRow(row.line, EARLIER_VERSION, evidence(f"task {task.get('task_id')}"))
        else:
            yield from _task(row.line, task, options)


def _unwrap(record: dict[str, Any]) -> dict[str, Any]:
    """Return the task of a record; of a callback's body the task in it, with the response that stands beside it."""
    inner = record.get("task")
    if not isinstance(inner, dict):
        return record
    return {"task_id": record.get("task_id"), "response": record.get("response"), **inner}


def _time_of(task: dict[str, Any]) -> datetime:
    return as_time(task.get("updated_at")) or as_time(task.get("completed_at")) or LONG_AGO


def _task(line: int, task: dict[str, Any], options: ReadOptions) -> Read:
    params = fields_of(task.get("params"))
    if options.id_field is not None:
        item = as_id(task.get(options.id_field)) or as_id(fields_of(task.get("metadata")).get(options.id_field))
    else:
        item = as_id(task.get("unique_id")) or as_id(params.get("unique_id")) or as_id(task.get("task_id"))
    status = str(task.get("status") or "completed").lower()
    review = str(task.get("customer_review_status") or "").lower()
    if item is None:
        yield BadRow(line, "missing_id", evidence(task))
    elif status != "completed":
        yield BadRow(line, "not_finished", evidence(f"{item}: {task.get('status')}"))
    elif review == "rejected":
        yield BadRow(line, "rejected", evidence(f"{item}: {task.get('customer_review_comments') or review}"))
    else:
        shown: dict[str, object] = {key: params[key] for key in SHOWN if key in params}
        content = next((text for key in SHOWN if (text := value_text(params.get(key)))), None)
        given = Annotation(
            line, item, "", answered_at=as_time(task.get("completed_at")), fields=shown,
            content=content if options.id_field is None else None,
        )  # fmt: skip
        yield from _answer(given, task, options)


def _answer(given: Annotation, task: dict[str, Any], options: ReadOptions) -> Read:
    line, response, answers = given.line, task.get("response"), _answers(task)
    if response is not None and not isinstance(response, dict):
        yield BadRow(line, "unexpected_shape", evidence(f"{given.item_id}: response: {response!r}"))
        return
    for field, answer in answers.items():
        if not _is_choice(answer):
            yield BadRow(line, "other_kind", evidence(f"{given.item_id}: {field}: {answer}"))
        elif options.question is None or field == options.question:
            label = options.read(line, _choices(answer))
            yield _with_item(label, given) if isinstance(label, BadRow) else given._replace(label=label)
        else:
            yield UnreadKey(line, f"response.{field}", evidence(answer))
    found = fields_of(response).get("annotations")
    objects, told = ([], []) if isinstance(found, dict) else read_list(line, "response.annotations", found)
    yield from told
    counts = Counter(as_id(one.get("uuid")) for one in objects)
    for number, one in enumerate(objects, 1):
        uuid = as_id(one.get("uuid"))
        name = uuid if uuid and counts[uuid] == 1 else f"{uuid}.{number}" if uuid else str(number)
        yield from _object(given._replace(item_id=object_id(given.item_id, name)), one)
    for prior in task["prior_responses"] if isinstance(task.get("prior_responses"), list) else ():
        yield BadRow(line, "rejected", evidence(f"{given.item_id}: before the fix: {prior}"))
    if not answers and not objects:
        reason = "other_kind" if response else "no_answer"
        yield BadRow(line, reason, evidence(f"{given.item_id}: {list(fields_of(response))}"))


def _object(given: Annotation, one: dict[str, Any]) -> Read:
    label = one_class(given.line, [one.get("label")])
    yield _with_item(label, given) if isinstance(label, BadRow) else given._replace(label=label)
    yield from unread_keys(given.line, "response.annotations[]", one, ("label", "uuid", "attributes"))
    attributes = one.get("attributes")
    for key, value in fields_of(attributes).items():
        yield BadRow(given.line, "nested_answer", evidence(f"{given.item_id}: {key}: {value}"))
    if attributes and not isinstance(attributes, dict):
        yield UnreadKey(given.line, "response.annotations[].attributes", evidence(attributes))


def _answers(task: dict[str, Any]) -> dict[str, object]:
    """Return what was answered, by field; of a plain categorization the field is `category`."""
    response = fields_of(task.get("response"))
    found: dict[str, object] = {}
    if "category" in response or "categories" in response:
        found["category"] = response.get("category", response.get("categories"))
    for part in ("annotations", "taxonomies"):
        found |= {str(field): answer for field, answer in fields_of(response.get(part)).items()}
    return found


def _is_choice(answer: object) -> bool:
    """Tell whether an answer is one of a list; a form's field says what type it has."""
    return not isinstance(answer, dict) or (
        answer.get("type") in CHOICE_TYPES and any(key in answer for key in ("response", "category", "value"))
    )


def _choices(answer: object) -> list[object]:
    if isinstance(answer, dict):
        answer = next(answer[key] for key in ("response", "category", "value") if key in answer)
    return _flat(answer)


def _flat(value: object) -> list[object]:
    return [one for part in value for one in _flat(part)] if isinstance(value, list) else [value]


def _with_item(row: BadRow, given: Annotation) -> BadRow:
    return row._replace(evidence=evidence(f"{given.item_id}: {row.evidence}" if row.evidence else given.item_id))


def _unread(line: int, record: dict[str, Any], task: dict[str, Any], options: ReadOptions) -> Read:
    """Yield what of a task is not read, above its objects."""
    if task is not record:
        yield from unread_keys(line, "callback", record, ("task", "task_id", "response"))
        outer, inner = record.get("response"), fields_of(record.get("task")).get("response")
        if outer and inner and outer != inner:
            yield BadRow(line, "unexpected_shape", evidence(f"{task.get('task_id')}: the callback's response: {outer}"))
    read = ["task_id", "params", "response", "status", "completed_at", "updated_at", "prior_responses", "metadata"]
    is_named = as_id(task.get("unique_id")) is not None
    named = [options.id_field] if options.id_field is not None else ["unique_id"]
    yield from unread_keys(line, "", task, [*read, "customer_review_status", *named])
    yield from unread_keys(line, "metadata", fields_of(task.get("metadata")), [options.id_field or ""])
    params = task.get("params")
    yield from unread_keys(line, "params", fields_of(params), [*SHOWN, *(() if is_named else named)])
    if params and not isinstance(params, dict):
        yield UnreadKey(line, "params", evidence(params))
    yield from unread_keys(line, "response", fields_of(task.get("response")), (
        "category", "categories", "annotations", "taxonomies"))  # fmt: skip
    for field, answer in _answers(task).items():
        if isinstance(answer, dict) and _is_choice(answer):
            key = next(key for key in ("response", "category", "value") if key in answer)
            yield from unread_keys(line, f"response.{field}", answer, (key, "type"))


def _read(file: File, options: ReadOptions) -> Read:
    rows = tool_records(file)
    if any(isinstance(row, Row) and _has_threads(row.values) for row in rows):
        raise SourceError(
            f"{file.path}: Scale's tasks of conversations (threads): they are not read. Write a table with a row for "
            "each message and annotator"
        )
    yield from scale(str(file.path), rows, options)


SCALE = Tool("scale", lambda file: is_scale(first_record(file)), _read)
