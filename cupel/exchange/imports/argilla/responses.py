"""The shapes in which Argilla writes responses: each as who said what to which question, and with which status."""

from collections.abc import Iterator
from itertools import zip_longest
from typing import Any, NamedTuple

from cupel.exchange.imports.answer_labels import name_of_span
from cupel.people.tool_annotation import UnreadKey, as_id, entries, fields_of, unread_keys
from cupel.sources.reasons import BadRow, evidence

RESPONSES, SUGGESTION = ".responses", ".suggestion"
OF_RESPONSE = ("value", "values", "user_id", "status")
OF_SUGGESTION = ("value", "question_name", "question_id", "agent")
# What Argilla adds to the fields of a flat record.
OF_RECORD = ("_server_id", "status", "inserted_at", "updated_at", "score", "vectors")


class Response(NamedTuple):
    """What one person said to one question; `status` is None where the file does not tell it."""

    question: str
    value: object
    user: str | None
    status: str | None


class Suggestion(NamedTuple):
    """What a model, or who imported the record, suggested."""

    question: str
    value: object
    agent: str | None


class ArgillaRecord(NamedTuple):
    """A record: its id, what it shows, responses and suggestions, and what is not understood or not used."""

    line: int
    item: str | None
    fields: dict[str, Any]
    responses: list[Response]
    suggestions: list[Suggestion]
    left: list[BadRow | UnreadKey]


def is_argilla_record(record: dict[str, Any]) -> bool:
    """Tell whether a record is Argilla's, in any shape."""
    return _is_nested(record) or _is_flat(record) or _is_feedback(record)


def _is_nested(record: dict[str, Any]) -> bool:
    answers = record.get("responses")
    if not isinstance(record.get("fields"), dict):
        return False
    return isinstance(answers, dict) or any("values" in one for one in entries(answers)) or "suggestions" in record


def _is_flat(record: dict[str, Any]) -> bool:
    return any(key.endswith(RESPONSES) for key in record)


def _is_feedback(record: dict[str, Any]) -> bool:
    """Tell whether a record is a row of a feedback dataset: answers with a user each, suggestions beside them."""
    return any(f"{key}-suggestion" in record or _has_users(value) for key, value in record.items())


def _has_users(value: object) -> bool:
    return isinstance(value, list) and any({"user_id", "value", "status"} <= one.keys() for one in entries(value))


def read_record(line: int, record: dict[str, Any], field: str | None) -> ArgillaRecord:
    """Return a record of any shape; `field` names its id, None: `id`, `external_id` or the server's."""
    if isinstance(record.get("fields"), dict):
        found = _read_nested(line, record)
    elif _is_flat(record):
        found = _read_flat(line, record)
    else:
        found = _read_feedback(line, record)
    wanted = ("id", "external_id", "_server_id") if field is None else (field,)
    places = {**found.fields, **record}
    key = next((key for key in wanted if as_id(places.get(key)) is not None), None)
    left = [one for one in found.left if not (isinstance(one, UnreadKey) and one.path == key)]
    fields = {name: value for name, value in found.fields.items() if name != key or name not in ("id", "external_id")}
    return found._replace(item=as_id(places.get(key)) if key else None, fields=fields, left=left)


def _read_nested(line: int, record: dict[str, Any]) -> ArgillaRecord:
    """Read a record of version 2, or of its API: fields, responses and suggestions in objects of their own."""
    found = ArgillaRecord(line, None, {**fields_of(record.get("metadata")), **record["fields"]}, [], [], [])
    answers = record.get("responses")
    if isinstance(answers, dict):
        for question, given in answers.items():
            found.responses.extend(_read_list(found, str(question), given, f"responses.{question}[]"))
    else:
        for one in _listed(found, answers, "responses[]"):
            found.left.extend(unread_keys(line, "responses[]", one, OF_RESPONSE))
            user, status = as_id(one.get("user_id")), as_id(one.get("status"))
            for question, value in fields_of(one.get("values")).items():
                path = f"responses[].values.{question}"
                found.left.extend(unread_keys(line, path, fields_of(value), ("value",)))
                found.responses.append(Response(str(question), fields_of(value).get("value", value), user, status))
            if not fields_of(one.get("values")):
                found.responses.append(Response("", None, user, status))
    suggested = record.get("suggestions")
    if isinstance(suggested, dict):
        for question, value in suggested.items():
            found.left.extend(unread_keys(line, f"suggestions.{question}", fields_of(value), OF_SUGGESTION))
            agent = as_id(fields_of(value).get("agent"))
            found.suggestions.append(Suggestion(str(question), fields_of(value).get("value", value), agent))
    else:
        for one in _listed(found, suggested, "suggestions[]"):
            found.left.extend(unread_keys(line, "suggestions[]", one, OF_SUGGESTION))
            question = as_id(one.get("question_name")) or as_id(one.get("question_id")) or "?"
            found.suggestions.append(Suggestion(question, one.get("value"), as_id(one.get("agent"))))
    found.left.extend(unread_keys(line, "", record, ("fields", "metadata", "responses", "suggestions")))
    return found


