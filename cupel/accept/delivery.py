"""A delivery: the labels that may be judged, and every other row with the reason why not."""

import json
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from cupel.accept.label_rules import ONE_CLASS, LabelRules
from cupel.accept.one_label import ANNOTATOR, LABEL, count_votes
from cupel.accept.reading import OPTION_NAMES, ReadFile, read_rows
from cupel.errors import AuditError
from cupel.exchange.imports.answer_states import state_of
from cupel.exchange.imports.class_spellings import (
    describe_shared_parts,
    describe_spellings,
    find_joined,
    merge_spellings,
)
from cupel.exchange.imports.columns import LABEL_NAMES, Columns, choose_columns, guess_column
from cupel.exchange.imports.item_identity import content_key
from cupel.exchange.imports.table import refuse_annotator_columns
from cupel.exchange.imports.table_columns import (
    NOTHING_SPECIAL,
    SpecialColumns,
    describe_special,
    find_special,
    place_id,
)
from cupel.exchange.imports.tool import ReadOptions
from cupel.people.tool_annotation import IMPORT_REASONS, as_id, make_class_reader
from cupel.sources.class_values import value_text
from cupel.sources.input_limits import DEFAULT_LIMITS, InputLimits
from cupel.sources.reasons import REASONS, BadRow, Row, evidence

# Reasons that only a delivery of labels knows; the others are cupel.sources.REASONS.
LABEL_REASONS = {
    **IMPORT_REASONS,
    "missing_label": "the row has no label",
    "tie": "the annotators of the item are tied",
    "unknown_label": "the label is none of the classes named with --classes",
    "duplicate_id": "an earlier row has the same id, content and label; only that one is judged",
    "contradiction": "another row has the same id and another label, and no column says whose; none of them is judged",
    "other_answer": "several annotators answered the item; it is judged once, by the most frequent label",
}
# More classes than this, most of them seen once or twice, are no classes but free text.
MAX_CLASSES = 5_000


class Label(NamedTuple):
    """A delivered label that may be judged; text and annotator are None where the delivery has none."""

    row: int
    item_id: str
    label: str
    text: str | None
    annotator: str | None


class LabelledRow(NamedTuple):
    """A row, the item that it is about, and its label."""

    row: Row
    item_id: str
    label: str


class Delivery(NamedTuple):
    """A delivery as read: plain rows, because Arrow loads pandas where it is installed, which takes seconds.

    `labels` are those that may be judged, `fields` the other columns as text, row for row with `labels`,
    `rejected` the rows that may not be judged. `rows_in` is labels and rejected together. `is_of_tool`: a tool's
    export. `notices` are sentences for the buyer: what was taken for what.
    """

    path: Path
    sha256: str
    format: str
    columns: Columns
    classes: tuple[str, ...]
    rows_in: int
    labels: tuple[Label, ...]
    fields: dict[str, tuple[str | None, ...]]
    rejected: tuple[BadRow, ...]
    is_of_tool: bool = False
    notices: tuple[str, ...] = ()


def read_delivery(
    path: Path,
    label: str | None = None,
    id: str | None = None,
    text: str | None = None,
    annotator: str | None = None,
    classes: tuple[str, ...] = (),
    rules: LabelRules = ONE_CLASS,
    limits: InputLimits = DEFAULT_LIMITS,
    annotators: tuple[str, ...] = (),
    *,
    is_as_written: bool = False,
) -> Delivery:
    """Read a delivery of labels.

    Args:
        path: The file.
        label: Column of the label (in a Label Studio export: name of the question); None guesses.
        id: Column of the item's id; None guesses, and without one the row's number is the id.
        text: Column that shows the item; None guesses.
        annotator: Column of who gave the label; None guesses.
        classes: Labels that are allowed; empty allows all, and the classes are those that occur. Of a label kind,
            the classes that it knows.
        rules: How labels are read.
        limits: How much of the file is read.
        annotators: Columns of a table that hold one annotator's answers each; of an item one label is judged.
        is_as_written: Keep classes apart that differ only by case, Unicode form or invisible characters.

    Returns:
        The delivery; every row is in `labels` or in `rejected`.

    Raises:
        SourceError: The file cannot be read, or a column is missing.
        AuditError: No label is left to judge, or the column holds no classes.
    """
    # Of a kind the classes are in its rules.
    known = classes if rules.kind is None else ()
    read_choices = make_class_reader(known) if rules.kind is None and known else rules.read_choices
    read = read_rows(
        path, label, id, read_choices, known, annotator, annotators, limits, is_as_written=is_as_written
    )  # fmt: skip
    names = list(dict.fromkeys(name for row in read.rows if isinstance(row, Row) for name in row.values))
    if read.is_of_tool:
        label, id, annotator = LABEL, "id", ANNOTATOR if read.is_of_crowd else annotator or ANNOTATOR
    elif guess_column(names, LABEL_NAMES) is None:
        asked = ReadOptions(label, id, annotator, text, option_names=OPTION_NAMES)
        refuse_annotator_columns(str(path), names, read.rows, asked)
    columns = (
        choose_columns(str(path), names, label, id, text, annotator) if names else Columns("label", None, None, None)
    )
    special = NOTHING_SPECIAL if read.is_of_tool else find_special(names, read.rows, columns.label)._replace(truth=None)
    kept, rejected, notices = _sort_out(read.rows, columns, known, rules, special, is_as_written=is_as_written)
    if not kept:
        seen = "; ".join(f"{reason}: {count:,}" for reason, _, count, _ in rejection_counts(rejected))
        raise AuditError(f"{path}: no label to judge ({seen or 'no rows'}); check --label and the file")
    others = [name for name in names if name not in columns]
    found = _delivery(path, read, columns, classes, rules, kept, rejected, others)
    return found._replace(is_of_tool=read.is_of_tool, notices=(*read.notices, *describe_special(special), *notices))


