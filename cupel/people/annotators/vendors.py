"""Vendors: how often their annotators are right, compared on equal terms, with intervals."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.special import betaincinv

from cupel.consensus.coding import Integers, Reals
from cupel.contract.table import conform, empty
from cupel.contract.tables.labeling import VENDORS
from cupel.errors import ProjectError
from cupel.people.annotators.beliefs import Flags
from cupel.people.annotators.quality import SIDE, certainty
from cupel.people.annotators.study import Study

# Two-sided 95% of a normal.
WIDTH = 1.959963984540054
# Items are parted into so many grades of hardness within each class.
GRADES = 3
# Of the batch's mix, so much must be answered for a standardised share.
LEAST_COVERED = 0.8
# Fewer people, or blocks of items, say nothing of how far a share may be off.
FEWEST_PARTS = 2
MOST_BLOCKS = 50


class _Answers(NamedTuple):
    """Answers of people with a vendor: who, item, vendor, and the chance that they are right."""

    who: Integers
    item: Integers
    vendor: Integers
    right: Reals


def vendor_of(vendors: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return each annotator's vendor.

    Args:
        vendors: Annotators by vendor.

    Raises:
        ProjectError: An annotator belongs to two.
    """
    found: dict[str, str] = {}
    for vendor, names in vendors.items():
        for name in names:
            if found.setdefault(name, vendor) != vendor:
                raise ProjectError(
                    f"key labeling.vendors: {name!r} stands under {found[name]!r} and {vendor!r}; keep one"
                )
    return found


def vendors(measured: Study, by_vendor: Mapping[str, Sequence[str]], found: pa.Table, people: pa.Table) -> pa.Table:
    """Compare vendors on equal terms.

    Each answer counts as right with the chance that hidden gold and the other annotators give it, the own
    answer left out. Two figures are on equal terms: the share right had the vendor answered the batch's own mix
    of classes and hardness (post-stratified), and the difference to all others on the very same items. Intervals
    leave out one annotator, and one block of items, at a time, and take the wider: a vendor with one annotator
    is judged by its items alone. No table names a winner: intervals that overlap do not tell vendors apart.

    Args:
        measured: The study of a batch.
        by_vendor: Annotators by vendor.
        found: ANNOTATOR_FINDINGS.
        people: ANNOTATORS.

    Returns:
        VENDORS, of vendors that answered.

    Raises:
        ProjectError: An annotator belongs to two vendors.
    """
    names, answers = sorted(by_vendor), _answers(measured, by_vendor)
    if not len(answers.who):
        return empty(VENDORS)
    stratum, weight = _strata(measured)
    blamed = set(found["annotator"].to_pylist())
    rows = []
    for place, name in enumerate(names):
        ours = answers.vendor == place
        if ours.any():
            mine = _Answers(*(column[ours] for column in answers))
            rows.append(
                {"vendor": name, "found_annotators": len(blamed & set(by_vendor[name]))}
                | _figures(measured, mine, answers, stratum, weight)
                | {"seconds_spent": _seconds(people, by_vendor[name])}
            )
    return conform(pa.Table.from_pylist(rows, schema=VENDORS.schema), VENDORS).sort_by("vendor")


def _answers(measured: Study, by_vendor: Mapping[str, Sequence[str]]) -> _Answers:
    coded, whose = measured.coded, vendor_of(by_vendor)
    names = sorted(by_vendor)
    place = np.array([names.index(whose[name]) if name in whose else -1 for name in coded.annotators.to_pylist()])
    vendor = place[coded.annotator] if len(place) else np.zeros(0, np.int64)
    ours = np.flatnonzero(vendor >= 0)
    right = measured.beliefs.others[ours, coded.label[ours]]
    return _Answers(coded.annotator[ours], coded.item[ours], vendor[ours], right)


