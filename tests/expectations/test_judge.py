"""The judge fails whatever is not evidence, and quotes no data."""

import math
import re
from pathlib import Path
from typing import Any

import great_expectations as gx
import pyarrow as pa
import pytest
from great_expectations.data_context.data_context.context_factory import project_manager

from cupel.config.expectations import ColumnExpectation
from expectations import judge as judge_module
from expectations.judge import Asked, judge, judge_columns

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
    monkeypatch.setattr(judge_module, "_validate", lambda *args: judge_module._Found(bare))
    assert not judge(numbers(0.1), [AT_MOST])["bad_share"].is_passed
    monkeypatch.setattr(judge_module, "_validate", lambda *args: judge_module._Found({}))
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


def test_every_gate_is_a_checkpoint_of_its_name_that_runs_a_validation_definition() -> None:
    judge(numbers(0.1), [AT_MOST], "tiny.raw")
    context = judge_module._context()
    checkpoint = context.checkpoints.get("tiny.raw")
    assert [definition.name for definition in checkpoint.validation_definitions] == ["tiny.raw"]
    (asked,) = context.suites.get("tiny.raw").expectations
    assert (asked.expectation_type, asked.max_value) == ("expect_bad_share_at_most", 0.5)


def test_a_gate_that_asks_something_else_than_before_is_judged_by_what_it_asks_now() -> None:
    assert judge(numbers(0.4), [AT_MOST], "tiny.changed")["bad_share"].is_passed
    stricter = AT_MOST._replace(threshold=0.3)
    assert not judge(numbers(0.4), [stricter], "tiny.changed")["bad_share"].is_passed
    assert judge(numbers(0.4), [AT_MOST], "tiny.changed")["bad_share"].is_passed
    assert len([one for one in judge_module._context().checkpoints.all() if one.name == "tiny.changed"]) == 1


def test_a_process_keeps_no_result() -> None:
    judge(numbers(0.1), [AT_MOST], "tiny.small")
    judge_columns(pa.table({"text": ["a"]}), expectation("ExpectColumnValuesToNotBeNull", column="text"))
    assert judge_module._context().validation_results_store.list_keys() == []


def test_the_context_of_a_team_that_embeds_a_project_stays_its_own() -> None:
    own = gx.get_context(mode="ephemeral")
    judge_module._context.cache_clear()
    judge_module._checkpoints.cache_clear()
    assert judge(numbers(0.1), [AT_MOST], "tiny.embedded")["bad_share"].is_passed
    assert project_manager.get_current_project() is own
    assert (list(own.data_sources.all()), list(own.checkpoints.all())) == ([], [])


def test_a_checkpoint_that_cannot_run_fails_its_checks_and_says_what_it_ended_with(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*args: Any) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(judge_module, "_run", broken)
    verdict = judge(numbers(0.1), [AT_MOST])["bad_share"]
    assert (verdict.is_passed, verdict.problem) == (False, "Great Expectations could not judge it (RuntimeError)")
    team = judge_columns(pa.table({"text": ["a"]}), expectation("ExpectColumnValuesToNotBeNull", column="text"))
    assert (team.is_passed, "secret" in str(team)) == (False, False)


def test_two_teams_expectations_of_one_kind_do_not_meet() -> None:
    data = pa.table({"text": ["abc"]})
    short = expectation("ExpectColumnValueLengthsToBeBetween", column="text", max_value=2)
    long = expectation("ExpectColumnValueLengthsToBeBetween", column="text", max_value=9)
    assert [judge_columns(data, asked).is_passed for asked in (short, long, short)] == [False, True, False]


def test_how_many_rows_break_an_expectation_is_counted_beyond_those_that_are_named() -> None:
    verdict = judge_columns(
        pa.table({"n": list(range(50))}), expectation("ExpectColumnValuesToBeBetween", column="n", max_value=9)
    )
    assert (verdict.rows_broken, len(verdict.rows)) == (40, 20)


def test_three_modules_import_great_expectations_and_only_when_they_need_it() -> None:
    root = Path(judge_module.__file__).parents[1]
    modules = [path for folder in ("expectations", "orchestration") for path in (root / folder).glob("*.py")]
    heavy = re.compile(r"^\s*(?:import|from) (?:great_expectations|pandas)\b", re.MULTILINE)
    using = [path for path in modules if heavy.search(path.read_text(encoding="utf-8"))]
    assert sorted(path.stem for path in using) == ["asset_checks", "expectation_words", "judge"]
    top = re.compile(r"^(?:import|from) (?:great_expectations|pandas)\b", re.MULTILINE)
    assert [path.stem for path in using if top.search(path.read_text(encoding="utf-8"))] == []
