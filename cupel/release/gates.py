"""Gates as data: which have passed for the tables as they are now. Stale or missing is not passed."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from cupel.config.project import Project
from cupel.lake import Commit, Lake
from cupel.release.remembered import Row, rows_of
from cupel.step import Step, code_version
from cupel.tables import GATE_RESULTS, TABLES, from_rows

# The table that stands for its stage: the stage's gate judges it, and what comes after waits for it.
GATED_TABLES = {
    "raw": "raw_items",
    "cleaning": "clean_items",
    "labeling": "consensus",
    "checking": "labels",
    "release": "certificate",
}
BATCH_STAGES = ("raw", "cleaning", "labeling", "checking")
Outcome = Literal["pass", "fail", "open", "missing"]


class GateState(NamedTuple):
    """Where a batch or release stands: the outcome of all its gates, and the stage and reason that decide it."""

    outcome: Outcome
    stage: str
    reason: str


def gate_of(table: str) -> str:
    """Return the name of the gate that judges a table: its stage's, or one of its own.

    >>> gate_of("raw_items"), gate_of("annotators")
    ('raw', 'annotators')
    """
    stage = TABLES[table].stage
    return stage if GATED_TABLES.get(stage) == table else table


def gate_partition(gate: str, partition: str) -> str:
    """Return the partition of `gate_results` that a gate writes for a batch or release.

    >>> gate_partition("raw", "movies")
    'raw--movies'
    """
    return f"{gate}--{partition}"


def gates_of(project: Project, stages: Sequence[str]) -> list[str]:
    """Return the gates of some stages: theirs, those of gold, and those of tables with a team's expectations."""
    tables = [expectation.table for expectation in project.expectations if expectation.table in TABLES]
    if project.labeling.gold is not None:
        tables.append("annotators")
    own = {gate_of(table) for table in tables if _counts_to(table, stages)}
    return [*stages, *sorted(own - set(stages))]


def gate_rows(lake: Lake, partition: str, stages: Sequence[str] | None = None) -> list[Row]:
    """Return all rows of `gate_results` for a batch or release, as they were written, by gate and check.

    Args:
        lake: The project's lake.
        partition: Batch or release.
        stages: Stages of a batch or of a release; None for all.
    """
    rows = [
        row
        for gate in _judged_by(lake, partition)
        for row in rows_of(lake, "gate_results", gate_partition(gate, partition))
    ]
    return rows if stages is None else [row for row in rows if row["stage"] in stages]


def batch_state(lake: Lake, batch: str, project: Project | None = None) -> GateState:
    """Tell whether every gate of a batch has passed for its tables as they are now.

    Args:
        lake: The project's lake.
        batch: The batch.
        project: With it, gates that only this project has must have passed too, and the outcome must
            have been reached with its present thresholds.

    Returns:
        The first stage whose gate failed; without one, the first that is open or missing.
    """
    return _state(lake, batch, BATCH_STAGES, project)


def release_state(lake: Lake, release: str, project: Project | None = None) -> GateState:
    """Tell whether every gate of a release has passed; see `batch_state`."""
    return _state(lake, release, ("release",), project)


def closed_gates(lake: Lake, batches: Iterable[str], project: Project | None = None) -> dict[str, GateState]:
    """Return the batches whose gates have not all passed for the tables as they are now, and why."""
    states = {batch: batch_state(lake, batch, project) for batch in batches}
    return {batch: state for batch, state in states.items() if state.outcome != "pass"}


def open_gate(step: Step, stage: str, table: str, awaited: str) -> str:
    """Record that a stage is open: its table is not written, because something is awaited.

    Args:
        step: The step that found out; what it read so far is what the outcome rests on.
        stage: The stage.
        table: The table that is not written.
        awaited: What is awaited.

    Returns:
        A line for the log.
    """
    said = {"outcome": "open", "comparison": "at least", "reason": awaited, "table_name": table, "table_hash": ""}
    _write_row(step, table, {"stage": stage, "check": f"{table}_awaited", **said})
    return f"{stage} gate of {step.partition}: open: {awaited}"


def refuse_for_terms(step: Step, plan: Commit, forbidden: int, reason: str) -> str:
    """Record that the release gate is closed before the audit, because terms forbid items.

    Args:
        step: The step that found out.
        plan: The plan that says so, as it was written.
        forbidden: Items that their terms forbid.
        reason: Which, and why.

    Returns:
        A line for the log.
    """
    said = {"outcome": "fail", "observed": float(forbidden), "threshold": 0.0, "comparison": "at most"}
    judged = {"reason": reason, "table_name": plan.table, "table_hash": plan.hash}
    _write_row(step, "certificate", {"stage": "release", "check": "items_forbidden", **said, **judged})
    return f"release gate of {step.partition}: closed: {reason}"


