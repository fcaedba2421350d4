"""Checking releases: the folder against its manifest, both against the lake's tables, and these against each other."""

import json
from collections.abc import Iterator

from cupel.check.damage import Damage, repair_command, run_command
from cupel.check.examined import GATES, RELEASES, ExaminedLake, commit_mark, hash_commit
from cupel.contract.tables import TABLES
from cupel.lake.cached_rows import rows_of
from cupel.lake.lake import COMMIT
from cupel.release import layout
from cupel.release.reported import is_report_outdated, is_reported
from cupel.store.store import MissingError

# A certified release rests on them; without one of them nothing says what it is.
NEEDED = ("release_plan", "certificate", "training_set", "manifest")
OF_ANOTHER_TIME = "of another time"


def check_releases(examined: ExaminedLake) -> Iterator[Damage]:
    """Yield what is wrong with the releases of a lake."""
    for release in examined.releases:
        if release in examined.finished:
            yield from _check_commits(examined, release)
            yield from _check_folder(examined, release)
            yield from _check_report(examined, release)


def _check_commits(examined: ExaminedLake, release: str) -> Iterator[Damage]:
    """Yield tables of a finished release that are gone, or of another time than what was made from them."""
    is_certified = examined.has_folder(f"{RELEASES}/{release}") or ("manifest", release) in examined.commits
    for table in NEEDED if is_certified else ("release_plan",):
        if not {(table, release)} & {*examined.commits, *examined.problems}:
            yield _damage(examined, release, table, "gone, though the release has come to its end")
    wanted: dict[str, str] = {}
    for commit in examined.commits_of(release):
        wanted |= {name: value for name, value in commit.inputs.items() if _is_of(name, release)}
    if release in examined.known_finished:
        wanted |= {name: mark for name, mark in examined.memory.marks.items() if _is_of(name, release)}
    for name, value in sorted(wanted.items()):
        table, _, partition = name.rpartition("@")
        there = examined.commits.get((table, partition))
        if there is not None and there.hash != value:
            what = f"{OF_ANOTHER_TIME}: {there.hash[:12]}; what the release came to its end with is {value[:12]}"
            yield _damage(examined, release, table, what, partition)
    for commit in examined.commits_of(release) if release in examined.known_finished else []:
        mark = examined.memory.marks.get(commit_mark(commit.table, commit.partition))
        if mark not in (None, hash_commit(commit)):
            what = f"{OF_ANOTHER_TIME}: what it says that the table was made from is not what was said at the end"
            yield _damage(examined, release, commit.table, what, commit.partition)


def _is_of(name: str, release: str) -> bool:
    table, _, partition = name.rpartition("@")
    return table in TABLES and (partition.partition("--")[2] if table == GATES else partition) == release


def _damage(examined: ExaminedLake, release: str, table: str, what: str, partition: str = "") -> Damage:
    partition = partition or release
    path = f"{examined.place(table, partition)}/{COMMIT}"
    command = repair_command(examined.lake.project)
    mark = examined.wanted_hash(table, partition)
    return Damage(path, "frozen table", what, command, table, partition, by_repair=True, hash=mark)


def _check_folder(examined: ExaminedLake, release: str) -> Iterator[Damage]:
    """Hold the files of a release's folder against its manifest, and that against the lake's table."""
    folder, known = f"{RELEASES}/{release}", _rows(examined, release)
    if not examined.has_folder(folder):
        if known is not None:
            yield _of_folder(examined, release, folder, "gone; the lake says that it was written")
        return
    try:
        manifest = json.loads(examined.store.read(f"{folder}/{layout.MANIFEST_FILE}"))
        named = {str(row["path"]): (str(row["sha256"]), int(row["size_bytes"])) for row in manifest["files"]}
        if manifest["release_sha256"] != layout.release_sha256(manifest):
            raise ValueError("it is not what its release_sha256 covers")
    except (OSError, ValueError, LookupError, TypeError, AttributeError, MissingError) as error:
        what = "gone" if isinstance(error, MissingError) else f"no manifest: {error}"
        yield _of_folder(examined, release, f"{folder}/{layout.MANIFEST_FILE}", f"{what:.200}")
        named = {}
    for path, (sha256, size) in sorted((known or named).items()):
        if problem := _file_problem(examined, f"{folder}/{path}", sha256, size):
            yield _of_folder(examined, release, f"{folder}/{path}", problem)
    if known is not None and any(named[path] != known.get(path) for path in named):
        yield _of_folder(examined, release, f"{folder}/{layout.MANIFEST_FILE}", "other hashes than the lake's table")


def _rows(examined: ExaminedLake, release: str) -> dict[str, tuple[str, int]] | None:
    """Return path, hash and size of the files that were written, as the lake's table has them; None where it cannot."""
    try:
        rows = rows_of(examined.lake, "manifest", release) if ("manifest", release) in examined.commits else None
    except Exception:  # told as damage of the table itself, whatever it is
        rows = None
    return None if rows is None else {row["path"]: (row["sha256"], row["size_bytes"]) for row in rows}


def _file_problem(examined: ExaminedLake, path: str, sha256: str, size: int) -> str:
    try:
        if (found := examined.store.stat(path)) is not None and found.size != size:
            return f"{found.size:,} bytes; {size:,} were released"
        if examined.memory.sha256(path) != sha256:
            return "its bytes are not those that were released"
    except MissingError:
        return "gone"
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    examined.memory.remember(path)
    return ""


def _of_folder(examined: ExaminedLake, release: str, path: str, what: str) -> Damage:
    command = repair_command(examined.lake.project)
    mark = examined.wanted_hash("manifest", release)
    return Damage(path, "release", what, command, "manifest", release, by_repair=True, hash=mark)


def _check_report(examined: ExaminedLake, release: str) -> Iterator[Damage]:
    try:
        is_in_order = is_reported(examined.lake, release) or is_report_outdated(examined.lake, release)
    except Exception:  # a table that it is compared with is damaged, and told as such
        return
    if not is_in_order:
        what = "gone, or not what was written"
        command = run_command(examined.lake.project)
        yield Damage(f"reports/{release}/report.html", "report", what, command, "", release, by_run=True)
