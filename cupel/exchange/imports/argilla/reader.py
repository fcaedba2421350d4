"""The reader of Argilla's files: submitted responses are answers, discarded ones, drafts and suggestions are not."""

from collections.abc import Iterator
from typing import Any

from cupel.errors import SourceError
from cupel.exchange.imports.answer_labels import label_answer, label_objects
from cupel.exchange.imports.argilla.responses import (
    RESPONSES,
    ArgillaRecord,
    Response,
    is_argilla_record,
    read_record,
    spans_of,
)
from cupel.exchange.imports.argilla.validated import is_validated_record, read_validated
from cupel.exchange.imports.file import File, first_records, records
from cupel.exchange.imports.headers import column_names
from cupel.exchange.imports.item_identity import content_of
from cupel.exchange.imports.tool import ReadOptions, Tool
from cupel.people.tool_annotation import (
    Annotation,
    Notice,
    Read,
    UnreadKey,
    entries,
    hold_to_question,
)
from cupel.sources.reasons import BadRow, Row, evidence

STATES = {"discarded": "skipped", "draft": "not_finished", "pending": "not_finished"}
EXPORT_RECORDS = "export it with `dataset.records.to_json(FILE)`, a record an entry"


def is_argilla(file: File) -> bool:
    """Tell whether Argilla wrote a file, by the first records, or by the columns of a table."""
    if file.format in ("csv", "parquet"):
        names = column_names(file)
        return any(name.endswith(RESPONSES) or f"{name}-suggestion" in names for name in names)
    if _is_by_column(file.document) or _is_by_id(file.document):
        return True
    return any(is_argilla_record(record) or is_validated_record(record) for record in first_records(file))


def _is_by_column(document: Any) -> bool:
    """Tell whether a document holds a list a key in place of a record an entry."""
    if not isinstance(document, dict) or not document:
        return False
    names = any(str(key).endswith(RESPONSES) for key in document) or {"fields", "responses"} <= document.keys()
    return names and isinstance(document.get("id"), list)


def _is_by_id(document: Any) -> bool:
    """Tell whether a document holds each record under its id."""
    found = list(document.values()) if isinstance(document, dict) else []
    return bool(found) and all(isinstance(one, dict) and is_argilla_record(one) for one in found[:100])


def read_argilla(file: File, options: ReadOptions) -> Read:
    """Yield the annotations of a file, in its order. A person is named by Argilla's id of the user.

    Raises:
        SourceError: The file is a table whose lists are printed as text, or is not a record an entry; it asks several
            questions and none was named, or the one named is not there.
    """
    if file.format == "csv":
        raise SourceError(f"{file.path}: Argilla's records in a table, their lists printed as text; {EXPORT_RECORDS}")
    if _is_by_column(file.document) or _is_by_id(file.document):
        raise SourceError(f"{file.path}: Argilla's records by column or by id; {EXPORT_RECORDS}")
    rows = records(file)
    if not any(isinstance(row, Row) and is_argilla_record(row.values) for row in rows):
        yield from read_validated(rows, options)
        return
    found = [
        row if isinstance(row, BadRow) else read_record(row.line, row.values, options.id_field) for row in rows
    ]  # fmt: skip
    known = [one for one in found if isinstance(one, ArgillaRecord)]
    asked = _choose_question(str(file.path), known, options)
    if any(given.status is None and given.value is not None for one in known for given in one.responses):
        said = "without a status, drafts and discarded responses may be among the answers"
        yield Notice(f"{file.path.name}: {said}")
    for one in found:
        yield from [one] if isinstance(one, BadRow) else _record(one, asked, options)


def _choose_question(name: str, known: list[ArgillaRecord], options: ReadOptions) -> str | None:
    """Return the question whose answer is the label; None where only spans have classes.

    Numbers are answers to a question that was named; of itself a file of ratings asks for no class.
    """
    answered = [given for one in known for given in one.responses if given.question]
    of_classes = sorted({given.question for given in answered if _is_class(given.value)})
    others = sorted({given.question for given in answered if not _is_parts(given.value)})
    hold_to_question(
        name, of_classes if options.question is None else others, options.question, options.option("question")
    )
    return options.question if options.question is not None else next(iter(of_classes), None)


def _is_class(value: object) -> bool:
    return isinstance(value, str) or (isinstance(value, list) and any(isinstance(one, str) for one in value))


def _is_parts(value: object) -> bool:
    return bool(entries(value))


def _record(one: ArgillaRecord, asked: str | None, options: ReadOptions) -> Read:
    yield from one.left
    if one.item is None:
        yield BadRow(one.line, "missing_id", evidence(one.fields))
        return
    given = Annotation(one.line, one.item, "", fields=one.fields, content=content_of(one.fields))
    if not one.responses:
        yield BadRow(one.line, "no_answer", evidence(one.item))
    for response in one.responses:
        yield from _response(given._replace(annotator=response.user), response, asked, options)
    for suggestion in one.suggestions:
        if suggestion.value is not None:
            who = one.item if suggestion.agent is None else f"{one.item}, {suggestion.agent}"
            yield BadRow(one.line, "prediction", evidence(f"{who}: {suggestion.question}: {suggestion.value}"))


def _response(
    given: Annotation, response: Response, asked: str | None, options: ReadOptions
) -> Iterator[Annotation | BadRow | UnreadKey]:
    said = evidence(f"{given.item_id}: {response.question}: {response.value}")
    if response.status not in (None, "submitted"):
        found = f"{given.item_id}, {response.user}: {response.question}: {response.value}"
        yield BadRow(given.line, STATES.get(str(response.status), "unexpected_shape"), evidence(found))
    elif response.question == asked:
        value = response.value
        yield label_answer(given, value if isinstance(value, list) else [value], options.read)
    elif any("label" in span for span in entries(response.value)):
        yield from label_objects(given, spans_of(response.value))
    elif _is_class(response.value):
        yield UnreadKey(given.line, f"responses.{response.question}", said)
    else:
        yield BadRow(given.line, "other_kind", said)


ARGILLA = Tool("argilla", is_argilla, read_argilla)
