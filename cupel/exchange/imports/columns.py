"""Which column of a delivery is what: named by the buyer, or guessed from its name."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from cupel.errors import SourceError
from cupel.sources.class_values import strip_invisible

# Names that mean the same in deliveries of common tools, most telling first.
LABEL_NAMES = (
    "label", "delivered_label", "labels", "class", "category", "sentiment", "annotation", "answer", "choice", "target",
    "intent", "topic",
)  # fmt: skip
ID_NAMES = (
    "item_id", "task_id", "id", "task", "uid", "uuid", "guid", "external_id", "data_row_id", "example_id", "_unit_id",
    "key", "hitid",
)  # fmt: skip
CONTENT_NAMES = (
    "text", "sentence", "content", "body", "message", "comment", "review", "tweet", "utterance", "document", "question",
    "prompt", "title", "image", "image_url", "img", "picture", "photo", "audio", "video", "url", "link", "path",
    "file_path", "file", "file_name", "filename",
)  # fmt: skip
ANNOTATOR_NAMES = (
    "annotator", "annotator_id", "worker", "worker_id", "workerid", "_worker_id", "performer", "performer_id",
    "labeler", "labeller", "labeled_by", "labelled_by", "rater", "rater_id", "coder", "tagger", "completed_by",
    "annotated_by", "user",
)  # fmt: skip

# What Amazon Mechanical Turk and Toloka write before the names of what the annotators saw.
_INPUT = re.compile(r"^input[.:]")


class Columns(NamedTuple):
    """Columns by role; None where the delivery has none."""

    label: str
    id: str | None
    text: str | None
    annotator: str | None


def choose_columns(
    name: str,
    columns: Iterable[str],
    label: str | None = None,
    id: str | None = None,
    text: str | None = None,
    annotator: str | None = None,
    options: Mapping[str, str] = {},
) -> Columns:
    """Return the columns by role: those that were named, and guesses for the others.

    Args:
        name: The file, for errors.
        columns: The columns that are there.
        label: Column of the delivered label; None guesses.
        id: Column of the item's id; None guesses.
        text: Column that shows the item: its text, or where its picture is; None guesses.
        annotator: Column of who gave the label; None guesses.
        options: What the command calls its options, by role, where it is not the role's name.

    Returns:
        One column a role, none twice.

    Raises:
        SourceError: A named column is missing, a column has two roles, or none holds a label.

    >>> choose_columns("d.csv", ["Task", "Review", "Sentiment"])
    Columns(label='Sentiment', id='Task', text='Review', annotator=None)
    """
    there = list(columns)
    called = {role: options.get(role, f"--{role}") for role in Columns._fields}
    named = {"label": label, "id": id, "text": text, "annotator": annotator}
    for option, column in named.items():
        if column is not None and column not in there:
            raise SourceError(f"{name}: no column {column!r} ({called[option]}); the file has {list_columns(there)}")
    taken = [column for column in named.values() if column is not None]
    twice = sorted(column for column, count in Counter(taken).items() if count > 1)
    if twice:
        raise SourceError(f"{name}: column {twice[0]!r} is named for two roles; name another for one of them")
    guesses = {"label": LABEL_NAMES, "id": ID_NAMES, "text": CONTENT_NAMES, "annotator": ANNOTATOR_NAMES}
    for option, names in guesses.items():
        if named[option] is None:
            named[option] = guess_column([column for column in there if column not in taken], names)
            taken.append(named[option] or "")
    if named["label"] is None:
        raise SourceError(
            f"{name}: no column looks like a label; name one with {called['label']}, or with --annotators the columns "
            f"of one annotator's answers each: {list_columns(there)}"
        )
    return Columns(named["label"], named["id"], named["text"], named["annotator"])


def describe_columns(columns: Columns, named: Iterable[str | None] = ()) -> str:
    """Return which column is taken for what, and whether it was named or is guessed by its name.

    >>> describe_columns(Columns("Sentiment", "Task", None, None), ["Task"])
    "item: 'Task' (named); label: 'Sentiment' (by its name); annotator: no column; text: no column"
    """
    said = frozenset(named)
    roles = {"item": columns.id, "label": columns.label, "annotator": columns.annotator, "text": columns.text}
    return "; ".join(
        f"{role}: no column"
        if column is None
        else f"{role}: {column!r} ({'named' if column in said else 'by its name'})"
        for role, column in roles.items()
    )


def list_columns(columns: Sequence[str]) -> str:
    """Return names of columns for a message: the first twenty, each cut, and how many more there are."""
    shown = ", ".join(repr(column[:80]) for column in columns[:20])
    return shown if len(columns) <= 20 else f"{shown} and {len(columns) - 20:,} more"


def guess_column(columns: Sequence[str], names: tuple[str, ...]) -> str | None:
    """Return the column with the first of some names, whatever its case; those of a crowd's inputs by their own name.

    >>> guess_column(["Input.URL", "INPUT:Text"], CONTENT_NAMES)
    'INPUT:Text'
    """
    by_name = {_plain_name(column): column for column in reversed(columns)}
    return next((by_name[name] for name in names if name in by_name), None)


def _plain_name(column: str) -> str:
    return _INPUT.sub("", strip_invisible(column).lower()).replace(" ", "_").replace("-", "_")
