"""The table of bounds by class and slice of a release, all of them and the certificate together at 95%."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cupel.certificate.sequence import Flags
from cupel.certificate.slice_bounds import LeftBound, bound_left
from cupel.certificate.slice_budgets import CLASS, LEAST_SLICE_ITEMS, MISSED, WRONG
from cupel.contract.table import from_rows
from cupel.contract.tables.release import SLICE_BOUNDS
from cupel.release.release_audit import ReleaseAudit
from cupel.release.slices import HASHED, SLICED_BY, find_slice

# Of a smaller share nothing is bounded: an audit sees too little of it, and each bound makes the others wider.
LEAST_SHARE = 0.01
PART = "part"
# A bound above this says nothing that a guess would not.
USELESS = 0.5
# Of RELEASE_ITEMS, what is read for the bounds.
NEEDED_ITEMS = HASHED


class _Row(NamedTuple):
    """A slice to be bounded: the items, and whether what is missed is bounded, too."""

    by: str
    value: str
    items: Flags
    has_missed: bool


def bound_slices(audit: ReleaseAudit) -> pa.Table:
    """Bound what may be wrong, and of classes what may be missed, in each class and slice of at least 1%.

    Which are bounded is known before the draw: it follows from the frozen items. Classes and slices with a budget are
    among them whatever their share; the others are counted in one row a kind.

    Args:
        audit: With its items, audit, adjudications and planted verdicts; of the items with `NEEDED_ITEMS`.

    Returns:
        SLICE_BOUNDS; bounds are null while the audit is not at its end, and where nothing is proven.
    """
    if not audit.terms.bounds_slices or not audit.items.num_rows:
        return from_rows([], SLICE_BOUNDS)
    found = list(_find_rows(audit))
    number = sum(1 + row.has_missed for row in found)
    rows = [_bound_row(audit, row, audit.terms.levels.slices / max(number, 1)) for row in found]
    return from_rows([*rows, *_others(audit, found)], SLICE_BOUNDS)


def _find_rows(audit: ReleaseAudit) -> Iterator[_Row]:
    size, named = audit.items.num_rows, {(budget.by, budget.value) for budget in audit.terms.budgets}
    for one in audit.classes:
        inside = audit.places[:, one.part] == one.place
        if inside.sum() >= LEAST_SHARE * size or (CLASS, one.name) in named:
            yield _Row(CLASS, one.name, inside, has_missed=True)
    for by in ("language", "source"):
        values = _count_values(audit, by)
        large = {value for value, number in values.items() if number >= LEAST_SHARE * size}
        for value in sorted((large if len(large) > 1 else set()) | {value for key, value in named if key == by}):
            yield _Row(by, value, find_slice(by, value, WRONG, audit.items, audit.places, audit.classes)[0], False)
    for by, value in sorted(named):
        if by not in (CLASS, "language", "source"):
            yield _Row(by, value, find_slice(by, value, WRONG, audit.items, audit.places, audit.classes)[0], False)
    if audit.kind is not None and audit.places.shape[1] > 1:
        for part in audit.kind.parts(audit.terms.ontology):
            yield _Row(PART, part.name, np.ones(size, np.bool_), has_missed=False)


def _count_values(audit: ReleaseAudit, by: str) -> dict[str, int]:
    counts = pc.value_counts(audit.items[SLICED_BY[by]]).to_pylist()
    return {entry["values"]: entry["counts"] for entry in counts if entry["values"] is not None}


def _bound_row(audit: ReleaseAudit, row: _Row, alpha: float) -> dict[str, Any]:
    """Return the row of one slice: its counts, and its bounds each at so much alpha."""
    verdicts, experts = audit.item_verdicts, audit.expert_places
    is_settled = verdicts.is_settled & ~verdicts.is_contested
    place = next((one for one in audit.classes if one.name == row.value), None) if row.by == CLASS else None
    if row.by == PART and audit.kind is not None:
        number = [part.name for part in audit.kind.parts(audit.terms.ontology)].index(row.value)
        is_wrong = is_settled & (experts[:, number] != audit.places[:, number])
    elif place is not None:
        is_wrong = is_settled & row.items & (experts[:, place.part] != place.place)
    else:
        is_wrong = verdicts.is_wrong & row.items
    is_missed = np.zeros(len(is_wrong), np.bool_)
    in_the_end = row.items & ~verdicts.is_contested
    if place is not None:
        is_missed = is_settled & ~row.items & (experts[:, place.part] == place.place)
        in_the_end = (in_the_end & ~is_wrong) | is_missed
    counts = {
        "release": audit.terms.release, "by": row.by, "value": row.value, "items": int(row.items.sum()),
        "items_left": int(in_the_end.sum()), "audited": int((row.items & audit.evidence.is_audited).sum()),
        "wrong": int(is_wrong.sum()), "missed": int(is_missed.sum()) if row.has_missed else None,
    }  # fmt: skip
    bounds = _shares(audit, row, is_wrong, is_missed, alpha, int(in_the_end.sum()))
    return {**counts, **bounds, **_budgets_of(audit, row, bounds)}


def _shares(
    audit: ReleaseAudit, row: _Row, is_wrong: Flags, is_missed: Flags, alpha: float, left: int
) -> dict[str, float | None]:
    """Return the bounds of a slice as shares; null where nothing is proven."""
    nothing: dict[str, float | None] = {"wrong_upper": None, "missed_upper": None}
    assay, items = audit.assay, int(row.items.sum())
    if not assay.is_audited or assay.result.status == "open" or items < LEAST_SLICE_ITEMS:
        return nothing

    def bound(among: Flags, counted: Flags) -> LeftBound:
        return bound_left(audit.evidence, audit.terms, assay.result, among, counted, alpha, assay.verdicts_left)

    wrong, missed = bound(row.items, is_wrong), None
    if row.has_missed:
        missed = bound(~row.items, is_missed)
    is_left = wrong.left_upper is not None
    most = _most_left(audit) if is_left else items
    wrong_most = min(wrong.left_upper if wrong.left_upper is not None else wrong.frozen_upper, most)
    # Contested items aside: those that nobody has met are in the slice, but no label of it is right or wrong.
    base = (left if is_left else items) - _most_contested(audit, row.items, is_left)
    shares = nothing.copy()
    if wrong.audited and base > 0:
        shares["wrong_upper"] = _useful(wrong_most / base)
    if missed is not None and missed.audited:
        missed_most = missed.frozen_upper if missed.left_upper is None else min(missed.left_upper, most)
        right = max(base - wrong_most, 0)
        shares["missed_upper"] = _useful(missed_most / (missed_most + right)) if missed_most + right else None
    return shares


def _most_left(audit: ReleaseAudit) -> int:
    """Return how many labels of the whole release are wrong at most: those of a slice are among them."""
    bound, result = audit.assay.result.error_bound, audit.assay.result
    return audit.items.num_rows if bound is None else int(Fraction(bound) * result.items) + 1


def _most_contested(audit: ReleaseAudit, items: Flags, is_left: bool) -> int:
    """Return how many items of a slice may be contested without being known to be: they stay in the release.

    By the bound of contested items that the certificate has paid for.
    """
    if not audit.terms.can_be_contested:
        return 0
    known = audit.item_verdicts.is_contested
    upper = audit.contested_upper(audit.terms.levels.contested) - int(known.sum())
    unseen = int((items & ~audit.item_verdicts.is_settled).sum())
    return max(0, min(upper, unseen)) + (0 if is_left else int((items & known).sum()))


def _useful(share: float) -> float | None:
    return share if share <= USELESS else None


def _budgets_of(audit: ReleaseAudit, row: _Row, bounds: dict[str, float | None]) -> dict[str, Any]:
    """Return the budgets of a slice, and whether they are kept; where they are, no bound is above its budget."""
    budgets = {one.counts: one.share for one in audit.terms.budgets if (one.by, one.value) == (row.by, row.value)}
    found: dict[str, Any] = {"wrong_budget": budgets.get(WRONG), "missed_budget": budgets.get(MISSED), "is_kept": None}
    if budgets and audit.assay.result.status != "open":
        found["is_kept"] = audit.assay.result.status == "certified"
    if found["is_kept"]:
        for counts, share in budgets.items():
            shown = bounds[f"{counts}_upper"]
            found[f"{counts}_upper"] = share if shown is None else min(shown, share)
    return found


def _others(audit: ReleaseAudit, found: list[_Row]) -> Iterator[dict[str, Any]]:
    """Yield a row for the classes of which nothing is proven, as they are too rare."""
    shown = {row.value for row in found if row.by == CLASS}
    others = [one for one in audit.classes if one.name not in shown]
    items = [int((audit.places[:, one.part] == one.place).sum()) for one in others]
    if others:
        yield {
            "release": audit.terms.release, "by": CLASS, "value": f"{len(others):,} others, each under 1%",
            "items": sum(items), "items_left": None, "audited": None, "wrong": None, "missed": None,
            "wrong_upper": None, "missed_upper": None, "wrong_budget": None, "missed_budget": None, "is_kept": None,
        }  # fmt: skip
