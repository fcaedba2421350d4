"""Watching runs: when one broke, or a release came to its end, a person is told what to do."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.executor.child_process_executor import ChildProcessCrashException

from cupel.alerts import Alert, alert
from cupel.config.project import Project
from cupel.errors import CupelError
from cupel.lake import Lake
from cupel.release.gates import gate_rows
from cupel.world import current_project
from expectations.suites import project_suites
from orchestration.deployment import Deployment
from orchestration.runs import CLOSED_GATE, PROJECT, at_fault, plain

BROKEN = "Mend what the message names, then make down and make up, or materialize the partition on the page."
KILLED = (
    "If it was stopped on purpose, nothing: the next start does what is left. If not, look whether the machine ran out "
    "of memory or disk, then start anew (make down, make up) or materialize the partition on the page."
)
CERTIFIED = "Nothing. `cupel verify` checks the folder."
REFUSED = "Read the report: it says what the audit found and what to relabel; then propose a new release."


def watchers(deployment: Deployment) -> list[dg.SensorDefinition]:
    """Return the sensors that tell people what came of runs.

    Args:
        deployment: Where projects and lake are.
    """

    @dg.run_failure_sensor(
        name="tell_of_failures",
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Writes what a person must do when a run broke or a gate failed, and calls the project's hook.",
    )
    def tell_of_failures(context: dg.RunFailureSensorContext) -> None:
        killed = [event for event in context.get_step_failure_events() if _is_killed(event)]
        for step in [event for event in context.get_step_failure_events() if event not in killed]:
            _tell(deployment, context, lambda lake, project, s=step: list(_failures(lake, project, context, s)))
        if killed or not context.get_step_failure_events():
            _tell(deployment, context, lambda lake, _: [_killed(lake, context, killed)])

    @dg.run_status_sensor(
        run_status=dg.DagsterRunStatus.SUCCESS,
        name="tell_of_releases",
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Tells when a release was certified or refused.",
    )
    def tell_of_releases(context: dg.RunStatusSensorContext) -> None:
        run = context.dagster_run
        written = {key.path[-1] for key in run.asset_selection or ()}
        if "certificate" in written or (not written and run.job_name.endswith("_release")):
            _tell(deployment, context, lambda lake, _: list(_endings(lake, context)))

    return [tell_of_failures, tell_of_releases]


def _tell(deployment: Deployment, context: dg.RunStatusSensorContext, find: Any) -> None:
    name = _project_of(context)
    if name is None:
        return
    lake = Lake(deployment.lake, name)
    try:
        project = current_project(Path(deployment.projects), lake)
    except CupelError as error:
        context.log.error(str(error))
        return
    for about in find(lake, project):
        for problem in alert(lake, project.operation.alerts, about):
            context.log.error(problem)


def _failures(
    lake: Lake, project: Project, context: dg.RunStatusSensorContext, event: dg.DagsterEvent
) -> Iterator[Alert]:
    run, partition = context.dagster_run, _partition_of(context)
    error = at_fault(event.step_failure_data.error)
    if error is None or error.cls_name != CLOSED_GATE:
        said = plain(error.message) if error else (event.message or "no reason is known")
        yield Alert(project.project, partition, "broken", f"{event.step_key}: {said}", BROKEN, run.run_id)
        return
    remedies = {check.name: check.remedy for suite in project_suites(project) for check in suite.asked(project)}
    for row in gate_rows(lake, partition):
        if row["outcome"] == "fail" and row["severity"] == "critical":
            happened = f"{row['check']} ({row['stage']} gate): {row['observed']} against {row['threshold']}"
            kind = "refused" if row["stage"] == "release" else "gate_failed"
            to_do = remedies.get(row["check"], "The team's own expectation: see its reason in the project file.")
            yield Alert(project.project, partition, kind, happened, to_do, run.run_id)  # type: ignore[arg-type]


def _is_killed(event: dg.DagsterEvent) -> bool:
    """Tell whether a step did not fail but its process was gone."""
    error = at_fault(event.step_failure_data.error)
    return error is not None and error.cls_name == ChildProcessCrashException.__name__


def _killed(lake: Lake, context: dg.RunStatusSensorContext, events: list[dg.DagsterEvent]) -> Alert:
    steps = ", ".join(sorted(str(event.step_key) for event in events)) or context.dagster_run.job_name
    happened = f"{steps}: the process was killed or stopped"
    return Alert(lake.project, _partition_of(context), "broken", happened, KILLED, context.dagster_run.run_id)


def _endings(lake: Lake, context: dg.RunStatusSensorContext) -> Iterator[Alert]:
    release = _partition_of(context)
    if lake.commit("certificate", release) is None:
        return
    row = lake.read("certificate", release).to_pylist()[0]
    is_certified = row["status"] == "certified"
    happened = f"error bound {row['error_bound']:.2%}, budget {row['error_budget']:.2%}, {row['items']:,} items"
    to_do = CERTIFIED if is_certified else REFUSED
    kind = "certified" if is_certified else "refused"
    yield Alert(lake.project, release, kind, happened, to_do, context.dagster_run.run_id)  # type: ignore[arg-type]


def _project_of(context: dg.RunStatusSensorContext) -> str | None:
    run = context.dagster_run
    return next((key.path[0] for key in run.asset_selection or ()), run.tags.get(PROJECT))


def _partition_of(context: dg.RunStatusSensorContext) -> str:
    return context.dagster_run.tags.get("dagster/partition", "")
