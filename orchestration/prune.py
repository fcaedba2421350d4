"""Pruning: what grows and is needed no more is removed: superseded parts, old runs and ticks, long logs.

Nothing that is evidence is touched: no answer, action, delivery, proposal, release, report, alert, nor what was set
aside. See docs/decisions/0025.
"""

import shutil
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import dagster as dg

from cupel.check.check import find_damage
from cupel.config.operation import Prune
from cupel.config.project import Project
from cupel.errors import CupelError, LakeError
from cupel.lake.lake import Lake
from cupel.lake.superseded_parts import find_superseded, remove_superseded
from cupel.store.files import empty_file, is_file, new_file, open_file, stat_file, turn
from cupel.store.locks import project_lock
from orchestration.dagster_storage import DATABASES, SECONDS_TO_WAIT, describe_trouble
from orchestration.old_runs import (
    find_old_runs,
    find_old_ticks,
    remove_runless_events,
    remove_runs,
    remove_ticks,
)

SERVICE_LOGS = ("page.log", "daemon.log")
LOG_BYTES = 10_000_000
RUNLESS_DATABASE = "history/runs/.db"
# A database is written anew when so much of it is empty.
EMPTY_SHARE = 0.1


class Pruned(NamedTuple):
    """What there is to remove, or was removed.

    `parts` and `part_bytes` are by project. `notes` say what was left, and why.
    """

    parts: Mapping[str, int]
    part_bytes: Mapping[str, int]
    runs: int
    run_bytes: int
    ticks: int
    events: int
    log_bytes: int
    notes: Sequence[str]

    @property
    def is_anything(self) -> bool:
        """There is something to remove, or something was removed."""
        return any([*self.parts.values(), self.runs, self.ticks, self.events, self.log_bytes])


def plan_prune(
    projects: Sequence[Project],
    lake: Path,
    instance: dg.DagsterInstance | None,
    home: Path,
    others: Sequence[Project] = (),
) -> Pruned:
    """Return what pruning would remove; nothing is changed.

    Args:
        projects: Those whose lakes are pruned.
        lake: The deployment's lake.
        instance: Dagster's record; None where there is none.
        home: DAGSTER_HOME.
        others: The deployment's other projects: they say how long their runs stay.
    """
    parts, sizes, notes = {}, {}, []
    for project in projects:
        name = project.project
        try:
            found = find_superseded(Lake(lake, name), project.operation.prune.parts_hours)
        except LakeError as error:
            notes.append(f"{name}: {error}")
            found = []
        parts[name], sizes[name] = len(found), sum(part.bytes for part in found)
    settings = {project.project: project.operation.prune for project in (*projects, *others)}
    own = _shared(settings)
    runs = [] if instance is None else find_old_runs(instance, settings)
    return Pruned(
        parts, sizes, len(runs), sum(run.bytes for run in runs),
        0 if instance is None else find_old_ticks(instance, own.runs_days),
        0 if instance is None else remove_runless_events(instance, own, is_only_counted=True),
        sum(_log_excess(path) for path in _logs(home)), notes,
    )  # fmt: skip


def prune(
    projects: Sequence[Project],
    lake: Path,
    instance: dg.DagsterInstance | None,
    home: Path,
    others: Sequence[Project] = (),
) -> Pruned:
    """Remove what nothing needs any more; see `plan_prune`.

    Where another process is at work on a project its lake is left, where a step is on a batch or release that one's
    tables; `notes` say so. Killed at any moment it leaves all that is needed; the next goes on.

    Returns:
        What was removed.
    """
    parts, sizes, notes = {}, {}, []
    for project in projects:
        name, there = project.project, Lake(lake, project.project)
        parts[name] = sizes[name] = 0
        try:
            with project_lock(there.store, name, "cupel prune"):
                _check_whole(there)
                removal = remove_superseded(there, project.operation.prune.parts_hours)
        except CupelError as error:
            notes.append(f"{name}: {error}")
            continue
        parts[name], sizes[name] = removal.parts, removal.bytes
        notes += [
            f"{name}: a run is at work on {partition}; its tables are left as they are" for partition in removal.busy
        ]
    done = Pruned(parts, sizes, 0, 0, 0, 0, 0, notes)
    if instance is None:
        return done
    settings = {project.project: project.operation.prune for project in (*projects, *others)}
    own = _shared(settings)
    with turn(home / "prune.lock"):
        done = done._replace(log_bytes=sum(_cut(path) for path in _logs(home)))
        try:
            runs = find_old_runs(instance, settings)
            ticks = find_old_ticks(instance, own.runs_days)
            remove_runs(instance, runs)
            remove_ticks(instance, own.runs_days)
            events = remove_runless_events(instance, own)
        except Exception as error:
            if (trouble := describe_trouble(error)) is None:
                raise
            return done._replace(notes=[*notes, trouble])
        notes += [note for path in _databases(home) if (note := _shrink(path))]
    return done._replace(runs=len(runs), run_bytes=sum(run.bytes for run in runs), ticks=ticks, events=events)


def _check_whole(lake: Lake) -> None:
    """Refuse a damaged lake: what is left of before may be what it is mended with.

    Raises:
        LakeError: A table, a release or a log is damaged; names it and what mends it.
    """
    for damage in find_damage(lake, is_light=True):
        if damage.kind not in ("report", "derived file", "unknown file"):
            raise LakeError(
                f"{lake.folder}/{damage.path}: {damage.what}; mend it first: {damage.remedy}; nothing of a damaged "
                "lake is removed"
            )


def _shared(settings: Mapping[str, Prune]) -> Prune:
    """Return how long what belongs to no project stays: as long as the most patient project says."""
    values = list(settings.values()) or [Prune()]
    return Prune(
        runs_days=max(own.runs_days for own in values), runs_kept=max(own.runs_kept for own in values)
    )  # fmt: skip


def _databases(home: Path) -> list[Path]:
    paths = [home / name for name in (*(database.path for database in DATABASES), RUNLESS_DATABASE)]
    return [path for path in paths if is_file(path)]


def _shrink(path: Path) -> str:
    """Write a database anew where much of it is empty; return why that failed, "" if it did not."""
    with closing(sqlite3.connect(path, SECONDS_TO_WAIT, isolation_level=None)) as database:
        try:
            (pages,), (empty,) = (
                database.execute(f"PRAGMA {name}").fetchone() for name in ("page_count", "freelist_count")
            )
            if empty > EMPTY_SHARE * pages:
                database.execute("VACUUM")
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.DatabaseError as error:
            return f"{path}: was not made smaller ({error}); the next prune tries again"
    return ""


def _logs(home: Path) -> list[Path]:
    return [home / "service" / name for name in SERVICE_LOGS]


def _log_excess(path: Path) -> int:
    stat = stat_file(path)
    size = 0 if stat is None else stat.size
    return size if size > LOG_BYTES else 0


def _cut(path: Path) -> int:
    """Move what a long log holds to one beside it, in place of the one before; return how much that is.

    The program that writes to it has it open, and goes on at its new end.
    """
    size = _log_excess(path)
    if size:
        with open_file(path) as log, new_file(path.with_name(f"{path.name}.1")) as copy:
            log.seek(max(0, size - LOG_BYTES))
            shutil.copyfileobj(log, copy)
        empty_file(path)
    return size
