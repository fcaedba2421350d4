"""References: tables name the records of logs that they were made from; a log that lacks one was lost, or is older."""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from cupel.contract.tables import TABLES
from cupel.errors import AnswerError
from cupel.lake.annotator_actions import ACTIONS as ACTIONS_LOG
from cupel.lake.annotator_actions import earlier_version_of, version_of
from cupel.lake.lake import Commit, Lake
from cupel.lake.send_back_log import SEND_BACKS, name_send_backs

ANSWERS, ACTIONS = "answers:", "actions"
_VERSION = re.compile(r"(?P<records>[0-9]+):(?P<hash>[0-9a-f]{64})")


class LostRecord(NamedTuple):
    """A record that a table was made from and that its log no longer holds: which table, which log, and in words."""

    commit: Commit
    log: str
    why: str


def check_references(lake: Lake, partitions: Iterable[str] | None = None) -> None:
    """Refuse logs that lack a record which a table was made from: a missing log is not a new one.

    Args:
        lake: The project's lake.
        partitions: Batches and releases whose tables are asked; None: all.

    Raises:
        AnswerError: A log is gone, cut short, or an older copy of itself; names it and the table.
    """
    for lost in lost_records(lake, partitions):
        raise AnswerError(lost.why)


def lost_records(lake: Lake, partitions: Iterable[str] | None = None) -> Iterator[LostRecord]:
    """Yield a row for each table that was made from a record which its log no longer holds; see `check_references`."""
    wanted = None if partitions is None else set(partitions)
    for table in TABLES:
        for partition in lake.partitions(table) if wanted is None else sorted(wanted):
            commit = lake.commit(table, partition)
            if commit is not None:
                yield from lost_by(lake, commit)


def lost_by(lake: Lake, commit: Commit) -> Iterator[LostRecord]:
    """Yield the records that a table was made from and that its log no longer holds."""
    for name, value in commit.inputs.items():
        kind, _, batch = name.rpartition("@")
        version = _VERSION.fullmatch(value)
        if version is None:
            continue
        if kind.startswith(ANSWERS) and not lake.answers.holds_hash(version["hash"]):
            yield LostRecord(commit, "answers", _explain(lake, commit, "answers", int(version["records"]), batch))
        if kind == ACTIONS and not _holds_actions(lake, batch, value, int(version["records"])):
            yield LostRecord(commit, ACTIONS_LOG, _explain(lake, commit, ACTIONS_LOG, int(version["records"]), batch))
        if kind == SEND_BACKS and name_send_backs(lake.send_backs.read(batch)[: int(version["records"])]) != value:
            yield LostRecord(commit, SEND_BACKS, _explain(lake, commit, SEND_BACKS, int(version["records"]), batch))


def _holds_actions(lake: Lake, batch: str, version: str, records: int) -> bool:
    actions = lake.actions.read(batch)[:records]
    return version in (version_of(actions), earlier_version_of(actions))


def _explain(lake: Lake, commit: Commit, log: str, records: int, batch: str) -> str:
    folder = lake.folder / log
    state = "holds other records now" if any(lake.store.list(log)) else "is gone"
    return (
        f"{folder}: the log {state}: table {commit.table} of {commit.partition} was made from {records:,} records of "
        f"{batch}, and the last of them is not there; restore the whole folder from a copy that is not older than that "
        "table"
    )
