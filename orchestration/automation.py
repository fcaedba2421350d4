"""Automation: which tables the daemon makes, and when. The lake says what is out of date; gates say how far to go."""

import hashlib
import json
import logging
import warnings
from collections import Counter
from datetime import datetime, timedelta

import dagster as dg

from cupel.contract.stages import project_steps
from cupel.contract.tables import TABLES
from cupel.errors import CupelError
from cupel.intake.collect_inputs import current_project
from cupel.lake.draw_log import DRAWS, awaits_witness
from cupel.lake.lake import Lake
from cupel.release.plan import ALL, is_finished
from cupel.release.proposals import is_ready
from cupel.release.reported import is_reported
from orchestration.dagster_internals import FINISHED_STATUSES
from orchestration.deployment import Deployment
from orchestration.freshness import why_stale
from orchestration.jobs import chain_jobs
from orchestration.loaded_code import describe_code
from orchestration.run_process import KILLED
from orchestration.runs import PROJECT

log = logging.getLogger(__name__)
SECONDS_BETWEEN_TICKS = 30
REPORT = "report"
MOST_KILLED = 3
UNFINISHED = [status for status in dg.DagsterRunStatus if status not in FINISHED_STATUSES]


class Outlook:
    """What is out of date in each partition of a project; asked once a tick, however many tables ask.

    Args:
        project: The project's name.
        deployment: Where its file and lake are.
    """

    def __init__(self, project: str, deployment: Deployment) -> None:
        self.name = project
        self._deployment = deployment
        self._code = describe_code(deployment)
        self._tick: datetime | None = None
        self._found: dict[str, dict[str, str]] = {}
        self._states: dict[str, str] = {}
        self._busy_at: datetime | None = None
        self._busy: set[str] = set()
        self._killed: Counter[str] = Counter()

    def stale(self, tick: datetime, partition: str, is_release: bool) -> dict[str, str]:
        """Return the tables of a partition that are out of date, and why; none where nothing can be done now."""
        if tick != self._tick:
            self._tick, self._found, self._states = tick, {}, {}
            self._lake = Lake(self._deployment.lake, self.name)
            self._project = current_project(self._deployment.projects, self._lake, self._deployment.known)
        if partition not in self._found:
            self._found[partition] = self._stale(partition, is_release)
        return self._found[partition]

    def busy(self, tick: datetime, instance: dg.DagsterInstance) -> set[str]:
        """Return the partitions that an unfinished run is at work on, whichever table it is at."""
        if tick != self._busy_at:
            runs = instance.get_runs(dg.RunsFilter(statuses=UNFINISHED))
            self._busy = {partition for run in runs if (partition := self._worked_on(run)) is not None}
            self._killed = self._count_killed(tick, instance)
            self._busy_at = tick
        return self._busy

    def _count_killed(self, tick: datetime, instance: dg.DagsterInstance) -> Counter[str]:
        """Return how many runs of each partition were killed on this day."""
        day, next_day = day_of(tick)
        killed = instance.get_runs(dg.RunsFilter(tags={KILLED: "true"}, created_after=day, created_before=next_day))
        return Counter(partition for run in killed if (partition := self._worked_on(run)) is not None)

    def _worked_on(self, run: dg.DagsterRun) -> str | None:
        keys = [*(run.asset_selection or ()), *(check.asset_key for check in run.asset_check_selection or ())]
        is_ours = any(key.path[0] == self.name for key in keys) or run.job_name in chain_jobs(self.name)
        return run.tags.get("dagster/partition") if is_ours else None

    def state(self, tick: datetime, partition: str) -> str:
        """Return what names a partition's state: its tables, why they are stale, the log, the code, the day, the start.

        A run that was killed has not failed by itself: it is asked for again, a few times on a day.
        """
        if partition not in self._states:
            self._states[partition] = self._state(tick, partition)
        return self._states[partition]

    def _state(self, tick: datetime, partition: str) -> str:
        tables = [self._lake.version(f"{table}@{partition}") for table in TABLES]
        when = [tick.date().isoformat(), self._deployment.started, min(self._killed[partition], MOST_KILLED)]
        if awaits_witness(self._lake.log(DRAWS).read(), partition):
            when.append(tick.hour)  # a witness is asked again every hour
        named = [self._found[partition], tables, self._lake.answers.head().hash, self._code, *when]
        return hashlib.sha256(json.dumps(named).encode()).hexdigest()

    def _stale(self, partition: str, is_release: bool) -> dict[str, str]:
        is_due = self._is_release_due if is_release else self._is_batch_due
        try:
            stale: dict[str, str] = {}
            if is_due(partition):
                steps = project_steps(self._project, "release" if is_release else "batch")
                stale = why_stale(self._lake, self._project, self._deployment.data, partition, steps)
            if is_release and not stale and self._is_report_due(partition):
                stale = {REPORT: "the release has moved on since its report"}
            return stale
        except CupelError as error:
            log.warning("%s, %s: %s", self.name, partition, error)
            return {}

    def _is_batch_due(self, batch: str) -> bool:
        return batch in self._project.raw.deliveries

    def _is_release_due(self, release: str) -> bool:
        if release.rpartition("-r")[0] not in (ALL, *self._project.raw.deliveries) or is_finished(self._lake, release):
            return False
        is_planned = self._lake.commit("release_plan", release) is not None
        return is_planned or is_ready(self._lake, self._project, release)

    def _is_report_due(self, release: str) -> bool:
        return self._lake.commit("release_plan", release) is not None and not is_reported(self._lake, release)


