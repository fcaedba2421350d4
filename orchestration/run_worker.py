"""The run worker: a process that has imported everything that runs need, and forks a child for each of them.

It has one thread and no open file but its channel, so that it may fork. `orchestration.run_launcher` starts it and
tells it over the channel which runs to begin; when the channel is closed, because the daemon has ended or was killed,
it ends its children and itself. Before a run it looks whether code or project files have changed since it loaded
them, and then begins anew in the same process, its children kept.
"""

import ctypes
import gc
import json
import logging
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import NamedTuple

import dagster as dg

from assets.run_outcome import OUTCOME, WHY, own_outcome
from cupel.compiled_loops import numba
from cupel.contract.stages import project_steps
from cupel.kinds.projects import load_projects
from cupel.lake.gates import gate_of
from cupel.versions.code_version import code_version, gate_version
from orchestration.dagster_internals import (
    LOGGER_OF_SKIPPED_STEPS,
    MODULES_OF_A_RUN,
    EngineEventData,
    InstanceRef,
    JobPythonOrigin,
    capture_interrupts,
    core_execute_run,
    deserialize_value,
    recon_job_from_origin,
)
from orchestration.deployment import Deployment
from orchestration.loaded_code import describe_code
from orchestration.run_process import KILLED, PROCESS, name_process

MODULE = "orchestration.run_worker"
COMMAND = [sys.executable, "-m", MODULE]
STATE = "CUPEL_RUN_WORKER"
DEFINITIONS = "orchestration.definitions"
# What runs and steps import when they come to it.
PRELOADED = (
    *MODULES_OF_A_RUN, "alembic.command", "cupel.consensus.kernels", "expectations.judge", "great_expectations",
    "great_expectations.expectations.core", "jinja2", "matplotlib.backends.backend_svg", "matplotlib.figure",
    "mlcroissant", "pandas", "pyarrow.acero", "pyarrow.dataset", "sklearn.feature_extraction.text",
    "sklearn.linear_model",
)  # fmt: skip
SECONDS_TO_STOP = 40
SIGNAL_OF_PARENTS_DEATH = 1
LINES_OF_AN_ERROR = 4
FINISHED, UNFINISHED = 0, 3

log = logging.getLogger(MODULE)


class WorkerState(NamedTuple):
    """What a run worker is told at its start, and tells itself when it begins anew.

    Args:
        channel: Number of the open file that requests come from.
        instance: Dagster's instance, as text.
        children: The runs that go on, by the number of their process.
        pending: A run that was asked for before it began anew.
    """

    channel: int
    instance: str
    children: dict[str, str] = {}
    pending: str | None = None


class RunWorker:
    """Forks a child for each run that it is asked for, and closes the record of those that were killed.

    Args:
        state: What it begins with.
    """

    def __init__(self, state: WorkerState) -> None:
        self._state = state
        self._channel = socket.socket(fileno=state.channel)
        self._children = {int(number): run_id for number, run_id in state.children.items()}
        self._deployment = Deployment.from_environment()
        self._code = describe_code(self._deployment)
        self._is_stopping = False
        self._wake, self._woken = os.pipe()
        for end in (self._wake, self._woken):
            os.set_blocking(end, False)

    def serve(self) -> None:
        """Begin runs until the channel is closed or the process is told to stop; then end those that go on."""
        signal.set_wakeup_fd(self._woken)
        for sign in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
            signal.signal(sign, self._note)
        load_code()
        gc.freeze()  # what is there now is not looked at again, so that children share its memory
        if self._state.pending:
            self._begin(self._state.pending)
        text = b""
        while not self._is_stopping:
            ready, _, _ = select.select([self._channel.fileno(), self._wake], [], [])
            self._reap()
            if self._channel.fileno() in ready:
                try:
                    came = self._channel.recv(65_536)
                    *lines, text = (text + came).split(b"\n")
                    for line in lines:
                        self._answer(line.decode())
                except ConnectionError:  # who asked has ended
                    break
                if not came:
                    break
        self._stop()

    def _note(self, sign: int, frame: object) -> None:
        self._is_stopping = self._is_stopping or sign != signal.SIGCHLD

    def _answer(self, run_id: str) -> None:
        if describe_code(self._deployment) != self._code:
            if problem := find_import_problem():
                self._send(run_id, problem=problem)  # to begin anew would end the runs that go on
                return
            log.info("code or project files have changed: the run worker loads them anew")
            self._begin_anew(run_id)
        self._begin(run_id)

    def _begin(self, run_id: str) -> None:
        try:
            child = self._fork(lambda: execute_run(self._state.instance, run_id))
        except OSError as error:
            self._send(run_id, problem=f"no process can be forked for it ({error}); see to the machine's memory")
            return
        self._children[child] = run_id
        self._send(run_id, process=child)

    def _send(self, run_id: str, **said: int | str) -> None:
        self._channel.sendall(f"{json.dumps({'run_id': run_id, **said})}\n".encode())

    def _fork(self, work: Callable[[], int]) -> int:
        parent = os.getpid()
        child = os.fork()
        if child:
            return child
        code = UNFINISHED
        try:
            _end_with(parent)
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.signal(signal.SIGTERM, signal.default_int_handler)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            self._channel.close()
            code = work()
        except BaseException as error:
            log.error("%s: %s", type(error).__name__, error)
        finally:
            with suppress(Exception):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(code)

    def _reap(self) -> None:
        """Take notice of children that have ended; one that did not finish its run is said to have been killed."""
        with suppress(BlockingIOError):
            while os.read(self._wake, 4096):
                pass
        with suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                number, status = ended
                run_id, code = self._children.pop(number, None), os.waitstatus_to_exitcode(status)
                if run_id is not None and code != FINISHED:
                    with suppress(OSError):  # where there is no memory for it, the daemon's watch closes the record
                        self._fork(lambda run_id=run_id, code=code: close_run(self._state.instance, run_id, code))  # type: ignore[misc]

    def _begin_anew(self, pending: str) -> None:
        children = {str(number): run_id for number, run_id in self._children.items()}
        state = self._state._replace(children=children, pending=pending)
        os.set_inheritable(self._channel.fileno(), True)
        sys.stdout.flush()
        sys.stderr.flush()
        os.execve(sys.executable, COMMAND, environment(state))

    def _stop(self) -> None:
        self._channel.close()
        for sign, seconds in ((signal.SIGTERM, SECONDS_TO_STOP), (signal.SIGKILL, SECONDS_TO_STOP)):
            for number in self._children:
                with suppress(ProcessLookupError):
                    os.kill(number, sign)
            end = time.monotonic() + seconds
            while self._children and time.monotonic() < end:
                select.select([self._wake], [], [], 1)
                self._reap()
        with suppress(ChildProcessError):
            while True:
                os.wait()  # those that close records


