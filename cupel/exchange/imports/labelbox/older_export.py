"""Labelbox's older export (JSON or CSV, a record a label, with `Labeled Data` and `Label`)."""

import json
from collections import Counter
from typing import Any

from cupel.exchange.imports.answer_rows import read_number
from cupel.exchange.imports.distinct_ids import describe_repeated, make_distinct_ids
from cupel.exchange.imports.file import File, first_record, records
from cupel.exchange.imports.headers import first_row
from cupel.exchange.imports.labelbox.label_answers import questions_of, read_annotations
from cupel.exchange.imports.labelbox.reader import is_rejected
from cupel.exchange.imports.tool import ReadOptions, Tool
from cupel.people.tool_annotation import (
    Annotation,
    Notice,
    Read,
    as_id,
    as_seconds,
    as_time,
    entries,
    hold_to_question,
    unread_keys,
)
from cupel.sources.reasons import BadRow, Row, evidence

ID_FIELDS = ("Global Key", "External ID", "DataRow ID", "ID")
READ = (
    "ID", "Labeled Data", "Label", "Created By", "Seconds to Label", "Skipped", "Reviews", "Benchmark Reference ID",
)  # fmt: skip
SKIPPED = ("skip", "skipped")


def is_labelbox_v1(record: Any) -> bool:
    """Tell whether a record is of the older export: a label with the data row's address or number."""
    return isinstance(record, dict) and "Label" in record and ("Labeled Data" in record or "DataRow ID" in record)


def labelbox_v1(name: str, rows: list[Row | BadRow], options: ReadOptions) -> Read:
    """Yield the annotations of an export of version 1, as those of version 2 are read.

    Args:
        name: The file, for errors.
        rows: Its records; in CSV `Label` and `Reviews` are JSON in a cell.
        options: `question` names the classification that is the label; `id_field` the field that is the item's id.

    Raises:
        SourceError: There are several questions and none was named, or the one named is not there.
    """
    found = {row.line: _annotations(_unpacked(row.values.get("Label"))) for row in rows if isinstance(row, Row)}
    asked = sorted({question for one in found.values() if one is not None for question in questions_of(one)})
    hold_to_question(name, asked, options.question, options.option("question"))
    items, notices = _name_rows(rows, options)
    yield from (Notice(text) for text in notices)
    references = {as_id(row.values.get("Benchmark Reference ID")) for row in rows if isinstance(row, Row)} - {None}

    def is_asked(question: str) -> bool:
        return options.question in (None, question)

    for row in rows:
        if isinstance(row, BadRow):
            yield row
            continue
        values, item = row.values, items.get(row.line)
        yield from unread_keys(row.line, "", values, (*READ, *_used_keys(values, options)))
        if item is None:
            yield BadRow(row.line, "missing_id", evidence(values))
            continue
        given = Annotation(
            row.line, item, "", as_id(values.get("Created By")),
            as_seconds(read_number(values.get("Seconds to Label"))),
            as_time(values.get("Updated At") or values.get("Created At")), as_id(values.get("ID")) in references,
            {"content": values.get("Labeled Data")}, _data_row(row) if options.id_field is None else None,
        )  # fmt: skip
        label, annotations = _unpacked(values.get("Label")), found[row.line]
        if _is_skipped(values.get("Skipped")) or (isinstance(label, str) and label.strip().lower() in SKIPPED):
            yield BadRow(row.line, "skipped", evidence(f"{item}, {given.annotator}"))
        elif is_rejected(_unpacked(values.get("Reviews"))):
            yield BadRow(row.line, "rejected", evidence(f"{item}, {given.annotator}"))
        elif annotations is None:
            reason = "unexpected_shape" if label else "no_answer"
            yield BadRow(row.line, reason, evidence(f"{item}: {label!r}" if label else item))
        else:
            yield from read_annotations(given, annotations, is_asked, "Label", options)


def _unpacked(value: Any) -> Any:
    """Return what JSON in a cell says; the cell itself where it is none."""
    try:
        return json.loads(value) if isinstance(value, str) and value[:1] in "{[" and value else value
    except (ValueError, RecursionError):
        return value


