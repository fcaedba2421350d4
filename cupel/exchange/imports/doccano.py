"""doccano's files: label names of a text or picture are its class; spans, boxes and outlines are objects in it."""

from collections.abc import Iterator
from typing import Any

from cupel.exchange.imports.answer_labels import label_answer, label_objects, name_of_span
from cupel.exchange.imports.file import File, first_records, records, tool_records
from cupel.exchange.imports.headers import first_row
from cupel.exchange.imports.item_identity import choose_id_field
from cupel.exchange.imports.tool import ReadOptions, Tool
from cupel.people.tool_annotation import (
    Annotation,
    Notice,
    Read,
    ReadChoices,
    as_id,
    as_time,
    entries,
    unread_keys,
)
from cupel.sources.class_values import value_text
from cupel.sources.reasons import BadRow, Row, evidence

# What shows the item, what holds names of classes, and what holds objects of classes.
CONTENT = ("text", "data", "filename")
NAMES = ("label", "labels", "cats")
OBJECTS = ("entities", "bbox", "segmentation")
# Of old exports: an answer a person, with the label's number.
ANSWERS = "annotations"
OF_ANSWER = ("label", "user", "username", "start_offset", "end_offset", "text", "updated_at", "created_at")
JOINED_BY = "#"


def is_doccano(file: File) -> bool:
    """Tell whether doccano wrote a file: lists of labels beside a text or file, or joined labels in a table."""
    if file.format == "csv":
        return is_joined_table(file)
    return any(_is_record(record) for record in first_records(file))


def _is_record(record: dict[str, Any]) -> bool:
    if not any(isinstance(record.get(key), str) for key in CONTENT):
        return False
    is_of_lists = any(isinstance(record.get(key), list) for key in (*NAMES, *OBJECTS))
    return is_of_lists or any("user" in one for one in entries(record.get(ANSWERS)))


def is_joined_table(file: File) -> bool:
    """Tell whether a delimited file is doccano's: id, text and label in this order, and labels joined with `#`.

    Where the text's column is `data`, as in no other tool, a `#` between two names joins them; where it is `text`, only
    if all joined names are sorted, as doccano does it now: a table of others may hold names such as `C#` or `b#2`.
    """
    names = list(first_row(file))[:3]
    if names not in (["id", "text", "label"], ["id", "data", "label"]):
        return False
    cells = [str(row.values["label"]) for row in records(file) if isinstance(row, Row)]
    joined = [cell.split(JOINED_BY) for cell in cells if JOINED_BY in cell]
    return bool(joined) and all(all(parts) and (names[1] == "data" or parts == sorted(set(parts))) for parts in joined)


def holds_only_names(file: File) -> bool:
    """Tell whether each record of a file of doccano is a row of a table: an item with a list of label names."""
    found = [row.values for row in records(file) if isinstance(row, Row)]
    is_of_parts = any(record.get(key) for record in found for key in (*OBJECTS, ANSWERS, "cats"))
    labels: list[list[Any]] = [
        value for record in found for key in NAMES if isinstance(value := record.get(key), list)
    ]  # fmt: skip
    has_spans = any(isinstance(one, list) for some in labels for one in some)
    return file.format != "csv" and not is_of_parts and not has_spans


def read_doccano(file: File, options: ReadOptions) -> Read:
    """Yield the annotations of a file, in its order. doccano names nobody: it writes a file a person.

    Raises:
        SourceError: No record has an id, and none was named.
    """
    rows = tool_records(file)
    name = file.path.name
    field = choose_id_field(str(file.path), [row.values for row in rows if isinstance(row, Row)], ("id",), options)
    if file.format == "csv":
        yield Notice(f"{name}: doccano joins the labels of a text with {JOINED_BY}: they are taken apart")
    answers = [one for row in rows if isinstance(row, Row) for one in entries(row.values.get(ANSWERS))]
    if any(isinstance(one.get("label"), int) for one in answers):
        yield Notice(f"{name}: labels are doccano's numbers; its export as JSON Lines with text labels has their names")
    for row in rows:
        if isinstance(row, BadRow):
            yield row
            continue
        item = as_id(row.values.get(field)) if field is not None else f"{name}:{row.line}"
        if item is None:
            yield BadRow(row.line, "missing_id", evidence(row.values))
            continue
        yield from _record(item, row, field, options, is_joined=file.format == "csv")


