"""What a run has to do: the tables of a partition that are not there, or not what they would be now, and why."""

from collections.abc import Sequence
from pathlib import Path

from cupel.config.project import Project
from cupel.contract.stages import StageStep, frozen_tables
from cupel.lake.gates import gate_of, gate_partition, is_awaiting, is_judged
from cupel.lake.lake import Commit, Lake
from cupel.release.facts import outcome
from cupel.versions.code_version import describe_change, gate_version
from orchestration.made import why_not_as_made


def stale_tables(lake: Lake, project: Project, data: Path, partition: str, steps: Sequence[StageStep]) -> list[str]:
    """Return the tables that a run must write, in the order of the chain; see `why_stale`."""
    return list(why_stale(lake, project, data, partition, steps))


def why_stale(lake: Lake, project: Project, data: Path, partition: str, steps: Sequence[StageStep]) -> dict[str, str]:
    """Return the tables that a run must write, in the order of the chain, and why each.

    A table is stale when it was never written, when its code, settings or inputs changed, when its
    stage's gate has not judged it as it is, or when a table that it is made from is stale. Nothing
    behind a gate that has failed, or a table that awaits answers, is stale: it waits for people.

    Args:
        lake: The project's lake.
        project: The project.
        data: Folder that deliveries of the project file are named relative to.
        partition: Batch or release.
        steps: What the project does for it, in the order of the chain.
    """
    stale: dict[str, str] = {}
    closed: set[str] = set()
    for step in steps:
        tables, behind = step.tables, [table for table in step.made_from if table in stale]
        if closed.intersection(step.made_from):
            closed.update(tables)
        elif behind:
            stale.update(dict.fromkeys(tables, f"{behind[0]} is made anew"))
        elif why := _why_not_current(lake, project, data, tables, partition):
            stale.update(dict.fromkeys(tables, why))
        elif any(
            gate_outcome(lake, table, partition) == "fail" or is_awaiting(lake, table, partition) for table in tables
        ):
            closed.update(tables)
    return stale


def _why_not_current(lake: Lake, project: Project, data: Path, tables: Sequence[str], partition: str) -> str | None:
    """Return why one of the tables that are written at once is not current; the first that has a reason speaks."""
    awaited = [table for table in tables if is_awaiting(lake, table, partition)]
    # Where one is not written because answers are awaited, those beside it without a gate are not there either.
    asked = awaited or tables
    return next(filter(None, (why_not_current(lake, project, data, table, partition) for table in asked)), None)


def why_not_current(lake: Lake, project: Project, data: Path, table: str, partition: str) -> str | None:
    """Return why a table is not what a run would write now, or its gate has not judged it so; None if it is."""
    commit = lake.commit(table, partition)
    if table in set(frozen_tables()):
        return "it was never made" if commit is None else None
    if why := _why_not_judged(lake, project, table, partition, commit):
        return why
    if is_awaiting(lake, table, partition):
        return None  # its inputs are what they were, so it would be open again
    return why_not_as_made(lake, project, data, table, partition)


def gate_outcome(lake: Lake, table: str, partition: str) -> str | None:
    """Return what its gate last said of a table: pass, fail or open; None where it is not judged."""
    name = gate_partition(gate_of(table), partition)
    if lake.commit("gate_results", name) is None:
        return None
    return outcome(lake.read("gate_results", name).to_pylist())


def _why_not_judged(lake: Lake, project: Project, table: str, partition: str, commit: Commit | None) -> str | None:
    gate = gate_partition(gate_of(table), partition)
    judged = lake.commit("gate_results", gate)
    if judged is None:
        if not is_judged(project, table):
            return None
        return "it was never made" if commit is None else "its gate has not judged it"
    version = gate_version(project, gate_of(table))
    if lake.is_fresh("gate_results", gate, version):
        return None
    if judged.code_version != version:
        return f"what its gate asks: {describe_change(judged.code_version, version, 'gate_results')}"
    return "what its gate judges has changed"