def _strata(measured: Study) -> tuple[Integers, Reals]:
    """Return each item's stratum, likeliest class and grade of hardness, and each stratum's share of the batch."""
    coded, others = measured.coded, measured.beliefs.others
    items, classes = len(coded.item_ids), len(coded.classes)
    count = np.maximum(np.bincount(coded.item, minlength=items), 1)
    belief = np.stack([np.bincount(coded.item, others[:, k], items) for k in range(classes)], axis=1) / count[:, None]
    is_answered = np.bincount(coded.item, minlength=items) > 0
    sure = certainty(np.maximum(belief, 1e-12))
    bounds = np.quantile(sure[is_answered], np.arange(1, GRADES) / GRADES) if is_answered.any() else np.zeros(0)
    stratum = belief.argmax(axis=1) * GRADES + np.searchsorted(bounds, sure, side="right")
    weight = np.bincount(stratum[is_answered], minlength=classes * GRADES) / max(1, int(is_answered.sum()))
    return stratum.astype(np.int64), weight


def _figures(measured: Study, mine: _Answers, answers: _Answers, stratum: Integers, weight: Reals) -> dict[str, Any]:
    coded, gold = measured.coded, measured.gold[mine.item]
    rows = np.flatnonzero(np.isin(coded.annotator, np.unique(mine.who)))
    tested = int((gold >= 0).sum())
    passed = int(measured.is_right[rows].sum())
    theirs = ~np.isin(answers.who, np.unique(mine.who))
    items = len(coded.item_ids)
    count = np.bincount(answers.item[theirs], minlength=items)
    total = np.bincount(answers.item[theirs], answers.right[theirs], items)
    other = np.divide(total, count, out=np.full(items, np.nan), where=count > 0)[mine.item]
    is_shared = ~np.isnan(other)

    def standard(keep: Flags) -> float:
        size = np.bincount(stratum[mine.item[keep]], minlength=len(weight))
        right = np.bincount(stratum[mine.item[keep]], mine.right[keep], len(weight))
        is_met = size > 0
        return float((weight[is_met] * right[is_met] / size[is_met]).sum() / weight[is_met].sum())

    def difference(keep: Flags) -> float:
        chosen = keep & is_shared
        return float((mine.right[chosen] - other[chosen]).mean()) if chosen.any() else np.nan

    is_covered = weight[np.unique(stratum[mine.item])].sum() >= LEAST_COVERED
    share, low, high = _interval(mine, standard, 0.0) if is_covered else (None, None, None)
    gap, gap_low, gap_high = _interval(mine, difference, -1.0) if is_shared.any() else (None, None, None)
    return {
        "annotators": len(np.unique(mine.who)), "answers": len(mine.who), "items": len(np.unique(mine.item)),
        "right_share": float(mine.right.mean()),
        "standard_share": share, "standard_low": low, "standard_high": high,
        "shared_items": len(np.unique(mine.item[is_shared])),
        "difference": gap, "difference_low": gap_low, "difference_high": gap_high,
        "gold_answers": tested, "gold_right": passed,
        "gold_low": (float(betaincinv(passed, tested - passed + 1, SIDE)) if passed else 0.0) if tested else None,
        "gold_high": (float(betaincinv(passed + 1, tested - passed, 1 - SIDE)) if passed < tested else 1.0)
        if tested else None,
    }  # fmt: skip


def _interval(
    mine: _Answers, estimate: Callable[[NDArray[np.bool_]], float], least: float
) -> tuple[float | None, float | None, float | None]:
    """Return an estimate and its interval by leaving out one part at a time, people or blocks of items; the wider."""
    whole = estimate(np.ones(len(mine.who), dtype=np.bool_))
    errors = []
    blocks = np.unique(mine.item, return_inverse=True)[1]
    blocks = blocks % min(MOST_BLOCKS, blocks.max(initial=0) + 1)
    for parts in (mine.who, blocks):
        names = np.unique(parts)
        if len(names) < FEWEST_PARTS:
            continue
        left = np.array([estimate(parts != name) for name in names])
        left = left[~np.isnan(left)]
        errors.append(np.sqrt((len(left) - 1) / max(1, len(left)) * ((left - left.mean()) ** 2).sum()))
    if not errors or np.isnan(whole):
        return whole, None, None
    width = WIDTH * float(max(errors))
    return whole, max(least, whole - width), min(1.0, whole + width)


def _seconds(people: pa.Table, names: Sequence[str]) -> float | None:
    known = [
        row["seconds_spent"]
        for row in people.select(["annotator", "seconds_spent"]).to_pylist()
        if row["annotator"] in set(names) and row["seconds_spent"] is not None
    ]
    return float(np.median(known)) if known else None
