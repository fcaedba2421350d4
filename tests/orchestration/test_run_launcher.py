"""Runs as forks of the run worker: they begin, end, are killed and stopped, each by itself."""

import errno
import json
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import pytest
import worker_jobs
from dagster import DagsterRunStatus as Status
from dagster._core.definitions.reconstruct import ReconstructableJob
from dagster._core.errors import DagsterLaunchFailedError
from dagster._core.launcher.base import LaunchRunContext, WorkerStatus

from dagster_homes import make_home
from orchestration import run_launcher
from orchestration.dagster_storage import prepare_storage
from orchestration.run_launcher import ForkRunLauncher
from orchestration.run_process import KILLED, PROCESS, find_process, name_process
from orchestration.run_worker import RunWorker, WorkerState
from small_project import write_project

SECONDS = 120


class Place:
    """An instance whose runs are forks, and what their jobs have told."""

    def __init__(self, instance: dg.DagsterInstance, folder: Path) -> None:
        self.instance, self.folder = instance, folder
        assert isinstance(instance.run_launcher, ForkRunLauncher)
        self.launcher = instance.run_launcher

    def launch(self, name: str) -> str:
        code = ReconstructableJob.for_file(worker_jobs.__file__, name)
        run = self.instance.create_run_for_job(
            code.get_definition(), job_code_origin=code.get_python_origin(), status=Status.STARTING
        )
        self.launcher.launch_run(LaunchRunContext(run, None))
        return run.run_id

    def run(self, run_id: str) -> dg.DagsterRun:
        found = self.instance.get_run_by_id(run_id)
        assert found is not None
        return found

    def wait(self, run_id: str) -> Status:
        until(lambda: self.run(run_id).is_finished)
        return self.run(run_id).status

    def told(self, name: str) -> str:
        path = self.folder / name
        until(path.exists)
        text = path.read_text()
        path.unlink()
        return text

    def worker(self) -> int:
        worker = self.launcher._worker
        return 0 if worker is None else worker.pid


def until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + SECONDS
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("worker")
    home = make_home(folder / "dagster")
    prepare_storage(home, pytest.fail)
    write_project(folder, "small", items=10)
    with pytest.MonkeyPatch.context() as patch, dg.DagsterInstance.from_config(str(home)) as instance:
        for name in ("PROJECTS", "DATA", "LAKE", "INBOX"):
            patch.setenv(f"CUPEL_{name}", str(folder / name.lower()))
        patch.setenv(worker_jobs.FOLDER, str(folder))
        (folder / "edited").mkdir()
        patch.setenv("PYTHONPATH", str(folder / "edited"))
        yield Place(instance, folder)


def test_runs_are_forks_of_one_process(place: Place) -> None:
    runs = [place.launch("telling"), place.launch("telling")]
    assert [place.wait(run_id) for run_id in runs] == [Status.SUCCESS, Status.SUCCESS]
    process, parent, sensors = place.told("told").split()
    assert int(parent) == place.worker() != int(process)
    assert "small_inbox" in sensors
    assert len({place.run(run_id).tags[PROCESS] for run_id in runs}) == 2


def test_a_step_that_kills_its_process_ends_its_run_alone(place: Place) -> None:
    other, killed = place.launch("waiting"), place.launch("dying")
    assert place.wait(killed) == Status.FAILURE
    said = [event.message for event in place.instance.all_logs(killed)]
    assert any("was killed by SIGKILL; the next run does what it left" in str(text) for text in said), said
    process = int(place.told("waits"))
    assert place.run(other).status == Status.STARTED
    assert place.launcher.check_run_worker_health(place.run(other)).status == WorkerStatus.RUNNING
    assert place.launcher.terminate(other)
    assert place.wait(other) == Status.CANCELED
    until(lambda: find_process(name_process(process)) is None)
    assert not place.launcher.terminate(other)


