"""What a run has to do: the tables of a partition that are not there, or not what they would be now."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from cupel.lake import Lake, file_hash
from cupel.project import Project
from cupel.release.facts import outcome
from cupel.step import code_version
from cupel.tables import TABLES


def stale_tables(
    lake: Lake, project: Project, data: Path, partition: str, deps: Mapping[str, Sequence[str]]
) -> list[str]:
    """Return the tables that a run must write, in the order of the chain.

    A table is stale when it was never written, when its code, settings or inputs changed, when its
    stage's gate has not judged it as it is, or when a table that it is made from is stale. Nothing
    behind a gate that has failed, or a table that awaits answers, is stale: it waits for people.

    Args:
        lake: The project's lake.
        project: The project.
        data: Folder that deliveries are named relative to.
        partition: Batch or release.
        deps: For each table of the job, in the order of the chain, the tables that it is made from.
    """
    stale: list[str] = []
    closed: set[str] = set()
    for table, made_from in deps.items():
        if any(name in closed for name in made_from):
            closed.add(table)
        elif any(name in stale for name in made_from) or not is_current(lake, project, data, table, partition):
            stale.append(table)
        elif _gate(lake, table, partition) == "fail" or lake.commit(table, partition) is None:
            closed.add(table)
    return stale


def is_current(lake: Lake, project: Project, data: Path, table: str, partition: str) -> bool:
    """Tell whether a table is what a run would write now, and its gate has judged it so."""
    stage = TABLES[table].stage
    gate = lake.commit("gate_results", f"{stage}--{partition}") if _is_judged(lake, table, partition) else None
    if gate is not None and not lake.is_fresh("gate_results", gate.partition, code_version(project, "gates")):
        return False
    if gate is not None and _gate(lake, table, partition) == "open" and lake.commit(table, partition) is None:
        return True  # open: its inputs are unchanged, so it would be open again
    if not lake.is_fresh(table, partition, code_version(project, stage, partition)):
        return False
    return _files_are_current(lake, data, table, partition)


def _is_judged(lake: Lake, table: str, partition: str) -> bool:
    commit = lake.commit("gate_results", f"{TABLES[table].stage}--{partition}")
    return commit is not None and table in _judged_tables(lake, commit.partition)


def _judged_tables(lake: Lake, partition: str) -> set[str]:
    return set(lake.read("gate_results", partition)["table_name"].to_pylist())


def _gate(lake: Lake, table: str, partition: str) -> str | None:
    name = f"{TABLES[table].stage}--{partition}"
    if lake.commit("gate_results", name) is None:
        return None
    rows = [row for row in lake.read("gate_results", name).to_pylist() if row["table_name"] == table]
    return outcome(rows) if rows else None


def _files_are_current(lake: Lake, data: Path, table: str, partition: str) -> bool:
    commit = lake.commit(table, partition)
    if commit is None:
        return False
    files = {name.removeprefix("file:"): sha for name, sha in commit.inputs.items() if name.startswith("file:")}
    return all((data / name).is_file() and file_hash(data / name) == sha for name, sha in files.items())
