"""The queue of runs, as `dagster.yaml` has it: what is begun when so many wait."""

import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster import DagsterRunStatus as Status
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin
from dagster._core.run_coordinator import SubmitRunContext
from dagster._daemon.run_coordinator.queued_run_coordinator_daemon import QueuedRunCoordinatorDaemon
from dagster._daemon.types import DaemonHeartbeat

from dagster_homes import make_home
from orchestration.dagster_storage import prepare_storage
from orchestration.run_coordinator import QUEUE_DAEMON
from orchestration.run_launcher import ForkRunLauncher

WAITING = 150


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    home = make_home(tmp_path / "dagster")
    prepare_storage(home, pytest.fail)
    with dg.DagsterInstance.from_config(str(home)) as found:
        yield found


def add_run(instance: dg.DagsterInstance, job: str, status: Status, partition: str | None = None) -> None:
    tags = {} if partition is None else {"dagster/partition": partition}
    location = RegisteredCodeLocationOrigin("orchestration.definitions")
    origin = RemoteJobOrigin(RemoteRepositoryOrigin(location, "__repository__"), job)
    run = dg.DagsterRun(job, run_id=str(uuid.uuid4()), status=status, tags=tags, remote_job_origin=origin)
    instance.add_run(run)


def begin(instance: dg.DagsterInstance) -> list[str]:
    """Return what the daemon would begin now: jobs and partitions."""
    runs = QueuedRunCoordinatorDaemon(1)._get_runs_to_dequeue(instance, instance.get_concurrency_config(), None)
    return sorted(run.tags.get("dagster/partition", run.job_name) for run in runs)


def test_collecting_does_not_wait_behind_any_number_of_batches(instance: dg.DagsterInstance) -> None:
    for number in range(2):
        add_run(instance, "small_batch", Status.STARTED, f"at work {number}")
    for number in range(WAITING):
        add_run(instance, "small_batch", Status.QUEUED, f"waits {number}")
    assert begin(instance) == []
    add_run(instance, "small_collect", Status.QUEUED)
    assert begin(instance) == ["small_collect"]


def test_two_batches_are_worked_on_at_once_and_a_third_place_is_for_collecting(instance: dg.DagsterInstance) -> None:
    for number in range(4):
        add_run(instance, "small_batch", Status.QUEUED, f"b{number}")
    assert begin(instance) == ["b0", "b1"]
    add_run(instance, "small_collect", Status.QUEUED)
    assert begin(instance) == ["b0", "b1", "small_collect"]


def test_a_batch_is_worked_on_by_one_run_at_a_time(instance: dg.DagsterInstance) -> None:
    add_run(instance, "small_batch", Status.STARTED, "b0")
    add_run(instance, "small_batch", Status.QUEUED, "b0")
    add_run(instance, "small_batch", Status.QUEUED, "b1")
    assert begin(instance) == ["b1"]


def test_runs_are_launched_as_forks(instance: dg.DagsterInstance) -> None:
    assert isinstance(instance.run_launcher, ForkRunLauncher)
    assert instance.run_launcher.supports_check_run_worker_health


def submit(instance: dg.DagsterInstance, run_id: str, launched: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    run = instance.get_run_by_id(run_id)
    assert run is not None
    monkeypatch.setattr(
        instance.run_launcher, "launch_run", lambda context: launched.append(context.dagster_run.run_id)
    )
    instance.run_coordinator.submit_run(SubmitRunContext(run, workspace=None))  # type: ignore[arg-type]


@pytest.mark.parametrize(("age", "is_queued"), [(None, False), (10, True), (600, False)])
def test_a_run_of_the_page_waits_only_where_a_daemon_works_the_queue_off(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch, age: int | None, is_queued: bool
) -> None:
    if age is not None:
        instance.add_daemon_heartbeat(DaemonHeartbeat(time.time() - age, QUEUE_DAEMON, "daemon"))
    add_run(instance, "small_batch", Status.NOT_STARTED)
    (run,) = instance.get_runs()
    launched: list[str] = []
    submit(instance, run.run_id, launched, monkeypatch)
    assert launched == ([] if is_queued else [run.run_id])
    found = instance.get_run_by_id(run.run_id)
    assert found is not None
    assert found.status == (Status.QUEUED if is_queued else Status.STARTING)
