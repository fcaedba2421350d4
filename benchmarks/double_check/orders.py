"""Orders of risk as they are frozen, and the replay of a rising audit on one of them."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from benchmarks.double_check.deployed import Outcome
from cupel.certificate.hypergeometric import Reals
from cupel.certificate.sequence import floor_share
from cupel.consensus.coding import Flags


class FrozenOrder(NamedTuple):
    """Labels as they go to the audit.

    `asked` are items that experts decided before; the others stand in risk order, the safest first, each with its
    label (None is no label) and log-odds.
    """

    asked: tuple[str, ...]
    item_ids: tuple[str, ...]
    labels: tuple[str | None, ...]
    log_odds: Reals

    @property
    def size(self) -> int:
        """Items in all."""
        return len(self.asked) + len(self.item_ids)


def replay_rising(asked: int, is_wrong: Flags, marks: Reals, shares: Reals, error_budget: float) -> Outcome:
    """Audit in waves, adjudicate what follows the last error that the rise allows, repair, and score.

    Args:
        asked: Items that experts decided before.
        is_wrong: Of the other items, in risk order, the safest first; that of items not seen only scores.
        marks: Of the same items, uniform between 0 and 1.
        shares: Audited share while 0, 1, 2, ... errors have been found.
        error_budget: Highest share of wrong labels of all items.
    """
    size, is_seen = asked + len(is_wrong), np.zeros(len(is_wrong), np.bool_)
    while True:
        is_due, accepted = _walk(marks, is_wrong & is_seen, shares)
        if not (is_due & ~is_seen).any():
            break
        is_seen |= is_due
    audited = int(is_seen.sum())
    is_seen[accepted:] = True
    left = int(is_wrong[~is_seen].sum())
    is_certified = not bool(is_seen.all())
    is_false = is_certified and left > floor_share(error_budget, size)
    return Outcome(audited, (asked + int(is_seen.sum())) / size, is_certified, is_false, left / size)


def _walk(marks: Reals, is_found: Flags, shares: Reals) -> tuple[Flags, int]:
    """Return which items are due by the errors found so far, and how many items come before adjudication."""
    is_due, start = np.zeros(len(marks), np.bool_), 0
    for share in shares:
        below = marks[start:] < share
        hits = np.flatnonzero(below & is_found[start:])
        end = start + int(hits[0]) + 1 if hits.size else len(marks)
        is_due[start:end] = below[: end - start]
        if not hits.size:
            return is_due, len(marks)
        start = end
    return is_due, start - 1


def differ(verdicts: Sequence[str], labels: Sequence[str | None]) -> Flags:
    """Return where a label differs from the verdict; no label does."""
    return np.array([verdict != label for verdict, label in zip(verdicts, labels, strict=True)], np.bool_)
