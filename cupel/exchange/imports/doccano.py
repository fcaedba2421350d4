"""doccano's JSON Lines: label names of a text are its class, spans are objects in it."""

from typing import Any

from cupel.exchange.imports.file import File, first_record, tool_records
from cupel.exchange.imports.tool import ReadOptions, Tool
from cupel.people.tool_annotation import Annotation, Read, ReadChoices, as_id, entries, object_id, one_class
from cupel.sources.reasons import BadRow, Row, evidence

# What doccano's own fields are; the others are the item's.
OWN = ("id", "label", "labels", "entities", "relations", "Comments", "cats", "annotations")


def is_doccano(record: Any) -> bool:
    """Tell whether a record is doccano's: a text or file, and a list of labels or entities."""
    return (
        isinstance(record, dict)
        and any(key in record for key in ("text", "data", "filename"))
        and any(isinstance(record.get(key), list) for key in ("label", "labels", "entities"))
    )


def doccano(rows: list[Row | BadRow], annotator: str | None = None, read: ReadChoices = one_class) -> Read:
    """Yield the annotations of an export.

    Args:
        rows: Its records.
        annotator: Whose file it is: doccano writes a file per annotator, and names nobody in it.
        read: Returns the label of a text's label names.

    Yields:
        Annotations in the file's order, and what is not understood.
    """
    for row in rows:
        if isinstance(row, BadRow):
            yield row
            continue
        item = as_id(row.values.get("id"))
        if item is None:
            yield BadRow(row.line, "missing_id", evidence(row.values))
            continue
        fields = {key: value for key, value in row.values.items() if key not in OWN}
        yield from _record(Annotation(row.line, item, "", annotator, fields=fields), row.values, read)


def _record(given: Annotation, record: dict[str, Any], read: ReadChoices) -> Read:
    spans = [
        (one.get("start_offset"), one.get("end_offset"), one.get("label")) for one in entries(record.get("entities"))
    ]
    names: list[object] = []
    for one in (one for key in ("label", "labels") if isinstance(record.get(key), list) for one in record[key]):
        if isinstance(one, list) and len(one) == 3:
            spans.append((one[0], one[1], one[2]))
        elif isinstance(one, str | int):
            names.append(one)
        else:
            yield BadRow(given.line, "unexpected_shape", evidence(f"{given.item_id}: {one!r}"))
    if names or not spans:
        label = read(given.line, names)
        yield label if isinstance(label, BadRow) else given._replace(label=label)
    for start, end, name in spans:
        label = one_class(given.line, [name])
        item = object_id(given.item_id, f"{start}-{end}")
        yield label if isinstance(label, BadRow) else given._replace(item_id=item, label=label)
    for one in entries(record.get("relations")):
        yield BadRow(given.line, "other_kind", evidence(f"{given.item_id}: relation {one.get('type')}"))


def _read(file: File, options: ReadOptions) -> Read:
    return doccano(tool_records(file), options.annotator, options.read)


DOCCANO = Tool("doccano", lambda file: is_doccano(first_record(file)), _read)
