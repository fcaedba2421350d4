"""Dagster's record in DAGSTER_HOME: made whole before anything else opens it, and set aside where it is broken.

Dagster makes its SQLite databases in whatever process opens them first. Two that do so at once may each stamp another
version of the schema, and from then on nothing opens them. So each way in comes through here.
"""

import os
import sqlite3
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml
from rich.console import Console

from cupel.errors import CupelError, disk_trouble
from cupel.store.files import (
    is_file,
    is_folder,
    move,
    new_file,
    put_file,
    read_file,
    read_text,
    stat_file,
    temporary_folder,
    turn,
)

if TYPE_CHECKING:
    import dagster as dg

Say = Callable[[str], None]

BROKEN = 1
SET_ASIDE = "set-aside"
SECONDS_TO_WAIT = 30
# Dagster makes a database in about a second; one that is broken and was not touched for so long is nobody's work.
SECONDS_TO_SETTLE = 5
SECONDS_BETWEEN_LOOKS = 0.1
BESIDE_DATABASE = ("-wal", "-shm", "-journal")
# An instance that names one of these keeps its record elsewhere: Dagster makes it, and we leave it alone.
OWN_STORAGE = {"storage", "run_storage", "event_log_storage", "schedule_storage"}


class StorageError(CupelError):
    """Dagster's record that cannot be opened or made: its disk, or the rights on it."""


class Database(NamedTuple):
    """One of Dagster's databases: where it is in DAGSTER_HOME, tables it cannot do without, and what it holds."""

    path: str
    tables: frozenset[str]
    holds: str


DATABASES = (
    Database("history/runs.db", frozenset({"runs", "run_tags", "daemon_heartbeats"}), "the list of runs"),
    Database(
        "history/runs/index.db",
        frozenset({"event_logs", "asset_keys", "dynamic_partitions"}),
        "when each table was made and what its checks said on the page",
    ),
    Database(
        "schedules/schedules.db",
        frozenset({"jobs", "instigators", "job_ticks"}),
        "ticks, and which schedules and sensors were switched on or off by hand",
    ),
)


@contextmanager
def open_instance(say: Say) -> "Iterator[dg.DagsterInstance]":
    """Open the instance of DAGSTER_HOME, with its record in order.

    Args:
        say: Gets what a person should know of what was set aside.

    Raises:
        StorageError: The record cannot be opened or made.
    """
    import dagster as dg

    if "DAGSTER_HOME" in os.environ:
        prepare_storage(Path(os.environ["DAGSTER_HOME"]), say)
        check_settings(Path(os.environ["DAGSTER_HOME"]) / "dagster.yaml")
    with dg.DagsterInstance.get() as instance:
        yield instance


def prepare_storage(home: Path, say: Say) -> None:
    """Make what is missing of Dagster's record, one process at a time; what is broken is set aside first.

    Args:
        home: DAGSTER_HOME. What is in order there stays as it is.
        say: Gets what was set aside, where it is now, and what is lost.

    Raises:
        StorageError: The record cannot be opened or made.
    """
    if not is_folder(home):
        return  # Dagster says itself what is wrong with it
    with turn(home / "storage.lock"):
        if _is_elsewhere(home):
            _open_once()
            return
        for database in DATABASES:
            fault = _find_settled_fault(home / database.path, database.tables)
            if fault is not None:
                say(_describe_loss(home, database, fault, _set_aside(home, database)))
        missing = [database for database in DATABASES if stat_file(home / database.path) is None]
        if missing:
            _make(home, missing)


def find_fault(path: Path, tables: frozenset[str]) -> str | None:
    """Return why Dagster cannot work with a database; None where it can, or where there is no such file.

    Args:
        path: The database.
        tables: Tables that it must have.

    Raises:
        StorageError: It cannot be opened; whether it is sound is not known.
    """
    if stat_file(path) is None:
        left = [path.name + end for end in BESIDE_DATABASE if is_file(path.with_name(path.name + end))]
        return f"it is gone, and {', '.join(left)} is left" if left else None
    try:
        found, versions = _read_schema(path)
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            return f"it is no sound database ({error})"
        raise StorageError(f"{path}: cannot be opened ({error}); see to its rights and to its disk") from None
    if not versions:
        return "it was not finished when it was made"
    if len(versions) > 1:
        return f"its schema has {len(versions)} versions ({', '.join(versions)}): two processes made it at once"
    if tables - found:
        return f"it lacks the tables {', '.join(sorted(tables - found))}"
    return None


def _find_settled_fault(path: Path, tables: frozenset[str]) -> str | None:
    """Return what `find_fault` does, once nobody writes: one of Dagster's programs may be making it.

    Raises:
        StorageError: It is broken, and somebody goes on writing to it.
    """
    for _ in range(round(SECONDS_TO_WAIT / SECONDS_BETWEEN_LOOKS)):
        fault = find_fault(path, tables)
        if fault is None or not was_just_changed(path):
            return fault
        time.sleep(SECONDS_BETWEEN_LOOKS)
    raise StorageError(f"{path}: {fault}, and another program writes to it: end that, then start again")


def was_just_changed(path: Path) -> bool:
    """Tell whether a database, or what SQLite keeps beside it, has just been changed; readers change its -shm too."""
    ages = []
    for name in (path.name, f"{path.name}-wal", f"{path.name}-journal"):
        if (stat := stat_file(path.with_name(name))) is not None:
            ages.append(time.time() - stat.changed_ns / 1e9)
    return any(0 <= age < SECONDS_TO_SETTLE for age in ages)


