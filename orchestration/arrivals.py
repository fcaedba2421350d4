"""What starts a collection: the inbox, open questions, a labeling tool's hint, the clock; what proposes releases."""

import hashlib
import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg

from cupel.config.project import Project
from cupel.errors import CupelError
from cupel.intake.collect_inputs import current_project, releases_of
from cupel.lake.lake import Lake
from cupel.people.label_studio.hint import left
from cupel.release.plan import ALL, release_name
from cupel.release.proposals import is_ready, propose_changed, propose_new, proposed
from cupel.sources.inbox import arrivals, whole
from cupel.store.files import stat_file
from orchestration.automation import MOST_KILLED, UNFINISHED, day_of
from orchestration.deployment import Deployment
from orchestration.known_partitions import find_unknown_partitions
from orchestration.run_process import KILLED
from orchestration.runs import PROJECT

SECONDS_BETWEEN_LOOKS = 30
# So long what the chain itself asks for is gathered while its runs go on: each collection asks about all batches.
SECONDS_TO_GATHER = 300
# Beside the looks in the cursor: what had arrived when a collection was last asked for, and since when one waits.
ARRIVED, WAITS_SINCE = "*arrived", "*waits since"


def collect_job(project: str) -> str:
    """Return the name of the job that takes deliveries, proposes releases and collects answers."""
    return f"{project}_collect"


def inbox_sensor(project: Project, deployment: Deployment) -> dg.SensorDefinition:
    """Return the sensor that looks whether there is something to collect.

    A tick only looks; taking, hashing and collecting belong in a run. What looks the same at two ticks
    is whole, and so is what is marked. The same state starts no second run before the next start of the
    deployment, and no run is asked for while another is collecting, however long it takes. What arrived is
    collected at once; what runs have asked meanwhile is gathered until they have ended, five minutes at most.

    Args:
        project: The project, as it was when the definitions were loaded.
        deployment: Where its inbox and lake are.
    """
    name = project.project

    @dg.sensor(
        name=f"{name}_inbox",
        job_name=collect_job(name),
        minimum_interval_seconds=SECONDS_BETWEEN_LOOKS,
        default_status=dg.DefaultSensorStatus(deployment.automation_status),
        description="Looks for whole deliveries in the inbox, for questions that nobody was asked yet, and for "
        "batches that are ready for a release.",
    )
    def look(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        lake = Lake(deployment.lake, name)
        try:
            now = current_project(deployment.projects, lake, deployment.known)
        except CupelError as error:
            return dg.SkipReason(str(error))
        there = [] if deployment.inbox is None else arrivals(deployment.inbox / name)
        before = json.loads(context.cursor) if context.cursor else {}
        ready = [arrival.look for arrival in whole(there, before)]
        arrived = _hash([arrived_state(lake, now, deployment.data), deployment.started])
        key = _hash([sorted(ready), arrived, asked_state(lake, now), _count_killed(context.instance, name)])
        is_new = bool(ready) or before.get(ARRIVED) != arrived
        why_not, since = _why_not_now(context.instance, name, before, is_new)
        cursor = {str(arrival.path): arrival.look for arrival in there} | ({WAITS_SINCE: since} if since else {})
        return dg.SensorResult(
            run_requests=[] if why_not else [dg.RunRequest(run_key=key)],
            skip_reason=why_not,
            cursor=json.dumps(cursor | {ARRIVED: before.get(ARRIVED, "") if why_not else arrived}),
            dynamic_partitions_requests=find_unknown_partitions(context.instance, lake, now),
        )

    return look


def arrived_state(lake: Lake, project: Project, data: Path) -> list[str]:
    """Return what a collection depends on that comes from outside: recorded answers, the last hint."""
    found = [f"hint {left(lake)}"] if project.labeling.workforce == "label_studio" else []
    for name in project.labeling.answers:
        stat = stat_file(data / name)
        found.append(f"{name} absent" if stat is None else f"{name} {stat.changed_ns} {stat.size}")
    return found


def asked_state(lake: Lake, project: Project) -> list[str]:
    """Return what a collection depends on that the chain makes: the outbox, batches ready for a release."""
    batches, releases = list(project.raw.deliveries), releases_of(lake, project)
    outbox = [f"tasks@{batch}" for batch in batches] + [f"release_tasks@{release}" for release in releases]
    found = [f"{table} {lake.version(table)}" for table in outbox]
    if project.operation.release is None:
        holds = [ALL] if project.release.holds == "all_batches" else batches
        known = {name.rpartition("-r")[0] for name in proposed(lake)}
        found += [part for part in holds if part not in known and is_ready(lake, project, release_name(part, 1))]
    return [*found, *batches]


def _why_not_now(
    instance: dg.DagsterInstance, name: str, before: Mapping[str, str], is_new: bool
) -> tuple[str | None, str | None]:
    """Return why no collection is asked for at this tick, and since when one waits; nothing where one is."""
    if instance.get_runs(dg.RunsFilter(job_name=collect_job(name), statuses=UNFINISHED), limit=1):
        return "a collection is going on or waits; what it leaves is asked for when it has ended", None
    works = instance.get_runs(dg.RunsFilter(tags={PROJECT: name}, statuses=UNFINISHED), limit=1)
    if is_new or not works:
        return None, None
    now = time.time()
    since = float(before.get(WAITS_SINCE, now))
    if not 0 <= now - since < SECONDS_TO_GATHER:
        return None, None
    return "runs are going on; what they ask is gathered until they have ended, for five minutes at most", str(since)


def _count_killed(instance: dg.DagsterInstance, name: str) -> int:
    """Return how many collections were killed on this day; beyond a few it stays the same, and none is asked for."""
    day, next_day = day_of(datetime.now(UTC))
    killed = dg.RunsFilter(
        job_name=collect_job(name), tags={KILLED: "true"}, created_after=day, created_before=next_day
    )
    return len(instance.get_runs(killed, limit=MOST_KILLED))


def _hash(content: object) -> str:
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def schedules(project: Project, deployment: Deployment) -> list[dg.ScheduleDefinition]:
    """Return the clocks of a project: daily collection, and releases where they are proposed on time.

    Args:
        project: The project; its `operation` says when.
        deployment: Where its lake is.
    """
    name, operation = project.project, project.operation
    daily = dg.ScheduleDefinition(
        name=f"{name}_daily",
        job_name=collect_job(name),
        cron_schedule=operation.collect,
        execution_timezone=operation.timezone,
        default_status=dg.DefaultScheduleStatus(deployment.automation_status),
        description="Collects answers; what comes of them is carried forward by itself.",
    )
    if operation.release is None:
        return [daily]

    @dg.schedule(
        name=f"{name}_releases",
        job_name=collect_job(name),
        cron_schedule=operation.release,
        execution_timezone=operation.timezone,
        default_status=dg.DefaultScheduleStatus(deployment.automation_status),
        description="Proposes a release of what is new, or has other labels than its last release.",
    )
    def propose_releases(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        lake = Lake(deployment.lake, name)
        now = current_project(deployment.projects, lake, deployment.known)
        asked_by = f"the schedule {operation.release}"
        new = [*propose_new(lake, now, asked_by), *propose_changed(lake, now, asked_by)]
        if not new:
            return dg.SkipReason("nothing is new and ready")
        context.instance.add_dynamic_partitions(f"{name}_releases", new)
        return dg.RunRequest(run_key="+".join(new))

    return [daily, propose_releases]
