"""Collecting: the open questions go to the workforce, and what it answers goes into the log."""

from collections.abc import Iterable
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc

from cupel.lake import Lake

COLUMNS = ["task_id", "batch", "item_id", "purpose", "slot"]


class Workforce(Protocol):
    """People, or what stands for them: it answers the tasks that it can."""

    def answer(self, tasks: pa.Table) -> pa.Table:
        """Return answers to open tasks, as ANSWERS without `sequence` and `hash`."""

    def unasked(self, batch: str, item_ids: set[str]) -> pa.Table:
        """Return answers about items that the batch does not hold."""


def collect(lake: Lake, workforce: Workforce, batches: Iterable[str], releases: Iterable[str]) -> int:
    """Hand the open questions to the workforce, and append what it answers to the log.

    Args:
        lake: The project's lake.
        workforce: Who answers.
        batches: Batches of the project, whose `tasks` are put to annotators.
        releases: Unfinished releases, whose `release_tasks` are put to auditors and experts.

    Returns:
        How many answers are new.

    Raises:
        AnswerError: The log is broken, or an answer cannot be recorded.
    """
    written, batches = 0, list(batches)
    for batch in batches:
        if lake.commit("clean_items", batch):
            items = set(lake.read("clean_items", batch)["item_id"].to_pylist())
            written += lake.answers.append(workforce.unasked(batch, items)).written
    return written + lake.answers.append(workforce.answer(open_tasks(lake, batches, releases))).written


def open_tasks(lake: Lake, batches: Iterable[str], releases: Iterable[str]) -> pa.Table:
    """Return the outbox: all questions of these batches and releases that nobody has answered yet.

    Returns:
        Columns task_id, batch, item_id, purpose, slot of TASKS.
    """
    tables = [
        lake.read(table, partition).select([*COLUMNS, "is_answered"])
        for table, partitions in (("tasks", batches), ("release_tasks", releases))
        for partition in partitions
        if lake.commit(table, partition) is not None
    ]
    if not tables:
        return pa.table({name: [] for name in COLUMNS})
    asked = pa.concat_tables(tables)
    answered = lake.answers.read()["task_id"].combine_chunks()
    is_open = pc.invert(pc.or_(asked["is_answered"], pc.is_in(asked["task_id"], value_set=answered)))
    return asked.filter(is_open).select(COLUMNS)
