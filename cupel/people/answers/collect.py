"""Collecting: the open questions go to the workforce, and what it answers goes into the log."""

from collections.abc import Iterable
from typing import Protocol

import pyarrow as pa

from cupel.consensus.coding import ItemIds
from cupel.contract.tables.tasks import TASKS
from cupel.lake.lake import Lake
from cupel.people.answers import outbox


class Workforce(Protocol):
    """People, or what stands for them: it answers the tasks that it can."""

    def answer(self, tasks: pa.Table) -> pa.Table:
        """Return answers to open tasks, as ANSWERS without `sequence` and `hash`."""

    def unasked(self, batch: str, item_ids: ItemIds) -> pa.Table:
        """Return answers about items that the batch does not hold."""

    def rest(self) -> pa.Table:
        """Return what else arrived: answers that no open task asks for."""

    def end(self) -> None:
        """Go on: every answer returned so far is in the log, and every open task was put."""


def collect(lake: Lake, workforce: Workforce, batches: Iterable[str], releases: Iterable[str]) -> int:
    """Hand the open questions to the workforce, and append what it answers to the log.

    Questions of one batch or release are handed over at a time.

    Args:
        lake: The project's lake.
        workforce: Who answers.
        batches: Batches of the project, whose `tasks` are put to annotators.
        releases: Unfinished releases, whose `release_tasks` are put to auditors and experts.

    Returns:
        How many answers are new.

    Raises:
        AnswerError: The log is broken, or an answer cannot be recorded.
        WorkforceError: A labeling tool fails or refuses; what had arrived until then is in the log.
    """
    written, batches = 0, list(batches)
    for batch in batches:
        if lake.commit("clean_items", batch):
            items = lake.read("clean_items", batch, ["item_id"])["item_id"]
            written += lake.answers.append(workforce.unasked(batch, items)).written
    for tasks in outbox.open_tasks(lake, batches, releases):
        written += lake.answers.append(workforce.answer(tasks)).written
    written += lake.answers.append(workforce.rest()).written
    workforce.end()
    return written


def open_tasks(lake: Lake, batches: Iterable[str], releases: Iterable[str]) -> pa.Table:
    """Return all open questions as one table; see `cupel.people.answers.outbox.open_tasks`."""
    none = TASKS.schema.empty_table().select(outbox.COLUMNS)
    return pa.concat_tables([none, *outbox.open_tasks(lake, batches, releases)])
