"""The run launcher that `dagster.yaml` names: the daemon's runs are forks of one warm process, its run worker."""

import json
import os
import signal
import socket
import subprocess
import threading
from collections.abc import Mapping
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

import dagster as dg

from cupel.store.files import append_to
from orchestration.dagster_internals import (
    CheckRunHealthResult,
    ConfigurableClass,
    ConfigurableClassData,
    DagsterLaunchFailedError,
    LaunchRunContext,
    RunLauncher,
    UserConfigSchema,
    WorkerStatus,
    serialize_value,
)
from orchestration.run_process import KILLED, PROCESS, find_process
from orchestration.run_worker import COMMAND, WorkerState, environment

SECONDS_TO_START = 180
SECONDS_TO_STOP = 60
TRIES = 2


class ForkRunLauncher(RunLauncher[dg.DagsterInstance], ConfigurableClass):
    """Launches each run as a fork of a process that has imported everything.

    The process is started with the first run, and anew where it has died. It belongs to the program that launches
    runs, the daemon or `make run`: when that ends, however it does, process and runs end too. What it writes goes to
    `log`, or where the program's own goes.
    """

    def __init__(self, inst_data: ConfigurableClassData | None = None) -> None:
        self._inst_data = inst_data
        self._lock = threading.Lock()
        self._worker: subprocess.Popen[bytes] | None = None
        self._channel: socket.socket | None = None
        self.log: Path | None = None
        super().__init__()  # type: ignore[no-untyped-call]

    @property
    def inst_data(self) -> ConfigurableClassData | None:
        """What the instance's settings say of it."""
        return self._inst_data

    @classmethod
    def config_type(cls) -> UserConfigSchema:
        """Return its settings: there are none."""
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData, config_value: Mapping[str, Any]) -> "ForkRunLauncher":
        """Return the launcher of an instance."""
        return cls(inst_data)

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Whether the daemon can ask whether a run's process is there: it can."""
        return True

    @property
    def is_worker_gone(self) -> bool:
        """Whether the run worker has ended, and with it every run that has not named its own process yet."""
        return self._worker is None or self._worker.poll() is not None

    def launch_run(self, context: LaunchRunContext) -> None:
        """Let the run worker begin a run.

        Raises:
            DagsterLaunchFailedError: It cannot be started, does not answer, or cannot begin the run.
        """
        run_id = context.dagster_run.run_id
        problem: str | None = None
        with self._lock:
            for _ in range(TRIES):
                try:
                    problem = self._ask(run_id)
                    break
                except OSError as error:
                    self._end_worker()
                    problem = f"the run worker does not answer ({error}); see .dagster/service/daemon.log, then "
                    problem += "`make down` and `make up`"
        if problem is not None:
            self._instance.add_run_tags(run_id, {KILLED: "true"})  # it has not failed by itself
            raise DagsterLaunchFailedError(problem)  # type: ignore[no-untyped-call]

    def terminate(self, run_id: str) -> bool:
        """Stop a run's process, as the page's Terminate asks; False where the run has ended already.

        One that does not stop within a minute, such as in a long computation, is killed.
        """
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            return False
        self._instance.report_run_canceling(run)
        name = run.tags.get(PROCESS)
        process = None if name is None else find_process(name)
        if process is None:
            why = "Its process is not known yet." if name is None else "Its process had ended already."
            self._instance.report_run_canceled(run, why)
        else:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGTERM)
            last = threading.Timer(SECONDS_TO_STOP, _kill_process, [name])
            last.daemon = True
            last.start()
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Tell whether a run's process is there; a run that was not launched here is left alone."""
        name = run.tags.get(PROCESS)
        if name is None or find_process(name) is not None:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        found = self._instance.get_run_by_id(run.run_id)
        if found is None or found.is_finished:  # it ended while it was looked for
            return CheckRunHealthResult(WorkerStatus.SUCCESS)
        self._instance.add_run_tags(run.run_id, {KILLED: "true"})
        return CheckRunHealthResult(WorkerStatus.FAILED, f"the run's process {name.split(' ')[0]} is gone")

    def dispose(self) -> None:
        """End the run worker and its runs."""
        with self._lock:
            self._end_worker()

    def _ask(self, run_id: str) -> str | None:
        """Ask for a run, and wait until it was begun; return why it cannot be, if so.

        Raises:
            OSError: There is no answer.
        """
        channel = self._channel if self._worker is not None and self._worker.poll() is None else None
        if channel is None:
            channel = self._start_worker()
        channel.sendall(f"{run_id}\n".encode())
        answer = b""
        while not answer.endswith(b"\n"):
            came = channel.recv(4096)
            if not came:
                raise ConnectionResetError("it has ended")
            answer += came
        said: dict[str, str] = json.loads(answer)
        if said["run_id"] != run_id:
            raise ConnectionError("it answered for another run")
        return said.get("problem")

    def _start_worker(self) -> socket.socket:
        self._end_worker()
        ours, its = socket.socketpair()
        ours.settimeout(SECONDS_TO_START)
        with its:
            state = WorkerState(its.fileno(), serialize_value(self._instance.get_ref()))
            with nullcontext() if self.log is None else append_to(self.log) as log:
                self._worker = subprocess.Popen(
                    COMMAND, stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=[its.fileno()],
                    env=environment(state),
                )  # fmt: skip
        self._channel = ours
        return ours

    def _end_worker(self) -> None:
        """Close the channel, at which the worker ends its runs and itself."""
        if self._channel is not None:
            self._channel.close()
            self._channel = None
        if self._worker is not None:
            try:
                self._worker.wait(SECONDS_TO_STOP)
            except subprocess.TimeoutExpired:
                self._worker.kill()
                self._worker.wait()
            self._worker = None


def _kill_process(name: str) -> None:
    if (process := find_process(name)) is not None:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
