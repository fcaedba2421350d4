"""A delivery: the labels that may be judged, and every other row with the reason why not."""

import json
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from cupel.accept.label_rules import ONE_CLASS, LabelRules
from cupel.accept.one_label import ANNOTATOR, LABEL
from cupel.accept.reading import ReadFile, read_rows
from cupel.errors import AuditError
from cupel.exchange.imports.columns import Columns, choose_columns
from cupel.people.tool_annotation import IMPORT_REASONS
from cupel.sources.input_limits import DEFAULT_LIMITS, InputLimits
from cupel.sources.reasons import REASONS, BadRow, Row, evidence

# Reasons that only a delivery of labels knows; the others are cupel.sources.REASONS.
LABEL_REASONS = {
    **IMPORT_REASONS,
    "missing_label": "the row has no label",
    "tie": "the annotators of the item are tied",
    "unknown_label": "the label is none of the classes named with --classes",
    "duplicate_id": "an earlier row has the same id; only that one is judged",
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


class Delivery(NamedTuple):
    """A delivery as read: plain rows, because Arrow loads pandas where it is installed, which takes seconds.

    `labels` are those that may be judged, `fields` the other columns as text, row for row with `labels`,
    `rejected` the rows that may not be judged. `rows_in` is labels and rejected together.
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


def read_delivery(
    path: Path,
    label: str | None = None,
    id: str | None = None,
    text: str | None = None,
    annotator: str | None = None,
    classes: tuple[str, ...] = (),
    rules: LabelRules = ONE_CLASS,
    limits: InputLimits = DEFAULT_LIMITS,
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

    Returns:
        The delivery; every row is in `labels` or in `rejected`.

    Raises:
        SourceError: The file cannot be read, or a column is missing.
        AuditError: No label is left to judge, or the column holds no classes.
    """
    read = read_rows(path, label, id, rules.read_choices, limits)
    names = list(dict.fromkeys(name for row in read.rows if isinstance(row, Row) for name in row.values))
    if read.is_of_tool:
        label, id, annotator = LABEL, "id", annotator or ANNOTATOR
    columns = (
        choose_columns(str(path), names, label, id, text, annotator) if names else Columns("label", None, None, None)
    )
    kept, rejected = _sort_out(read.rows, columns, frozenset(classes), rules)
    if not kept:
        seen = "; ".join(f"{reason}: {count:,}" for reason, _, count, _ in rejection_counts(rejected))
        raise AuditError(f"{path}: no label to judge ({seen or 'no rows'}); check --label and the file")
    return _delivery(path, read, columns, classes, rules, kept, rejected, [n for n in names if n not in columns])


def _sort_out(
    rows: Iterable[Row | BadRow], columns: Columns, allowed: frozenset[str], rules: LabelRules
) -> tuple[list[tuple[Row, str, str]], list[BadRow]]:
    """Return rows with id and label, and rejected rows."""
    kept: list[tuple[Row, str, str]] = []
    rejected: list[BadRow] = []
    seen: dict[str, int] = {}
    for row in rows:
        if isinstance(row, BadRow):
            rejected.append(row)
            continue
        label = _label(row, columns.label, allowed) if rules.kind is None else _kind_label(row, columns.label, rules)
        item = as_text(row.values.get(columns.id)) if columns.id else None
        item = (item or "").strip() or f"row {row.line}"
        if isinstance(label, BadRow):
            rejected.append(label)
        elif item in seen:
            rejected.append(BadRow(row.line, "duplicate_id", evidence(f"{item}, first in row {seen[item]}")))
        else:
            seen[item] = row.line
            kept.append((row, item, label))
    return kept, rejected


def _label(row: Row, column: str, allowed: frozenset[str]) -> str | BadRow:
    value = row.values.get(column)
    if isinstance(value, list):
        if len(value) > 1:
            return BadRow(row.line, "several_choices", evidence(value))
        value = value[0] if value else None
    label = (as_text(value) or "").strip()
    if not label:
        return BadRow(row.line, "missing_label", "")
    if allowed and label not in allowed:
        return BadRow(row.line, "unknown_label", evidence(label))
    return label


def _kind_label(row: Row, column: str, rules: LabelRules) -> str | BadRow:
    value = row.values.get(column)
    found = rules.read_choices(row.line, value if isinstance(value, list) else [as_text(value)])
    return (
        found._replace(reason="missing_label") if isinstance(found, BadRow) and found.reason == "no_answer" else found
    )


def _delivery(
    path: Path,
    read: ReadFile,
    columns: Columns,
    classes: tuple[str, ...],
    rules: LabelRules,
    kept: list[tuple[Row, str, str]],
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
