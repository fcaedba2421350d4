"""A suite becomes checks of any asset: by a user who has Dagster and Great Expectations, and no lake."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import great_expectations as gx
import great_expectations.expectations as gxe
import pandas as pd
import pyarrow as pa
import pytest

from expectations import asset_checks as module
from expectations.asset_checks import gx_asset_checks, gx_checkpoint_asset_checks, name_checks

HOW_TO = Path(module.__file__).parents[1] / "docs" / "how-to" / "great-expectations.md"
DAYS = dg.StaticPartitionsDefinition(["monday", "tuesday"])
GOOD = pd.DataFrame({"order_id": ["a", "b", "c"], "amount": [1.0, 2.0, 3.0]})
BAD = pd.DataFrame({"order_id": ["a", "b", "c"], "amount": [1.0, -2.0, float("nan")]})


def suite_of(*expectations: Any) -> gx.ExpectationSuite:
    return gx.ExpectationSuite(name="orders suite", expectations=list(expectations))


def positive(**arguments: Any) -> Any:
    return gxe.ExpectColumnValuesToBeBetween(column="amount", min_value=0, **arguments)


@dg.asset
def orders() -> None: ...


@dg.asset(deps=[orders])
def revenue() -> None: ...


def run(
    checks: dg.AssetChecksDefinition, *, assets: Any = (orders, revenue), **options: Any
) -> dg.ExecuteInProcessResult:
    return dg.materialize([*assets, checks], raise_on_error=False, **options)


def outcomes(result: dg.ExecuteInProcessResult) -> dict[str, dg.AssetCheckEvaluation]:
    return {one.check_name: one for one in result.get_asset_check_evaluations()}


def made(result: dg.ExecuteInProcessResult) -> list[str]:
    return [event.asset_key.to_user_string() for event in result.get_asset_materialization_events() if event.asset_key]


def of(data: Any, *expectations: Any, **options: Any) -> dg.AssetCheckEvaluation:
    """Return the outcome of the first of some expectations of data."""
    checks = gx_asset_checks(orders, suite_of(*expectations), lambda context: data, **options)
    return next(iter(outcomes(run(checks, assets=[orders])).values()))


def shown(evaluation: dg.AssetCheckEvaluation) -> dict[str, Any]:
    return {name: value.value for name, value in evaluation.metadata.items()}


def test_names_are_readable_and_two_of_one_kind_differ() -> None:
    expectations = [
        positive(), positive(severity="info"), gxe.ExpectTableRowCountToBeBetween(min_value=1),
        gxe.ExpectCompoundColumnsToBeUnique(column_list=["order id", "amount"]),
        gxe.ExpectColumnValuesToNotBeNull(column="amount", meta={"dagster_check": "paid"}),
    ]  # fmt: skip
    assert [one.name for one in name_checks(expectations)] == [
        "amount_values_to_be_between",
        "amount_values_to_be_between_2",
        "table_row_count_to_be_between",
        "order_id_amount_compound_columns_to_be_unique",
        "paid",
    ]


def test_a_name_given_twice_is_refused() -> None:
    twice = [positive(meta={"dagster_check": "paid"}), positive(meta={"dagster_check": "paid"})]
    with pytest.raises(ValueError, match="'paid' names two checks"):
        name_checks(twice)


def test_a_suite_without_expectations_is_refused() -> None:
    with pytest.raises(ValueError, match="would check nothing"):
        gx_asset_checks(orders, suite_of(), lambda context: GOOD)


def test_a_result_says_what_was_observed_and_names_the_failing_rows_by_id_but_quotes_nothing() -> None:
    found = of(BAD, gxe.ExpectColumnValuesToBeInSet(column="order_id", value_set=["a", "c"]), id_column="order_id")
    assert (found.passed, found.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert shown(found) | {"expected": None} == {
        "expected": None,
        "severity": "critical",
        "element_count": 3,
        "missing_count": 0,
        "unexpected_count": 1,
        "unexpected_percent": pytest.approx(100 / 3),
        "failing_ids": ["b"],
    }
    assert shown(found)["expected"] == "order_id values must belong to this set: a c."
    assert shown(of(BAD, positive()))["failing_rows"] == [1]


def test_an_aggregate_shows_its_value() -> None:
    found = of(GOOD, gxe.ExpectColumnMeanToBeBetween(column="amount", max_value=5))
    assert (found.passed, shown(found)["observed_value"]) == (True, 2.0)


@pytest.mark.parametrize(("severity", "expected"), [("critical", "ERROR"), ("warning", "WARN"), ("info", "WARN")])
def test_only_a_critical_expectation_fails_as_an_error(severity: str, expected: str) -> None:
    found = of(BAD, positive(severity=severity))
    assert (found.passed, found.severity.value) == (False, expected)


@pytest.mark.parametrize(
    ("blocking", "severity", "after"),
    [(True, "critical", []), (True, "warning", ["revenue"]), (False, "critical", ["revenue"])],
)
def test_a_critical_failure_stops_what_comes_after_where_it_blocks(blocking: bool, severity: str, after: Any) -> None:
    suite = suite_of(positive(severity=severity))
    result = run(gx_asset_checks("orders", suite, lambda context: BAD, blocking=blocking))
    assert made(result) == ["orders", *after]


@pytest.mark.parametrize(
    "data",
    [GOOD, pa.Table.from_pandas(GOOD), lambda: duckdb.sql("SELECT 'a' AS order_id, 1.0 AS amount")],
    ids=["pandas", "pyarrow", "duckdb"],
)
def test_data_may_be_a_frame_a_table_or_a_relation(data: Any) -> None:
    assert of(data() if callable(data) else data, positive()).passed


def test_data_may_be_a_batch_of_the_users_own_context_which_stays_the_current_one() -> None:
    context = gx.get_context(mode="ephemeral")
    batches = (
        context.data_sources.add_pandas("own").add_dataframe_asset("orders").add_batch_definition_whole_dataframe("all")
    )
    assert not of(batches.get_batch({"dataframe": BAD}), positive()).passed
    module._frames.cache_clear()
    assert of(GOOD, positive()).passed
    assert list(context.data_sources.all()) == ["own"]
    kept = context.suites.add(suite_of(positive()))
    assert (
        gx.ValidationDefinition(name="of mine", data=batches, suite=kept)
        .run(batch_parameters={"dataframe": GOOD})
        .success
    )


def test_without_a_load_the_assets_own_value_is_judged() -> None:
    @dg.asset
    def frame() -> pd.DataFrame:
        return BAD

    result = run(gx_asset_checks(frame, suite_of(positive())), assets=[frame])
    assert [one.passed for one in outcomes(result).values()] == [False]


@pytest.mark.parametrize(
    ("data", "expectation", "problem"),
    [
        (GOOD.iloc[:0], positive(), "there are no rows to judge"),
        (GOOD.iloc[:0], gxe.ExpectColumnMaxToBeBetween(column="amount", max_value=1), "there is no value to judge"),
        (GOOD.assign(amount=float("nan")), positive(), "there is no value to judge"),
        (GOOD.assign(amount=float("nan")), gxe.ExpectColumnMeanToBeBetween(column="amount", max_value=1), "no value"),
        (GOOD, gxe.ExpectColumnValuesToBeUnique(column="paid"), 'The column "paid" in BatchData does not exist'),
        (GOOD, gxe.ExpectColumnMeanToBeBetween(column="order_id", max_value=1), "Great Expectations raised: "),
    ],
    ids=["no rows", "no maximum", "only NaN", "no mean", "unknown column", "mean of texts"],
)
def test_what_is_no_evidence_fails_and_says_why(data: Any, expectation: Any, problem: str) -> None:
    found = of(data, expectation)
    assert not found.passed
    assert problem in (found.description or "")


def test_no_rows_are_good_news_where_they_may_be() -> None:
    assert of(GOOD.iloc[:0], positive(), may_be_empty=True).passed
    assert not of(GOOD.iloc[:0], gxe.ExpectTableRowCountToBeBetween(min_value=1), may_be_empty=True).passed


def test_one_expectation_that_raises_does_not_hide_another() -> None:
    suite = suite_of(gxe.ExpectColumnValuesToBeUnique(column="paid"), positive())
    found = outcomes(run(gx_asset_checks(orders, suite, lambda context: GOOD)))
    assert {name: one.passed for name, one in found.items()} == {
        "paid_values_to_be_unique": False,
        "amount_values_to_be_between": True,
    }


def test_where_great_expectations_raises_as_a_whole_every_check_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any, **options: Any) -> None:
        raise RuntimeError("no engine")

    monkeypatch.setattr("great_expectations.datasource.fluent.interfaces.Batch.validate", broken)
    found = of(GOOD, positive())
    assert (found.passed, found.description) == (False, "Great Expectations raised: RuntimeError: no engine")


def test_data_that_cannot_be_loaded_stops_what_comes_after() -> None:
    def load(context: Any) -> Any:
        raise OSError("no such file")

    result = run(gx_asset_checks(orders, suite_of(positive()), load, blocking=True))
    assert (result.success, made(result), outcomes(result)) == (False, ["orders"], {})


def test_data_of_another_kind_is_refused_by_name() -> None:
    with pytest.raises(TypeError, match="load returned list; return a pandas or Polars data frame"):
        module._batch([1])


def test_each_partition_is_judged_by_its_own_data() -> None:
    @dg.asset(partitions_def=DAYS)
    def daily() -> None: ...

    def load(context: dg.AssetCheckExecutionContext) -> pd.DataFrame:
        return {"monday": GOOD, "tuesday": BAD}[context.partition_key]

    checks = gx_asset_checks(daily, suite_of(positive()), load, partitions_def=DAYS)
    found = {day: outcomes(run(checks, assets=[daily], partition_key=day)) for day in DAYS.get_partition_keys()}
    assert {day: [one.passed for one in checks.values()] for day, checks in found.items()} == {
        "monday": [True],
        "tuesday": [False],
    }


def test_one_check_can_be_run_alone() -> None:
    checks = gx_asset_checks(
        orders, suite_of(positive(), gxe.ExpectColumnToExist(column="order_id")), lambda context: BAD
    )
    chosen = dg.AssetSelection.checks(dg.AssetCheckKey(dg.AssetKey("orders"), "order_id_to_exist"))
    found = outcomes(run(checks, assets=[orders], selection=chosen))
    assert {name: one.passed for name, one in found.items()} == {"order_id_to_exist": True}


def test_a_checkpoint_of_several_suites_becomes_checks_of_several_assets() -> None:
    context = gx.get_context(mode="ephemeral")
    data = (
        context.data_sources.add_pandas("shop").add_dataframe_asset("frame").add_batch_definition_whole_dataframe("all")
    )
    names = {"orders": positive(), "revenue": gxe.ExpectTableRowCountToEqual(value=3)}
    definitions = [
        context.validation_definitions.add(
            gx.ValidationDefinition(
                name=name, data=data, suite=context.suites.add(gx.ExpectationSuite(name=name, expectations=[asked]))
            )
        )
        for name, asked in names.items()
    ]
    checkpoint = context.checkpoints.add(gx.Checkpoint(name="shop", validation_definitions=definitions))
    with pytest.raises(ValueError, match="no asset is given for 'revenue'"):
        gx_checkpoint_asset_checks({"orders": orders}, checkpoint)
    checks = gx_checkpoint_asset_checks(
        {"orders": orders, "revenue": revenue}, checkpoint, lambda _: {"dataframe": BAD}
    )
    found = run(checks).get_asset_check_evaluations()
    assert {(one.asset_key.to_user_string(), one.check_name, one.passed) for one in found} == {
        ("orders", "amount_values_to_be_between", False),
        ("revenue", "table_row_count_to_equal", True),
    }


def test_the_how_tos_example_works_in_a_folder_that_holds_nothing_of_cupel(tmp_path: Path) -> None:
    """As a stranger would: the module is copied beside a file of definitions, and Dagster's own command runs it."""
    code = re.findall(r"```python\n(.*?)```", HOW_TO.read_text(encoding="utf-8"), re.DOTALL)[0]
    (tmp_path / "gx_checks.py").write_bytes(Path(module.__file__).read_bytes())
    (tmp_path / "definitions.py").write_text(code.replace("expectations.asset_checks", "gx_checks"), encoding="utf-8")
    (tmp_path / "home").mkdir()
    command = [sys.executable, "-m", "dagster", "asset", "materialize", "--select", "*", "-f", "definitions.py"]
    environment = os.environ | {"DAGSTER_HOME": str(tmp_path / "home"), "DAGSTER_DISABLE_TELEMETRY": "1"}
    ran = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=600)
    assert ran.returncode == 1, ran.stderr
    with dg.DagsterInstance.from_config(str(tmp_path / "home")) as instance:
        keys = {name: dg.AssetKey(name) for name in ("orders", "revenue")}
        assert instance.get_latest_materialization_event(keys["orders"]) is not None
        assert instance.get_latest_materialization_event(keys["revenue"]) is None
        records = instance.get_event_records(dg.EventRecordsFilter(dg.DagsterEventType.ASSET_CHECK_EVALUATION))
    events = [one.event_log_entry.dagster_event for one in records]
    found = {one.check_name: one for one in (event.asset_check_evaluation_data for event in events if event)}
    assert {name: one.passed for name, one in found.items()} == {
        "order_id_values_to_be_unique": True,
        "amount_values_to_be_between": False,
        "amount_mean_to_be_between": True,
    }
    assert shown(found["amount_values_to_be_between"])["failing_ids"] == ["b"]


def test_the_module_imports_nothing_of_cupel() -> None:
    tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
    named = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    named |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    packages = {name.partition(".")[0] for name in named}
    assert packages <= {
        "dagster",
        "great_expectations",
        "collections",
        "functools",
        "json",
        "math",
        "re",
        "typing",
        "warnings",
    }
