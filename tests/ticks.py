"""The daemon's part, tick by tick, without waiting: what sensors ask for is run in this process."""

from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.remote_origin import InProcessCodeLocationOrigin, RemoteInstigatorOrigin, RemoteRepositoryOrigin
from dagster._core.scheduler.instigation import InstigatorState, InstigatorStatus, InstigatorType, TickData, TickStatus
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin

from cupel.lake.lake import Lake
from orchestration.definitions import build_definitions
from orchestration.deployment import Deployment
from small_project import write_project

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


class Daemon:
    """Does what the daemon does, in one process and without waiting."""

    def __init__(self, deployment: Deployment, name: str = "small", instance: dg.DagsterInstance | None = None) -> None:
        self.deployment, self.name = deployment, name
        self.definitions = build_definitions(deployment)
        self.repository = self.definitions.get_repository_def()
        self.instance = instance or dg.DagsterInstance.ephemeral()
        self.lake = Lake(deployment.lake, name)
        self.cursors: dict[str, str | None] = {}
        self.asked: set[str] = set()

    def tick(self, sensor: str) -> list[dg.RunRequest]:
        cursor = self.cursors.get(sensor)
        with dg.build_sensor_context(instance=self.instance, repository_def=self.repository, cursor=cursor) as context:
            result = self.repository.get_sensor_def(f"{self.name}_{sensor}").evaluate_tick(context)
        self.cursors[sensor] = result.cursor
        for request in result.dynamic_partitions_requests or []:
            self.instance.add_dynamic_partitions(request.partitions_def_name, list(request.partition_keys))
        requests = [run for run in result.run_requests or [] if run.run_key is None or run.run_key not in self.asked]
        self.asked |= {run.run_key for run in requests if run.run_key}
        return requests

    def work(self) -> tuple[int, list[str]]:
        """Tick both sensors once, and run what they ask for; return runs of collections, and partitions forwarded."""
        collections = self.tick("inbox")
        for _ in collections:
            self.job("collect").execute_in_process(instance=self.instance, raise_on_error=False, run_config=QUIET)
        requests = self.tick("forward")
        for request in requests:
            self.run(request)
        return len(collections), [str(request.partition_key) for request in requests]

    def run(self, request: dg.RunRequest) -> bool:
        tables = {key.path[-1] for key in request.asset_selection or ()}
        is_release = str(request.partition_key).rpartition("-r")[2].isdigit()
        kind = "report" if tables == {"report"} else "release" if is_release else "batch"
        done = self.job(kind).execute_in_process(
            instance=self.instance, partition_key=request.partition_key, asset_selection=request.asset_selection,
            raise_on_error=False, run_config=QUIET,
        )  # fmt: skip
        return done.success

    def job(self, kind: str) -> dg.JobDefinition:
        return self.definitions.resolve_job_def(f"{self.name}_{kind}")

    def until_idle(self, most: int = 30) -> int:
        for number in range(most):
            if self.work() == (0, []):
                return number
        raise AssertionError("it never comes to rest")


def with_inbox(folder: Path, **changes: Any) -> Deployment:
    deployment = write_project(folder, items=120, release={"audit_size": 60, "error_budget": 0.1}, **changes)
    path = deployment.projects / "small.yaml"
    path.write_text(path.read_text().replace("raw:\n", "raw:\n  inbox: {licence: CC0-1.0}\n"))
    (folder / "inbox" / "small" / "answers").mkdir(parents=True)
    return deployment._replace(inbox=folder / "inbox")


def collect(daemon: Daemon) -> None:
    """Run the job that collects what came in."""
    daemon.job("collect").execute_in_process(instance=daemon.instance, run_config=QUIET)


def tell(daemon: Daemon, run: dg.DagsterRun) -> None:
    sensor = daemon.repository.get_sensor_def("tell_of_failures")
    events = daemon.instance.all_logs(run.run_id)
    failure = next(e.dagster_event for e in events if e.dagster_event and e.dagster_event.is_failure and not e.step_key)
    context = dg.build_run_status_sensor_context(
        sensor_name="tell_of_failures", dagster_event=failure, dagster_instance=daemon.instance, dagster_run=run
    ).for_run_failure()
    sensor(context)  # type: ignore[operator]


def succeed(daemon: Daemon, run: dg.DagsterRun) -> None:
    events = daemon.instance.all_logs(run.run_id)
    success = next(e.dagster_event for e in events if e.dagster_event and e.dagster_event.is_job_success)  # type: ignore[attr-defined]
    context = dg.build_run_status_sensor_context(
        sensor_name="tell_of_releases", dagster_event=success, dagster_instance=daemon.instance, dagster_run=run
    )
    daemon.repository.get_sensor_def("tell_of_releases")(context)  # type: ignore[operator]


def remember(instance: dg.DagsterInstance, name: str, kind: InstigatorType, data: Any, ticked_at: float) -> None:
    """Leave what a tick of that moment leaves."""
    code = InProcessCodeLocationOrigin(LoadableTargetOrigin(module_name="one"), location_name="one")
    origin = RemoteInstigatorOrigin(RemoteRepositoryOrigin(code, "all"), name)
    state = InstigatorState(origin, kind, InstigatorStatus.RUNNING, data)
    instance.add_instigator_state(state)
    instance.create_tick(
        TickData(origin.get_id(), name, kind, TickStatus.SKIPPED, ticked_at, selector_id=state.selector_id)
    )
