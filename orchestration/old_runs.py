"""Old runs in Dagster's record: which of them nothing needs any more, and their removal with all that tells of them."""

import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import dagster as dg
import sqlalchemy as sql
from dagster import DagsterEventType

from cupel.config.operation import Prune
from cupel.store.files import delete_file, measure_folder, stat_file
from orchestration.dagster_internals import (
    FINISHED_STATUSES,
    RUN_KEY_TAG,
    RUNLESS_RUN_ID,
    AssetCheckExecutionsTable,
    AssetEventTagsTable,
    SqlEventLogStorage,
    SqliteEventLogStorage,
    TickStatus,
)
from orchestration.dagster_internals import EventsTable as Events
from orchestration.runs import PROJECT

SECONDS_A_DAY = 86_400
# Sensors of alerts look every half minute: what they have not seen must stay.
SECONDS_UNTOUCHED = 3_600
# A tick that came to nothing says nothing after a day; there are thousands a day.
DAYS_OF_SKIPPED_TICKS = 1
_BESIDE = ("", "-wal", "-shm", "-journal")
_OF_TABLES = [DagsterEventType.ASSET_MATERIALIZATION.value, DagsterEventType.ASSET_OBSERVATION.value]


class OldRun(NamedTuple):
    """A finished run that nothing needs any more, and the bytes of its own files."""

    run_id: str
    bytes: int


def find_old_runs(instance: dg.DagsterInstance, settings: Mapping[str, Prune]) -> list[OldRun]:
    """Return the finished runs that nothing needs any more, the latest first.

    Kept are: runs that are newer than the project's `runs_days`, as far as they are among its newest `runs_kept`;
    those that made last what the page shows of a table's partition, or whose check results it shows; those whose keys
    sensors ask for again as long as nothing changes; what ended within the hour; and the newest event of all, because
    the cursors of sensors are its number.

    Args:
        instance: Dagster's instance.
        settings: What each project says; runs of others are judged by the defaults.
    """
    needed = {*_shown_runs(instance), *_runs_of_last_keys(instance)}
    counts: dict[str, int] = {}
    found = []
    now = time.time()
    for record in instance.get_run_records(dg.RunsFilter(statuses=FINISHED_STATUSES)):
        run = record.dagster_run
        project = project_of(run)
        counts[project] = place = counts.get(project, 0) + 1
        own = settings.get(project, Prune())
        age = now - (record.end_time or record.update_timestamp.timestamp())
        is_wanted = place <= own.runs_kept and age <= own.runs_days * SECONDS_A_DAY
        if not is_wanted and age > SECONDS_UNTOUCHED and run.run_id not in needed:
            found.append(OldRun(run.run_id, _bytes_of(instance, run.run_id)))
    return found


def remove_runs(instance: dg.DagsterInstance, runs: Iterable[OldRun]) -> None:
    """Remove runs with their events, check results and logs.

    The file of a run's events goes last, so that a kill in between leaves it, and the next removal ends what was begun.
    """
    events = instance.event_log_storage
    there = {run.run_id for run in runs}
    left = set(events.get_all_run_ids()) if isinstance(events, SqliteEventLogStorage) else set()
    known = {record.dagster_run.run_id for record in instance.get_run_records()} if left else set()
    for run_id in sorted(there | {one for one in left - known if one != RUNLESS_RUN_ID and _is_old(events, one)}):
        instance.delete_run(run_id)
        if isinstance(events, SqlEventLogStorage):
            with events.index_connection() as connection:
                connection.execute(
                    AssetCheckExecutionsTable.delete().where(AssetCheckExecutionsTable.c.run_id == run_id)
                )
        instance.compute_log_manager.delete_logs(prefix=[run_id])
        for path in _files(events, run_id):
            delete_file(path)


def remove_runless_events(instance: dg.DagsterInstance, own: Prune, *, is_only_counted: bool = False) -> int:
    """Remove what was told of tables outside runs, such as that answers came; of each the newest stay.

    Args:
        instance: Dagster's instance.
        own: How long and how many.
        is_only_counted: Remove nothing.

    Returns:
        How many events there are to remove.
    """
    events = instance.event_log_storage
    if not isinstance(events, SqlEventLogStorage):
        return 0
    with events.index_connection() as connection:
        runless = Events.c.run_id == RUNLESS_RUN_ID
        newest = sql.select(Events.c.id).where(runless).order_by(Events.c.id.desc()).limit(own.runs_kept)
        kept = [id_ for (id_,) in connection.execute(newest)]
        last = [id_ for (id_,) in connection.execute(_latest_ids().where(runless))]
        too_old = sql.or_(Events.c.timestamp < _moment(own.runs_days), Events.c.id < min(kept, default=0))
        old = sql.and_(runless, too_old, Events.c.id.not_in([*last, *kept[:1]]))
        ids = [id_ for (id_,) in connection.execute(sql.select(Events.c.id).where(old))]
        if is_only_counted or not ids:
            return len(ids)
        connection.execute(AssetEventTagsTable.delete().where(AssetEventTagsTable.c.event_id.in_(ids)))
        connection.execute(Events.delete().where(Events.c.id.in_(ids)))
    if isinstance(events, SqliteEventLogStorage):
        with events.run_connection(RUNLESS_RUN_ID) as connection:
            # Nobody reads these but the page's log of events outside runs; the index has numbers of its own.
            kept = [id_ for (id_,) in connection.execute(newest)]
            too_old = sql.or_(Events.c.timestamp < _moment(own.runs_days), Events.c.id < min(kept, default=0))
            connection.execute(Events.delete().where(too_old, Events.c.id.not_in(kept[:1])))
    return len(ids)


