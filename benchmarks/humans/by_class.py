"""By class: what may be wrong among the items so labelled, and what may have been missed, from the same audit."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.double_check.deployed import Frozen
from benchmarks.double_check.folder import Gold
from cupel.certificate.attempts import attempt_alpha
from cupel.certificate.hypergeometric import Reals, binomial_upper_count
from cupel.certificate.rising import walk
from cupel.checking.rounds import audit_shares

Flags = NDArray[np.bool_]


class ClassBounds(NamedTuple):
    """Of a class, after the audit and its repairs: bounds, and what is true.

    `wrong` are shares of the items that are labelled so, `missed` of the items that are so; both are shares of what no
    expert has read, of all. A bound of 1 proves nothing.
    """

    name: str
    labelled: int
    wrong_bound: float
    wrong: float
    missed_bound: float
    missed: float

    @property
    def is_broken(self) -> bool:
        """Whether one of the bounds does not hold."""
        return self.wrong > self.wrong_bound or self.missed > self.missed_bound


def bound_classes(
    frozen: Frozen, marks: Reals, gold: Gold, classes: Sequence[str], error_budget: float
) -> list[ClassBounds]:
    """Return the bounds of all classes, which hold together with 96%, beside what is true.

    The first wave of the rising audit meets each item with the same chance, whatever its label. So of each class it
    bounds how many labels were wrong at the freeze, and how many of other classes should have been this one; what
    experts found is repaired and taken off. The two bounds of each class share the first attempt's chance to be wrong
    alike; it is spent beside the certificate's own.

    Args:
        frozen: Items, labels and order.
        marks: Of the frozen items, uniform between 0 and 1.
        gold: What the panel says; bounds use its word only on items that the audit has experts read.
        classes: The ontology.
        error_budget: Highest share of wrong labels, by which the audit is planned.
    """
    shares = audit_shares(frozen.size, error_budget)
    verdict = np.array([gold.verdicts[item] for item in frozen.item_ids], dtype=object)
    label = np.array(frozen.labels, dtype=object)
    way = walk(marks, np.asarray(label != verdict, np.bool_), shares)
    is_read = way.is_due | (np.arange(len(label)) >= way.accepted)
    before = [gold.verdicts[item] for item in frozen.asked]
    alpha = attempt_alpha(1) / (2 * len(classes))
    found = []
    for name in classes:
        is_so, is_labelled = np.asarray(verdict == name, np.bool_), np.asarray(label == name, np.bool_)
        wrong_most = _left_at_most(is_labelled, ~is_so, is_read, marks < shares[0], float(shares[0]), alpha)
        missed_most = _left_at_most(~is_labelled, is_so, is_read, marks < shares[0], float(shares[0]), alpha)
        labelled = before.count(name) + int(np.where(is_read, is_so, is_labelled).sum())
        wrong, missed = int((is_labelled & ~is_so & ~is_read).sum()), int((~is_labelled & is_so & ~is_read).sum())
        found.append(
            ClassBounds(
                name,
                labelled,
                _share(wrong_most, labelled),
                _share(wrong, labelled, nothing=0.0),
                _share(missed_most, missed_most + max(0, labelled - wrong_most)),
                _share(missed, missed + labelled - wrong, nothing=0.0),
            )
        )
    return found


def summarise_classes(found: Sequence[Sequence[ClassBounds]]) -> list[dict[str, Any]]:
    """Return of each class the medians over replays of its bounds, and the means of what is true."""
    rows = []
    for ones in zip(*found, strict=True):
        rows.append(
            {
                "class": ones[0].name,
                "labelled": float(np.mean([one.labelled for one in ones])),
                "wrong_bound": float(np.median([one.wrong_bound for one in ones])),
                "wrong": float(np.mean([one.wrong for one in ones])),
                "missed_bound": float(np.median([one.missed_bound for one in ones])),
                "missed": float(np.mean([one.missed for one in ones])),
            }
        )
    return rows


def _left_at_most(among: Flags, is_kind: Flags, is_read: Flags, is_first: Flags, share: float, alpha: float) -> int:
    """Bound how many items of a kind no expert has read, among some that the freeze names.

    Args:
        among: The frozen items that it is about.
        is_kind: Items of the kind; looked at where an expert reads only.
        is_read: Items that experts read.
        is_first: Items of the first wave, all of which experts read.
        share: With which chance each item is in the first wave.
        alpha: Chance that the bound does not hold.
    """
    others = int((among & ~is_kind & is_first).sum())
    most = binomial_upper_count(int(among.sum()) - others, share, int((among & is_kind & is_first).sum()), alpha)
    unread = int((among & ~is_read).sum())
    return min(unread, max(0, most - int((among & is_kind & is_read).sum())))


def _share(count: int, total: int, nothing: float = 1.0) -> float:
    """Return a share, at most 1; of no items it is not known, so a bound is 1."""
    return min(1.0, count / total) if total > 0 else nothing
