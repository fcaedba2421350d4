"""Superseded parts: files of tables in whose place newer ones have come, and that nothing refers to any more.

What a table's partition is, its commit says. A part that the commit does not name was made by an earlier run, from the
log and the raw data, and no run, release, trace or rebuild reads it.
"""

import hashlib
import re
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import pyarrow as pa

from cupel.contract.tables import TABLES
from cupel.errors import LakeError
from cupel.lake.catalog import CATALOG
from cupel.lake.lake import COMMIT, ROWS_PER_PART, Commit, Lake
from cupel.lake.recorded_inputs import schema_then
from cupel.store.locks import pause
from cupel.store.parquet import open_parquet
from cupel.store.store import Stat, Store, StoreError, describe_place

SECONDS_AN_HOUR = 3_600
_PART = re.compile(r"part-[0-9a-f]{64}\.parquet")

Names = Mapping[str, set[str]]


class SupersededPart(NamedTuple):
    """A part that nothing refers to; its name is that in the lake's store."""

    table: str
    partition: str
    name: str
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
    if found and lake.store.stat(CATALOG) is not None:
        lake.write_catalog()
    removed: list[SupersededPart] = []
    busy = []
    for name in sorted(found):
        with pause(lake.store, name) as is_idle:
            if not is_idle:
                busy.append(name)
                continue
            for table, partition in sorted(found[name]):
                # Until steps were held off it may have been written again.
                now = lake.commit(table, partition)
                for part in [] if now is None else _of_partition(lake, now, referred, newest):
                    lake.store.delete(part.name)
                    removed.append(part)
    return Removal(len(removed), sum(part.bytes for part in removed), busy)


def _commits(lake: Lake) -> Iterator[Commit]:
    for table in TABLES:
        for partition in lake.partitions(table):
            try:
                commit = lake.commit(table, partition)
            except (LakeError, KeyError, TypeError, AttributeError) as error:
                where = describe_place(lake.store, f"{lake.partition_name(table, partition)}/{COMMIT}")
                raise LakeError(
                    f"{where}: cannot be read ({type(error).__name__}), so that nobody can tell which parts are "
                    "needed; nothing of the lake is removed before it is mended"
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
    folder = lake.partition_name(commit.table, commit.partition)
    there = {stat.name.removeprefix(f"{folder}/"): stat for stat in lake.store.list(folder)}
    if not {COMMIT, *commit.parts} <= there.keys() or there[COMMIT].changed_at > newest:
        return []
    others = [there[name] for name in sorted(there.keys() - set(commit.parts)) if _PART.fullmatch(name)]
    old = [stat for stat in others if stat.changed_at <= newest]
    wanted = referred.get(f"{commit.table}@{commit.partition}", set()) - {commit.hash}
    kept = {stat for stat in old if wanted and _may_be(lake.store, stat, wanted)}
    if any(_is_full(lake.store, stat) for stat in kept):
        return []  # of a table of several parts, which nobody can tell from the parts of others
    return [SupersededPart(commit.table, commit.partition, stat.name, stat.size) for stat in old if stat not in kept]


def _may_be(store: Store, part: Stat, wanted: set[str]) -> bool:
    """Tell whether a part is a table of one of these hashes, or may be one of several parts of such a table."""
    try:
        schema = schema_then(store, part.name)
    except (OSError, ValueError, StoreError, pa.ArrowException):
        return True  # nobody can tell; what may be damaged is not removed
    words = f"{schema.to_string()}{part.name.rpartition('/')[2]}"
    return _is_full(store, part) or hashlib.sha256(words.encode()).hexdigest() in wanted


def _is_full(store: Store, part: Stat) -> bool:
    try:
        with open_parquet(store, part.name) as file:
            return bool(file.metadata.num_rows >= ROWS_PER_PART)
    except (OSError, ValueError, StoreError, pa.ArrowException):
        return False
