"""The outbox as the world sees it: the questions that nobody has answered yet, a partition at a time."""

from collections.abc import Iterable, Iterator

import pyarrow as pa
import pyarrow.compute as pc

from cupel.contract.columns import TEXT
from cupel.contract.tables.release import RELEASE_TASKS
from cupel.lake.lake import Lake

COLUMNS = ["task_id", "batch", "item_id", "purpose", "slot"]


def open_tasks(lake: Lake, batches: Iterable[str], releases: Iterable[str]) -> Iterator[pa.Table]:
    """Yield the questions that nobody has answered yet, of one batch or release at a time.

    A question is open where its table says so and no answer of its batch in the log names it: the log
    may know more than the table.

    Args:
        lake: The project's lake.
        batches: Batches whose `contamination_tasks` and `tasks` are wanted; those without are left out.
        releases: Releases whose `release_tasks` are wanted; likewise.

    Yields:
        Columns task_id, batch, item_id, purpose, slot of TASKS, in the order of the table; never no rows.
    """
    batches = list(batches)
    for table, partitions in (("contamination_tasks", batches), ("tasks", batches), ("release_tasks", releases)):
        for partition in partitions:
            if lake.commit(table, partition) is not None:
                asked = _unanswered(lake, table, partition)
                if asked.num_rows:
                    yield asked


def count_open_tasks(lake: Lake, batches: Iterable[str], releases: Iterable[str]) -> int:
    """Return how many questions are open; see `open_tasks`."""
    return sum(asked.num_rows for asked in open_tasks(lake, batches, releases))


def _unanswered(lake: Lake, table: str, partition: str) -> pa.Table:
    found = [RELEASE_TASKS.schema.empty_table().select(COLUMNS)]
    for piece in lake.read_batches(table, partition, columns=[*COLUMNS, "is_answered"]):
        found.append(piece.filter(pc.invert(piece["is_answered"])).select(COLUMNS))
    asked = pa.concat_tables(found)
    answered = [
        lake.answers.read(batch, columns=["task_id"])["task_id"] for batch in asked["batch"].unique().to_pylist()
    ]
    known = pa.chunked_array([chunk for column in answered for chunk in column.chunks], TEXT)
    # The smaller side is searched for in the larger: most rounds ask few questions of a long log.
    if known.length() > asked.num_rows:
        known = known.filter(pc.is_in(known, value_set=asked["task_id"].combine_chunks()))
    return asked.filter(pc.invert(pc.is_in(asked["task_id"], value_set=known.combine_chunks())))
