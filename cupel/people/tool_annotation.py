"""An annotation of a labeling tool's export, and why a part of an export is not understood."""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from cupel.errors import SourceError
from cupel.sources.reasons import BadRow, evidence

# Reasons that only an export knows; the others are cupel.sources.REASONS.
IMPORT_REASONS = {
    "no_answer": "the item has no answer: nobody labelled it, or the answer is empty",
    "skipped": "the annotator skipped or cancelled the task",
    "not_finished": "the task is not finished",
    "several_choices": "the answer holds several classes at once; one is imported",
    "unknown_label": "the answer is no label of the kind, or names a class that was not named with --classes",
    "other_kind": "the answer is neither a class nor an object of a class: a text, a number, a relation, a ranking",
    "unknown_category": "the answer names a class that the file does not define",
    "unknown_item": "the answer is about an item that the file does not hold",
    "unexpected_shape": "the record is not what the tool writes here",
}

FieldsOfItem = dict[str, object]


class Annotation(NamedTuple):
    """One annotator's answer on one item, as a tool exported it.

    `line` is the number of its record in the file, from 1; `item_id` the item, or the object in it as `item#object`;
    `annotator`, `seconds_spent` and `answered_at` are None where the tool does not say; `is_truth`: the tool marks it
    as ground truth; `fields` what the item shows: its text, file, address.
    """

    line: int
    item_id: str
    label: str
    annotator: str | None = None
    seconds_spent: float | None = None
    answered_at: datetime | None = None
    is_truth: bool = False
    fields: FieldsOfItem = {}


Read = Iterator[Annotation | BadRow]
# Returns the label of the choices of one answer, in the record with this number, or why there is none.
ReadChoices = Callable[[int, Iterable[object]], "str | BadRow"]


def object_id(item_id: str, name: object) -> str:
    """Return the id of an object in an item.

    >>> object_id("street.jpg", 7)
    'street.jpg#7'
    """
    return f"{item_id}#{name}"


def names_of(choices: Iterable[object]) -> list[str]:
    """Return choices as texts, each once, in their order; nulls and empty texts are none.

    >>> names_of(["cat", None, " cat", 7])
    ['cat', '7']
    """
    return list(dict.fromkeys(_whole(str(choice)).strip() for choice in choices if choice not in (None, "")))


def one_class(line: int, choices: Iterable[object]) -> str | BadRow:
    """Return the only class of an answer, or why there is none.

    >>> one_class(1, ["cat"])
    'cat'
    >>> one_class(1, []).reason
    'no_answer'
    """
    names = names_of(choices)
    if not names or not names[0]:
        return BadRow(line, "no_answer", "")
    return names[0] if len(names) == 1 else BadRow(line, "several_choices", evidence(", ".join(names)))


def as_id(value: object) -> str | None:
    """Return a value as an id; None where it is none, as of lists, objects and empty texts."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    if isinstance(value, float):
        value = int(value) if value.is_integer() else value
    return _whole(str(value)).strip() or None


def _whole(text: str) -> str:
    """Replace halves of characters, which JSON escapes can hold and UTF-8 cannot."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def as_seconds(value: object) -> float | None:
    """Return a number of seconds; None where it is no number from 0 on."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and 0 <= value < float("inf") else None  # type: ignore[operator,arg-type]


def as_time(value: object) -> datetime | None:
    """Return an ISO time or a number of milliseconds since 1970 as UTC; None where it is neither.

    >>> as_time("2024-05-01T10:00:00Z").isoformat()
    '2024-05-01T10:00:00+00:00'
    """
    try:
        if isinstance(value, str):
            found = datetime.fromisoformat(value)
            return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return None


def entries(value: Any) -> list[dict[str, Any]]:
    """Return the objects of what should be a list of objects; a mended export may hold anything in its place."""
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def hold_to_question(name: str, asked: list[str], question: str | None) -> None:
    """Check that it is clear which question's answer is the label.

    Args:
        name: The file, for errors.
        asked: The questions that the file asks.
        question: The one that was named; None where there is only one.

    Raises:
        SourceError: There are several questions and none was named, or the one named is not there.
    """
    if question is None and len(asked) > 1:
        raise SourceError(f"{name}: asks several questions ({', '.join(asked)}); name one of them")
    if question is not None and question not in asked:
        raise SourceError(f"{name}: no question {question!r}; there is {', '.join(asked) or 'none'}")


def fields_of(value: Any) -> dict[str, Any]:
    """Return what should be an object, or an empty one."""
    return value if isinstance(value, dict) else {}
