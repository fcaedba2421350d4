"""Great Expectations: it judges what was measured, and documents it. No other module imports it, or pandas."""

import math
import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import pyarrow as pa

from cupel.config.expectations import ColumnExpectation
from cupel.store.files import delete_file, delete_folder, find_files
from expectations.thresholds import Comparison

if TYPE_CHECKING:
    import pandas as pd
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
    that break it. `rows` are places in the data that were handed over.
    """

    is_passed: bool
    observed: float | None
    problem: str | None = None
    rows: tuple[int, ...] = ()


def judge(metrics: pa.Table, asked: Sequence[Asked]) -> dict[str, Verdict]:
    """Judge numbers against their thresholds.

    Args:
        metrics: One row; for each check the column of its name, the number to judge.
        asked: The checks.

    Returns:
        The verdict of each check. A number that is missing, null or not finite, a table without its one
        row, and an error of Great Expectations itself are no evidence: they fail.
    """
    if not asked:
        return {}
    frame = _frame(metrics)
    found = _validate(frame, [_expectation(check) for check in asked], "BASIC")
    return {check.check: _number(check, frame, found.get(check.check)) for check in asked}


def judge_columns(data: pa.Table, expectation: ColumnExpectation, may_be_empty: bool = False) -> Verdict:
    """Judge a team's own expectation on the columns that it names.

    Args:
        data: Those columns.
        expectation: A stock column expectation and its arguments.
        may_be_empty: No rows are good news: what is expected of every row then holds.

    Returns:
        The verdict. No rows, no value at all, an expectation that is not known or not to be had with these
        arguments, and an error while judging fail. Nothing in it quotes the data.
    """
    if not data.num_rows and not may_be_empty:
        return Verdict(False, None, "the table is empty")
    try:
        asked = _stock(expectation)
    except Exception as error:  # whatever Great Expectations raises, the arguments cannot be used
        return Verdict(False, None, f"Great Expectations does not take it: {' '.join(str(error).split())[:300]}")
    return _column_verdict(expectation, _validate(_frame(data), [asked], "SUMMARY").get(expectation.expectation))


def _number(check: Asked, frame: "pd.DataFrame", result: "dict[str, Any] | None") -> Verdict:
    if len(frame) != 1 or check.check not in frame.columns:
        return Verdict(False, None, "nothing was measured")
    if result is None or _raised(result) or "observed_value" not in result["result"]:
        return Verdict(False, None, "Great Expectations could not judge it")
    observed = result["result"]["observed_value"]
    if observed is None or not math.isfinite(observed):
        return Verdict(False, None, "nothing was measured")
    return Verdict(bool(result["success"]), float(observed))


def _column_verdict(expectation: ColumnExpectation, result: "dict[str, Any] | None") -> Verdict:
    if result is None or _raised(result):
        return Verdict(False, None, "Great Expectations raised an error; try the expectation on the table by hand")
    found = result["result"]
    observed, values = found.get("observed_value"), found.get("element_count")
    is_bare = bool(values) and found.get("missing_count") == values and expectation.expectation not in _ABOUT_NULLS
    if is_bare or (observed is None and found.get("unexpected_count") is None):
        return Verdict(False, None, "there was no value to judge")
    number = observed if isinstance(observed, int | float) else None
    if number is None and found.get("unexpected_percent_total") is not None:
        number = found["unexpected_percent_total"] / 100
    rows = [row for row in found.get("partial_unexpected_index_list") or [] if isinstance(row, int)]
    return Verdict(bool(result["success"]), None if number is None else float(number), None, tuple(rows))


def _raised(result: "dict[str, Any]") -> bool:
    """Tell whether an exception was raised: one for the expectation, or one for each metric that it needs."""
    about = result.get("exception_info") or {}
    return any(entry.get("raised_exception") for entry in ([about] if "raised_exception" in about else about.values()))


def _frame(table: pa.Table) -> "pd.DataFrame":
    frame: pd.DataFrame = table.to_pandas()
    return frame


def _validate(
    frame: "pd.DataFrame", expectations: "Sequence[Expectation]", detail: Detail
) -> dict[str, dict[str, Any]]:
    """Return what Great Expectations found, by the check that each expectation's meta names."""
    result = _run(frame, _suite("gate", expectations), detail)
    configs = [(entry, entry.expectation_config) for entry in result.results]
    return {config.meta["check"]: entry.to_json_dict() for entry, config in configs if config and config.meta}


