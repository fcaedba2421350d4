"""Argilla's records of version 1: one annotation a record, which counts where it is validated."""

from collections.abc import Iterable
from typing import Any

from cupel.exchange.imports.answer_labels import label_answer, label_objects
from cupel.exchange.imports.argilla.responses import spans_of
from cupel.exchange.imports.item_identity import content_of
from cupel.exchange.imports.tool import ReadOptions
from cupel.people.tool_annotation import Annotation, Read, as_id, as_time, entries, fields_of, unread_keys
from cupel.sources.class_values import value_text
from cupel.sources.reasons import BadRow, Row, evidence

OWN = ("annotation", "annotation_agent", "prediction", "status", "event_timestamp", "id", "inputs", "metadata", "text")
STATES = {"Default": "not_finished", "Edited": "not_finished", "Discarded": "skipped"}


def is_validated_record(record: dict[str, Any]) -> bool:
    """Tell whether a record is of version 1: an annotation and a prediction with their agents, and a status."""
    return {"annotation", "prediction", "status"} <= record.keys() and ("text" in record or "inputs" in record)


def read_validated(rows: Iterable[Row | BadRow], options: ReadOptions) -> Read:
    """Yield the annotations of records of version 1, in their order."""
    for row in rows:
        if isinstance(row, BadRow):
            yield row
            continue
        record = row.values
        shown = {"text": record["text"]} if record.get("text") is not None else fields_of(record.get("inputs"))
        fields = {**fields_of(record.get("metadata")), **shown}
        item = as_id({**fields, **record}.get(options.id_field or "id"))
        if item is None:
            yield BadRow(row.line, "missing_id", evidence(record))
            continue
        time = record.get("event_timestamp")
        given = Annotation(
            row.line, item, "", as_id(record.get("annotation_agent")), answered_at=as_time(time), fields=fields,
            content=content_of(shown),
        )  # fmt: skip
        yield from _read_annotation(given, record, options)
        if record.get("prediction"):
            said = f"{item}: {record.get('prediction_agent')}: {record['prediction']}"
            yield BadRow(row.line, "prediction", evidence(said))
        yield from unread_keys(row.line, "", record, OWN)


def _read_annotation(given: Annotation, record: dict[str, Any], options: ReadOptions) -> Read:
    found, status = record.get("annotation"), value_text(record.get("status"))
    said = evidence(f"{given.item_id}: {found}")
    if status == "Discarded" or (found is not None and status in STATES):
        yield BadRow(given.line, STATES[status], said)
    elif status not in (None, "Validated", *STATES):
        yield BadRow(given.line, "unexpected_shape", evidence(f"{given.item_id}: status {status}"))
    elif "tokens" in record or spans_of(found):
        yield from label_objects(given, spans_of(found)) if found else [BadRow(given.line, "no_answer", said)]
        for one in entries(found):
            yield from unread_keys(given.line, "annotation[]", one, ("start", "end", "label"))
    elif any("text" in one for one in entries(record.get("prediction"))):
        yield BadRow(given.line, "other_kind" if found else "no_answer", said)
    else:
        yield label_answer(given, found if isinstance(found, list) else [found], options.read)
