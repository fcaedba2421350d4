"""Gates as data: which have passed for the tables as they are now. Stale or missing is not passed."""

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from cupel.config.project import Project
from cupel.contract.stages import (
    STAGES,
    Partition,
    find_step,
    frozen_tables,
    partitioned_stages,
    stage_of,
    tables_before,
)
from cupel.contract.table import from_rows
from cupel.contract.tables import TABLES
from cupel.contract.tables.gates import GATE_RESULTS
from cupel.errors import ClosedGateError, GateError
from cupel.lake.cached_rows import Row, rows_of
from cupel.lake.lake import Commit, Lake
from cupel.lake.step import Step
from cupel.versions.code_version import gate_version

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
    stage = stage_of(table)
    return stage.name if stage.gate == table else table


def gated_stages(partition: Partition) -> tuple[str, ...]:
    """Return the stages of a batch or of a release that have a gate, in the order of the chain.

    >>> gated_stages("batch")
    ('raw', 'cleaning', 'labeling', 'checking')
    """
    return tuple(stage.name for stage in partitioned_stages(partition) if stage.gate is not None)


def gate_partition(gate: str, partition: str) -> str:
    """Return the partition of `gate_results` that a gate writes for a batch or release.

    >>> gate_partition("raw", "movies")
    'raw--movies'
    """
    return f"{gate}--{partition}"


def gates_of(project: Project, partition: Partition) -> list[str]:
    """Return the gates of a batch or release: its stages', those of gold, and those of tables that a team judges."""
    tables = [expectation.table for expectation in project.expectations if expectation.table in TABLES]
    if project.labeling.gold is not None:
        tables.append("annotators")
    stages = gated_stages(partition)
    own = {gate_of(table) for table in tables if stage_of(table).partition == partition}
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
    return _state(lake, batch, "batch", project)


def release_state(lake: Lake, release: str, project: Project | None = None) -> GateState:
    """Tell whether every gate of a release has passed; see `batch_state`."""
    return _state(lake, release, "release", project)


def closed_gates(lake: Lake, batches: Iterable[str], project: Project | None = None) -> dict[str, GateState]:
    """Return the batches whose gates have not all passed for the tables as they are now, and why."""
    states = {batch: batch_state(lake, batch, project) for batch in batches}
    return {batch: state for batch, state in states.items() if state.outcome != "pass"}


def check_gates_before(step: Step, tables: Iterable[str]) -> None:
    """Hold some tables to the gates before them, whoever runs the step: an executor need not know what blocks.

    A gate that is open lets through what asks the people whose answers it awaits, unless its table is not written
    while something is awaited: if such a table is there all the same, it is one from before.

    Args:
        step: The step that is about to write.
        tables: The tables that it writes.

    Raises:
        ClosedGateError: A gate before them has failed, or is open and they must not pass.
        GateError: A gate before them has not judged the tables as they are now.
    """
    named = list(tables)
    if not named:  # a report is no table, and tells of closed gates too
        return
    before = tables_before(step.project, named, _partition_of(named))
    states = {
        table: _gate_state(step.lake, gate_of(table), step.partition, step.project)
        for table in sorted(before)
        if _blocks(step.project, table)
    }
    held = [table for table, state in states.items() if not _lets_through(step.project, table, state)]
    if not held:
        return
    # A refusal is what is said, also where a gate behind it has not judged what is there now.
    table = min(held, key=lambda table: ("fail", "missing", "open").index(states[table].outcome))
    state = states[table]
    behind = f"{step.partition}: {', '.join(named)} stand behind the {gate_of(table)} gate, and {state.reason}; "
    behind += f"nothing is written. Materialize {table} together with its checks, or mend what they found"
    if state.outcome == "missing":
        raise GateError(behind)
    raise ClosedGateError(behind, is_open=state.outcome == "open")


def _partition_of(tables: Sequence[str]) -> Partition:
    partition = stage_of(tables[0]).partition
    if partition is None:
        raise GateError(f"table {tables[0]}: it belongs to no batch or release, so no gate stands before it")
    return partition


def _lets_through(project: Project, table: str, state: GateState) -> bool:
    """Tell whether what is made from a gated table may be written."""
    writer = find_step(project, table)
    is_from_before = writer is not None and writer.may_wait
    return state.outcome == "pass" or (state.outcome == "open" and not is_from_before)


def _blocks(project: Project, table: str) -> bool:
    """Tell whether a table has a gate that what is made from it must wait for."""
    own = (one.severity == "critical" for one in project.expectations if one.table == table)
    return stage_of(table).gate == table or any(own)


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
    gate = gate_of(table)
    version = gate_version(step.project, gate)
    step.lake.write("gate_results", gate_partition(gate, step.partition), rows, step.inputs, version)


def is_judged(project: Project, table: str) -> bool:
    """Tell whether a project has a gate that judges this table."""
    stage = stage_of(table)
    return stage.gate == table or (stage.partition is not None and table in gates_of(project, stage.partition))


def is_awaiting(lake: Lake, table: str, partition: str) -> bool:
    """Tell whether a table's gate is open because the table was not written: something is awaited."""
    return _was_awaiting(lake, table, partition) and not is_left_over(lake, gate_of(table), partition)


def is_left_over(lake: Lake, gate: str, partition: str) -> bool:
    """Tell whether a gate says that a freeze is awaited which is there by now: a frozen table stays, and so it is over.

    Args:
        lake: The project's lake.
        gate: The gate.
        partition: Batch or release.
    """
    is_frozen = gate in frozen_tables() and lake.commit(gate, partition) is not None
    return is_frozen and _was_awaiting(lake, gate, partition)


def _was_awaiting(lake: Lake, table: str, partition: str) -> bool:
    name = gate_partition(gate_of(table), partition)
    if lake.commit("gate_results", name) is None:
        return False
    rows = rows_of(lake, "gate_results", name)
    return bool(rows) and all(row["outcome"] == "open" and not row["table_hash"] for row in rows)


def _state(lake: Lake, name: str, partition: Partition, project: Project | None) -> GateState:
    stages = gated_stages(partition)
    gates = [*stages, *_own_gates(lake, name, partition)] if project is None else gates_of(project, partition)
    states = [_gate_state(lake, gate, name, project) for gate in gates]
    closed = [state for state in states if state.outcome != "pass"]
    failed = [state for state in closed if state.outcome == "fail"]
    passed = GateState("pass", stages[-1], "every gate has passed")
    return (failed or closed or [passed])[0]


def _own_gates(lake: Lake, name: str, partition: Partition) -> list[str]:
    """Return the gates beside those of the stages that have judged a batch or release."""
    gates = [gate for gate in _judged_by(lake, name) if gate in TABLES and gate not in gated_stages(partition)]
    return [gate for gate in gates if stage_of(gate).partition == partition]


def _judged_by(lake: Lake, partition: str) -> list[str]:
    """Return the gates that have judged a batch or release, by name; all that may have are asked for."""
    gates = sorted({*STAGES, *TABLES})
    found = [gate for gate in gates if lake.commit("gate_results", gate_partition(gate, partition)) is not None]
    return [gate for gate in found if not is_left_over(lake, gate, partition)]


def _gate_state(lake: Lake, gate: str, partition: str, project: Project | None) -> GateState:
    name = gate_partition(gate, partition)
    commit = lake.commit("gate_results", name)
    stage = gate if gate in STAGES else stage_of(gate).name
    if commit is None:
        return GateState("missing", stage, f"the {gate} gate has not judged it yet")
    version = commit.code_version if project is None else gate_version(project, gate)
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
