"""Superseded parts: files of tables in whose place newer ones have come, and that nothing refers to any more.

What a table's partition is, its commit says. A part that the commit does not name was made by an earlier run, from the
log and the raw data, and no run, release, trace or rebuild reads it.
"""

import hashlib
import re
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from cupel.contract.tables import TABLES
from cupel.errors import LakeError
from cupel.lake import COMMIT, ROWS_PER_PART, Commit, Lake
from cupel.lock import pause
from cupel.trace.recorded import schema_then

SECONDS_AN_HOUR = 3_600
_PART = re.compile(r"part-[0-9a-f]{64}\.parquet")

Names = Mapping[str, set[str]]


class SupersededPart(NamedTuple):
    """A part that nothing refers to."""

    table: str
    partition: str
    path: Path
    bytes: int


class Removal(NamedTuple):
    """What removing parts came to; `busy` are the batches and releases that a step was at work on."""

    parts: int
    bytes: int
    busy: list[str]


def find_superseded(lake: Lake, hours: float) -> list[SupersededPart]:
    """Return the parts that nothing needs any more, by table, partition and name.

    A part stays while its commit names it, while any commit of the lake was made from the table that it was (such as
    labels as a release froze them), and while a reader may have it open. Where a current part is missing nothing of
    the partition is superseded: it is damaged.

    Args:
        lake: The project's lake.
        hours: Hours since the latest commit for which what was there before stays.

    Raises:
        LakeError: A commit cannot be read, so that nobody can tell what it refers to.
    """
    commits = list(_commits(lake))
    referred = _referred(commits)
    newest = time.time() - hours * SECONDS_AN_HOUR
    return [part for commit in commits for part in _of_partition(lake, commit, referred, newest)]


def superseded_bytes(lake: Lake, hours: float) -> int | None:
    """Return the bytes of superseded parts; None where a damaged lake does not tell."""
    try:
        return sum(part.bytes for part in find_superseded(lake, hours))
    except LakeError:
        return None


def remove_superseded(lake: Lake, hours: float) -> Removal:
    """Remove the parts that nothing needs any more; see `find_superseded`.

    While a batch's or release's parts are removed no step begins, and where one is at work they stay. The catalog is
    written anew first, for it names files. A kill leaves some of the parts, for the next time.

    Raises:
        LakeError: A commit cannot be read.
    """
    commits = list(_commits(lake))
    referred, newest = _referred(commits), time.time() - hours * SECONDS_AN_HOUR
    found: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for commit in commits:
        if _of_partition(lake, commit, referred, newest):
            found[commit.partition.rpartition("--")[2]].add((commit.table, commit.partition))
    if found and (lake.folder / "catalog.duckdb").exists():
        lake.write_catalog()
    removed: list[SupersededPart] = []
    busy = []
    for name in sorted(found):
        with pause(lake.folder, name) as is_idle:
            if not is_idle:
                busy.append(name)
                continue
            for table, partition in sorted(found[name]):
                # Until steps were held off it may have been written again.
                now = lake.commit(table, partition)
                for part in [] if now is None else _of_partition(lake, now, referred, newest):
                    part.path.unlink(missing_ok=True)
                    removed.append(part)
    return Removal(len(removed), sum(part.bytes for part in removed), busy)


def _commits(lake: Lake) -> Iterator[Commit]:
    for table in TABLES:
        for partition in lake.partitions(table):
            try:
                commit = lake.commit(table, partition)
            except (LakeError, KeyError, TypeError, AttributeError) as error:
                path = lake.partition_folder(table, partition) / COMMIT
                raise LakeError(
                    f"{path}: cannot be read ({type(error).__name__}), so that nobody can tell which parts are needed; "
                    "nothing of the lake is removed before it is mended"
                ) from error
            if commit is not None:
                yield commit


def _referred(commits: list[Commit]) -> Names:
    """Return the hashes that commits name of each `table@partition` that they were made from."""
    found: dict[str, set[str]] = defaultdict(set)
    for commit in commits:
        for name, hash_ in commit.inputs.items():
            found[name].add(hash_)
    return found


def _of_partition(lake: Lake, commit: Commit, referred: Names, newest: float) -> list[SupersededPart]:
    folder = lake.partition_folder(commit.table, commit.partition)
    there = {path.name: path for path in folder.iterdir() if _PART.fullmatch(path.name)}
    if not set(commit.parts) <= there.keys() or (folder / COMMIT).stat().st_mtime > newest:
        return []
    others = [there[name] for name in sorted(there.keys() - set(commit.parts))]
    stats = {path: path.stat() for path in others}
    old = [path for path in others if stats[path].st_mtime <= newest]
    wanted = referred.get(f"{commit.table}@{commit.partition}", set()) - {commit.hash}
    kept = {path for path in old if wanted and _may_be(path, wanted)}
    if any(_is_full(path) for path in kept):
        return []  # of a table of several parts, which nobody can tell from the parts of others
    return [
        SupersededPart(commit.table, commit.partition, path, stats[path].st_size) for path in old if path not in kept
    ]


def _may_be(path: Path, wanted: set[str]) -> bool:
    """Tell whether a part is a table of one of these hashes, or may be one of several parts of such a table."""
    try:
        schema = schema_then(str(path))
    except (OSError, ValueError, pa.ArrowException):
        return True  # nobody can tell; what may be damaged is not removed
    return _is_full(path) or hashlib.sha256(f"{schema.to_string()}{path.name}".encode()).hexdigest() in wanted


def _is_full(path: Path) -> bool:
    try:
        return bool(pq.read_metadata(path).num_rows >= ROWS_PER_PART)
    except (OSError, ValueError, pa.ArrowException):
        return False
