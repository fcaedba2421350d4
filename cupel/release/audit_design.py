"""From project file and plan to the design of a release's audit, and its draw."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from cupel.certificate.design import (
    Design,
    EProcess,
    FixedSequence,
    Rising,
    Stratified,
    design_text,
    method_name,
    parse_design,
)
from cupel.certificate.evidence import Limits
from cupel.certificate.result import Terms
from cupel.certificate.rising_plan import choose_rise
from cupel.certificate.sample import draw, marks
from cupel.certificate.sequence import Flags, floor_share
from cupel.config.release import Release
from cupel.errors import AuditError
from cupel.release.names import Names

# What is declared of the experts stands beside the design.
_OF_EXPERTS = ("adjudicators_audited", "planted_errors")
# And so does what is known of the items before anybody audits them.
_BESIDE = (*_OF_EXPERTS, "undecided")


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
    text, beside = _divided(plan.get("design"))
    adjudicators, planted, undecided = (beside.get(name, 0) for name in _BESIDE)
    return Terms(
        plan["error_budget"], plan["attempt"], plan["max_experts_seen_share"], adjudicators_audited=adjudicators,
        planted_errors=planted, undecided=undecided, design=parse_design(text, plan["audit_size"]),
    )  # fmt: skip


def frozen_settings(plan: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `release` of the project file must say of the audit so that a release is frozen as it was.

    Args:
        plan: Row of RELEASE_PLAN, frozen.

    Returns:
        Values by key, such as `certificate.method`; `audit_size` only where the method uses it.
    """
    terms = terms_of(plan)
    design = terms.design
    said: dict[str, Any] = {"certificate.method": method_name(design), "certificate.strata": []}
    said |= {f"certificate.{name}": getattr(terms, name) or None for name in _OF_EXPERTS}
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


def settings_now(settings: Release, plan: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same of a project file: what it says now, and what follows for a release of that size.

    Args:
        settings: The project's release settings, budget and shares as the release was frozen with.
        plan: Row of RELEASE_PLAN.
    """
    design, limits = design_of(settings, plan["items"], plan["attempt"]), limits_of(settings, plan["attempt"])
    size = design.size if isinstance(design, FixedSequence) else plan["audit_size"]
    now = frozen_settings({**plan, "design": frozen_design(design, limits), "audit_size": size})
    return {"audit_size": min(settings.audit_size, plan["items"]), **now}


def frozen_design(design: Design, limits: Limits) -> str | None:
    """Return the column `design` of RELEASE_PLAN, which `terms_of` reads; null for a plain fixed sequence.

    >>> frozen_design(FixedSequence(100), Limits(0.01, 1, 0.3, adjudicators_audited=40))
    '{"adjudicators_audited":40,"method":"fixed_sequence","size":100}'
    """
    beside = {name: getattr(limits, name) for name in _BESIDE if getattr(limits, name)}
    if not beside:
        return None if isinstance(design, FixedSequence) else design_text(design)
    return _as_json({**json.loads(design_text(design)), **beside})


def _divided(text: str | None) -> tuple[str | None, dict[str, int]]:
    """Return the design alone, and what is declared beside it."""
    if text is None or not any(f'"{name}"' in text for name in _BESIDE):
        return text, {}
    try:
        content = json.loads(text)
        beside = {name: content.pop(name) for name in _BESIDE if name in content}
    except (ValueError, TypeError, AttributeError):
        raise AuditError(f"design: found {text!r}; expected JSON as a release is frozen with") from None
    for name, number in beside.items():
        if not isinstance(number, int) or isinstance(number, bool) or number < 1:
            raise AuditError(f"design: {name}: found {number!r}; expected a number of items, 1 or more")
    return _as_json(content), beside


def _as_json(content: Mapping[str, Any]) -> str:
    return json.dumps(content, sort_keys=True, separators=(",", ":"))
