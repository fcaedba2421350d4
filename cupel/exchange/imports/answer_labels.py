"""The label of one answer, and those of the objects in an item: each place in an item is one object."""

from collections.abc import Iterable, Iterator

from cupel.people.tool_annotation import Annotation, ReadChoices, object_id, one_class
from cupel.sources.reasons import BadRow, evidence


def label_answer(given: Annotation, choices: Iterable[object], read: ReadChoices) -> Annotation | BadRow:
    """Return an answer with its label, or why it has none, with the item's id."""
    label = read(given.line, choices)
    if isinstance(label, BadRow):
        return label._replace(evidence=evidence(f"{given.item_id}: {label.evidence}".removesuffix(": ")))
    return given._replace(label=label)


def label_objects(given: Annotation, objects: Iterable[tuple[str, object]]) -> Iterator[Annotation | BadRow]:
    """Yield the objects of an item, `item#name`, in the order in which their names are first met.

    Args:
        given: The answer without a label.
        objects: Name and class of each; several classes of one name are several choices.
    """
    classes: dict[str, list[object]] = {}
    for name, label in objects:
        classes.setdefault(name, []).append(label)
    for name, found in classes.items():
        yield label_answer(given._replace(item_id=object_id(given.item_id, name)), found, one_class)


def name_of_span(start: object, end: object) -> str:
    """Return the name of a span in a text or recording: the same for all who mark it.

    >>> name_of_span(0, 4)
    '0-4'
    """
    return f"{start}-{end}"
