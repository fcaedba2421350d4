"""From project file and plan to the design of a release's audit, and its draw."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from cupel.certificate.attempts import attempt_levels
from cupel.certificate.design import Design, EProcess, FixedSequence, Rising, Stratified, parse_design
from cupel.certificate.evidence import Limits
from cupel.certificate.result import Terms
from cupel.certificate.rising_plan import choose_rise
from cupel.certificate.sample import draw, marks
from cupel.certificate.sequence import Flags, floor_share
from cupel.project import Release
from cupel.release.names import Names


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
        level = attempt_levels(attempt).wrong
        return Rising(*choose_rise(population, floor_share(settings.error_budget, population), level))
    if declared.method == "stratified":
        return Stratified(
            tuple(stratum.share for stratum in declared.strata), tuple(stratum.audited for stratum in declared.strata)
        )
    if declared.method == "e_process":
        return EProcess(declared.look_every, min(settings.audit_size, population))
    return FixedSequence(min(settings.audit_size, population))


def first_wave(design: Design, names: Names, seed: int, limits: Limits) -> Flags:
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


def terms_of(plan: Mapping[str, Any]) -> Terms:
    """Return the terms of a row of RELEASE_PLAN; plans of before designs existed have a fixed sequence."""
    design = parse_design(plan.get("design"), plan["audit_size"])
    return Terms(plan["error_budget"], plan["attempt"], plan["max_experts_seen_share"], design=design)
