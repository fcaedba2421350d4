"""Watching runs: when one broke, or a release came to its end, a person is told what to do."""

from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path

import dagster as dg

from cupel.config.operation import AlertKind
from cupel.config.project import Project
from cupel.errors import CupelError
from cupel.intake.alerts import Alert, alert, end_alerts
from cupel.intake.collect_inputs import current_project
from cupel.lake.gates import gate_rows
from cupel.lake.lake import Lake
from cupel.release.places import release_folder, report_folder
from orchestration.alert_causes import PARTITION, closed_gates, failed_run, is_refused, partition_of
from orchestration.dagster_internals import RunStatusSensorCursor, SensorInstigatorData
from orchestration.deployment import Deployment
from orchestration.gate_outcomes import is_refusal
from orchestration.judging import JUDGED_ELSEWHERE
from orchestration.runs import PROJECT

CERTIFIED = "Nothing. `cupel verify` checks the folder."
REFUSED = "Read the report: it says what the audit found and what to relabel; then propose a new release."
RUNS_LOOKED_AT = 20
# What stands no longer once a run of the same batch or release has succeeded; a refusal is no success of the gate.
ENDED_BY_SUCCESS: tuple[AlertKind, ...] = ("broken", "gate_failed")
ENDED_BY_REFUSAL: tuple[AlertKind, ...] = ("broken",)


def watchers(deployment: Deployment, projects: Collection[str]) -> list[dg.SensorDefinition]:
    """Return the sensors that tell people what came of runs.

    Args:
        deployment: Where projects and lake are.
        projects: The projects whose runs are watched; those of others are left alone.
    """
    first, status = min(projects, default=""), dg.DefaultSensorStatus(deployment.automation_status)

    @dg.run_failure_sensor(
        name=deployment.own_name("tell_of_failures", first),
        default_status=status,
        description="Writes what a person must do when a run broke, and calls the project's hook.",
    )
    def tell_of_failures(context: dg.RunFailureSensorContext) -> None:
        run, instance = context.dagster_run, context.instance
        if (name := _project_of(run, projects)) is None:
            return
        _tell(deployment, name, context, lambda lake, project: failed_run(lake, project, run, instance))
        if (later := _find_success_since(run, name, instance)) is not None:
            _end(deployment, name, later)  # the other sensor may have looked before there was anything to end

    @dg.run_status_sensor(
        run_status=dg.DagsterRunStatus.SUCCESS,
        name=deployment.own_name("tell_of_releases", first),
        default_status=status,
        description="Tells when a gate refused or a release was certified, and ends alerts of what succeeded since.",
    )
    def tell_of_releases(context: dg.RunStatusSensorContext) -> None:
        run = context.dagster_run
        if (name := _project_of(run, projects)) is None:
            return
        written = {key.path[-1] for key in run.asset_selection or ()}
        _end(deployment, name, run)
        if is_refused(run):
            partition = partition_of(run)
            _tell(deployment, name, context, lambda lake, project: closed_gates(lake, project, partition, run.run_id))
        if "certificate" in written or (not written and run.job_name.endswith("_release")):
            _tell(deployment, name, context, lambda lake, _: _endings(lake, context))

    return [tell_of_failures, tell_of_releases]


def _end(deployment: Deployment, project: str, run: dg.DagsterRun) -> None:
    """Say that the alerts are over that the success of a run has ended."""
    ended = ENDED_BY_REFUSAL if is_refused(run) else ENDED_BY_SUCCESS
    end_alerts(Lake(deployment.lake, project), partition_of(run), ended, f"run {run.run_id} succeeded")


def _find_success_since(run: dg.DagsterRun, project: str, instance: dg.DagsterInstance) -> dg.DagsterRun | None:
    """Return a run of the same batch, release or job that was asked for after a run, and has succeeded."""
    own = instance.get_run_record_by_id(run.run_id)
    partition = run.tags.get(PARTITION)
    same = {"job_name": run.job_name} if partition is None else {"tags": {PARTITION: partition}}
    succeeded = dg.RunsFilter(statuses=[dg.DagsterRunStatus.SUCCESS], **same)
    for record in instance.get_run_records(succeeded, limit=RUNS_LOOKED_AT) if own else ():
        if record.storage_id > own.storage_id and _project_of(record.dagster_run, [project]):  # type: ignore[union-attr]
            return record.dagster_run
    return None


def _tell(
    deployment: Deployment,
    name: str,
    context: dg.RunStatusSensorContext,
    find: Callable[[Lake, Project], Iterable[Alert]],
) -> None:
    lake = Lake(deployment.lake, name)
    try:
        project = current_project(Path(deployment.projects), lake, deployment.known)
    except CupelError as error:
        context.log.error(str(error))
        return
    for about in find(lake, project):
        for problem in alert(lake, project.operation.alerts, about):
            context.log.error(problem)


def _endings(lake: Lake, context: dg.RunStatusSensorContext) -> Iterator[Alert]:
    release = partition_of(context.dagster_run)
    if lake.commit("certificate", release) is None:
        return
    row = lake.read("certificate", release).to_pylist()[0]
    is_certified = row["status"] == "certified"
    if not is_certified and any(is_refusal(gate) for gate in gate_rows(lake, release)):
        return  # told of the gate, with its checks
    happened = f"error bound {row['error_bound']:.2%}, budget {row['error_budget']:.2%}, {row['items']:,} items"
    kind: AlertKind = "certified" if is_certified else "refused"
    place = release_folder(lake, release) if is_certified else report_folder(lake, release) / "report.html"
    yield Alert(
        lake.project, release, kind, happened, CERTIFIED if is_certified else REFUSED, context.dagster_run.run_id,
        str(place), "" if is_certified else "its audit does not prove that the budget is kept",
        f".venv/bin/cupel verify {place}" if is_certified else f"make gate PROJECT={lake.project} BATCH={release}",
    )  # fmt: skip


def _project_of(run: dg.DagsterRun, projects: Collection[str]) -> str | None:
    """Return which of some projects a run is of; None where it is another's, such as of a team's own assets."""
    keys = [*(run.asset_selection or ()), *(check.asset_key for check in run.asset_check_selection or ())]
    if JUDGED_ELSEWHERE in run.tags:  # `make gate` judges a copy: nothing in the lake has changed
        return None
    named = [*sorted(key.path[0] for key in keys), run.tags.get(PROJECT)]
    return next((name for name in named if name in projects), None)


def rewind_lost_cursors(instance: dg.DagsterInstance) -> list[str]:
    """Let sensors that watch runs begin at the first event, where they had come further than there are events.

    So it is when Dagster's database of events was made anew: they would say nothing until it has as many again.

    Args:
        instance: Dagster's instance.

    Returns:
        Their names.
    """
    newest = instance.event_log_storage.get_maximum_record_id() or 0
    rewound = []
    for state in instance.all_instigator_state():
        data = state.instigator_data
        if not isinstance(data, SensorInstigatorData) or not RunStatusSensorCursor.is_valid(data.cursor or ""):
            continue
        if RunStatusSensorCursor.from_json(data.cursor or "").record_id > newest:
            start = RunStatusSensorCursor(record_id=-1).to_json()  # type: ignore[no-untyped-call]
            instance.update_instigator_state(state.with_data(data._replace(cursor=start)))
            rewound.append(state.instigator_name)
    return sorted(rewound)