def _read_schema(path: Path, mode: str = "ro") -> tuple[set[str], list[str]]:
    """Return a database's tables and the versions of its schema; looking changes and removes nothing that is there."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", SECONDS_TO_WAIT, uri=True)) as database:
            tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            query = "SELECT version_num FROM alembic_version ORDER BY version_num"
            return tables, [name for (name,) in database.execute(query)] if "alembic_version" in tables else []
    except sqlite3.OperationalError as error:
        if mode == "ro" and error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_READONLY:
            return _read_schema(path, "rw")  # a killed process left a change half-made: SQLite takes it back first
        raise


def _is_elsewhere(home: Path) -> bool:
    content = read_settings(home / "dagster.yaml")
    return isinstance(content, dict) and not OWN_STORAGE.isdisjoint(content)


def read_settings(path: Path) -> Any:
    """Return what Dagster's settings say; None where there are none.

    Raises:
        StorageError: They are no YAML.
    """
    try:
        return yaml.safe_load(read_text(path)) if is_file(path) else None
    except (yaml.YAMLError, ValueError) as error:
        raise _bad_settings(path, error) from None


def check_settings(path: Path) -> None:
    """Make sure that Dagster can work with its settings.

    Raises:
        StorageError: They are no YAML, or name what Dagster does not know.
    """
    from orchestration.dagster_internals import DagsterInvalidConfigError, dagster_instance_config

    read_settings(path)
    try:
        dagster_instance_config(str(path.parent), path.name)
    except DagsterInvalidConfigError as error:
        raise _bad_settings(path, error) from None


def _bad_settings(path: Path, error: Exception) -> StorageError:
    return StorageError(
        f"{path}: not settings that Dagster knows ({' '.join(str(error).split()):.200}); mend it, or put the one "
        f"in its place that Cupel comes with: `cp orchestration/dagster.yaml {os.path.relpath(path)}`"
    )


def _open_once() -> None:
    import dagster as dg

    with dg.DagsterInstance.get() as instance:
        instance.get_run_records(limit=1)


def _make(home: Path, databases: list[Database]) -> None:
    """Make databases beside their places, and put them there whole: a process that dies here leaves none half-made."""
    import dagster as dg  # it takes a second, which is spent only here
    from sqlalchemy.exc import SQLAlchemyError

    try:
        with temporary_folder("storage-", home) as folder:
            put_file(folder / "dagster.yaml", b"")
            with _without_flushes(), dg.DagsterInstance.local_temp(str(folder)) as instance:
                instance.get_run_records(limit=1)
            for database in databases:
                with closing(sqlite3.connect(folder / database.path)) as connection:
                    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # all of it in the one file
                fault = find_fault(folder / database.path, database.tables)
                if fault is not None:
                    raise StorageError(f"{home / database.path}: Dagster cannot make it: {fault}")
                # A program of Dagster's that was started by hand may have been faster: what it made stays.
                with suppress(FileExistsError), new_file(home / database.path, is_only=True) as file:
                    file.write(read_file(folder / database.path))
    except (SQLAlchemyError, sqlite3.Error) as error:
        why = getattr(error, "orig", None) or error
        raise StorageError(f"{home}: Dagster's record cannot be made ({why}); see to its rights and its disk") from None


@contextmanager
def _without_flushes() -> Iterator[None]:
    """Let SQLite leave what it writes to the system: a hundred flushes of three small databases take seconds."""
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    def unflushed(connection: sqlite3.Connection, record: object) -> None:
        connection.execute("PRAGMA synchronous = OFF")

    event.listen(Engine, "connect", unflushed)
    try:
        yield
    finally:
        event.remove(Engine, "connect", unflushed)


def describe_trouble(error: BaseException) -> str | None:
    """Return what a person must do about an error of Dagster's databases; None where it is about something else.

    Args:
        error: An error that something else may have wrapped.
    """
    seen: BaseException | None = error
    while seen is not None and not isinstance(seen, sqlite3.Error):
        seen = getattr(seen, "orig", None) or seen.__cause__ or seen.__context__
    if seen is None:
        return None
    home = os.environ.get("DAGSTER_HOME", "DAGSTER_HOME")
    if getattr(seen, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        return f"{home}: Dagster's record cannot be written ({seen}); free space on its disk, then run again"
    return (
        f"{home}: Dagster's record cannot be used ({seen}); `cupel check --repair` moves what is broken aside and "
        "makes it anew; the lake has lost nothing"
    )


def _set_aside(home: Path, database: Database) -> Path:
    """Move a database to a folder of its own, what was not yet written into it first."""
    folder = home / SET_ASIDE / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:8]}"
    place = home / database.path
    for path in (*(place.with_name(place.name + end) for end in BESIDE_DATABASE), place):
        if is_file(path):
            move(path, folder / path.name)
    return folder / place.name


def _describe_loss(home: Path, database: Database, fault: str, place: Path) -> str:
    return (
        f"{os.path.relpath(home / database.path)}: {fault}. It was moved to {os.path.relpath(place)}, and a new one is "
        f"made. Lost is Dagster's record of {database.holds}; the lake has lost nothing."
    )


def main() -> int:
    """Prepare the record of DAGSTER_HOME, for programs of Dagster's that are started next."""
    console = Console()
    try:
        prepare_storage(
            Path(os.environ["DAGSTER_HOME"]), lambda words: console.print(words, style="yellow", markup=False)
        )
    except (CupelError, OSError) as error:
        said = disk_trouble(error) if isinstance(error, OSError) else str(error)
        console.print(said, style="red", markup=False)
        return BROKEN
    return 0


if __name__ == "__main__":
    sys.exit(main())
