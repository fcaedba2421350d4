"""Great Expectations judges what was measured: every gate is a Checkpoint that runs a ValidationDefinition."""

import math
import os
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import pyarrow as pa

from cupel.config.expectations import ColumnExpectation
from expectations.thresholds import Comparison

if TYPE_CHECKING:
    import pandas as pd
    from great_expectations import Checkpoint
    from great_expectations.core import ExpectationSuite, ExpectationSuiteValidationResult
    from great_expectations.core.batch_definition import BatchDefinition
    from great_expectations.data_context.data_context.ephemeral_data_context import EphemeralDataContext
    from great_expectations.expectations.core.expect_column_max_to_be_between import (
        ExpectColumnMaxToBeBetween,
    )
    from great_expectations.expectations.expectation import Expectation

Detail = Literal["BASIC", "SUMMARY"]

# Expectations that hold of a column without a single value.
_ABOUT_NULLS = ("ExpectColumnValuesToBeNull", "ExpectColumnValuesToNotBeNull")


class Asked(NamedTuple):
    """One number to judge: the check's name, what is allowed, how bad a breach is, and it all in words."""

    check: str
    comparison: Comparison
    threshold: float
    severity: str
    description: str


class Verdict(NamedTuple):
    """What was judged: it passed or not, the number, why there is none, and the rows that break it.

    `observed` is what the expectation itself measures or, where it asks every row, the share of values
    that break it. `rows` are places in the data that were handed over, `rows_broken` how many there are
    in all; None where the expectation does not ask every row.
    """

    is_passed: bool
    observed: float | None
    problem: str | None = None
    rows: tuple[int, ...] = ()
    rows_broken: int | None = None


class _Found(NamedTuple):
    """What Great Expectations found, by check; or the error that it ended with."""

    results: dict[str, dict[str, Any]]
    error: str | None = None


def judge(metrics: pa.Table, asked: Sequence[Asked], gate: str = "gate") -> dict[str, Verdict]:
    """Judge numbers against their thresholds.

    Args:
        metrics: One row; for each check the column of its name, the number to judge.
        asked: The checks.
        gate: Name of the suite, the ValidationDefinition and the Checkpoint.

    Returns:
        The verdict of each check. A number that is missing, null or not finite, a table without its one
        row, and an error of Great Expectations itself are no evidence: they fail.
    """
    if not asked:
        return {}
    frame = _frame(metrics)
    found = _validate(gate, frame, [make_expectation(check) for check in asked], "BASIC")
    return {check.check: _number(check, frame, found) for check in asked}


def judge_columns(
    data: pa.Table, expectation: ColumnExpectation, may_be_empty: bool = False, gate: str = "team"
) -> Verdict:
    """Judge a team's own expectation on the columns that it names.

    Args:
        data: Those columns.
        expectation: A stock column expectation and its arguments.
        may_be_empty: No rows are good news: what is expected of every row then holds.
        gate: Name of the suite, the ValidationDefinition and the Checkpoint.

    Returns:
        The verdict. No rows, no value at all, an expectation that is not known or not to be had with these
        arguments, and an error while judging fail. Nothing in it quotes the data.
    """
    if not data.num_rows and not may_be_empty:
        return Verdict(False, None, "the table is empty")
    try:
        asked = make_stock_expectation(expectation)
    except Exception as error:  # whatever Great Expectations raises, the arguments cannot be used
        return Verdict(False, None, f"Great Expectations does not take it: {' '.join(str(error).split())[:300]}")
    return _column_verdict(expectation, _validate(gate, _frame(data), [asked], "SUMMARY"))


def _number(check: Asked, frame: "pd.DataFrame", found: _Found) -> Verdict:
    if len(frame) != 1 or check.check not in frame.columns:
        return Verdict(False, None, "nothing was measured")
    result = found.results.get(check.check)
    if result is None or _raised(result) or "observed_value" not in result["result"]:
        return Verdict(False, None, f"Great Expectations could not judge it{found.error or ''}")
    observed = result["result"]["observed_value"]
    if observed is None or not math.isfinite(observed):
        return Verdict(False, None, "nothing was measured")
    return Verdict(bool(result["success"]), float(observed))


def _column_verdict(expectation: ColumnExpectation, judged: _Found) -> Verdict:
    result = judged.results.get(expectation.expectation)
    if result is None or _raised(result):
        problem = f"Great Expectations raised an error{judged.error or ''}; try the expectation on the table by hand"
        return Verdict(False, None, problem)
    found = result["result"]
    observed, values, broken = found.get("observed_value"), found.get("element_count"), found.get("unexpected_count")
    is_bare = bool(values) and found.get("missing_count") == values and expectation.expectation not in _ABOUT_NULLS
    if is_bare or (observed is None and broken is None):
        return Verdict(False, None, "there was no value to judge")
    number = observed if isinstance(observed, int | float) else None
    if number is None and found.get("unexpected_percent_total") is not None:
        number = found["unexpected_percent_total"] / 100
    rows = [row for row in found.get("partial_unexpected_index_list") or [] if isinstance(row, int)]
    return Verdict(bool(result["success"]), None if number is None else float(number), None, tuple(rows), broken)


def _raised(result: "dict[str, Any]") -> bool:
    """Tell whether an exception was raised: one for the expectation, or one for each metric that it needs."""
    about = result.get("exception_info") or {}
    return any(entry.get("raised_exception") for entry in ([about] if "raised_exception" in about else about.values()))


