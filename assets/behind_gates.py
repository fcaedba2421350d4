"""Steps stand behind gates: where one is closed nothing is written, and the run says so and ends well."""

import inspect
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

import dagster as dg

from assets.bench import Bench
from assets.run_outcome import OPEN, REFUSED, OutcomeWord, tag_run
from cupel.errors import ClosedGateError, LakeError

Work = Callable[[dg.AssetExecutionContext, Bench], Any]


def hold_behind_gates(work: Work, may_wait: bool = False) -> Work:
    """Return an asset's function that writes nothing, and raises nothing, where a gate before it is closed.

    Dagster then skips what is made from its tables. A gate that has not judged the tables as they are now is an error.

    Args:
        work: The asset's function: returns a result, or yields one for each table.
        may_wait: It may write nothing by itself, while answers are awaited.

    Raises:
        LakeError: When the function is run: it ended without a table that it must write.
    """

    @wraps(work)
    def run(context: dg.AssetExecutionContext, bench: Bench) -> Iterator[Any]:
        due = {key for key in context.selected_asset_keys if not may_wait}
        try:
            made = work(context, bench)
            for result in made if inspect.isgenerator(made) else [made]:
                due.discard(result.asset_key)
                yield result
        except ClosedGateError as closed:
            word: OutcomeWord = OPEN if closed.is_open else REFUSED
            context.log.warning(f"{word}: {closed}")
            tag_run(context.instance, context.run.run_id, word, str(closed))
            return
        if due:
            names = ", ".join(sorted(key.to_user_string() for key in due))
            raise LakeError(f"{context.op_execution_context.op.name} ended without writing {names}: report it as a bug")

    return run