def find_old_ticks(instance: dg.DagsterInstance, days: float) -> int:
    """Return how many ticks of schedules and sensors are older than so many days; one day, if they came to nothing."""
    return sum(
        len(instance.get_ticks(origin, selector, before=before, statuses=statuses))
        for origin, selector, before, statuses in _old_ticks(instance, days)
    )


def remove_ticks(instance: dg.DagsterInstance, days: float) -> None:
    """Remove old ticks of schedules and sensors, but never the latest of one: Dagster goes on from there."""
    for origin, selector, before, statuses in _old_ticks(instance, days):
        instance.purge_ticks(origin, selector, before, statuses)


def project_of(run: dg.DagsterRun) -> str:
    """Return the project that a run is of, "" for none."""
    keys = [*(run.asset_selection or ()), *(check.asset_key for check in run.asset_check_selection or ())]
    return run.tags.get(PROJECT) or next((key.path[0] for key in keys), "")


def _shown_runs(instance: dg.DagsterInstance) -> set[str]:
    """Return the runs of the latest events of each table's partition, of each check, and of the newest event of all."""
    events = instance.event_log_storage
    if not isinstance(events, SqlEventLogStorage):
        return set()
    checks = AssetCheckExecutionsTable.c
    latest_checks = sql.select(sql.func.max(checks.id)).group_by(
        checks.asset_key, checks.check_name, checks.partition, checks.execution_status
    )
    with events.index_connection() as connection:
        newest = sql.select(sql.func.max(Events.c.id))
        of_events = sql.select(Events.c.run_id).where(
            sql.or_(Events.c.id.in_(_latest_ids()), Events.c.id.in_(newest))
        )  # fmt: skip
        of_checks = sql.select(checks.run_id).where(checks.id.in_(latest_checks))
        return {run_id for query in (of_events, of_checks) for (run_id,) in connection.execute(query) if run_id}


def _latest_ids() -> "sql.Select[tuple[int]]":
    columns = Events.c
    return (
        sql.select(sql.func.max(columns.id))
        .where(columns.dagster_event_type.in_(_OF_TABLES))
        .group_by(columns.asset_key, columns.partition, columns.dagster_event_type)
    )


def _runs_of_last_keys(instance: dg.DagsterInstance) -> set[str]:
    """Return the runs of the last key that each sensor asked for: without them it would start the same once more."""
    keys = [getattr(state.instigator_data, "last_run_key", None) for state in instance.all_instigator_state()]
    return {
        run.run_id
        for key in keys
        if key
        for run in instance.get_runs(dg.RunsFilter(tags={RUN_KEY_TAG: key}))
    }  # fmt: skip


def _old_ticks(instance: dg.DagsterInstance, days: float) -> Iterator[tuple[str, str, float, list[TickStatus]]]:
    """Yield origin and selector of each schedule and sensor, and the moment before which ticks of a status are old."""
    ages: list[tuple[float, list[TickStatus]]] = [
        (days, [status for status in TickStatus if status != TickStatus.SKIPPED])
    ]
    ages.append((min(days, DAYS_OF_SKIPPED_TICKS), [TickStatus.SKIPPED]))
    for state in instance.all_instigator_state():
        origin, selector = state.instigator_origin_id, state.selector_id
        latest = instance.get_ticks(origin, selector, limit=1)
        for age, statuses in ages if latest else ():
            yield origin, selector, min(time.time() - age * SECONDS_A_DAY, latest[0].timestamp), statuses


def _moment(days: float) -> "sql.ColumnElement[object]":
    return sql.literal(datetime.fromtimestamp(time.time() - days * SECONDS_A_DAY, UTC).replace(tzinfo=None))


def _bytes_of(instance: dg.DagsterInstance, run_id: str) -> int:
    files = _files(instance.event_log_storage, run_id)
    logs = Path(instance.storage_directory()) / run_id
    return measure_folder(logs) + sum(stat.size for path in files if (stat := stat_file(path)) is not None)


def _files(events: object, run_id: str) -> list[Path]:
    """Return the files that hold a run's events, where each run has its own."""
    if not isinstance(events, SqliteEventLogStorage):
        return []
    return [Path(events.path_for_shard(run_id) + ending) for ending in reversed(_BESIDE)]


def _is_old(events: object, run_id: str) -> bool:
    stats = [stat_file(path) for path in _files(events, run_id)[-1:]]
    return all(stat is not None and time.time() - stat.changed_ns / 1e9 > SECONDS_UNTOUCHED for stat in stats)
