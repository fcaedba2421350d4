"""Watching runs: when one broke, or a release came to its end, a person is told what to do."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import dagster as dg

from cupel.alerts import Alert, alert, end_alerts
from cupel.config.operation import AlertKind
from cupel.config.project import Project
from cupel.errors import CupelError
from cupel.lake import Lake
from cupel.release.places import release_folder, report_folder
from cupel.world import current_project
from orchestration.alert_causes import failed_run
from orchestration.deployment import Deployment
from orchestration.runs import PROJECT

CERTIFIED = "Nothing. `cupel verify` checks the folder."
REFUSED = "Read the report: it says what the audit found and what to relabel; then propose a new release."
# What stands no longer once a run of the same batch or release has succeeded.
ENDED_BY_SUCCESS: tuple[AlertKind, ...] = ("broken", "gate_failed")


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
        run, instance = context.dagster_run, context.instance
        _tell(deployment, context, lambda lake, project: failed_run(lake, project, run, instance))

    @dg.run_status_sensor(
        run_status=dg.DagsterRunStatus.SUCCESS,
        name="tell_of_releases",
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Tells when a release was certified or refused, and ends alerts of what has succeeded since.",
    )
    def tell_of_releases(context: dg.RunStatusSensorContext) -> None:
        run = context.dagster_run
        written = {key.path[-1] for key in run.asset_selection or ()}
        name = _project_of(context)
        if name is not None:
            lake = Lake(deployment.lake, name)
            end_alerts(lake, _partition_of(context), ENDED_BY_SUCCESS, f"run {run.run_id} succeeded")
        if "certificate" in written or (not written and run.job_name.endswith("_release")):
            _tell(deployment, context, lambda lake, _: _endings(lake, context))

    return [tell_of_failures, tell_of_releases]


def _tell(
    deployment: Deployment,
    context: dg.RunStatusSensorContext,
    find: Callable[[Lake, Project], Iterable[Alert]],
) -> None:
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


def _endings(lake: Lake, context: dg.RunStatusSensorContext) -> Iterator[Alert]:
    release = _partition_of(context)
    if lake.commit("certificate", release) is None:
        return
    row = lake.read("certificate", release).to_pylist()[0]
    is_certified = row["status"] == "certified"
    happened = f"error bound {row['error_bound']:.2%}, budget {row['error_budget']:.2%}, {row['items']:,} items"
    kind: AlertKind = "certified" if is_certified else "refused"
    place = release_folder(lake, release) if is_certified else report_folder(lake, release) / "report.html"
    yield Alert(
        lake.project, release, kind, happened, CERTIFIED if is_certified else REFUSED, context.dagster_run.run_id,
        str(place), "" if is_certified else "its audit does not prove that the budget is kept",
        f".venv/bin/cupel verify {place}" if is_certified else f"open {place}",
    )  # fmt: skip


def _project_of(context: dg.RunStatusSensorContext) -> str | None:
    run = context.dagster_run
    return next((key.path[0] for key in run.asset_selection or ()), run.tags.get(PROJECT))


def _partition_of(context: dg.RunStatusSensorContext) -> str:
    return context.dagster_run.tags.get("dagster/partition", "")
