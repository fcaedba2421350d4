"""An annotation of a labeling tool's export, and why a part of an export is not understood."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from cupel.errors import SourceError
from cupel.sources.class_values import MISSING_WORDS, VALUE_REASONS, NoClassError, read_class, value_text
from cupel.sources.reasons import BadRow, evidence

# Reasons that only an export knows; the others are cupel.sources.REASONS.
IMPORT_REASONS = {
    "no_answer": "the item has no answer: nobody labelled it, or it is empty or a missing value, as NA; where that is "
    "a class, name it with --classes",
    "skipped": "the annotator skipped, cancelled or ignored the task",
    "not_finished": "the task is not finished, or its answer is a draft",
    "rejected": "a reviewer rejected the answer, or it is marked as wrong",
    "prediction": "a model's answer, and no person's",
    "ground_truth": "the tool marks the answer as known to be right: it is an expert's, and no vote of the crew; "
    "--ground-truth expert imports it as such",
    "several_choices": "the answer holds several classes at once; one is imported",
    "earlier_version": "the same annotator answered the item again; the latest answer counts",
    "unknown_label": "the answer is no label of the kind, or names a class that was not named with --classes",
    "one_id_two_items": "the id names items that show different things; name a field that tells them apart with --id",
    "nested_answer": "the answer is about an object, or stands inside another answer; only classes are imported",
    "unread_key": "the file says this, and no answer is made of it; it stands once, with how often it was met",
    **VALUE_REASONS,
    "other_kind": "the answer is neither a class nor an object of a class: a text, a number, a relation, a ranking",
    "unknown_category": "the answer names a class that the file does not define",
    "unknown_item": "the answer is about an item that the file does not hold",
    "unexpected_shape": "the record is not what the tool writes here, or the label is an object, a list or JSON",
}

FieldsOfItem = dict[str, object]


class Annotation(NamedTuple):
    """One annotator's answer on one item, as a tool exported it.

    `line` is the number of its record in the file, from 1; `item_id` the item, or the object in it as `item#object`;
    `annotator`, `seconds_spent` and `answered_at` are None where the tool does not say; `is_truth`: the tool marks it
    as ground truth; `fields` what the item shows: its text, file, address. `content` is what the item is known by: one
    id has one content; None where the file does not show it. `annotator_number` is the tool's own number of the
    annotator, where the file names both.
    """

    line: int
    item_id: str
    label: str
    annotator: str | None = None
    seconds_spent: float | None = None
    answered_at: datetime | None = None
    is_truth: bool = False
    fields: FieldsOfItem = {}
    content: str | None = None
    annotator_number: str | None = None


class UnreadKey(NamedTuple):
    """A key of a record that is not used and not empty: where the record stands, the key's path, and what it holds.

    `path` names keys from the record on, with points, `[]` for a list: `annotations[].result[].meta`.
    """

    line: int
    path: str
    found: str


class Notice(NamedTuple):
    """A sentence for the reader of the import: what was taken for what, and why."""

    text: str


# Thirty years; a longer time is no time that anybody took, and may be no float.
MOST_SECONDS = 1_000_000_000

Found = Annotation | BadRow | UnreadKey | Notice
Read = Iterator[Found]
# Returns the label of the choices of one answer, in the record with this number, or why there is none.
ReadChoices = Callable[[int, Iterable[object]], "str | BadRow"]


def object_id(item_id: str, name: object) -> str:
    """Return the id of an object in an item.

    >>> object_id("street.jpg", 7)
    'street.jpg#7'
    """
    return f"{item_id}#{name}"


def names_of(choices: Iterable[object]) -> list[str]:
    """Return choices as names of classes, each once, in their order; missing values are none.

    Raises:
        NoClassError: A choice is an object, an address or a text.

    >>> names_of(["cat", None, " cat", 7.0])
    ['cat', '7']
    """
    names: dict[str, None] = {}
    for choice in choices:
        try:
            names[read_class(choice)] = None
        except NoClassError as problem:
            if problem.reason != "no_answer":
                raise
    return list(names)


def one_class(line: int, choices: Iterable[object]) -> str | BadRow:
    """Return the only class of an answer, or why there is none.

    >>> one_class(1, ["cat"])
    'cat'
    >>> one_class(1, ["nan"])
    BadRow(line=1, reason='no_answer', evidence='nan')
    """
    choices = list(choices)
    try:
        names = names_of(choices)
    except NoClassError as problem:
        return BadRow(line, problem.reason, problem.found)
    if not names:
        return BadRow(line, "no_answer", evidence(", ".join(value_text(one) or "" for one in choices)))
    return names[0] if len(names) == 1 else BadRow(line, "several_choices", evidence(", ".join(names)))


def make_class_reader(classes: Sequence[str]) -> ReadChoices:
    """Return what reads the only class of an answer where the classes are named.

    A named class is one however it looks: `None`, `1.0`, an address. That an answer names another class is told when
    all answers are at hand, for it may be spelt otherwise.
    """
    named = frozenset(classes)

    def read(line: int, choices: Iterable[object]) -> str | BadRow:
        choices = list(choices)
        names = texts_of(choices, classes)
        return names[0] if len(names) == 1 and names[0] in named else one_class(line, choices)

    return read


def texts_of(choices: Iterable[object], classes: Collection[str]) -> list[str]:
    """Return choices as texts, each once, in their order: those of named classes as they are written.

    >>> texts_of([1.0, "None", " 1.0", None], ["None", "1.0"])
    ['1', 'None', '1.0']
    """
    texts = (one.strip() if isinstance(one, str) and one.strip() in classes else value_text(one) for one in choices)
    return list(dict.fromkeys(text for text in texts if text))


def as_id(value: object) -> str | None:
    """Return a value as an id; None where it is none, as of lists, objects, empty texts and missing values.

    >>> as_id(10.0), as_id("10.0"), as_id("nan"), as_id([1])
    ('10', '10', None, None)
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    text = value_text(value)
    return None if text is None or text in MISSING_WORDS else text or None