def _used_keys(values: dict[str, Any], options: ReadOptions) -> list[str]:
    """Return the keys that name the item and tell the time, of those that could."""
    time = "Updated At" if values.get("Updated At") else "Created At"
    if options.id_field is not None:
        return [options.id_field, time]
    return [next((key for key in ID_FIELDS if as_id(values.get(key))), "ID"), "DataRow ID", time]


def _is_skipped(value: object) -> bool:
    return value is True or str(value).strip().lower() in ("true", "1")


def _annotations(label: Any) -> dict[str, Any] | None:
    """Return a label with the names that version 2 gives its parts; None where it is none.

    The oldest exports hold lists of outlines by class, and answers by question.
    """
    if not isinstance(label, dict):
        return None
    objects, classes = label.get("objects"), label.get("classifications")
    rest = {key: value for key, value in label.items() if key not in ("objects", "classifications")}
    new = [_renamed(one) for one in entries(objects)]
    answers = [_answered(one) for one in entries(classes)]
    for key in list(rest) if objects is None and classes is None else ():
        outlines = entries(rest[key])
        if outlines and all("geometry" in one for one in outlines):
            new += [{**one, "name": key} for one in outlines]
            del rest[key]
        elif isinstance(rest[key], str) and key != "frames":
            answers.append({"name": key, "radio_answer": {"name": rest.pop(key)}})
    odd_objects = [one for one in objects if not isinstance(one, dict)] if isinstance(objects, list) else []
    odd_classes = [one for one in classes if not isinstance(one, dict)] if isinstance(classes, list) else []
    return {**rest, "objects": [*new, *odd_objects], "classifications": [*answers, *odd_classes]}


def _renamed(one: dict[str, Any]) -> dict[str, Any]:
    """Return an object or answer with version 2's names of its parts."""
    names = {"featureId": "feature_id", "title": "name"}
    found = {names.get(key, key): value for key, value in one.items()}
    if "classifications" in found:
        found["classifications"] = [_answered(part) for part in entries(found["classifications"])]
    return found


def _answered(one: dict[str, Any]) -> dict[str, Any]:
    """Return a classification with version 2's names of its answers."""
    found = _renamed(one)
    for key in ("answer", "answers"):
        answer = found.pop(key, None)
        if isinstance(answer, dict):
            found["radio_answer"] = _renamed(answer)
        elif isinstance(answer, list):
            found["checklist_answers"] = [_renamed(part) if isinstance(part, dict) else part for part in answer]
        elif answer is not None:
            found["text_answer"] = {"content": answer}
    return found


def _name_rows(rows: list[Row | BadRow], options: ReadOptions) -> tuple[dict[int, str | None], list[str]]:
    """Return the items' ids by line; a name that several data rows have stands after the data row's number."""
    fields = ID_FIELDS if options.id_field is None else (options.id_field,)
    named: dict[int, tuple[str | None, str]] = {}
    for row in (row for row in rows if isinstance(row, Row)):
        text = next((text for key in fields if (text := as_id(row.values.get(key)))), None)
        if text is not None:
            named[row.line] = (_data_row(row), text)
    if options.id_field is not None:
        return {line: text for line, (_, text) in named.items()}, []
    # A data row has several labels; it is one item.
    pairs = list(Counter(named.values()))
    names = [text for _, text in pairs]
    ids = make_distinct_ids(names, [(number,) for number, _ in pairs])
    known = dict(zip(pairs, ids, strict=True))
    return {line: known[pair] for line, pair in named.items()}, describe_repeated(names, ids)


def _data_row(row: Row) -> str | None:
    """Return what the item is known by: the data row's number, else its address without what signs it."""
    address = row.values.get("Labeled Data")
    return as_id(row.values.get("DataRow ID")) or (address.partition("?")[0] if isinstance(address, str) else None)


def _recognise(file: File) -> bool:
    return is_labelbox_v1(first_row(file) if file.format == "csv" else first_record(file))


def _read(file: File, options: ReadOptions) -> Read:
    return labelbox_v1(str(file.path), records(file), options)


LABELBOX_V1 = Tool("labelbox-v1", _recognise, _read)