def environment(state: WorkerState) -> dict[str, str]:
    """Return the environment that a run worker is started in: it holds more than a command line should show."""
    return {**os.environ, STATE: json.dumps(state._asdict())}


def find_import_problem() -> str | None:
    """Return why this module cannot be imported as it is on the disk now; None where it can."""
    done = subprocess.run([sys.executable, "-c", f"import {MODULE}"], capture_output=True, text=True, check=False)
    if not done.returncode:
        return None
    said = " ".join(line.strip() for line in done.stderr.splitlines()[-LINES_OF_AN_ERROR:])
    return f"the code cannot be loaded: {said}"


def load_code() -> None:
    """Import what runs need, load the definitions, and hash the code that versions of tables are made of.

    What cannot be loaded is said by the run that needs it.
    """
    try:
        for name in PRELOADED:
            import_module(name)
        numba.njit(lambda: 0)()  # type: ignore[call-arg]  # makes ready what the first loop of a process takes half a second for
        defs: dg.Definitions = import_module(DEFINITIONS).defs
        for job in defs.get_repository_def().get_all_jobs():
            job.get_subset()
        for project in load_projects(Deployment.from_environment().projects):
            for step in (*project_steps(project, "batch"), *project_steps(project, "release")):
                for table in step.tables:
                    code_version(project, table)
                    gate_version(project, gate_of(table))
        import_module("expectations.judge")._context()
    except Exception as error:
        log.error("the definitions cannot be loaded: %s: %s", type(error).__name__, error)


def execute_run(instance_ref: str, run_id: str) -> int:
    """Execute a run in this process, and return whether its record was closed.

    Args:
        instance_ref: Dagster's instance, as text.
        run_id: The run.
    """
    with capture_interrupts(), dg.DagsterInstance.from_ref(deserialize_value(instance_ref, InstanceRef)) as instance:
        run = instance.get_run_by_id(run_id)
        if run is None or run.is_finished:  # deleted or canceled meanwhile
            return FINISHED
        process, begun = os.getpid(), time.process_time()
        instance.add_run_tags(run_id, {PROCESS: name_process(process)})
        if OUTCOME in run.tags and own_outcome(run) is None:  # of the run that this one repeats
            instance.add_run_tags(run_id, {OUTCOME: "executed again", WHY: "no gate has judged in this run yet"})
        instance.report_engine_event(
            f"Forked a process for the run (pid: {process}).", run, EngineEventData.in_process(process)
        )
        origin = run.job_code_origin
        if not isinstance(origin, JobPythonOrigin):
            instance.report_run_failed(run, "The run does not say which code it is of; start it anew on the page.")
            return FINISHED
        with suppress(Exception, KeyboardInterrupt):  # it is in the run's record
            for _ in core_execute_run(recon_job_from_origin(origin), run, instance, inject_env_vars=True):
                pass
        log.info("run %s took %.1f s of processor time", run_id, time.process_time() - begun)
        found = instance.get_run_by_id(run_id)
        return FINISHED if found is None or found.is_finished else UNFINISHED


def close_run(instance_ref: str, run_id: str, code: int) -> int:
    """Say of a run whose process has ended that it failed, or was canceled, unless its record is closed already.

    Args:
        instance_ref: Dagster's instance, as text.
        run_id: The run.
        code: The exit code of its process, or minus the number of the signal that killed it.
    """
    with dg.DagsterInstance.from_ref(deserialize_value(instance_ref, InstanceRef)) as instance:
        run = instance.get_run_by_id(run_id)
        if run is not None and run.status == dg.DagsterRunStatus.CANCELING:
            instance.report_run_canceled(run, "Its process has ended.")
        elif run is not None and not run.is_finished:
            how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
            instance.add_run_tags(run_id, {KILLED: "true"})
            instance.report_run_failed(run, f"The run's process {how}; the next run does what it left.")
    return FINISHED


def _end_with(parent: int) -> None:
    """Let the system end this process when its parent is killed, where the system can."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(SIGNAL_OF_PARENTS_DEATH, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(UNFINISHED)


def main() -> None:
    """Serve on the channel that the environment names."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s - run worker - %(levelname)s - %(message)s")
    log.setLevel(logging.INFO)
    logging.getLogger(LOGGER_OF_SKIPPED_STEPS).setLevel(logging.ERROR)
    RunWorker(WorkerState(**json.loads(os.environ.pop(STATE)))).serve()


if __name__ == "__main__":
    main()
