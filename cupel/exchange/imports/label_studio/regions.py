"""The results of one annotation of Label Studio: answers about the task, about a region of it, and others."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from cupel.exchange.imports.answer_labels import label_answer, label_objects
from cupel.exchange.imports.tool import ReadOptions
from cupel.people.tool_annotation import (
    Annotation,
    Read,
    UnreadKey,
    as_id,
    entries,
    fields_of,
    object_id,
    unread_keys,
)
from cupel.sources.reasons import BadRow, evidence

# Keys of the place of a box, an outline, a brush's pixels, a span, and tracks in videos.
DRAWN_BY = frozenset({"x", "points", "vertices", "rle", "start", "ranges", "sequence"})


class Result(NamedTuple):
    """A result of an annotation: the control that gave it, its classes and where they stand, and what it is about.

    `classes_key` is None where it holds none; `is_asked`: its classes are chosen or compared, and drawn on nothing;
    `part`: the region, or the page of the task, that the answer is about, None where it is about the whole task.
    """

    values: dict[str, Any]
    control: str
    classes_key: str | None
    classes: list[object]
    is_asked: bool
    part: str | None


def read_results(note: dict[str, Any]) -> list[Result]:
    """Return the results of an annotation, in their order."""
    found = entries(note.get("result"))
    drawn = {as_id(one.get("id")) for one in found if _is_drawn(fields_of(one.get("value")))} - {None}
    names = [as_id(one.get("id")) or f"{as_id(note.get('id')) or ''}-{number}" for number, one in enumerate(found, 1)]
    return [_read_result(one, name, drawn) for one, name in zip(found, names, strict=True)]


def _read_result(values: dict[str, Any], name: str, drawn: set[str | None]) -> Result:
    value = fields_of(values.get("value"))
    control = str(values.get("from_name", ""))
    labels = _key_of_labels(value)
    if isinstance(value.get("choices"), list):
        # A choice about a region repeats where the region lies, or has its id; one about a page has the page's number.
        is_of_region = len(value) > 1 or name in drawn or values.get("parentID") is not None
        page = as_id(values.get("item_index"))
        part = name if is_of_region else page
        return Result(values, control, "choices", value["choices"], True, part)
    if values.get("type") == "pairwise" and "selected" in value:
        return Result(values, control, "selected", [value["selected"]], True, None)
    return Result(values, control, labels, value[labels] if labels else [], False, name)


def _is_drawn(value: dict[str, Any]) -> bool:
    """Tell whether a result's value is a region, labelled or not: controls such as Rectangle give no label."""
    return _key_of_labels(value) is not None or not DRAWN_BY.isdisjoint(value)


def _key_of_labels(value: dict[str, Any]) -> str | None:
    """Return the key of a region's classes: `rectanglelabels`, `labels` and others that end so."""
    return next((key for key, found in value.items() if key.endswith("labels") and isinstance(found, list)), None)


def tell_classes(given: Annotation, path: str, results: list[Result], asked: str | None, options: ReadOptions) -> Read:
    """Yield the answer of an annotation and the classes of its regions; other answers are told.

    Args:
        given: The annotation without a label; `path` is where its results stand in the record.
        path: Path of the results' keys.
        results: What it says.
        asked: The question whose answer is the label; None where the file asks none.
        options: How choices are read.
    """
    line, item = given.line, given.item_id
    if asked is not None and _is_of_parts(results, asked):
        chosen = [one for one in results if one.is_asked and one.control == asked]
        for one in chosen:
            yield label_answer(given._replace(item_id=object_id(item, one.part)), one.classes, options.read)
    else:
        chosen = [one for one in results if one.is_asked and one.control == asked and one.part is None]
        if asked is not None or not results:
            yield label_answer(given, [choice for one in chosen for choice in one.classes], options.read)
        yield from label_objects(given, _objects(results))
    for one in results:
        if one in chosen or (not one.is_asked and one.classes_key is not None and not _is_of_parts(results, asked)):
            continue
        yield _tell_result(line, item, path, one)


def _is_of_parts(results: list[Result], question: str | None) -> bool:
    """Tell whether a question is asked of regions or pages only."""
    parts = [one.part for one in results if one.is_asked and one.control == question]
    return bool(parts) and None not in parts


def _tell_result(line: int, item: str, path: str, one: Result) -> BadRow | UnreadKey:
    """Return a result that is not imported, with the name of its control."""
    value = fields_of(one.values.get("value"))
    kind = str(one.values.get("type") or ", ".join(value))
    name = f"{kind} {one.control}".strip()
    classes = ", ".join(map(str, one.classes))
    if one.is_asked and one.part is None:
        return UnreadKey(line, f"{path}, from_name {one.control}", evidence(classes))
    if one.classes_key is not None:
        return BadRow(line, "nested_answer", evidence(f"{object_id(item, one.part)}: {name}: {classes}"))
    if kind.endswith("labels"):
        return BadRow(line, "no_answer", evidence(f"{object_id(item, one.part)}: {name} without a label"))
    return BadRow(line, "other_kind", evidence(f"{item}: {name}: {value.get(kind, '')}".removesuffix(": ")))


def _objects(results: list[Result]) -> Iterator[tuple[str, object]]:
    """Yield each labelled region's name and its classes, by whatever control."""
    for one in results:
        if not one.is_asked and one.classes_key is not None and one.part is not None:
            yield from ((one.part, choice) for choice in one.classes or [None])


def tell_keys(line: int, path: str, found: object, results: list[Result]) -> Read:
    """Yield what the results of an annotation (`found`, at `path`) hold besides classes, and what is no result."""
    for one in found if isinstance(found, list) else [found] if found else []:
        if not isinstance(one, dict):
            yield BadRow(line, "unexpected_shape", evidence(f"{path}: {one!r}"))
    for one in results:
        yield from unread_keys(line, path, one.values, _keys_used(one))
        value = fields_of(one.values.get("value"))
        yield from unread_keys(line, f"{path}.value", value, (one.classes_key or str(one.values.get("type")),))


def _keys_used(one: Result) -> list[str]:
    """Return the keys of a result that are used: a region's name, a question's, and what holds no class by its type."""
    used = ["value"]
    if one.classes_key is None or one.classes_key == "selected":
        used.append("type")
    if one.classes_key is None or one.is_asked:
        used.append("from_name")
    if one.is_asked and as_id(one.values.get("item_index")) == one.part:
        used.append("item_index")
    elif one.part is not None and (one.is_asked or one.classes_key is not None):
        used.append("id")
    return used