def _frame(table: pa.Table) -> "pd.DataFrame":
    frame: pd.DataFrame = table.to_pandas()
    return frame


def _validate(gate: str, frame: "pd.DataFrame", expectations: "Sequence[Expectation]", detail: Detail) -> _Found:
    """Return what Great Expectations found, by the check that each expectation's meta names."""
    try:
        result = _run(_checkpoint(gate, expectations, detail), frame)
    except Exception as error:  # whatever it is, nothing was judged
        return _Found({}, f" ({type(error).__name__})")
    configs = [(entry, entry.expectation_config) for entry in result.results]
    return _Found({config.meta["check"]: entry.to_json_dict() for entry, config in configs if config and config.meta})


def _run(checkpoint: "Checkpoint", frame: "pd.DataFrame") -> "ExpectationSuiteValidationResult":
    """Run a Checkpoint on a frame; the context forgets the result, or a long process would grow."""
    store: Any = _context().validation_results_store
    ran = checkpoint.run(batch_parameters={"dataframe": frame}).run_results
    for key in ran:
        store.remove_key(key)
    (result,) = ran.values()
    return result


def _checkpoint(gate: str, expectations: "Sequence[Expectation]", detail: Detail) -> "Checkpoint":
    """Return the Checkpoint of a gate; it is made anew where the gate asks something else than before."""
    from great_expectations import Checkpoint
    from great_expectations.core.validation_definition import ValidationDefinition

    context, made = _context(), _checkpoints()
    asked = (detail, [repr(expectation) for expectation in expectations])
    if gate in made and made[gate][0] == asked:
        return made[gate][1]
    if made.pop(gate, None) is not None:
        context.checkpoints.delete(gate)
        context.validation_definitions.delete(gate)
        context.suites.delete(gate)
    suite = context.suites.add(_suite(gate, expectations))
    definition = context.validation_definitions.add(ValidationDefinition(name=gate, data=_whole(context), suite=suite))
    checkpoint = Checkpoint(name=gate, validation_definitions=[definition], result_format=detail)
    made[gate] = (asked, context.checkpoints.add(checkpoint))
    return made[gate][1]


@cache
def _checkpoints() -> "dict[str, tuple[Any, Checkpoint]]":
    """Return the Checkpoints of this process's context, by gate, each with what it asks."""
    return {}


def _whole(context: "EphemeralDataContext") -> "BatchDefinition[Any]":
    whole: BatchDefinition[Any] = context.data_sources.get("cupel").get_asset("table").get_batch_definition("whole")
    return whole


def _suite(name: str, expectations: "Sequence[Expectation]") -> "ExpectationSuite":
    from great_expectations.core import ExpectationSuite

    return ExpectationSuite(name=name, expectations=list(expectations))


@cache
def _context() -> "EphemeralDataContext":
    """Return a context that lives in memory, tells nobody anything, and shows no progress bars.

    A context that a process has already, such as that of a team that embeds a project, stays its current one.
    """
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations as gx
    from great_expectations.data_context.data_context.context_factory import project_manager
    from great_expectations.data_context.types.base import ProgressBarsConfig
    from great_expectations.exceptions.exceptions import DataContextError

    try:
        current = project_manager.get_current_project()
    except DataContextError:
        current = None
    context = gx.get_context(mode="ephemeral")
    if current is not None:
        project_manager.set_project(current)
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    context.data_sources.add_pandas("cupel").add_dataframe_asset("table").add_batch_definition_whole_dataframe("whole")
    return context


def make_expectation(asked: Asked) -> "Expectation":
    """Return the expectation of a check, of a class of its own that bears its name."""
    from great_expectations.expectations.metadata_types import FailureSeverity

    return _class(asked.check, asked.comparison)(
        column=asked.check,
        min_value=asked.threshold if asked.comparison == "at least" else None,
        max_value=asked.threshold if asked.comparison == "at most" else None,
        severity=FailureSeverity(asked.severity),
        description=asked.description,
        meta={"check": asked.check},
    )


@cache
def _class(check: str, comparison: Comparison) -> "type[ExpectColumnMaxToBeBetween]":
    # The maximum of one value is the value; unlike its sister for values, this expectation fails on
    # null, NaN and an empty frame.
    from great_expectations.expectations.core.expect_column_max_to_be_between import (
        ExpectColumnMaxToBeBetween,
    )

    name = f"Expect{_camel(check)}{_camel(comparison.replace(' ', '_'))}"
    return type(name, (ExpectColumnMaxToBeBetween,), {"__module__": __name__, "__doc__": check})


def _camel(words: str) -> str:
    return "".join(word.capitalize() for word in words.split("_"))


def make_stock_expectation(expectation: ColumnExpectation) -> "Expectation":
    """Return a team's expectation as Great Expectations has it.

    Raises:
        Exception: There is none of that name, or it does not take these arguments; of whatever class it is there.
    """
    import great_expectations.expectations as stock

    kind = getattr(stock, expectation.expectation, None)
    if kind is None:
        raise LookupError(f"{expectation.expectation} is no stock expectation")
    made: Expectation = kind(
        **expectation.arguments, severity=expectation.severity, meta={"check": expectation.expectation}
    )
    return made
