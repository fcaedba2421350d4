"""Runs of `make run`: launched by the instance's launcher as the workspace's own, as those of the page are."""

import os
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import dagster as dg

from cupel.store.files import make_folder
from orchestration.dagster_internals import (
    FINISHED_STATUSES,
    CodePointer,
    DagsterLaunchFailedError,
    JobPythonOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
    WorkerStatus,
    WorkspaceFileTarget,
    python_origin,
)
from orchestration.deployment import REPOSITORY
from orchestration.run_launcher import ForkRunLauncher
from orchestration.run_process import KILLED, PROCESS, name_process
from orchestration.runs import QUIET, Run, RunRequest, describe_run, select_assets

WORKSPACE = REPOSITORY / "workspace.yaml"
DEFINITIONS = "orchestration.definitions"
# What Dagster calls the repository of a module that holds Definitions, and the name of these.
REPOSITORY_NAME, ATTRIBUTE = "__repository__", "defs"
SECONDS_BETWEEN_LOOKS = (0.2, 1.0)
SECONDS_BETWEEN_HEALTH_CHECKS = 5.0
EVENTS_AT_ONCE = 1000


class LaunchedRuns:
    """Executes runs in processes of their own, on the record of an instance whose launcher is Cupel's.

    A run bears the workspace's origin: the landing page and the timeline show it, and it can be executed again, also
    from its failure, from the page.

    Args:
        instance: The instance; its launcher is a `ForkRunLauncher`.
        log: Where the launcher's process writes.
    """

    def __init__(self, instance: dg.DagsterInstance, log: Path) -> None:
        self._instance = instance
        launcher = instance.run_launcher
        if not isinstance(launcher, ForkRunLauncher):
            raise TypeError(f"the launcher of {instance} is {type(launcher).__name__}, not a ForkRunLauncher")
        make_folder(log.parent)
        launcher.log = log
        self._launcher: ForkRunLauncher = launcher

    @staticmethod
    def can_serve(instance: dg.DagsterInstance) -> bool:
        """Tell whether an instance's launcher is the one that runs are launched with."""
        return isinstance(instance.run_launcher, ForkRunLauncher)

    def execute(
        self, definitions: dg.Definitions, request: RunRequest, on_event: Callable[[dg.DagsterEvent], None]
    ) -> Run:
        """Run what is asked for, and return what it did.

        Args:
            definitions: Definitions that hold the job.
            request: The job, its partition and tables.
            on_event: Told of each event of the run while it goes on.
        """
        job = definitions.resolve_job_def(request.job)
        keys = select_assets(job, request.tables)
        remote, code = find_origins(request.job)
        self._instance.create_run_for_job(
            job, run_id=request.run_id, asset_selection=frozenset(keys), run_config=QUIET,
            tags={**job.run_tags, **request.tags, **job.get_tags_for_partition_key(request.partition, keys)},
            remote_job_origin=remote, job_code_origin=code,
        )  # fmt: skip
        try:
            self._instance.launch_run(request.run_id, None)  # type: ignore[arg-type]  # the launcher needs no workspace
        except DagsterLaunchFailedError as error:
            return Run(request.run_id, request.job, request.partition, request.round, {}, [], str(error))
        events = list(self._follow(request.run_id, on_event))
        return describe_run(definitions, request, events)

    def _follow(self, run_id: str, on_event: Callable[[dg.DagsterEvent], None]) -> Iterator[dg.DagsterEvent]:
        """Yield a run's events until it has ended, also when its process is gone."""
        cursor, pause, looked_at = None, SECONDS_BETWEEN_LOOKS[0], time.monotonic()
        while True:
            run = self._instance.get_run_by_id(run_id)
            is_over = run is None or run.status in FINISHED_STATUSES
            found = self._instance.get_records_for_run(run_id, cursor, limit=EVENTS_AT_ONCE)
            cursor = found.cursor
            for event in _events(found.records):
                on_event(event)
                yield event
            if is_over and not found.has_more:
                return
            pause = SECONDS_BETWEEN_LOOKS[0] if found.records else min(2 * pause, SECONDS_BETWEEN_LOOKS[1])
            if run is not None and not is_over and time.monotonic() - looked_at > SECONDS_BETWEEN_HEALTH_CHECKS:
                looked_at = time.monotonic()
                self._end_if_gone(run)
            if not found.has_more:
                time.sleep(pause)

    def _end_if_gone(self, run: dg.DagsterRun) -> None:
        health = self._launcher.check_run_worker_health(run)
        # Until its process has named itself, a run bears the name of this one.
        is_lost = run.tags.get(PROCESS) == name_process(os.getpid()) and self._launcher.is_worker_gone
        if health.status == WorkerStatus.FAILED or is_lost:
            found = self._instance.get_run_by_id(run.run_id)  # it may have written its end before its process was gone
            if found is not None and not found.is_finished:
                self._instance.add_run_tags(run.run_id, {KILLED: "true"})
                self._instance.report_run_failed(found, health.msg or "The run's process is gone.")


def find_origins(job: str) -> tuple[RemoteJobOrigin, JobPythonOrigin]:
    """Return where the workspace has a job, and what code it is of, as page and daemon name them.

    Args:
        job: The job's name.
    """
    (location,) = WorkspaceFileTarget([str(WORKSPACE)]).create_origins()
    pointer = CodePointer.from_module(DEFINITIONS, ATTRIBUTE, str(REPOSITORY))
    remote = RemoteJobOrigin(RemoteRepositoryOrigin(location, REPOSITORY_NAME), job)
    return remote, JobPythonOrigin(job, python_origin(pointer))


def _events(records: Iterable[dg.EventLogRecord]) -> Iterator[dg.DagsterEvent]:
    for record in records:
        if record.event_log_entry.dagster_event is not None:
            yield record.event_log_entry.dagster_event
