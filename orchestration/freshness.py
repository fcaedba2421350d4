"""What a run has to do: the tables of a partition that are not there, or not what they would be now."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from cupel.lake import Lake
from cupel.project import Project
from cupel.release.facts import outcome
from cupel.release.gates import gate_of, gate_partition, is_awaiting, is_judged
from cupel.sources.files import file_sha256, source_files
from cupel.step import code_version
from cupel.tables import TABLES

# What a release froze stays as it is, whatever becomes of the batches later.
FROZEN = {"release_plan", "release_items"}


class Work(NamedTuple):
    """What is done at once: the tables that it writes, and those that they are made from."""

    tables: tuple[str, ...]
    made_from: tuple[str, ...]


def stale_tables(lake: Lake, project: Project, data: Path, partition: str, works: Sequence[Work]) -> list[str]:
    """Return the tables that a run must write, in the order of the chain.

    A table is stale when it was never written, when its code, settings or inputs changed, when its
    stage's gate has not judged it as it is, or when a table that it is made from is stale. Nothing
    behind a gate that has failed, or a table that awaits answers, is stale: it waits for people.

    Args:
        lake: The project's lake.
        project: The project.
        data: Folder that deliveries are named relative to.
        partition: Batch or release.
        works: What a job does, in the order of the chain.
    """
    stale: list[str] = []
    closed: set[str] = set()
    for tables, made_from in works:
        if closed.intersection(made_from):
            closed.update(tables)
        elif set(stale).intersection(made_from) or not all(
            is_current(lake, project, data, table, partition) for table in tables
        ):
            stale.extend(tables)
        elif any(
            gate_outcome(lake, table, partition) == "fail" or is_awaiting(lake, table, partition) for table in tables
        ):
            closed.update(tables)
    return stale


def is_current(lake: Lake, project: Project, data: Path, table: str, partition: str) -> bool:
    """Tell whether a table is what a run would write now, and its gate has judged it so."""
    if table in FROZEN:
        return lake.commit(table, partition) is not None
    stage = TABLES[table].stage
    gate = gate_partition(gate_of(table), partition)
    outcome_now = gate_outcome(lake, table, partition)
    if outcome_now is None and is_judged(project, table):
        return False
    if outcome_now is not None and not lake.is_fresh("gate_results", gate, code_version(project, "gates")):
        return False
    if is_awaiting(lake, table, partition):
        return True  # its inputs are what they were, so it would be open again
    if not lake.is_fresh(table, partition, code_version(project, stage, partition)):
        return False
    return _files_are_current(lake, project, data, table, partition)


def gate_outcome(lake: Lake, table: str, partition: str) -> str | None:
    """Return what its gate last said of a table: pass, fail or open; None where it is not judged."""
    name = gate_partition(gate_of(table), partition)
    if lake.commit("gate_results", name) is None:
        return None
    return outcome(lake.read("gate_results", name).to_pylist())


def _files_are_current(lake: Lake, project: Project, data: Path, table: str, partition: str) -> bool:
    commit = lake.commit(table, partition)
    inputs = {} if commit is None else commit.inputs
    remembered = {key.removeprefix("file:"): value for key, value in inputs.items() if key.startswith("file:")}
    if TABLES[table].stage == "raw":
        files = source_files(partition, project.raw.deliveries[partition].files, data)
        return {file.name: file_sha256(file.path) for file in files} == remembered
    return all((data / name).is_file() and file_sha256(data / name) == value for name, value in remembered.items())