def _write_row(step: Step, table: str, row: Row) -> None:
    """Write the only outcome of the gate of a table, which was not written."""
    rows = from_rows([{"partition": step.partition, "severity": "critical", "item_ids": [], **row}], GATE_RESULTS)
    version = code_version(step.project, "gates")
    step.lake.write("gate_results", gate_partition(gate_of(table), step.partition), rows, step.inputs, version)


def is_judged(project: Project, table: str) -> bool:
    """Tell whether a project has a gate that judges this table."""
    return GATED_TABLES.get(TABLES[table].stage) == table or table in gates_of(project, list(GATED_TABLES))


def is_awaiting(lake: Lake, table: str, partition: str) -> bool:
    """Tell whether a table's gate is open because the table was not written: something is awaited."""
    name = gate_partition(gate_of(table), partition)
    if lake.commit("gate_results", name) is None:
        return False
    rows = rows_of(lake, "gate_results", name)
    return bool(rows) and all(row["outcome"] == "open" and not row["table_hash"] for row in rows)


def _counts_to(table: str, stages: Sequence[str]) -> bool:
    # Tasks are asked per batch, and contamination is found in one: a gate of theirs, if a team wants one, is a batch's.
    stage = TABLES[table].stage
    return stage in stages or (stage in ("tasks", "contamination") and "raw" in stages)


def _state(lake: Lake, partition: str, stages: Sequence[str], project: Project | None) -> GateState:
    gates = [*stages, *_own_gates(lake, partition, stages)] if project is None else gates_of(project, stages)
    states = [_gate_state(lake, gate, partition, project) for gate in gates]
    closed = [state for state in states if state.outcome != "pass"]
    failed = [state for state in closed if state.outcome == "fail"]
    passed = GateState("pass", stages[-1], "every gate has passed")
    return (failed or closed or [passed])[0]


def _own_gates(lake: Lake, partition: str, stages: Sequence[str]) -> list[str]:
    """Return the gates beside those of the stages that have judged a batch or release."""
    gates = [gate for gate in _judged_by(lake, partition) if gate in TABLES and gate not in stages]
    return [gate for gate in gates if _counts_to(gate, stages)]


def _judged_by(lake: Lake, partition: str) -> list[str]:
    """Return the gates that have judged a batch or release, by name; of a long list only its own are looked at."""
    folder = Path(str(lake.partition_folder("gate_results", partition))).parent
    ending = gate_partition("", partition)
    names = [name for name in os.listdir(folder) if name.endswith(ending)] if folder.is_dir() else []
    gates = sorted(name.removesuffix(ending) for name in names)
    # A batch's name may have two dashes in it, a gate's has not.
    return [
        gate for gate in gates
        if "--" not in gate and lake.commit("gate_results", gate_partition(gate, partition)) is not None
    ]  # fmt: skip


def _gate_state(lake: Lake, gate: str, partition: str, project: Project | None) -> GateState:
    name = gate_partition(gate, partition)
    commit = lake.commit("gate_results", name)
    stage = TABLES[gate].stage if gate in TABLES and gate not in GATED_TABLES else gate
    if commit is None:
        return GateState("missing", stage, f"the {gate} gate has not judged it yet")
    version = commit.code_version if project is None else code_version(project, "gates")
    rows = rows_of(lake, "gate_results", name)
    if not rows or not lake.is_fresh("gate_results", name, version) or not all(_is_of_now(lake, row) for row in rows):
        return GateState("missing", stage, f"the {gate} gate judged other tables than those of now; run it again")
    return _judged(stage, rows)


def _is_of_now(lake: Lake, row: Row) -> bool:
    if not row["table_hash"]:
        return True  # open: there is no table; the inputs say whether that still holds
    commit = lake.commit(row["table_name"], row["partition"])
    return commit is not None and commit.hash == row["table_hash"]


def _judged(stage: str, rows: list[Row]) -> GateState:
    failed = [row["check"] for row in rows if row["outcome"] == "fail" and row["severity"] == "critical"]
    if failed:
        return GateState("fail", stage, f"checks failed: {', '.join(failed)}")
    awaited = [row["reason"] for row in rows if row["outcome"] == "open"]
    if awaited:
        return GateState("open", stage, awaited[0])
    return GateState("pass", stage, "every check has passed")