def _record(item: str, row: Row, field: str | None, options: ReadOptions, *, is_joined: bool) -> Read:
    line, record = row.line, row.values
    own = (*NAMES, *OBJECTS, ANSWERS, "relations")
    fields = {key: value for key, value in record.items() if key not in own and key != "id"}
    content = next((value_text(record[key]) for key in CONTENT if isinstance(record.get(key), str)), None)
    given = Annotation(line, item, "", fields=fields, content=content)
    names: list[object] = []
    objects: list[tuple[str, object]] = []
    for key in (*NAMES, *OBJECTS):
        value = record.get(key)
        if isinstance(value, str) and is_joined:
            value = value.split(JOINED_BY)
        for one in value if isinstance(value, list) else [] if value is None else [value]:
            if isinstance(one, list) and len(one) == 3:
                objects.append((name_of_span(one[0], one[1]), one[2]))
            elif isinstance(one, dict) and key in OBJECTS:
                objects.append((_object_name(one), one.get("label")))
                named_by = ("id",) if one.get("start_offset") is None else ("start_offset", "end_offset")
                yield from unread_keys(line, f"{key}[]", one, ("label", *named_by))
            elif isinstance(one, str | int) and key in NAMES:
                names.append(one)
            else:
                yield BadRow(line, "unexpected_shape", evidence(f"{item}: {key}: {one!r}"))
    answers = record.get(ANSWERS)
    if names or objects or not answers:
        yield from _answer(given, names, objects, options.read)
    if answers:
        yield from _answers(given, answers if isinstance(answers, list) else [answers], options.read)
    for one in entries(record.get("relations")):
        yield BadRow(line, "other_kind", evidence(f"{item}: relation {one.get('type')}"))
        yield from unread_keys(line, "relations[]", one, ("type",))
    yield from unread_keys(line, "", record, (*own, *CONTENT, "meta", *([field] if field else [])))


def _object_name(one: dict[str, Any]) -> str:
    if one.get("start_offset") is not None or one.get("id") is None:
        return name_of_span(one.get("start_offset"), one.get("end_offset"))
    return str(one["id"])


def _answer(
    given: Annotation, names: list[object], objects: list[tuple[str, object]], read: ReadChoices
) -> Iterator[Annotation | BadRow]:
    """Yield the class of an item and those of its objects; an item with objects may have no class."""
    if names or not objects:
        yield label_answer(given, names, read)
    yield from label_objects(given, objects)


def _answers(given: Annotation, answers: list[Any], read: ReadChoices) -> Read:
    """Yield the answers of an old export, those of each person together."""
    people: dict[str | None, list[dict[str, Any]]] = {}
    for one in answers:
        if isinstance(one, dict):
            people.setdefault(as_id(one.get("username")) or as_id(one.get("user")), []).append(one)
            yield from unread_keys(given.line, f"{ANSWERS}[]", one, OF_ANSWER)
        else:
            yield BadRow(given.line, "unexpected_shape", evidence(f"{given.item_id}: {one!r}"))
    for who, found in people.items():
        times = [time for one in found if (time := as_time(one.get("updated_at") or one.get("created_at"))) is not None]
        numbers = {as_id(one.get("user")) for one in found} - {None, who}
        named = given._replace(
            annotator=who, answered_at=max(times, default=None),
            annotator_number=min(number for number in numbers if number) if numbers else None,
        )  # fmt: skip
        places = [(_object_name(one), one.get("label")) for one in found if one.get("start_offset") is not None]
        names = [one.get("label", one.get("text")) for one in found if one.get("start_offset") is None]
        yield from _answer(named, names, places, read)


DOCCANO = Tool("doccano", is_doccano, read_doccano)