def day_of(moment: datetime) -> tuple[datetime, datetime]:
    """Return when a day begins and ends: what a clock that was ahead has dated later is not of it."""
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return day, day + timedelta(days=1)


class OutOfDate(dg.AutomationCondition[dg.AssetKey]):
    """True for the partitions whose table the lake holds to be out of date, with no closed gate before it.

    A partition is asked for once in the same state: a run that broke is not started over and over, but
    again when something has changed, also the code, and once every day and every start of the deployment.

    Args:
        outlook: The project's outlook.
    """

    def __init__(self, outlook: Outlook) -> None:
        self._outlook = outlook

    @property
    def name(self) -> str:
        """How the page calls it."""
        return f"out of date in the lake of {self._outlook.name}"

    @property
    def description(self) -> str:
        """What the page says of it."""
        return "The table is missing or made of other inputs, settings or code than those of now; no gate is closed."

    def evaluate(self, context: dg.AutomationContext[dg.AssetKey]) -> dg.AutomationResult[dg.AssetKey]:
        """Return the partitions that are to be made, and remember for which reasons."""
        asked: dict[str, str] = json.loads(context.cursor) if context.cursor else {}
        partitions = context.partitions_def
        if partitions is None:
            return dg.AutomationResult(context, context.get_empty_subset())
        is_release = str(getattr(partitions, "name", "")).endswith("_releases")
        table = context.key.path[-1]
        wanted: set[str] = set()
        busy = self._outlook.busy(context.evaluation_time, context.asset_graph_view.instance)
        for partition in sorted(context.candidate_subset.expensively_compute_partition_keys() - busy):
            stale = self._outlook.stale(context.evaluation_time, partition, is_release)
            if table not in stale:
                asked.pop(partition, None)
                continue
            state = self._outlook.state(context.evaluation_time, partition)
            if asked.get(partition) != state:
                asked[partition] = state
                wanted.add(partition)
        subset = context.asset_graph_view.get_subset_from_partition_keys(context.key, partitions, wanted)
        return dg.AutomationResult(context, subset, cursor=json.dumps(asked, sort_keys=True))


def condition(outlook: Outlook) -> dg.AutomationCondition[dg.AssetKey]:
    """Return when a table is made: out of date in the lake, and no run at work on its batch or release."""
    return ~dg.AutomationCondition.in_progress() & OutOfDate(outlook)


def automation_sensor(project: str, deployment: Deployment) -> dg.AutomationConditionSensorDefinition:
    """Return the sensor that carries a project's batches and releases forward, as far as their gates allow."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)  # its own thread of conditions is in beta
        return dg.AutomationConditionSensorDefinition(
            f"{project}_forward",
            target=dg.AssetSelection.key_prefixes([project]),
            default_status=dg.DefaultSensorStatus(deployment.automation_status),
            minimum_interval_seconds=SECONDS_BETWEEN_TICKS,
            use_user_code_server=True,
            emit_backfills=False,
            run_tags={PROJECT: project},
            description="Carries every batch and release forward exactly as far as its gates allow.",
        )
