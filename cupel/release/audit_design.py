"""From the project file to the design of a release's audit and its draw, and back."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from cupel.certificate.design import (
    Design,
    EProcess,
    FixedSequence,
    Rising,
    Stratified,
    method_name,
)
from cupel.certificate.evidence import Limits
from cupel.certificate.hypergeometric import Integers
from cupel.certificate.outlook import smallest_proof
from cupel.certificate.rising_plan import choose_rise
from cupel.certificate.sample import draw, marks
from cupel.certificate.sequence import Flags, floor_share
from cupel.certificate.slice_budgets import MISSED, WRONG, SliceBudget, most_allowed, tested_level
from cupel.config.release import Release
from cupel.contract.class_places import ClassPlace
from cupel.release.frozen_terms import FrozenTerms
from cupel.release.names import Names
from cupel.release.slices import find_slice

# A fixed sequence audits so many times the smallest sample that would prove a budget without a find.
TIMES_SMALLEST = 2
# What is declared of the experts, besides the design.
_OF_EXPERTS = ("adjudicators_audited", "planted_errors")


def limits_of(settings: Release, attempt: int) -> Limits:
    """Return what a project file declares besides the design.

    Args:
        settings: The project's release settings.
        attempt: How often the items are put to an audit, this time included.
    """
    declared = settings.certificate
    return Limits(
        settings.error_budget, attempt, settings.max_experts_seen_share,
        adjudicators_audited=declared.adjudicators_audited or 0, planted_errors=declared.planted_errors or 0,
        max_undecided_share=declared.max_undecided_share, bounds_slices=True,
        slice_budgets=len(list(declared_budgets(settings))),
    )  # fmt: skip


def design_of(settings: Release, population: int, attempt: int) -> Design:
    """Return the design that a project file declares for a release of so many items.

    Args:
        settings: The project's release settings.
        population: Items of the release, at least 1.
        attempt: How often they are put to an audit, this time included.
    """
    declared = settings.certificate
    if declared.method == "rising":
        if declared.gain is not None and declared.steps is not None:
            return Rising(declared.gain, declared.steps)
        limits = limits_of(settings, attempt)
        return Rising(*choose_rise(population, floor_share(limits.tested_budget, population), limits.levels.wrong))
    if declared.method == "stratified":
        return Stratified(
            tuple(stratum.share for stratum in declared.strata), tuple(stratum.audited for stratum in declared.strata)
        )
    if declared.method == "e_process":
        return EProcess(declared.look_every, min(settings.audit_size, population))
    return FixedSequence(min(settings.audit_size, population))


def make_budgets(
    settings: Release, limits: Limits, items: pa.Table, places: Integers, classes: Sequence[ClassPlace]
) -> tuple[SliceBudget, ...]:
    """Return the budgets by class and slice that a project file declares, each with the design of its audit.

    Args:
        settings: The project's release settings.
        limits: What it declares besides.
        items: RELEASE_ITEMS in risk order, with the columns that slices are of.
        places: Of their labels.
        classes: The classes that there are.
    """
    budgets = []
    for by, value, counts, share, audited in declared_budgets(settings):
        inside, base = find_slice(by, value, counts, items, places, classes)
        plain = SliceBudget(by, value, counts, share, FixedSequence(1))
        allowed = max(most_allowed(plain, int(base.sum())), 0)
        design = _choose_design(settings, limits, int(inside.sum()), allowed, audited)
        budgets.append(plain._replace(design=design))
    return tuple(budgets)


def declared_budgets(settings: Release) -> Iterator[tuple[str, str, str, float, int | None]]:
    """Yield each budget as it is declared: by what, which value, what counts, the share, and the items audited."""
    by = settings.certificate.by
    for slice_by, values in by.items():
        for value, budget in values.items():
            for counts, share in ((WRONG, budget.wrong), (MISSED, budget.missed)):
                if share is not None:
                    yield slice_by, value, counts, share, budget.audited


def _choose_design(settings: Release, limits: Limits, size: int, allowed: int, audited: int | None) -> Design:
    level = tested_level(limits)
    if settings.certificate.method == "rising":
        return Rising(*choose_rise(max(size, 1), allowed, level))
    if audited is not None:
        return FixedSequence(min(audited, size))
    return FixedSequence(min(size, TIMES_SMALLEST * smallest_proof(size, allowed, level, limits.best_sensitivity)))


def draw_first_wave(design: Design, names: Names, seed: int, limits: Limits) -> Flags:
    """Return the items that are audited whatever is found.

    Args:
        design: The design.
        names: The items, in risk order.
        seed: Seed of the draw.
        limits: What was declared besides the design.
    """
    if isinstance(design, FixedSequence):
        flags = np.zeros(len(names), dtype=np.bool_)
        flags[draw(names, design.size, seed)] = True
        return flags
    return design.first_wave(marks(names, seed), limits)


def frozen_settings(terms: FrozenTerms) -> dict[str, Any]:
    """Return what `release` of the project file must say of the audit so that a release is frozen as it was.

    Args:
        terms: Of a release that was frozen.

    Returns:
        Values by key, such as `certificate.method`; `audit_size` only where the method uses it.
    """
    design = terms.design
    said: dict[str, Any] = {"certificate.method": method_name(design), "certificate.strata": []}
    said |= {f"certificate.{name}": getattr(terms, name) or None for name in _OF_EXPERTS}
    if terms.max_undecided_share is not None:
        said["certificate.max_undecided_share"] = terms.max_undecided_share
    if isinstance(design, Rising):
        said |= {"certificate.gain": design.gain, "certificate.steps": design.steps}
    elif isinstance(design, Stratified):
        parts = zip(design.shares, design.sizes, strict=True)
        said["certificate.strata"] = [{"share": share, "audited": size} for share, size in parts]
    elif isinstance(design, EProcess):
        said |= {"certificate.look_every": design.step, "audit_size": design.most}
    elif isinstance(design, FixedSequence):
        said["audit_size"] = design.size
    return said


def settings_now(settings: Release, terms: FrozenTerms) -> dict[str, Any]:
    """Return the same of a project file: what it says now, and what follows for a release of that size.

    Args:
        settings: The project's release settings, budget and shares as the release was frozen with.
        terms: Of the release.
    """
    limits = limits_of(settings, terms.attempt)
    now = replace(
        terms, design=design_of(settings, terms.items, terms.attempt),
        **{name: getattr(limits, name) for name in (*_OF_EXPERTS, "max_undecided_share")},
    )  # fmt: skip
    return {"audit_size": min(settings.audit_size, terms.items), **frozen_settings(now)}
