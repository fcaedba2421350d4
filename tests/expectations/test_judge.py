"""The judge fails whatever is not evidence, and quotes no data."""

import math
import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from cupel.config.expectations import ColumnExpectation
from cupel.contract.table import from_rows
from cupel.contract.tables.gates import GATE_RESULTS
from expectations import judge as judge_module
from expectations.judge import Asked, judge, judge_columns, write_docs

AT_MOST = Asked("bad_share", "at most", 0.5, "critical", "How bad? Allowed: at most 0.5.")
AT_LEAST = Asked("good_share", "at least", 0.5, "warning", "How good? Allowed: at least 0.5.")


def numbers(*values: float | None, name: str = "bad_share") -> pa.Table:
    return pa.table({name: pa.array(values, pa.float64())})


def expectation(kind: str, **arguments: Any) -> ColumnExpectation:
    return ColumnExpectation(table="clean_items", expectation=kind, arguments=arguments, reason="why")


def test_a_threshold_itself_is_allowed_on_both_sides() -> None:
    metrics = pa.table({"bad_share": [0.5], "good_share": [0.5]})
    verdicts = judge(metrics, [AT_MOST, AT_LEAST])
    assert [verdict.is_passed for verdict in verdicts.values()] == [True, True]
    assert verdicts["bad_share"].observed == 0.5


@pytest.mark.parametrize("step", [1, -1])
def test_the_next_number_beyond_fails(step: int) -> None:
    beyond = math.nextafter(0.5, step * math.inf)
    metrics = pa.table({"bad_share": [beyond], "good_share": [beyond]})
    passed = {name: verdict.is_passed for name, verdict in judge(metrics, [AT_MOST, AT_LEAST]).items()}
    assert passed == {"bad_share": step < 0, "good_share": step > 0}


