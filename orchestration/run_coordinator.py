"""The run coordinator that `dagster.yaml` names: runs wait in the daemon's queue, or begin at once where none runs."""

import time

import dagster as dg

from orchestration.dagster_internals import QueuedRunCoordinator, SubmitRunContext

QUEUE_DAEMON = "QUEUED_RUN_COORDINATOR"
# The daemon gives a sign of life every half minute.
SECONDS_OF_SILENCE = 75.0


class QueueOrLaunch(QueuedRunCoordinator[dg.DagsterInstance]):
    """Puts runs into the queue while a daemon works it off, and launches them itself where there is none.

    With the page alone (`make ui`), a run that is started or executed again there would otherwise wait for ever.
    """

    def submit_run(self, context: SubmitRunContext) -> dg.DagsterRun:
        """Queue a run, or launch it.

        Args:
            context: The run, which was created already, and the workspace that it is of.
        """
        run = context.dagster_run
        if self._is_queue_served() or run.status != dg.DagsterRunStatus.NOT_STARTED:
            return super().submit_run(context)
        return self._instance.launch_run(run.run_id, context.workspace)

    def _is_queue_served(self) -> bool:
        heartbeat = self._instance.get_daemon_heartbeats().get(QUEUE_DAEMON)
        return heartbeat is not None and time.time() - heartbeat.timestamp < SECONDS_OF_SILENCE
