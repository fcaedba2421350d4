"""Checking tables: each commit against its parts, each part against the hash in its name, and what was there before."""

from collections.abc import Collection, Iterator
from contextlib import suppress

from cupel.check.damage import LOOK_AT_IT, UNKNOWN, Damage, repair_command, run_command
from cupel.check.examined import FINISHED, ExaminedLake, Key, commit_mark, hash_commit
from cupel.contract.tables import TABLES
from cupel.lake.lake import ABSENT, COMMIT, Commit
from cupel.lake.recorded_inputs import alteration
from cupel.store.files import find_files
from cupel.store.store import MissingError

LEFT_BEHIND = ".cupel-"


def check_tables(examined: ExaminedLake) -> Iterator[Damage]:
    """Yield what is wrong with the tables of a lake."""
    for (table, partition), problem in examined.problems.items():
        yield _damage(examined, table, partition, COMMIT, problem)
    for table, partition in _gone(examined):
        yield _damage(examined, table, partition, COMMIT, "gone; the table was there, and others were made from it")
    for commit in examined.commits.values():
        yield from _check_parts(examined, commit)
    if not examined.is_light:
        yield from _check_others(examined)


def _gone(examined: ExaminedLake) -> list[tuple[str, str]]:
    """Return the tables that were there once, by what was seen or what others were made from, and are not."""
    known = {name for name in examined.memory.marks if name.partition("@")[0] in TABLES}
    known |= {
        name for commit in examined.commits.values() for name, value in commit.inputs.items()
        if value != ABSENT and name.rpartition("@")[0] in TABLES
    }  # fmt: skip
    keys = {(table, partition) for table, _, partition in (name.rpartition("@") for name in known)}
    gone = sorted(keys - set(examined.commits) - set(examined.problems))
    # What was written for the first time since the commits were listed may be named by one that was read after it.
    return [key for key in gone if examined.store.stat(f"{examined.place(*key)}/{COMMIT}") is None]


def _check_parts(examined: ExaminedLake, commit: Commit) -> Iterator[Damage]:
    for name, size in zip(commit.parts, commit.sizes, strict=True):
        if problem := _part_problem(examined, commit, name, size):
            yield _damage(examined, commit.table, commit.partition, name, problem)
            return
    if not examined.is_light and (problem := alteration(examined.lake, commit)):
        yield _damage(examined, commit.table, commit.partition, COMMIT, problem)


def _part_problem(examined: ExaminedLake, commit: Commit, name: str, size: int | None) -> str:
    path = f"{examined.place(commit.table, commit.partition)}/{name}"
    try:
        found = examined.store.stat(path)
        if size is not None and found is not None and found.size != size:
            return f"{found.size:,} bytes; {size:,} were written"
        if name != f"part-{examined.memory.sha256(path)}.parquet":
            return "its bytes are not those that were written: its name is their hash"
    except MissingError:
        return "gone"
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    examined.memory.remember(path)
    return ""


def _check_others(examined: ExaminedLake) -> Iterator[Damage]:
    """Yield superseded parts that are not what they were, and files that no commit knows."""
    command = repair_command(examined.lake.project)
    for path in find_files(examined.folder / "tables", "*/*/*"):
        table, partition, name = path.parts[-3:]
        place = path.relative_to(examined.folder).as_posix()
        commit = examined.commits.get((table, partition))
        if name == COMMIT or name.startswith(LEFT_BEHIND) or (commit is not None and name in commit.parts):
            continue
        if table not in TABLES or not name.startswith("part-"):
            yield Damage(place, "unknown file", UNKNOWN, LOOK_AT_IT, table, partition)
        elif _is_altered(examined, place, name):
            why = "its bytes are not those that were written; no table is read from it any more"
            yield Damage(place, "superseded part", why, command, table, partition, by_repair=True)


def _is_altered(examined: ExaminedLake, place: str, name: str) -> bool:
    with suppress(MissingError):  # a prune may remove superseded parts meanwhile
        return name != f"part-{examined.memory.sha256(place)}.parquet"
    return False


def _damage(examined: ExaminedLake, table: str, partition: str, name: str, what: str) -> Damage:
    frozen, commit = examined.is_frozen(table, partition), examined.commits.get((table, partition))
    project, mark = examined.lake.project, examined.wanted_hash(table, partition)
    return Damage(
        f"{examined.place(table, partition)}/{name}",
        "frozen table" if frozen else "table",
        what,
        repair_command(project) if frozen else run_command(project),
        table,
        partition,
        by_run=not frozen,
        by_repair=True,
        hash=mark if commit is None or frozen else commit.hash,
    )


def remember_tables(examined: ExaminedLake, damaged: Collection[Key]) -> None:
    """Remember which tables there are, and their hashes; of a finished release those that it came to its end with.

    Args:
        examined: The lake.
        damaged: Tables of which nothing is learned: what they are now is not what they should be.
    """
    marks, current = examined.memory.marks, set()
    for (table, partition), commit in examined.commits.items():
        name = f"{table}@{partition}"
        is_kept = examined.owner(table, partition) in examined.known_finished
        if (table, partition) not in damaged:
            marks[name] = marks.get(name, commit.hash) if is_kept else commit.hash
            if examined.owner(table, partition) in examined.finished:
                mark, hash_ = commit_mark(table, partition), hash_commit(commit)
                marks[mark] = marks.get(mark, hash_) if is_kept else hash_
        current |= {f"{examined.place(table, partition)}/{part}" for part in commit.parts}
    for release in examined.finished - {examined.owner(*key) for key in damaged}:
        marks[f"{FINISHED}@{release}"] = "yes"
    for path in examined.memory.paths():
        if path.startswith("tables/") and path not in current:
            examined.memory.forget(path)
