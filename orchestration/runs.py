"""A run: one job on one partition, in this process, on Dagster's record."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import dagster as dg
from dagster import DagsterEventType

from assets.spec import asset_stage
from orchestration.dagster_internals import IN_PROGRESS_RUN_STATUSES, SerializableErrorInfo

CLOSED_GATE = "DagsterAssetCheckFailedError"
MADE_BY = "cupel/make_run"
PROJECT = "cupel/project"


class Run(NamedTuple):
    """What a run did: seconds of each stage, the checks that failed, and what broke, if anything."""

    run_id: str
    job: str
    partition: str
    round: int
    seconds: dict[str, float]
    failed_checks: list[str]
    error: str | None


def execute(
    definitions: dg.Definitions,
    job: str,
    partition: str,
    tables: Sequence[str],
    instance: dg.DagsterInstance,
    number: int,
    run_id: str,
    tags: Mapping[str, str],
) -> Run:
    """Run the named tables of a job for one partition.

    Args:
        definitions: The project's definitions.
        job: Name of the job.
        partition: Batch or release.
        tables: Tables to write.
        instance: Where the run is recorded.
        number: The round.
        run_id: A fresh UUID; known beforehand so that the run can be followed.
        tags: Shown on the page.
    """
    resolved = definitions.resolve_job_def(job)
    keys = [key for key in resolved.asset_layer.selected_asset_keys if key.path[-1] in set(tables)]
    result = resolved.execute_in_process(
        instance=instance,
        run_id=run_id,
        partition_key=partition,
        asset_selection=keys,
        raise_on_error=False,
        tags=dict(tags),
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
    )
    seconds = _seconds_by_stage(definitions, result)
    failed = [check.check_name for check in result.get_asset_check_evaluations() if not check.passed]
    return Run(run_id, job, partition, number, seconds, failed, _error(result))


def end_dead_runs(instance: dg.DagsterInstance, project: str) -> None:
    """Close the record of runs of a project that were killed; whoever calls it holds the project's lock."""
    unfinished = dg.RunsFilter(statuses=IN_PROGRESS_RUN_STATUSES, tags={MADE_BY: project})
    for run in instance.get_runs(unfinished):
        instance.report_run_failed(run, "The process was killed; the next run does what it left.")


def _seconds_by_stage(definitions: dg.Definitions, result: dg.ExecuteInProcessResult) -> dict[str, float]:
    """Return how long each stage's steps took; the steps that judge are a stage of their own, `gates`."""
    stages = {
        asset.node_def.name: asset_stage(asset)
        for asset in definitions.resolve_asset_graph().assets_defs
        if asset.is_executable and asset.keys
    }
    seconds: dict[str, float] = {}
    for event in result.filter_events(lambda event: event.event_type == DagsterEventType.STEP_SUCCESS):
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


def _error(result: dg.ExecuteInProcessResult) -> str | None:
    """Return what broke a run; a closed gate stops a run too, but nothing is broken."""
    for event in result.filter_events(lambda event: event.event_type == DagsterEventType.STEP_FAILURE):
        error = at_fault(event.step_failure_data.error)
        if error is not None and error.cls_name != CLOSED_GATE:
            return f"{event.step_key}: {plain(error.message)}"
    return None
