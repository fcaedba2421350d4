"""Dagster's daemon, as `make up` starts it: its code server is started anew when code has changed, not every minute.

`dagster-daemon run` takes a new code server each minute, which imports everything again.
"""

import logging
import os
import sys
import time
from contextlib import ExitStack, suppress

import dagster as dg

from orchestration.clock import ClockWatch, correct_future_ticks
from orchestration.dagster_internals import (
    DagsterDaemonController,
    GrpcServerCommand,
    GrpcServerRegistry,
    ServerRegistryEntry,
    WorkspaceFileTarget,
    WorkspaceProcessContext,
    capture_interrupts,
    configure_loggers,
    create_daemons_from_instance,
    setup_interrupt_handlers,
)
from orchestration.dagster_storage import open_instance
from orchestration.deployment import BEGUN_ANEW, REPOSITORY, Deployment
from orchestration.loaded_code import describe_code
from orchestration.watch import rewind_lost_cursors

MODULE = "orchestration.dagster_daemon"
SECONDS_OF_A_CODE_SERVER = 86_400
# While one loads nobody sends it a heartbeat: of 20 seconds, as Dagster has it, it dies on a busy machine.
SECONDS_WITHOUT_HEARTBEAT = 60

log = logging.getLogger(MODULE)


class CodeServers(GrpcServerRegistry):
    """The daemon's code servers: kept for a day, unless code or project files have changed or one has ended.

    Args:
        instance: Dagster's instance.
        deployment: Where the project files are.
    """

    def __init__(self, instance: dg.DagsterInstance, deployment: Deployment) -> None:
        self._deployment = deployment
        self._code, self._since = describe_code(deployment), time.monotonic()
        super().__init__(
            instance_ref=instance.get_ref(), server_command=GrpcServerCommand.API_GRPC,
            heartbeat_ttl=SECONDS_WITHOUT_HEARTBEAT,
            startup_timeout=instance.code_server_process_startup_timeout,
            log_level="warning",
            wait_for_processes_on_shutdown=instance.wait_for_local_code_server_processes_on_shutdown,
        )  # fmt: skip

    def clear_all_grpc_endpoints(self) -> None:
        """Let the next one who asks get a new code server, where there is a reason; Dagster calls this each minute."""
        code = describe_code(self._deployment)
        is_old = time.monotonic() - self._since > SECONDS_OF_A_CODE_SERVER
        if code != self._code or is_old or not self._are_sound():
            self._code, self._since = code, time.monotonic()
            super().clear_all_grpc_endpoints()  # type: ignore[no-untyped-call]

    def _are_sound(self) -> bool:
        entries = list(self._active_entries.values())
        return all(
            isinstance(entry, ServerRegistryEntry) and entry.process.server_process.poll() is None for entry in entries
        )


class ClockSetBackError(Exception):
    """The clock was set back while the daemon ran: what it waits for by the clock would come much later."""


class Controller(DagsterDaemonController):
    """Dagster's controller, which ends as well when the clock is set back."""

    _clock = ClockWatch()

    def check_daemon_threads(self) -> None:
        """Look whether all threads live; Dagster calls this every few seconds."""
        super().check_daemon_threads()
        if self._clock.was_set_back():
            raise ClockSetBackError


def run() -> None:
    """Run the daemon until it is told to stop.

    Raises:
        ClockSetBackError: The clock was set back.
    """
    setup_interrupt_handlers()
    with suppress(KeyboardInterrupt), ExitStack() as stack:
        stack.enter_context(capture_interrupts())
        instance = stack.enter_context(open_instance(lambda words: log.warning("%s", words)))
        servers = stack.enter_context(CodeServers(instance, Deployment.from_environment()))
        daemons = [stack.enter_context(daemon) for daemon in create_daemons_from_instance(instance)]
        target = WorkspaceFileTarget([str(REPOSITORY / "workspace.yaml")])
        workspace = stack.enter_context(
            WorkspaceProcessContext(instance, workspace_load_target=target, grpc_server_registry=servers)
        )
        configure_loggers(handler="default", formatter="colored", log_level="INFO")
        if waiting := correct_future_ticks(instance):
            log.warning("the clock was ahead: %s would have waited until it is past", ", ".join(waiting))
        if rewound := rewind_lost_cursors(instance):
            log.warning("the record of events is a new one: %s look at it from its first", ", ".join(rewound))
        controller = stack.enter_context(Controller(workspace, daemons, grpc_server_registry=servers))
        controller.check_daemon_loop()


def main() -> None:
    """Run the daemon until it is told to stop; where the clock is set back, end all of it and begin anew."""
    try:
        run()
    except ClockSetBackError:
        log.warning("the clock was set back: the daemon begins anew, and asks again for the runs that went on")
        os.environ[BEGUN_ANEW] = f" {time.time()}"
        os.execv(sys.executable, [sys.executable, "-m", MODULE])


if __name__ == "__main__":
    main()