def _sort_out(
    rows: Iterable[Row | BadRow],
    columns: Columns,
    classes: tuple[str, ...],
    rules: LabelRules,
    special: SpecialColumns,
    *,
    is_as_written: bool,
) -> tuple[list[LabelledRow], list[BadRow], list[str]]:
    """Return rows with id and label, rejected rows, and what was said of classes that are written in several ways."""
    read: list[LabelledRow] = []
    rejected: list[BadRow] = []
    counts: dict[str, int] = {}
    of_class = make_class_reader(classes)
    for row in rows:
        if isinstance(row, BadRow):
            rejected.append(row)
            continue
        value = row.values.get(columns.label)
        choices = value if isinstance(value, list) else [value]
        label = (of_class if rules.kind is None else rules.read_choices)(row.line, choices)
        item = as_id(row.values.get(columns.id)) if columns.id else f"row {row.line}"
        if item is not None and columns.id and special.place is not None:
            item = place_id(item, row.values, special.place, counts)
        if (state := state_of(row.values, special.states)) is not None:
            rejected.append(BadRow(row.line, state, evidence(item)))
        elif isinstance(label, BadRow):
            rejected.append(label._replace(reason="missing_label") if label.reason == "no_answer" else label)
        elif item is None:
            rejected.append(BadRow(row.line, "missing_id", evidence(row.values)))
        else:
            read.append(LabelledRow(row, item, label))
    notices: list[str] = []
    if rules.kind is None:
        read, more, notices = _settle_classes(read, classes, is_as_written=is_as_written)
        rejected += more
    kept, repeated = _judge_repeats(read, columns)
    return kept, rejected + repeated, notices


def _settle_classes(
    read: list[LabelledRow], classes: tuple[str, ...], *, is_as_written: bool
) -> tuple[list[LabelledRow], list[BadRow], list[str]]:
    """Write each class in one way; joined classes, and those that the guideline does not know, are rejected."""
    names = [one.label for one in read]
    joined = find_joined(names, classes)
    merged = {} if is_as_written else merge_spellings(names, classes)
    kept: list[LabelledRow] = []
    rejected: list[BadRow] = []
    for one in read:
        label = merged.get(one.label, one.label)
        if one.label in joined:
            rejected.append(BadRow(one.row.line, "several_choices", evidence(one.label)))
        elif classes and label not in classes:
            rejected.append(BadRow(one.row.line, "unknown_label", evidence(one.label)))
        else:
            kept.append(one._replace(label=label))
    notices = describe_spellings({name: to for name, to in merged.items() if name not in joined})
    return kept, rejected, [*notices, *([] if classes else describe_shared_parts(one.label for one in kept))]