def _read_flat(line: int, record: dict[str, Any]) -> ArgillaRecord:
    """Read a flat record: `QUESTION.responses` beside lists of its users and states."""
    found = ArgillaRecord(line, None, {}, [], [], [])
    used: set[str] = set()
    for key in record:
        if key.endswith(RESPONSES):
            question = key.removesuffix(RESPONSES)
            lists = [record.get(name) for name in (key, f"{key}.users", f"{key}.status")]
            used |= {key, f"{key}.users", f"{key}.status"}
            values, users, states = (one if isinstance(one, list) else [] if one is None else [one] for one in lists)
            if max(len(users), len(states)) > len(values):
                found.left.append(
                    BadRow(line, "unexpected_shape", evidence(f"{key}: {len(values)} for {len(users)} users"))
                )
                continue
            for value, user, status in zip_longest(values, users, states):
                found.responses.append(Response(question, value, as_id(user), as_id(status)))
        elif key.endswith(SUGGESTION):
            used |= {key, f"{key}.agent"}
            found.suggestions.append(
                Suggestion(key.removesuffix(SUGGESTION), record[key], as_id(record.get(f"{key}.agent")))
            )
    others = {key: value for key, value in record.items() if key not in used}
    is_own = {key: key in OF_RECORD or SUGGESTION in key for key in others}
    found.fields.update({key: value for key, value in others.items() if not is_own[key]})
    found.left.extend(unread_keys(line, "", {key: value for key, value in others.items() if is_own[key]}, ()))
    return found


def _read_feedback(line: int, record: dict[str, Any]) -> ArgillaRecord:
    """Read a row of a feedback dataset: a list of answers a question, `QUESTION-suggestion` beside it."""
    found = ArgillaRecord(line, None, {}, [], [], [])
    for key, value in record.items():
        if f"{key}-suggestion" in record or _has_users(value):
            found.responses.extend(_read_list(found, key, value, f"{key}[]"))
        elif key.endswith("-suggestion"):
            found.suggestions.append(Suggestion(key.removesuffix("-suggestion"), value, None))
        elif key.endswith("-suggestion-metadata") or key in OF_RECORD:
            found.left.extend(unread_keys(line, "", {key: value}, ()))
        else:
            found.fields[key] = value
    return found


def _read_list(found: ArgillaRecord, question: str, given: object, path: str) -> Iterator[Response]:
    """Yield the answers to one question; columns of Parquet may hold lists of values, users and states instead."""
    if isinstance(given, dict) and isinstance(given.get("value"), list):
        keys = [key for key in given if isinstance(given[key], list)]
        given = [dict(zip(keys, row, strict=False)) for row in zip_longest(*(given[key] for key in keys))]
    for one in _listed(found, given, path):
        found.left.extend(unread_keys(found.line, path, one, OF_RESPONSE))
        yield Response(question, one.get("value"), as_id(one.get("user_id")), as_id(one.get("status")))


def _listed(found: ArgillaRecord, value: object, path: str) -> list[dict[str, Any]]:
    """Return the objects of a list; what is none in it is told."""
    there = value if isinstance(value, list) else [] if value in (None, {}) else [value]
    found.left.extend(
        BadRow(found.line, "unexpected_shape", evidence(f"{path}: {one!r}"))
        for one in there
        if not isinstance(one, dict)
    )
    return [one for one in there if isinstance(one, dict)]


def spans_of(value: object) -> list[tuple[str, object]]:
    """Return the name and class of each span of an answer, whether objects or triples of label, start and end."""
    found: list[tuple[str, object]] = []
    for one in value if isinstance(value, list | tuple) else ():
        if isinstance(one, dict):
            found.append((name_of_span(one.get("start"), one.get("end")), one.get("label")))
        elif isinstance(one, list | tuple) and len(one) >= 3:
            found.append((name_of_span(one[1], one[2]), one[0]))
    return found
