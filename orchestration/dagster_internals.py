"""The seam to Dagster's private modules: every private name that Cupel uses is imported here and nowhere else.

Dagster's version is pinned; when it is raised, this file says what may have moved, and why each name is needed.
"""

import sys
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

# The run launcher and its worker: a launcher is a class of the instance, and a child executes a run by its record.
from dagster._config.config_schema import UserConfigSchema
from dagster._core.code_pointer import CodePointer

# The watch of alerts: where a sensor of failed runs stands in the log of events.
from dagster._core.definitions.run_status_sensor_definition import RunStatusSensorCursor
from dagster._core.errors import DagsterInvalidConfigError, DagsterLaunchFailedError
from dagster._core.event_api import PartitionKeyFilter
from dagster._core.events import EngineEventData

# Old runs are removed from Dagster's own tables, for which it has no call.
from dagster._core.instance import RUNLESS_RUN_ID, InstanceRef

# dagster.yaml is read before an instance is opened, so that a wrong one is said in a sentence.
from dagster._core.instance.config import dagster_instance_config
from dagster._core.launcher.base import CheckRunHealthResult, LaunchRunContext, RunLauncher, WorkerStatus
from dagster._core.origin import DEFAULT_DAGSTER_ENTRY_POINT, JobPythonOrigin, RepositoryPythonOrigin

# Runs that `make run` launches are the workspace's: they bear its origin, as those that the page launches do.
from dagster._core.remote_origin import RemoteJobOrigin, RemoteRepositoryOrigin

# The daemon's code servers: Dagster takes new ones each minute and has no setting for it.
from dagster._core.remote_representation.grpc_server_registry import GrpcServerRegistry, ServerRegistryEntry

# The run coordinator: runs of the page are queued only where a daemon works the queue off.
from dagster._core.run_coordinator import QueuedRunCoordinator, SubmitRunContext

# The clock: ticks that are dated later than now would be waited for.
from dagster._core.scheduler.instigation import (
    InstigatorState,
    ScheduleInstigatorData,
    SensorInstigatorData,
    TickStatus,
)

# The Checks tab: what a check of several partitions came to in each.
from dagster._core.storage.asset_check_execution_record import (
    AssetCheckExecutionRecordStatus,
    AssetCheckPartitionInfo,
)
from dagster._core.storage.dagster_run import FINISHED_STATUSES, IN_PROGRESS_RUN_STATUSES
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable, AssetEventTagsTable
from dagster._core.storage.event_log.schema import SqlEventLogStorageTable as EventsTable
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from dagster._core.storage.tags import RUN_KEY_TAG
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import WorkspaceFileTarget
from dagster._grpc.constants import GrpcServerCommand
from dagster._grpc.impl import core_execute_run
from dagster._serdes import ConfigurableClass, deserialize_value, serialize_value
from dagster._serdes.config_class import ConfigurableClassData
from dagster._utils.hosted_user_process import recon_job_from_origin
from dagster._utils.interrupts import capture_interrupts, setup_interrupt_handlers
from dagster._utils.log import configure_loggers
from dagster_shared.error import SerializableErrorInfo

if TYPE_CHECKING:
    from dagster._daemon.controller import DagsterDaemonController, create_daemons_from_instance

# It warns of every blocking check whose table was not written; here that is an open gate, which is shown.
LOGGER_OF_SKIPPED_STEPS = "dagster._core.execution.plan.active"
# What executing a run imports when it comes to it.
MODULES_OF_A_RUN = (
    "dagster._core.execution.plan.active", "dagster._core.executor.in_process", "dagster._core.storage.sqlite_storage",
)  # fmt: skip

# The daemon's module takes seconds to import: only who runs the daemon pays for it.
_OF_THE_DAEMON = ("DagsterDaemonController", "create_daemons_from_instance")

__all__ = [
    "FINISHED_STATUSES", "IN_PROGRESS_RUN_STATUSES", "LOGGER_OF_SKIPPED_STEPS", "MODULES_OF_A_RUN", "RUNLESS_RUN_ID",
    "RUN_KEY_TAG", "AssetCheckExecutionRecordStatus", "AssetCheckExecutionsTable", "AssetCheckPartitionInfo",
    "AssetEventTagsTable", "CheckRunHealthResult", "CodePointer", "ConfigurableClass", "ConfigurableClassData",
    "DagsterDaemonController", "DagsterInvalidConfigError", "DagsterLaunchFailedError", "EngineEventData",
    "EventsTable", "GrpcServerCommand", "GrpcServerRegistry", "InstanceRef", "InstigatorState", "JobPythonOrigin",
    "LaunchRunContext", "PartitionKeyFilter", "QueuedRunCoordinator", "RemoteJobOrigin", "RemoteRepositoryOrigin",
    "RunLauncher", "RunStatusSensorCursor", "ScheduleInstigatorData", "SensorInstigatorData", "SerializableErrorInfo",
    "ServerRegistryEntry", "SqlEventLogStorage", "SqliteEventLogStorage", "SubmitRunContext", "TickStatus",
    "UserConfigSchema", "WorkerStatus", "WorkspaceFileTarget", "WorkspaceProcessContext", "capture_interrupts",
    "configure_loggers", "core_execute_run", "create_daemons_from_instance", "dagster_instance_config",
    "deserialize_value", "python_origin", "recon_job_from_origin", "run_webserver", "serialize_value",
    "setup_interrupt_handlers",
]  # fmt: skip


def python_origin(pointer: CodePointer) -> RepositoryPythonOrigin:
    """Return the origin of code that this Python loads, as Dagster's code servers name it."""
    return RepositoryPythonOrigin(
        sys.executable, pointer, entry_point=DEFAULT_DAGSTER_ENTRY_POINT, container_context={}
    )  # fmt: skip


def __getattr__(name: str) -> Any:
    """Return a name of the daemon's module, which is imported when it is first asked for."""
    if name in _OF_THE_DAEMON:
        return getattr(import_module("dagster._daemon.controller"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def run_webserver(wrap: Callable[[Any], Any]) -> None:
    """Run Dagster's web server as its own command does, with what `wrap` makes of its application.

    The command offers no place to add to the application; it makes it by a function of its module.
    """
    command: Any = import_module("dagster_webserver.cli")
    make = command.create_app_from_workspace_process_context
    command.create_app_from_workspace_process_context = lambda *given, **named: wrap(make(*given, **named))
    command.main()