def _judge_repeats(read: list[LabelledRow], columns: Columns) -> tuple[list[LabelledRow], list[BadRow]]:
    """Return one row an item, and the others with their reason.

    Rows that name annotators are their answers: of each the latest counts, the most frequent label is judged, and a tie
    is not. Rows that name nobody must say the same; the first of them is judged.
    """
    groups: dict[str, list[LabelledRow]] = {}
    for one in read:
        groups.setdefault(one.item_id, []).append(one)
    kept: list[LabelledRow] = []
    rejected: list[BadRow] = []
    for item, group in groups.items():
        first = group[0]
        if len(group) == 1:
            kept.append(first)
        elif columns.text and len({_shown(one.row, columns.text) for one in group}) > 1:
            rejected += [BadRow(one.row.line, "one_id_two_items", evidence(item)) for one in group]
        elif columns.annotator and all(one.row.values.get(columns.annotator) for one in group):
            found, others = _judge_answers(group, columns.annotator)
            kept += found
            rejected += others
        elif len({one.label for one in group}) > 1:
            rejected += [BadRow(one.row.line, "contradiction", evidence(f"{item}: {one.label}")) for one in group]
        else:
            kept.append(first)
            where = evidence(f"{item}, first in row {first.row.line}")
            rejected += [BadRow(one.row.line, "duplicate_id", where) for one in group[1:]]
    return kept, rejected


def _shown(row: Row, column: str) -> str:
    return content_key(value_text(row.values.get(column)) or "")


def _judge_answers(group: list[LabelledRow], annotator: str) -> tuple[list[LabelledRow], list[BadRow]]:
    """Return the row that stands for the answers of several annotators on one item, if any, and the others.

    The latest answer of an annotator is the last row.
    """
    latest = {value_text(one.row.values.get(annotator)): one for one in group}
    earlier = [one for one in group if latest[value_text(one.row.values.get(annotator))] is not one]
    rejected = [BadRow(one.row.line, "earlier_version", evidence(f"{one.item_id}: {one.label}")) for one in earlier]
    best, told = count_votes(one.label for one in latest.values())
    if len(best) > 1:
        return [], [*rejected, *(BadRow(one.row.line, "tie", told) for one in latest.values())]
    first = next(one for one in latest.values() if one.label == best[0])
    if len(latest) > 1:
        # Whose the label is cannot be said: it stands for several.
        first = first._replace(row=first.row._replace(values={**first.row.values, annotator: None}))
    others = [one for one in latest.values() if one.row.line != first.row.line]
    return [first], [*rejected, *(BadRow(one.row.line, "other_answer", evidence(one.label)) for one in others)]


def _delivery(
    path: Path,
    read: ReadFile,
    columns: Columns,
    classes: tuple[str, ...],
    rules: LabelRules,
    kept: list[LabelledRow],
    rejected: list[BadRow],
    others: list[str],
) -> Delivery:
    def text(row: Row, name: str | None) -> str | None:
        return as_text(row.values.get(name)) if name else None

    labels = tuple(
        Label(row.line, item, label, text(row, columns.text), text(row, columns.annotator)) for row, item, label in kept
    )
    if rules.kind is not None:
        found = tuple(sorted(set(classes)))
    else:
        found = tuple(sorted(set(classes) or {one.label for one in labels}))
    if len(found) > MAX_CLASSES or (len(found) > 50 and len(found) > len(labels) / 2):
        raise AuditError(
            f"{path}, column {columns.label!r}: {len(found):,} different labels in {len(labels):,} rows; "
            "that is free text, not classes. Name the column of the label with --label"
        )
    fields = {name: tuple(text(row, name) for row, _, _ in kept) for name in others}
    refused = tuple(sorted(rejected))
    return Delivery(path, read.sha256, read.format, columns, found, len(read.rows), labels, fields, refused)


class Rejection(NamedTuple):
    """A reason, what it means, how many rows it took, and the first three of them."""

    reason: str
    meaning: str
    rows: int
    first_rows: tuple[int, ...]


def rejection_counts(rejected: Iterable[BadRow]) -> list[Rejection]:
    """Return rejected rows by reason, most frequent first."""
    by_reason: dict[str, list[int]] = {}
    for bad in rejected:
        by_reason.setdefault(bad.reason, []).append(bad.line)
    ordered = sorted(by_reason.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    return [
        Rejection(reason, LABEL_REASONS.get(reason) or REASONS[reason], len(rows), tuple(sorted(rows)[:3]))
        for reason, rows in ordered
    ]


def as_text(value: object) -> str | None:
    """Return a value as text: whole floats without their point, lists and objects as JSON.

    >>> as_text(1.0), as_text(True), as_text({"b": 1})
    ('1', 'true', '{"b": 1}')
    """
    if value is None or isinstance(value, str):
        return _clean(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return None if value != value else str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, dict | list):
        return _clean(json.dumps(value, ensure_ascii=False, sort_keys=True, default=str))
    return str(value) if isinstance(value, int | Decimal) else _clean(str(value))


def _clean(text: str | None) -> str | None:
    """Replace halves of characters, which JSON escapes can hold and UTF-8 cannot."""
    return text if text is None or text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