def unread_keys(line: int, path: str, found: Mapping[str, Any], read: Collection[str]) -> Iterator[UnreadKey]:
    """Yield the keys of a record that are not read and not empty.

    Args:
        line: The record's number.
        path: Path of `found` in the record; empty for the record itself.
        found: An object of the record.
        read: Its keys that are used.

    >>> list(unread_keys(1, "note", {"label": "cat", "mood": "calm", "tags": []}, ("label",)))
    [UnreadKey(line=1, path='note.mood', found='calm')]
    """
    for key, value in found.items():
        if key not in read and value not in (None, "", [], {}, False):
            yield UnreadKey(line, f"{path}.{key}" if path else str(key), evidence(value))


def as_seconds(value: object) -> float | None:
    """Return a number of seconds; None where it is no number from 0 to thirty years."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and 0 <= value < MOST_SECONDS else None  # type: ignore[operator,arg-type]


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


def hold_to_question(name: str, asked: list[str], question: str | None, option: str = "") -> None:
    """Check that it is clear which question's answer is the label.

    Args:
        name: The file, for errors.
        asked: The questions that the file asks.
        question: The one that was named; None where there is only one.
        option: What the command calls it.

    Raises:
        SourceError: There are several questions and none was named, or the one named is not there.
    """
    if question is None and len(asked) > 1:
        which = f"with {option}" if option else "of them"
        raise SourceError(f"{name}: asks several questions ({', '.join(asked)}); name one {which}")
    if question is not None and question not in asked:
        raise SourceError(f"{name}: no question {question!r}; there is {', '.join(asked) or 'none'}")


def fields_of(value: Any) -> dict[str, Any]:
    """Return what should be an object, or an empty one."""
    return value if isinstance(value, dict) else {}
