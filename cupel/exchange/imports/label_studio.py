"""Label Studio's JSON export: choices are classes of the task, labelled regions are objects in it."""

from collections.abc import Iterator
from typing import Any

from cupel.exchange.imports.file import File
from cupel.exchange.imports.tool import ReadOptions, Tool
from cupel.people.tool_annotation import (
    Annotation,
    Read,
    ReadChoices,
    as_id,
    as_seconds,
    as_time,
    entries,
    fields_of,
    hold_to_question,
    object_id,
    one_class,
)
from cupel.sources.reasons import BadRow, evidence

# What a region's value holds its classes under is its type; these are regions that have classes.
OBJECTS = (
    "labels", "rectanglelabels", "polygonlabels", "ellipselabels", "keypointlabels", "brushlabels", "hypertextlabels",
    "paragraphlabels", "timeserieslabels", "timelinelabels", "videorectangle",
)  # fmt: skip


def is_label_studio(found: Any) -> bool:
    """Tell whether JSON is a Label Studio export: a list whose first entry holds a list `annotations`."""
    return isinstance(found, list) and bool(entries(found)) and isinstance(entries(found)[0].get("annotations"), list)


def questions(tasks: list[Any]) -> list[str]:
    """Return the names of the controls that ask for a choice."""
    found = (
        str(region.get("from_name", ""))
        for task in entries(tasks)
        for note in entries(task.get("annotations"))
        if not note.get("was_cancelled")
        for region in entries(note.get("result"))
        if isinstance(fields_of(region.get("value")).get("choices"), list)
    )
    return sorted(set(found))


def label_studio(
    name: str, tasks: list[Any], question: str | None = None, id_field: str | None = None,
    read: ReadChoices = one_class,
) -> Read:  # fmt: skip
    """Yield the annotations of an export.

    Args:
        name: The file, for errors.
        tasks: The export.
        question: Name of the control (`from_name`) whose choices are the label; None where there is only one.
        id_field: Field of a task's data that holds the item's id; None: `id` of its data, else the task's.
        read: Returns the label of an answer's choices.

    Yields:
        Annotations in the file's order, and what is not understood; `line` is the task's number.

    Raises:
        SourceError: There are several questions and none was named, or the one named is not there.
    """
    asked = questions(tasks)
    hold_to_question(name, asked, question)
    for line, task in enumerate(tasks, 1):
        if not isinstance(task, dict) or not isinstance(task.get("data"), dict):
            yield BadRow(line, "not_an_object", evidence(task))
            continue
        item = as_id(task["data"].get(id_field or "id"))
        if item is None and id_field in (None, "id"):
            item = as_id(task.get("id")) or f"task {line}"
        if item is None:
            yield BadRow(line, "missing_id", evidence(task["data"]))
            continue
        notes = entries(task.get("annotations"))
        if not notes:
            yield BadRow(line, "no_answer", evidence(item))
        for note in notes:
            yield from _note(line, item, note, task["data"], question, read)


def _note(
    line: int, item: str, note: dict[str, Any], data: dict[str, Any], question: str | None, read: ReadChoices
) -> Read:
    if note.get("was_cancelled"):
        yield BadRow(line, "skipped", evidence(f"{item}, {person(note.get('completed_by'))}"))
        return
    given = Annotation(
        line, item, "", person(note.get("completed_by")), as_seconds(note.get("lead_time")),
        as_time(note.get("updated_at") or note.get("created_at")), bool(note.get("ground_truth")), data,
    )  # fmt: skip
    regions = [
        region for region in entries(note.get("result"))
        if question is None or region.get("from_name") == question or "choices" not in fields_of(region.get("value"))
    ]  # fmt: skip
    choices = [choice for region in regions for choice in _classes(region, ("choices",))]
    is_asked = any("choices" in fields_of(region.get("value")) for region in regions)
    if is_asked or not regions:
        label = read(line, choices)
        yield label if isinstance(label, BadRow) else given._replace(label=label)
    yield from _objects(given, [region for region in regions if "choices" not in fields_of(region.get("value"))])


def _objects(given: Annotation, regions: list[dict[str, Any]]) -> Iterator[Annotation | BadRow]:
    """Yield the regions of an annotation as objects; a relation, text or number is no class."""
    for number, region in enumerate(regions, 1):
        if not any(kind in fields_of(region.get("value")) for kind in OBJECTS):
            kind = region.get("type") or ", ".join(fields_of(region.get("value")))
            yield BadRow(given.line, "other_kind", evidence(f"{given.item_id}: {kind}"))
            continue
        label = one_class(given.line, _classes(region, OBJECTS))
        item = object_id(given.item_id, region.get("id") or number)
        yield label if isinstance(label, BadRow) else given._replace(item_id=item, label=label)


def _classes(region: dict[str, Any], kinds: tuple[str, ...]) -> list[object]:
    value = fields_of(region.get("value"))
    return [choice for kind in kinds if isinstance(value.get(kind), list) for choice in value[kind]]


def person(who: Any) -> str | None:
    """Return who annotated: an id, or of a record its e-mail address or id."""
    if isinstance(who, dict):
        who = who.get("email") or who.get("id")
    return as_id(who)


def _read(file: File, options: ReadOptions) -> Read:
    return label_studio(str(file.path), file.document, options.question, options.id_field, options.read)


LABEL_STUDIO = Tool("label-studio", lambda file: is_label_studio(file.document), _read)
