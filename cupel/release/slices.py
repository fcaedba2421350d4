"""Slices of a release: which of its frozen items a budget or bound speaks of, by class, language, source or column."""

import hashlib
import json
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cupel.certificate.hypergeometric import Integers, Reals
from cupel.certificate.sequence import Flags
from cupel.certificate.slice_budgets import (
    CLASS,
    MISSED,
    Slice,
    SliceBudget,
    first_wave_of,
)
from cupel.contract.class_places import ClassPlace
from cupel.release.frozen_terms import FrozenTerms
from cupel.release.names import PIECE_ROWS

# What an item is sliced by besides its class, and the column of RELEASE_ITEMS that says it.
SLICED_BY = {"language": "language", "source": "source_file"}
# Those that the other hash of the frozen items does not cover.
HASHED = ("language", "source_file", "licence", "decided_by")
# Of these, what items bring along from cleaning.
SLICED = HASHED[:3]


def hash_slices(items: pa.Table) -> str:
    """Return the hash of what items are sliced by, besides label and batch.

    Args:
        items: Columns risk_rank and those of `HASHED`, any row order.
    """
    digest = hashlib.sha256()
    for piece in items.select(["risk_rank", *HASHED]).sort_by("risk_rank").to_batches(PIECE_ROWS):
        rows = zip(*(column.to_pylist() for column in piece.columns), strict=True)
        digest.update("".join(json.dumps(row, separators=(",", ":")) for row in rows).encode())
    return digest.hexdigest()


def find_slice(
    by: str, value: str, counts: str, items: pa.Table, places: Integers, classes: Sequence[ClassPlace]
) -> tuple[Flags, Flags]:
    """Return the items that may count against a budget or bound, and those that its share is of.

    Args:
        by: class, or what else items are sliced by.
        value: Which class, or which value.
        counts: wrong or missed.
        items: RELEASE_ITEMS in risk order, with the column in question.
        places: Of their labels, see `split_labels`.
        classes: The classes that there are.

    Returns:
        Flags of the items; none where nothing is of that value.
    """
    if by != CLASS:
        column = items[SLICED_BY.get(by, by)]
        inside = np.asarray(pc.fill_null(pc.equal(column, value), False), np.bool_)
        return inside, inside
    place = next((one for one in classes if one.name == value), None)
    if place is None:
        nobody = np.zeros(items.num_rows, np.bool_)
        return nobody, nobody
    inside = places[:, place.part] == place.place
    return (~inside if counts == MISSED else inside), inside


def count_against(
    budget: SliceBudget, found: tuple[Flags, Flags], expert_places: Integers, is_settled: Flags, is_wrong: Flags,
    is_contested: Flags, classes: Sequence[ClassPlace],
) -> Slice:  # fmt: skip
    """Return what experts say of the items of a budget; see `Slice`.

    Args:
        budget: The budget.
        found: Its items, see `find_slice`.
        expert_places: Of the experts' labels, -1 where there is none; shape items x parts.
        is_settled: Items with a verdict; all flags of shape items, in risk order.
        is_wrong: Those whose label differs from the experts'.
        is_contested: Those on which experts stay split.
        classes: The classes that there are.
    """
    items, base = found
    place = next((one for one in classes if one.name == budget.value), None) if budget.by == CLASS else None
    if place is None:
        return Slice(items, items & is_wrong, base, base & is_contested)
    is_said = expert_places[:, place.part] == place.place
    is_out = is_settled & ~is_contested & ~is_said
    is_counted = (is_said & is_settled) if budget.counts == MISSED else is_out
    return Slice(items, items & is_counted, base, base & (is_out | is_contested))


def draw_for_budgets(
    terms: FrozenTerms, items: pa.Table, places: Integers, classes: Sequence[ClassPlace], marks: Reals
) -> Flags:
    """Return the items that budgets by class and slice have audited whatever is found.

    Args:
        terms: Of the release, its budgets among them.
        items: RELEASE_ITEMS in risk order, with the columns that slices are of.
        places: Of their labels, see `split_labels`.
        classes: The classes that there are.
        marks: Of the items in the draw.
    """
    drawn = np.zeros(items.num_rows, np.bool_)
    for budget, part in zip(terms.budgets, find_unasked_slices(terms, items, places, classes), strict=True):
        drawn |= first_wave_of(budget, part, marks, terms)
    return drawn


def find_unasked_slices(
    terms: FrozenTerms, items: pa.Table, places: Integers, classes: Sequence[ClassPlace]
) -> list[Slice]:
    """Return the items of each budget by class or slice, before any expert was asked; see `draw_for_budgets`."""
    nothing = np.zeros(items.num_rows, np.bool_)
    found = [find_slice(*budget[:3], items, places, classes) for budget in terms.budgets]
    return [Slice(inside, nothing, base, nothing) for inside, base in found]
