"""Evidence: are the tables that checks rest on there, and what a run would make of them now?"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from cupel.config.project import Project
from cupel.contract.stages import StageStep, frozen_tables, stage_of
from cupel.errors import SourceError
from cupel.lake.gates import batch_state, gate_of, gate_partition, is_awaiting
from cupel.lake.lake import Lake
from cupel.release.plan import batches_of, is_finished
from cupel.release.proposals import has_changed
from cupel.versions.code_version import gate_version
from orchestration.findings import Finding, Outcome
from orchestration.freshness import gate_outcome
from orchestration.made import has_all_parts, why_not_as_made
from orchestration.scope import Partition

CHECK = "tables_are_current"
FINE = "every table is there, and what a run would make of it now"
RUN = "Run `make run` first, then judge again."
AGAIN = "Read the release's report: it says why, and what to relabel; then `make release BATCH=...` audits anew."
AWAITED = "Answers are awaited; `make run` or the page goes on when they are there."


class Evidence(NamedTuple):
    """The state of one table, and why."""

    outcome: Outcome
    reason: str


class Place(NamedTuple):
    """Where tables are judged: a project's lake, the lake in which its gates have judged, and its data folder."""

    project: Project
    lake: Lake
    judged: Lake
    data: Path


def evidence_findings(
    place: Place, partition: str, is_release: bool, steps: Sequence[StageStep], tables: frozenset[str]
) -> list[Finding]:
    """Return a finding for each stage of the named tables: are they there, and current?

    Args:
        place: The project and its lake.
        partition: Batch or release.
        is_release: It is a release.
        steps: What the project does for it, in the order of the chain.
        tables: Tables that are asked about; what they are made from counts with them.
    """
    is_over = is_release and is_finished(place.lake, partition)
    found = _finished(place, partition, steps) if is_over else _current(place, partition, is_release, steps)
    by_stage: dict[str, dict[str, Evidence]] = {}
    for table in (table for step in steps for table in step.tables if table in tables):
        by_stage.setdefault(stage_of(table).name, {})[table] = found[table]
    findings = [_finding(place, partition, stage, states, is_over) for stage, states in by_stage.items()]
    return findings + ([_is_of_now(place, partition)] if is_over and by_stage else [])


def is_in_a_release(place: Place, batch: str, releases: Sequence[str]) -> Finding:
    """Return the finding whether one of the judged releases holds a batch; a batch without one is no pass.

    Args:
        place: The project and its lake.
        batch: The batch, judged already.
        releases: The releases that hold it.
    """
    state = batch_state(place.judged, batch, place.project)
    reasons = {
        "open": f"no release holds it yet: {state.reason}",
        "pass": "no release holds it yet; `make release` puts it to an audit, or the project's schedule does",
        "fail": f"no release holds it: {state.reason}",
        "missing": f"no release holds it: {state.reason}",
    }
    outcomes: dict[str, Outcome] = {"open": "open", "pass": "open", "fail": "refused"}
    found = Evidence(outcomes.get(state.outcome, "missing"), reasons[state.outcome])
    if releases:
        found = Evidence("pass", f"it is in {', '.join(releases)}")
    return Finding(
        place.project.project, batch, "release", "release_plan", "batch_is_in_a_release", found.outcome, "critical",
        found.reason, {"pass": "", "open": AWAITED}.get(found.outcome, RUN),
        observed=len(releases), comparison="at least", threshold=1,
    )  # fmt: skip


def no_delivery(project: Project) -> Finding:
    """Return the finding about a project that no delivery has reached: there is nothing to judge, and no pass."""
    reason = "no delivery has arrived yet"
    return Finding(project.project, "-", "raw", "raw", CHECK, "open", "critical", reason, "Put one in the inbox.")


def broken(place: Place, partition: Partition, error: Exception) -> Finding:
    """Return the finding about a batch or release of which not even the state of its tables could be told."""
    stage = "release" if partition.is_release else "raw"
    return Finding(
        place.project.project, partition.name, stage, stage, CHECK, "error", "critical", str(error),
        "Mend what the message names, then judge again.",
    )  # fmt: skip


def _current(place: Place, partition: str, is_release: bool, steps: Sequence[StageStep]) -> dict[str, Evidence]:
    """Return the state of each table of a batch, or of a release that has not come to its end."""
    found: dict[str, Evidence] = {}
    if is_release and (awaited := _awaited_batch(place, partition)):
        return {table: Evidence("open", awaited) for step in steps for table in step.tables}
    for step in steps:
        before = [table for table in step.made_from if table in found]
        behind = next((table for table in before if found[table].outcome != "pass"), None)
        closed = next((table for table in before if gate_outcome(place.judged, table, partition) == "fail"), None)
        for table in step.tables:
            own = _own(place, partition, table)
            if own.outcome == "missing" and closed:
                own = Evidence("refused", f"not there: the gate of {closed} refused, and nothing behind it is made")
            found[table] = own if behind is None else _behind(own, behind, found[behind])
    return found


