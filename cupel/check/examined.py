"""A lake under examination: its commits, read once, and which releases have come to their end, even damaged ones."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import suppress

from cupel.check.memory import Memory
from cupel.contract.stages import STAGES, frozen_tables, stage_of
from cupel.contract.tables import TABLES
from cupel.errors import CupelError
from cupel.lake.lake import ABSENT, Commit, Lake
from cupel.release.plan import is_finished
from cupel.release.proposals import PROPOSALS
from cupel.store.locks import is_at_work

RELEASES = "releases"
GATES = "gate_results"
FINISHED = "finished"
COMMIT_MARK = "commit:"
Key = tuple[str, str]


class ExaminedLake:
    """A project's lake, as far as it can be read.

    Args:
        lake: The project's lake.
        is_light: Files that look as they did when they were verified are not read again.

    Attributes:
        commits: The commits that can be read, by table and partition.
        problems: Why the others cannot.
        memory: What was seen of its files.
    """

    def __init__(self, lake: Lake, *, is_light: bool) -> None:
        self.lake = lake
        self.folder, self.store = lake.folder, lake.store
        self.is_light = is_light
        self.memory = Memory(self.store, is_afresh=not is_light)
        # Only of these do the marks tell what they came to their end with: of others they are of an earlier state.
        self.known_finished = {
            owner for mark in self.memory.marks for kind, _, owner in [mark.partition("@")] if kind == FINISHED
        }
        keys = list(self._partitions())
        self.releases = self._release_names(keys)
        # Asked before the commits are read: of a release that ends meanwhile some would be of before its end.
        self.finished = {name for name in self.releases if self._is_finished(name)}
        self.commits: dict[Key, Commit] = {}
        self.problems: dict[Key, str] = {}
        for key in keys:
            try:
                if (commit := lake.commit(*key)) is not None:
                    self.commits[key] = commit
            except (CupelError, OSError) as error:
                self.problems[key] = str(error)

    def has_folder(self, name: str) -> bool:
        """Tell whether anything lies in a folder of the project."""
        return any(self.store.list(name))

    def place(self, table: str, partition: str) -> str:
        """Return the folder of a partition, relative to the project's."""
        return f"tables/{table}/{partition}"

    def wanted_hash(self, table: str, partition: str) -> str | None:
        """Return the hash that a table had when it was last seen, or when another was made from it; None if unknown."""
        name, owner = f"{table}@{partition}", self.owner(table, partition)
        if name in self.memory.marks and (owner not in self.finished or owner in self.known_finished):
            return self.memory.marks[name]
        found = {commit.inputs[name] for commit in self.commits_of(owner) if commit.inputs.get(name, ABSENT) != ABSENT}
        return found.pop() if len(found) == 1 else None

    def owner(self, table: str, partition: str) -> str:
        """Return the batch or release that a partition belongs to: a gate's outcomes are named after their gate too."""
        return partition.partition("--")[2] if table == GATES else partition

    def is_frozen(self, table: str, partition: str) -> bool:
        """Tell whether no run makes a table again: it is a finished release's, or was frozen."""
        return self.owner(table, partition) in self.finished or table in set(frozen_tables())

    def commits_of(self, release: str) -> list[Commit]:
        """Return the commits of a release and of its stages' gates, in order of name.

        A team's own gate says nothing of the other tables: where it is asked no more, its last outcome stays, and names
        the table of then.
        """
        return [
            commit for key, commit in sorted(self.commits.items())
            if self.owner(*key) == release and not _is_of_own_gate(*key)
        ]  # fmt: skip

    def _partitions(self) -> Iterator[Key]:
        for table in TABLES:
            for partition in self.lake.partitions(table):
                yield table, partition

    def _release_names(self, keys: list[Key]) -> list[str]:
        tables = STAGES["release"].tables
        there = {partition for table, partition in keys if table in tables}
        there |= set(self.store.list_folders(RELEASES))
        with suppress(CupelError):  # told with the logs
            there |= {event["release"] for event in self.lake.log(PROPOSALS).read()}
        return sorted(there | self.known_finished)

    def _is_finished(self, release: str) -> bool:
        if release in self.known_finished:
            return True
        if is_at_work(self.store, release):
            return False  # its last steps are being done: what they leave is looked at when they have ended
        try:
            return is_finished(self.lake, release)
        except (CupelError, OSError, LookupError):
            return False


def commit_mark(table: str, partition: str) -> str:
    """Return the mark that says what a finished release's commit was: of its table, its inputs and its version."""
    return f"{COMMIT_MARK}{table}@{partition}"


def hash_commit(commit: Commit) -> str:
    """Return a hash of all that a commit says."""
    return hashlib.sha256(json.dumps(commit, sort_keys=True).encode()).hexdigest()


def is_of_release(table: str) -> bool:
    """Tell whether a table is written for releases."""
    return stage_of(table).partition == "release"


def _is_of_own_gate(table: str, partition: str) -> bool:
    gate = partition.partition("--")[0]
    return table == GATES and not (gate in STAGES and STAGES[gate].gate)
