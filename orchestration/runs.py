"""A run: one job on one partition, on Dagster's record."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple, Protocol

import dagster as dg
from dagster import DagsterEventType

from assets.asset_tags import asset_stage
from orchestration.dagster_internals import IN_PROGRESS_RUN_STATUSES, SerializableErrorInfo
from orchestration.run_process import PROCESS, end_process

# The page hides tags of this prefix: they are for programs.
MADE_BY = ".dagster/cupel/make_run"
ROUND = ".dagster/cupel/round"
PROJECT = "cupel/project"


# What runs say is on their record, not on the terminal.
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
SECONDS_TO_END = 15.0


class Run(NamedTuple):
    """What a run did: seconds of each stage, the checks that failed, and what broke, if anything."""

    run_id: str
    job: str
    partition: str
    round: int
    seconds: dict[str, float]
    failed_checks: list[str]
    error: str | None


class RunRequest(NamedTuple):
    """What is to be run: some tables of a job for one batch or release.

    Attributes:
        job: Name of the job.
        partition: Batch or release.
        tables: Tables to write.
        run_id: A fresh UUID; known beforehand so that the run can be followed.
        round: The round.
        tags: Shown on the page.
    """

    job: str
    partition: str
    tables: Sequence[str]
    run_id: str
    round: int = 1
    tags: Mapping[str, str] = MappingProxyType({})


class RunExecutor(Protocol):
    """Executes runs: in this process, or in processes of their own."""

    def execute(
        self, definitions: dg.Definitions, request: RunRequest, on_event: Callable[[dg.DagsterEvent], None]
    ) -> Run:
        """Run what is asked for, tell of each event of the run, and return what it did."""


class RunsInProcess:
    """Executes runs in this process: for checks, rebuilding and tests, whose definitions no other process can load.

    Args:
        instance: Where runs are recorded.
    """

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self._instance = instance

    def execute(
        self,
        definitions: dg.Definitions,
        request: RunRequest,
        on_event: Callable[[dg.DagsterEvent], None] = lambda event: None,
    ) -> Run:
        """Run what is asked for, and return what it did."""
        job = definitions.resolve_job_def(request.job)

        def listen(entry: dg.EventLogEntry) -> None:
            if entry.dagster_event is not None:
                on_event(entry.dagster_event)

        self._instance.add_event_listener(request.run_id, listen)
        result = job.execute_in_process(
            instance=self._instance, run_id=request.run_id, partition_key=request.partition,
            asset_selection=select_assets(job, request.tables), raise_on_error=False, tags=dict(request.tags),
            run_config=QUIET,
        )  # fmt: skip
        return describe_run(definitions, request, list(result.all_events))


def select_assets(job: dg.JobDefinition, tables: Sequence[str]) -> list[dg.AssetKey]:
    """Return the keys of those of a job's assets that are named."""
    return [key for key in job.asset_layer.selected_asset_keys if key.path[-1] in set(tables)]


def describe_run(definitions: dg.Definitions, request: RunRequest, events: Sequence[dg.DagsterEvent]) -> Run:
    """Return what a run did, by its events.

    Args:
        definitions: Definitions that hold the job: they say of which stage a step is.
        request: What was asked for.
        events: All events of the run.
    """
    evaluations = [
        event.asset_check_evaluation_data
        for event in events
        if event.event_type == DagsterEventType.ASSET_CHECK_EVALUATION
    ]
    failed = [evaluation.check_name for evaluation in evaluations if not evaluation.passed]
    seconds = _seconds_by_stage(definitions, events)
    return Run(request.run_id, request.job, request.partition, request.round, seconds, failed, _error(events))


def end_dead_runs(instance: dg.DagsterInstance, project: str) -> None:
    """Close the record of runs of a project that were killed; whoever calls it holds the project's lock.

    A run whose process outlives the `make run` that launched it for a moment is waited for, then killed.
    """
    unfinished = dg.RunsFilter(statuses=IN_PROGRESS_RUN_STATUSES, tags={MADE_BY: project})
    for run in instance.get_runs(unfinished):
        if (name := run.tags.get(PROCESS)) is not None:
            end_process(name, SECONDS_TO_END)
        found = instance.get_run_by_id(run.run_id)
        if found is not None and not found.is_finished:
            instance.report_run_failed(found, "The process was killed; the next run does what it left.")


def _seconds_by_stage(definitions: dg.Definitions, events: Iterable[dg.DagsterEvent]) -> dict[str, float]:
    """Return how long each stage's steps took; the steps that judge are a stage of their own, `gates`."""
    stages = {
        asset.node_def.name: asset_stage(asset)
        for asset in definitions.resolve_asset_graph().assets_defs
        if asset.is_executable and asset.keys
    }
    seconds: dict[str, float] = {}
    for event in events:
        if event.event_type == DagsterEventType.STEP_SUCCESS:
            name = event.node_name
            stage = "report" if name.endswith("report") else stages.get(name, "gates")
            seconds[stage] = seconds.get(stage, 0.0) + event.step_success_data.duration_ms / 1000
    return seconds


def plain(message: str) -> str:
    """Return an error's message without the names of its class, which say nothing to who must mend it."""
    return re.sub(r"^([A-Za-z_.]*(Error|Exception): )+", "", message.strip())


def at_fault(error: SerializableErrorInfo | None) -> SerializableErrorInfo | None:
    """Return the error that says what is wrong: the first in the chain of causes that is not Dagster's wrapping."""
    while error is not None and error.cause is not None and str(error.cls_name).startswith(("Dagster", "Retry")):
        error = error.cause
    return error


def _error(events: Iterable[dg.DagsterEvent]) -> str | None:
    """Return what broke a run: the first step that failed, or why the run ended without one."""
    ended = None
    for event in events:
        if event.event_type == DagsterEventType.STEP_FAILURE:
            error = at_fault(event.step_failure_data.error)
            if error is not None:
                return f"{event.step_key}: {plain(error.message)}"
        if event.event_type in (DagsterEventType.RUN_FAILURE, DagsterEventType.RUN_CANCELED):
            ended = event.message or "the run ended without saying why"
    return ended
