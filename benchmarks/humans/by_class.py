"""By class: what may be wrong among the items so labelled, and what may have been missed, from the same audit."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.double_check.deployed import Frozen
from benchmarks.double_check.folder import Gold
from cupel.certificate.attempts import attempt_levels
from cupel.certificate.hypergeometric import Reals, binomial_upper_count
from cupel.certificate.rising import walk
from cupel.certificate.slice_bounds import PARTS
from cupel.checking.rounds import audit_shares

Flags = NDArray[np.bool_]

# What the bounds of all classes of an audit may spend together, as in a project that has such bounds.
ALPHA_CLASSES = attempt_levels(1, can_be_contested=False, bounds_slices=True).slices


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


class ReadItems(NamedTuple):
    """Of a replay: the frozen items that experts read, and those of them that were drawn first.

    Each is drawn first with the chance `share`; all behind the first `accepted` were read.
    """

    is_read: Flags
    is_first: Flags
    share: float
    accepted: int


def find_read(frozen: Frozen, marks: Reals, gold: Gold, error_budget: float) -> ReadItems:
    """Return what experts read in a replay, by the library's own rising audit.

    Args:
        frozen: Items, labels and order.
        marks: Of the frozen items, uniform between 0 and 1.
        gold: What the panel says.
        error_budget: Highest share of wrong labels, by which the audit is planned.
    """
    shares = audit_shares(frozen.size, error_budget)
    is_wrong = [gold.verdicts[item] != label for item, label in zip(frozen.item_ids, frozen.labels, strict=True)]
    way = walk(marks, np.array(is_wrong, np.bool_), shares)
    is_read = way.is_due | (np.arange(len(marks)) >= way.accepted)
    return ReadItems(is_read, marks < shares[0], float(shares[0]), way.accepted)


def bound_classes(frozen: Frozen, read: ReadItems, gold: Gold, classes: Sequence[str]) -> list[ClassBounds]:
    """Return the bounds of all classes, beside what is true.

    The first wave of the rising audit meets each item with the same chance, whatever its label. So of each class it
    bounds how many labels were wrong at the freeze, and how many of other classes should have been this one; what
    experts found is repaired and taken off. As in `cupel.certificate.slice_bounds`, that is done for parts of the risk
    order, and the smallest that holds all that experts did not read counts. All bounds share `ALPHA_CLASSES` alike.

    Args:
        frozen: Items, labels and order.
        read: What experts read of them.
        gold: What the panel says; bounds use its word only on items that experts read.
        classes: The ontology.
    """
    verdict = np.array([gold.verdicts[item] for item in frozen.item_ids], dtype=object)
    label = np.array(frozen.labels, dtype=object)
    before = [gold.verdicts[item] for item in frozen.asked]
    alpha = ALPHA_CLASSES / (2 * len(classes))
    found = []
    for name in classes:
        is_so, is_labelled = np.asarray(verdict == name, np.bool_), np.asarray(label == name, np.bool_)
        wrong_most = _bound_left(read, is_labelled, ~is_so, alpha)
        missed_most = _bound_left(read, ~is_labelled, is_so, alpha)
        labelled = before.count(name) + int(np.where(read.is_read, is_so, is_labelled).sum())
        wrong = int((is_labelled & ~is_so & ~read.is_read).sum())
        missed = int((~is_labelled & is_so & ~read.is_read).sum())
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


def _bound_left(read: ReadItems, among: Flags, is_kind: Flags, alpha: float) -> int:
    """Bound how many items of a kind no expert has read, among some that the freeze names.

    Args:
        read: What experts read.
        among: The frozen items that it is about.
        is_kind: Items of the kind; looked at where an expert reads only.
        alpha: Chance that the bound does not hold.
    """
    place = np.arange(len(among))
    lefts = [int((among & ~read.is_read).sum())]
    for end in np.unique(np.ceil(np.array(PARTS) * len(among))):
        if end >= read.accepted:
            inside = among & (place < end)
            others = int((inside & ~is_kind & read.is_first).sum())
            met = int((inside & is_kind & read.is_first).sum())
            most = binomial_upper_count(int(inside.sum()) - others, read.share, met, alpha / len(PARTS))
            lefts.append(most - int((inside & is_kind & read.is_read).sum()))
    return max(0, min(lefts))


def _share(count: int, total: int, nothing: float = 1.0) -> float:
    """Return a share, at most 1; of no items it is not known, so a bound is 1."""
    return min(1.0, count / total) if total > 0 else nothing
