"""Two workforces, one after the other: what the first has no answer to is put to the second."""

import pyarrow as pa
import pyarrow.compute as pc

from cupel.consensus.coding import ItemIds
from cupel.people.answers.collect import Workforce


class OneAfterAnother:
    """People whose answers lie in files already, and then people who are asked now.

    Args:
        first: Gets every open task.
        second: Gets those that the first leaves open.
    """

    def __init__(self, first: Workforce, second: Workforce) -> None:
        self._both = (first, second)

    def answer(self, tasks: pa.Table) -> pa.Table:
        """Return the answers of both to open tasks; see `cupel.people.answers.collect.Workforce`."""
        first, second = self._both
        found = first.answer(tasks)
        is_open = pc.invert(pc.is_in(tasks["task_id"], value_set=found["task_id"].combine_chunks()))
        return pa.concat_tables([found, second.answer(tasks.filter(is_open))])

    def unasked(self, batch: str, item_ids: ItemIds) -> pa.Table:
        """Return both's answers about items that the batch does not hold."""
        return pa.concat_tables([one.unasked(batch, item_ids) for one in self._both])

    def rest(self) -> pa.Table:
        """Return what else arrived at either."""
        return pa.concat_tables([one.rest() for one in self._both])

    def end(self) -> None:
        """Let both go on."""
        for one in self._both:
            one.end()
