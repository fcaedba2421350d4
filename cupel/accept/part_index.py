"""Parts of a delivery: which of its labels are of a class, or have a value in a column."""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from cupel.accept.delivery import Delivery
from cupel.accept.label_rules import LabelRules
from cupel.accept.plan import PlannedPart
from cupel.certificate.hypergeometric import Integers
from cupel.certificate.sequence import Flags
from cupel.certificate.slice_budgets import CLASS
from cupel.errors import AuditError


class PartIndex(NamedTuple):
    """The values of each item.

    `entries` are the different ones, each of no value, one or several; `places` says which entry each item has.
    """

    entries: tuple[tuple[str, ...], ...]
    places: Integers

    def count_values(self) -> Counter[str]:
        """Return how many items have each value."""
        counts: Counter[str] = Counter()
        for entry, items in zip(self.entries, np.bincount(self.places, minlength=len(self.entries)), strict=True):
            counts.update(dict.fromkeys(entry, int(items)))
        return counts

    def has_value(self, value: str) -> Flags:
        """Return which items have a value, row for row with the delivery's labels."""
        return np.array([value in entry for entry in self.entries], np.bool_)[self.places]


def index_parts(delivery: Delivery, rules: LabelRules, by: str) -> PartIndex:
    """Return the parts of a delivery by its classes, or by a column.

    Args:
        delivery: The delivery.
        rules: Say which classes a label names.
        by: class, or the name of a column.

    Raises:
        AuditError: There is no such column.
    """
    if by == CLASS:
        return index_classes((one.label for one in delivery.labels), rules)
    texts, places = _find_different(_read_column(delivery, by))
    return PartIndex(tuple(() if text is None else (text,) for text in texts), places)


def index_classes(labels: Iterable[str | None], rules: LabelRules) -> PartIndex:
    """Return the classes that labels name; a missing label names none."""
    texts, places = _find_different(labels)
    return PartIndex(tuple(() if text is None else rules.choices_of(text) for text in texts), places)


def _find_different(texts: Iterable[str | None]) -> tuple[list[str | None], Integers]:
    known: dict[str | None, int] = {}
    places = [known.setdefault(text, len(known)) for text in texts]
    return list(known), np.array(places, np.int64)


def _read_column(delivery: Delivery, name: str) -> list[str | None]:
    columns = delivery.columns
    if name in delivery.fields:
        return [value or None for value in delivery.fields[name]]
    if name == columns.annotator:
        return [one.annotator or None for one in delivery.labels]
    known = [*delivery.fields, *([columns.annotator] if columns.annotator else [])]
    raise AuditError(
        f"--by {name!r}: {delivery.path.name} has no such column to divide it by; it has "
        f"{', '.join(known) or 'none'}. A budget is written as class:NAME:wrong=5%, class:NAME:missed=10% or "
        "COLUMN:VALUE:wrong=5%"
    )


def find_insides(delivery: Delivery, rules: LabelRules, parts: Iterable[PlannedPart]) -> list[Flags]:
    """Return for each part of a plan which labels are of it, row for row with the delivery's labels."""
    known: dict[str, PartIndex] = {}
    found = []
    for part in parts:
        if part.by not in known:
            known[part.by] = index_parts(delivery, rules, part.by)
        found.append(known[part.by].has_value(part.value))
    return found
