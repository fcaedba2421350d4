"""Checking Dagster's record in DAGSTER_HOME: every database, page by page."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from cupel.check.damage import Damage, Kind
from cupel.store.files import find_files, is_folder, stat_file
from orchestration.dagster_storage import DATABASES, StorageError, check_settings, find_fault, was_just_changed

REMEDY = "cupel check --repair"
KIND: Kind = "Dagster's record"


def check_home(home: Path) -> Iterator[Damage]:
    """Yield what is wrong with Dagster's record; nothing where there is none, or where it is kept elsewhere."""
    if not is_folder(home):
        return
    yield from _check_settings(home)
    tables = {database.path: database.tables for database in DATABASES}
    found = {path.relative_to(home).as_posix() for path in find_files(home / "history" / "runs", "*.db")}
    for name in sorted({*tables, *found}):
        if problem := _problem(home / name, tables.get(name, frozenset())):
            yield Damage(name, KIND, problem, REMEDY, by_repair=True)


def _problem(path: Path, tables: frozenset[str]) -> str | None:
    try:
        if tables and (fault := find_fault(path, tables)) is not None:
            return fault
        if (stat := stat_file(path)) is None:
            return None
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
            answers = [str(answer) for (answer,) in database.execute("PRAGMA integrity_check(1)")]
            # A file of no bytes is a sound database without tables; that of a run which begins has none for a moment.
            is_empty = stat.size == 0 and path.name != ".db" and not was_just_changed(path)
    except (sqlite3.Error, StorageError, OSError) as error:
        return f"it is no sound database ({error})"
    if answers != ["ok"]:
        return f"it is no sound database ({' '.join(answers)[:100]})"
    return "it is empty" if is_empty else None


def _check_settings(home: Path) -> Iterator[Damage]:
    path = home / "dagster.yaml"
    problem = ""
    try:
        stat = stat_file(path)
        if stat is None or not stat.size:
            problem = "gone" if stat is None else "empty"
        else:
            check_settings(path)
    except StorageError as error:
        problem = str(error).partition("; ")[0]
    if problem:
        remedy = f"cp orchestration/dagster.yaml {path}"
        yield Damage("dagster.yaml", KIND, problem, remedy)