def _own(place: Place, partition: str, table: str) -> Evidence:
    """Return the state of a table, as far as it does not follow from those that it is made from."""
    project, lake, judged, data = place
    commit = lake.commit(table, partition)
    if is_awaiting(judged, table, partition):
        gate = gate_partition(gate_of(table), partition)
        if not lake.is_fresh("gate_results", gate, gate_version(project, gate_of(table))):
            return Evidence("missing", "not there: answers were awaited, and what was awaited has changed since")
        return Evidence("open", str(judged.read("gate_results", gate)["reason"][0].as_py()))
    if commit is not None and table in set(frozen_tables()):
        return Evidence("pass", FINE) if has_all_parts(lake, commit) else Evidence("stale", "a part of it is missing")
    try:
        why = why_not_as_made(lake, project, data, table, partition)
    except SourceError as error:
        why = f"its delivery cannot be read: {error}"
    if why is None:
        return Evidence("pass", FINE)
    return Evidence("missing", f"not there: {why}") if commit is None else Evidence("stale", f"out of date: {why}")


def _behind(own: Evidence, table: str, before: Evidence) -> Evidence:
    """Return the state of a table that is made from one that is not as it should be."""
    if before.outcome == "open":
        return Evidence("open", f"it waits for {table}")
    if own.outcome in ("missing", "refused"):
        outcome: Outcome = "refused" if before.outcome == "refused" else "missing"
        return Evidence(outcome, f"not there: it waits for {table}")
    return own if own.outcome == "stale" else Evidence("stale", f"out of date: {table} is")


def _awaited_batch(place: Place, release: str) -> str | None:
    """Return what a release that is not frozen yet awaits of its batches."""
    if place.lake.commit("release_plan", release) is not None:
        return None
    states = {batch: batch_state(place.judged, batch, place.project) for batch in batches_of(release, place.project)}
    return next((f"it waits for {batch}: {state.reason}" for batch, state in states.items() if state.outcome == "open"),
                None)  # fmt: skip


def _finished(place: Place, release: str, steps: Sequence[StageStep]) -> dict[str, Evidence]:
    """Return the state of each table of a release that has come to its end: none is ever made anew."""
    plan = place.lake.read("release_plan", release).to_pylist()[0]
    why = f"the release was refused: {plan['reason']}" if plan["status"] == "refused" else "the release was refused"
    absent: Outcome = "refused"
    if place.lake.commit("manifest", release) is not None:
        absent = "missing"
        why = "it was there when the release was handed over; restore it from a copy"
    found: dict[str, Evidence] = {}
    for table in (table for step in steps for table in step.tables):
        commit = place.lake.commit(table, release)
        if commit is None:
            found[table] = Evidence(absent, f"not there: {why}")
        else:
            is_whole = has_all_parts(place.lake, commit)
            found[table] = Evidence("pass", FINE) if is_whole else Evidence("missing", "a part of it is missing")
    return found


def _finding(place: Place, partition: str, stage: str, states: dict[str, Evidence], is_over: bool) -> Finding:
    """Put the states of a stage's tables into one finding: the worst of them, and every reason with its tables."""
    order = ("missing", "stale", "refused", "open", "pass")
    worst = min((state.outcome for state in states.values()), key=order.index)
    odd: dict[str, list[str]] = {}
    for table, state in states.items():
        if state.outcome != "pass":
            odd.setdefault(state.reason, []).append(table)
    remedy = {"pass": "", "open": AWAITED}.get(worst, AGAIN if is_over else RUN)
    return Finding(
        place.project.project, partition, stage, stage, CHECK, worst, "critical",
        "; ".join(f"{', '.join(tables)}: {reason}" for reason, tables in odd.items()) or FINE, remedy,
        observed=sum(map(len, odd.values())), comparison="at most", threshold=0,
    )  # fmt: skip


def _is_of_now(place: Place, release: str) -> Finding:
    """Say whether a finished release still holds the labels of now; later ones are no fault, but should be known."""
    is_changed = has_changed(place.lake, place.project, release)
    return Finding(
        place.project.project, release, "release", "release_items", "labels_are_those_of_now",
        "fail" if is_changed else "pass", "warning",
        "A release stays as it was frozen; later answers are in the next one.",
        "`make release BATCH=...` audits the labels of now.",
        observed=float(is_changed), comparison="at most", threshold=0,
    )  # fmt: skip