def _run(frame: "pd.DataFrame", suite: "ExpectationSuite", detail: Detail) -> "ExpectationSuiteValidationResult":
    return _whole(_context()).get_batch({"dataframe": frame}).validate(suite, result_format=detail)


def _whole(context: "EphemeralDataContext") -> "BatchDefinition[Any]":
    whole: BatchDefinition[Any] = context.data_sources.get("cupel").get_asset("table").get_batch_definition("whole")
    return whole


def _suite(name: str, expectations: "Sequence[Expectation]") -> "ExpectationSuite":
    from great_expectations.core import ExpectationSuite

    return ExpectationSuite(name=name, expectations=list(expectations))


@cache
def _context() -> "EphemeralDataContext":
    return _new_context()


def _new_context() -> "EphemeralDataContext":
    """Return a context that lives in memory, tells nobody anything, and shows no progress bars."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    context.data_sources.add_pandas("cupel").add_dataframe_asset("table").add_batch_definition_whole_dataframe("whole")
    return context


def _expectation(asked: Asked) -> "Expectation":
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


def _stock(expectation: ColumnExpectation) -> "Expectation":
    import great_expectations.expectations as stock

    kind = getattr(stock, expectation.expectation, None)
    if kind is None:
        raise LookupError(f"{expectation.expectation} is no stock expectation")
    made: Expectation = kind(
        **expectation.arguments, severity=expectation.severity, meta={"check": expectation.expectation}
    )
    return made


def write_docs(results: Sequence[pa.Table], folder: Path) -> Path:
    """Write Data Docs: a page for each gate's latest outcome, and an index of them.

    Every number in `gate_results` is judged again as the page is made. What is open, and a team's
    expectation that was broken, has no number that could pass and shows as not met, with its reason.

    Args:
        results: GATE_RESULTS, one table a gate and partition.
        folder: Made new; what was in it goes.

    Returns:
        The index page. The pages take their fonts and style sheets from the network.
    """
    from great_expectations.core.validation_definition import ValidationDefinition

    delete_folder(folder)
    context = _new_context()
    store = {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(folder.resolve())}
    index = {"class_name": "DefaultSiteIndexBuilder"}
    site: Any = {"class_name": "SiteBuilder", "store_backend": store, "site_index_builder": index}
    context.add_data_docs_site(site_name="gates", site_config=site | {"show_how_to_buttons": False})
    for rows in (table.to_pylist() for table in results if table.num_rows):
        name = f"{rows[0]['partition']}.{rows[0]['stage']}.{rows[0]['table_name']}"
        suite = context.suites.add(_suite(name, [_expectation(_documented(row)) for row in rows]))
        definition = context.validation_definitions.add(
            ValidationDefinition(name=name, data=_whole(context), suite=suite)
        )
        numbers = pa.table({row["check"]: pa.array([_documented_number(row)], pa.float64()) for row in rows})
        definition.run(batch_parameters={"dataframe": _frame(numbers)})
    context.build_data_docs(site_names=["gates"])
    for film in find_files(folder, "static/images/*.gif"):  # 3 MB of lessons on how to write expectations
        delete_file(film)
    return folder / "index.html"


def _documented(row: dict[str, Any]) -> Asked:
    words = f"{row['outcome'].upper()}: {row['reason']}"
    if row["comparison"] == "expectation":
        return Asked(row["check"], "at least", 1, row["severity"], words)
    limit = f"Allowed: {row['comparison']} {row['threshold']:g}. " if row["threshold"] is not None else ""
    return Asked(row["check"], row["comparison"], row["threshold"] or 0, row["severity"], limit + words)


def _documented_number(row: dict[str, Any]) -> float | None:
    """Return the number that decides: none where the check did not pass for another reason than its number."""
    if row["comparison"] == "expectation":
        return float(row["outcome"] == "pass") if row["outcome"] != "open" else None
    number = row["bound"] if row["bound"] is not None else row["observed"]
    if number is None or row["threshold"] is None or row["outcome"] == "open":
        return None
    is_kept = number <= row["threshold"] if row["comparison"] == "at most" else number >= row["threshold"]
    return number if is_kept == (row["outcome"] == "pass") else None