@pytest.mark.parametrize("value", [None, math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("asked", [AT_MOST, AT_LEAST])
def test_what_is_no_number_fails(value: float | None, asked: Asked) -> None:
    verdict = judge(numbers(value, name=asked.check), [asked])[asked.check]
    assert (verdict.is_passed, verdict.problem) == (False, "nothing was measured")


@pytest.mark.parametrize("metrics", [numbers(), numbers(0.1, 0.1), pa.table({"other": [0.1]})])
def test_a_frame_without_its_one_row_or_its_column_fails(metrics: pa.Table) -> None:
    assert not judge(metrics, [AT_MOST])["bad_share"].is_passed


def test_an_error_of_great_expectations_itself_fails() -> None:
    verdict = judge(pa.table({"bad_share": ["much"]}), [AT_MOST])["bad_share"]
    assert (verdict.is_passed, verdict.problem) == (False, "Great Expectations could not judge it")


def test_a_result_without_an_observed_value_fails_even_if_called_a_success(monkeypatch: pytest.MonkeyPatch) -> None:
    bare = {"bad_share": {"success": True, "result": {}, "exception_info": {"raised_exception": False}}}
    monkeypatch.setattr(judge_module, "_validate", lambda *args: bare)
    assert not judge(numbers(0.1), [AT_MOST])["bad_share"].is_passed
    monkeypatch.setattr(judge_module, "_validate", lambda *args: {})
    assert not judge(numbers(0.1), [AT_MOST])["bad_share"].is_passed


def test_an_expectation_bears_the_name_of_its_check() -> None:
    made = judge_module.make_expectation(AT_MOST)
    assert made.expectation_type == "expect_bad_share_at_most"
    assert (made.severity, made.description) == ("critical", AT_MOST.description)


def test_a_teams_expectation_names_the_rows_that_break_it() -> None:
    data = pa.table({"text": ["long enough", "no", "long enough"]})
    verdict = judge_columns(data, expectation("ExpectColumnValueLengthsToBeBetween", column="text", min_value=5))
    assert (verdict.is_passed, verdict.observed, verdict.rows) == (False, pytest.approx(1 / 3), (1,))
    assert judge_columns(data, expectation("ExpectColumnValuesToNotBeNull", column="text")).is_passed


def test_a_teams_aggregate_shows_its_value() -> None:
    verdict = judge_columns(
        pa.table({"line": [1, 2, 3]}), expectation("ExpectColumnMeanToBeBetween", column="line", max_value=2)
    )
    assert (verdict.is_passed, verdict.observed) == (True, 2)


@pytest.mark.parametrize(
    ("data", "asked", "problem"),
    [
        (["a"], expectation("ExpectColumnValuesToBeWise", column="text"), "is no stock expectation"),
        (["a"], expectation("ExpectColumnValuesToBeBetween", column="text", least=1), "does not take it"),
        ([None], expectation("ExpectColumnValuesToBeInSet", column="text", value_set=["a"]), "no value to judge"),
        ([None], expectation("ExpectColumnMaxToBeBetween", column="text", max_value=1), "no value to judge"),
        (["secret"], expectation("ExpectColumnMeanToBeBetween", column="text", max_value=1), "raised an error"),
        ([], expectation("ExpectColumnValuesToNotBeNull", column="text"), "the table is empty"),
    ],
)
def test_a_teams_expectation_without_evidence_fails(data: list[Any], asked: ColumnExpectation, problem: str) -> None:
    verdict = judge_columns(pa.table({"text": pa.array(data, pa.string())}), asked)
    assert not verdict.is_passed
    assert problem in (verdict.problem or "")
    assert "secret" not in (verdict.problem or "")


def test_no_rows_keep_a_rule_for_rows_only_where_none_is_good_news() -> None:
    empty = pa.table({"reason": pa.array([], pa.string())})
    rows = expectation("ExpectColumnValuesToNotBeInSet", column="reason", value_set=["broken_json"])
    assert judge_columns(empty, rows, may_be_empty=True).is_passed
    whole = expectation("ExpectColumnMaxToBeBetween", column="reason", max_value="z")
    assert not judge_columns(empty, whole, may_be_empty=True).is_passed


def test_data_docs_show_every_outcome_in_few_bytes(tmp_path: Path) -> None:
    row = {"stage": "raw", "partition": "first", "severity": "critical", "reason": "Because.", "item_ids": ["i7"]}
    row |= {"table_name": "raw_items", "table_hash": "0", "comparison": "at most", "threshold": 0.5}
    rows = [
        row | {"check": "kept", "outcome": "pass", "observed": 0.25},
        row | {"check": "broken", "outcome": "fail", "observed": 0.75},
        row | {"check": "waiting", "outcome": "open", "observed": 0.25},
        row | {"check": "own", "outcome": "fail", "comparison": "expectation", "threshold": None},
    ]
    index = write_docs([from_rows(rows, GATE_RESULTS)], tmp_path / "docs")
    assert "first" in index.read_text()
    page = next((tmp_path / "docs" / "validations").rglob("*.html")).read_text()
    assert page.count("Allowed: at most 0.5. FAIL: Because.") == 1
    assert page.count("Allowed: at most 0.5. OPEN: Because.") == 1
    assert "25" in page
    assert "Success Percent" in page
    assert sum(path.stat().st_size for path in (tmp_path / "docs").rglob("*") if path.is_file()) < 4e6


def test_no_other_module_imports_great_expectations_or_pandas() -> None:
    root = Path(judge_module.__file__).parents[1]
    modules = [path for folder in ("expectations", "orchestration") for path in (root / folder).glob("*.py")]
    heavy = re.compile(r"^\s*(?:import|from) (?:great_expectations|pandas)\b", re.MULTILINE)
    assert [path.stem for path in modules if heavy.search(path.read_text(encoding="utf-8"))] == ["judge"]
    top = re.compile(r"^(?:import|from) (?:great_expectations|pandas)\b", re.MULTILINE)
    assert not top.search(Path(judge_module.__file__).read_text(encoding="utf-8"))