def test_a_run_that_does_not_stop_is_killed_and_is_canceled_all_the_same(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = place.launch("resisting")
    process = name_process(int(place.told("waits")))
    monkeypatch.setattr(run_launcher, "SECONDS_TO_STOP", 1)
    assert place.launcher.terminate(run_id)
    assert place.wait(run_id) == Status.CANCELED
    assert find_process(process) is None
    assert KILLED not in place.run(run_id).tags  # a person did not want it: it is not asked for again


def test_a_run_that_was_canceled_before_its_process_began_does_nothing(place: Place) -> None:
    code = ReconstructableJob.for_file(worker_jobs.__file__, "telling")
    run = place.instance.create_run_for_job(
        code.get_definition(), job_code_origin=code.get_python_origin(), status=Status.CANCELED
    )
    place.launcher.launch_run(LaunchRunContext(run, None))
    assert place.wait(place.launch("dying")) == Status.FAILURE
    assert PROCESS not in place.run(run.run_id).tags
    assert not (place.folder / "told").exists()


def test_a_run_whose_process_is_gone_is_found_out_and_one_of_others_is_left_alone(place: Place) -> None:
    child = os.fork()
    if child == 0:
        time.sleep(SECONDS)
    name = name_process(child)
    assert find_process(name) == child
    assert find_process(name.replace(f"{child} ", f"{child} 1", 1)) is None  # its number was given to another one
    os.kill(child, signal.SIGKILL)
    until(lambda: find_process(name) is None)  # dead, and nobody has waited for it yet
    os.waitpid(child, 0)
    gone = dg.DagsterRun("waiting", status=Status.STARTED, tags={PROCESS: name})
    place.instance.add_run(gone)
    assert place.launcher.check_run_worker_health(gone).status == WorkerStatus.FAILED
    assert place.run(gone.run_id).tags[KILLED] == "true"
    assert place.launcher.check_run_worker_health(dg.DagsterRun("waiting")).status == WorkerStatus.RUNNING


def test_code_that_has_changed_is_loaded_before_the_next_run_and_those_that_go_on_are_kept(place: Place) -> None:
    kept = place.launch("waiting")
    process = int(place.told("waits"))
    before = place.worker()
    write_project(place.folder, "other", items=10)
    assert place.wait(place.launch("telling")) == Status.SUCCESS
    _, parent, sensors = place.told("told").split()
    assert "other_inbox" in sensors
    assert int(parent) == before == place.worker()
    os.kill(process, signal.SIGKILL)
    assert place.wait(kept) == Status.FAILURE  # it is still watched over


def test_code_that_cannot_be_loaded_ends_no_run_that_goes_on(place: Place) -> None:
    kept = place.launch("waiting")
    process = int(place.told("waits"))
    broken = place.folder / "edited" / "numba.py"  # what the worker imports, half saved
    broken.write_text("def \n")
    write_project(place.folder, "third", items=10)
    with pytest.raises(DagsterLaunchFailedError, match=r"numba\.py.*SyntaxError"):
        place.launch("telling")
    (refused,) = place.instance.get_runs(dg.RunsFilter(job_name="telling"), limit=1)
    assert refused.tags[KILLED] == "true"  # it is asked for again
    assert place.run(kept).status == Status.STARTED
    broken.unlink()
    assert place.wait(place.launch("telling")) == Status.SUCCESS
    assert "third_inbox" in place.told("told")
    os.kill(process, signal.SIGKILL)
    assert place.wait(kept) == Status.FAILURE


def test_a_machine_without_memory_for_another_run_ends_no_run_that_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def fork() -> int:
        raise OSError(errno.ENOMEM, "Cannot allocate memory")

    ours, its = socket.socketpair()
    worker = RunWorker(WorkerState(its.detach(), ""))
    monkeypatch.setattr(os, "fork", fork)
    with ours:
        worker._answer("one")
        said = json.loads(ours.recv(4096))
    assert said["run_id"] == "one"
    assert "Cannot allocate memory" in said["problem"]


def test_a_worker_that_is_killed_takes_its_runs_along_and_the_next_run_starts_another(place: Place) -> None:
    lost = place.launch("waiting")
    process = name_process(int(place.told("waits")))
    os.kill(place.worker(), signal.SIGKILL)
    until(lambda: find_process(process) is None)
    assert place.launcher.check_run_worker_health(place.run(lost)).status == WorkerStatus.FAILED
    assert place.wait(place.launch("telling")) == Status.SUCCESS
    place.told("told")


def test_where_who_started_it_has_ended_worker_and_runs_end(place: Place) -> None:
    last = place.launch("waiting")
    process, worker = name_process(int(place.told("waits"))), name_process(place.worker())
    place.launcher.dispose()  # closes the channel, as the system does for a daemon that was killed
    assert find_process(process) is None
    assert find_process(worker) is None
    assert place.run(last).is_finished
