"""The bench: what an asset works with."""

import errno
import inspect
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_duckdb import DuckDBResource

from assets.asset_tags import asset_stage
from cupel.config.project import Known
from cupel.contract.tables import TABLES
from cupel.errors import FULL, LakeError, disk_trouble
from cupel.intake.collect_inputs import CollectedInputs, collect_inputs, current_project
from cupel.intake.intake_alerts import tell_of_intake, tell_of_open_questions
from cupel.lake.gates import check_gates_before
from cupel.lake.lake import Lake
from cupel.lake.stage_seconds import put_cpu
from cupel.lake.step import Step
from cupel.release.plan import is_finished
from cupel.store.files import hash_file, is_file
from cupel.store.locks import claim

# Trouble that passes by itself: of a disk or network, never of what was read or of what we made of it.
PASSING = {errno.EIO, errno.EAGAIN, errno.EBUSY, errno.ETIMEDOUT, errno.ESTALE, errno.ECONNRESET, errno.EINTR}
RETRIES = 3
SECONDS_BETWEEN = 5
# What steps and gates call the bench that they work at.
BENCH = "bench"


class Bench(dg.ConfigurableResource[None]):
    """A deployment's projects, its lake, and DuckDB connections with bounded memory and threads.

    Args:
        projects_folder: Folder of the project files.
        lake_root: Folder of the deployment's lake.
        data_root: Folder that deliveries and recorded answers are named relative to.
        inbox_root: Folder of the inboxes, one a project; None: nothing arrives by itself.
        lock_file: The locked versions; releases name its hash.
        known: The label kinds and modalities that project files may name.
        duckdb: Settings of the in-memory connection that each step opens.
    """

    projects_folder: str
    lake_root: str
    data_root: str
    inbox_root: str | None = None
    lock_file: str | None = None
    known: dg.ResourceDependency[Known]
    duckdb: DuckDBResource

    @property
    def data(self) -> Path:
        """The folder that deliveries and recorded answers are named relative to."""
        return Path(self.data_root)

    @property
    def lock_sha256(self) -> str | None:
        """Hash of the locked versions, where there is such a file."""
        path = None if self.lock_file is None else Path(self.lock_file)
        return hash_file(path) if path is not None and is_file(path) else None

    @contextmanager
    def step(self, context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext) -> Iterator[Step]:
        """Open the step for the context's project and partition, with a connection of its own.

        Raises:
            RetryRequested: The disk or network failed in a way that passes by itself.
            FormatError: The lake is of another format; nothing was read, asked or paid for.
            LakeError: Another run is at work on the partition, or the disk is full.
            GateError: A gate before the tables has not passed for what it judges as it is now.
        """
        name, partition = self.project_name(context), context.partition_key
        lake = Lake(self.lake_root, name)
        lake.check_writable()
        project = current_project(Path(self.projects_folder), lake, self.known)
        with claim(lake.store, partition, context.run.run_id), self.duckdb.get_connection() as connection:
            begun = time.process_time()
            try:
                step = Step(Lake(self.lake_root, name, connection), project, partition)
                if isinstance(context, dg.AssetExecutionContext):
                    written = [key.path[-1] for key in context.selected_asset_keys]
                    check_gates_before(step, [table for table in written if table in TABLES])
                yield step
                used = time.process_time() - begun
                put_cpu(lake, partition, *_step_and_stage(context), context.run.run_id, used)
            except OSError as error:
                raise _trouble(error) from error

    def collect(self, name: str, instance: dg.DagsterInstance, run_id: str) -> tuple[CollectedInputs, list[str]]:
        """Let the world come in to a project, and tell Dagster of new batches and releases, and people of the rest.

        Returns:
            What came in, and what went wrong in telling people.
        """
        lake = Lake(self.lake_root, name)
        inbox = None if self.inbox_root is None else Path(self.inbox_root) / name
        came = collect_inputs(Path(self.projects_folder), lake, self.data, inbox, self.known)
        instance.add_dynamic_partitions(f"{name}_batches", came.batches)
        instance.add_dynamic_partitions(f"{name}_releases", came.releases)
        project = current_project(Path(self.projects_folder), lake, self.known)
        problems = [] if inbox is None else tell_of_intake(lake, project, inbox, came.taken, run_id)
        unfinished = [release for release in came.releases if not is_finished(lake, release)]
        return came, problems + tell_of_open_questions(lake, project, came.batches, unfinished, run_id)

    @staticmethod
    def project_name(context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext) -> str:
        """Return the first part of the keys that a step works on: the project's name."""
        if isinstance(context, dg.AssetCheckExecutionContext):
            return str(next(iter(context.selected_asset_check_keys)).asset_key.path[0])
        return str(next(iter(context.selected_asset_keys)).path[0])


def at_bench(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    """Return a step's function that works at the bench of this name: in one Dagster there may be several.

    >>> at_bench(print, "bench") is print
    True
    """
    if name == BENCH:
        return function

    def rename(resources: dict[str, Any]) -> dict[str, Any]:
        return {BENCH if key == name else key: value for key, value in resources.items()}

    @wraps(function)
    def results(*args: Any, **resources: Any) -> Iterator[Any]:
        yield from function(*args, **rename(resources))

    @wraps(function)
    def result(*args: Any, **resources: Any) -> Any:
        return function(*args, **rename(resources))

    work: Any = results if inspect.isgeneratorfunction(function) else result  # Dagster looks which of the two it is
    signature = inspect.signature(function)
    renamed = [
        parameter.replace(name=name) if parameter.name == BENCH else parameter
        for parameter in signature.parameters.values()
    ]
    work.__signature__ = signature.replace(parameters=renamed)
    made: Callable[..., Any] = work
    return made


def _step_and_stage(context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext) -> tuple[str, str]:
    """Return the name of what is at work, and its stage: what judges is a stage of its own, `gates`."""
    own = context.op_execution_context.op.name
    if isinstance(context, dg.AssetCheckExecutionContext):
        return own, "gates"
    return own, asset_stage(context.assets_def)


def _trouble(error: OSError) -> Exception:
    """Return what a failed read or write of a file comes to: another try, or what a person must do."""
    if error.errno in PASSING:
        return dg.RetryRequested(max_retries=RETRIES, seconds_to_wait=SECONDS_BETWEEN)
    if error.errno in FULL:
        return LakeError(disk_trouble(error))
    return error
