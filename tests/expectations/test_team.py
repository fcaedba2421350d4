"""A team's own expectations are named, bounded, and judged like any other check."""

from typing import Any

import pytest

from cupel.errors import ProjectError
from expectations import cleaning
from expectations.gate import asked_checks, judge_stage
from expectations.suite import Suite
from expectations.suites import project_suites
from expectations.team import columns_of, team_checks

LENGTHS = {
    "table": "raw_items",
    "expectation": "ExpectColumnValueLengthsToBeBetween",
    "arguments": {"column": "text", "min_value": 4, "max_value": 9},
    "reason": "our tool shows no more",
}


def test_names_are_stable_and_differ_within_a_table(world: Any) -> None:
    elsewhere = LENGTHS | {"table": "clean_items"}
    checks = team_checks(world(expectations=[LENGTHS, elsewhere, LENGTHS]).project)
    name = "team_text_value_lengths_to_be_between"
    assert {table: [check.name for check in own] for table, own in checks.items()} == {
        "raw_items": [name, f"{name}_2"],
        "clean_items": [name],
    }


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"table": "raw_item"}, r"key expectations\.0\.table: found 'raw_item', expected one of deliveries, "),
        ({"table": "gate_results"}, r"found 'gate_results'"),
        ({"arguments": {"column": "txt"}}, r"table raw_items has no column 'txt'; it has batch, item_id, "),
        ({"arguments": {"min_value": 1}}, r"names no column"),
    ],
)
def test_an_expectation_that_cannot_be_asked_is_refused(world: Any, changes: Any, message: str) -> None:
    with pytest.raises(ProjectError, match=message):
        team_checks(world(expectations=[LENGTHS | changes]).project)


def test_an_expectation_on_a_stages_table_joins_its_gate(world: Any) -> None:
    made = world(expectations=[LENGTHS | {"table": "clean_items"}])
    made.cleaning(i002="far too long a text")
    rows = judge_stage(made.step(), cleaning.SUITE).to_pylist()
    row = next(row for row in rows if row["check"].startswith("team_"))
    assert (row["outcome"], row["comparison"], row["threshold"]) == ("fail", "expectation", None)
    assert (row["observed"], row["item_ids"]) == (pytest.approx(1 / 40), ["i002"])
    assert row["reason"] == "our tool shows no more (1 of 40 rows breaks it)"
    assert "far too long" not in str(rows)
    last = asked_checks(made.project, cleaning.SUITE)[-1]
    assert (last.name, last.severity) == (row["check"], "critical")
    assert "ExpectColumnValueLengthsToBeBetween(column='text', max_value=9, min_value=4)" in last.description


def test_an_expectation_on_another_table_has_a_gate_of_its_own(world: Any) -> None:
    project = world(expectations=[LENGTHS | {"table": "item_signals"}]).project
    suite = project_suites(project)[-1]
    assert (suite.gate, suite.stage, suite.checks) == ("item_signals", "cleaning", ())


def test_a_large_table_is_sampled_and_the_outcome_says_so(world: Any) -> None:
    made = world(expectations=[LENGTHS])
    made.raw(40)
    check = team_checks(made.project)["raw_items"][0]
    sample = columns_of(made.step(), check, most_rows=7)
    assert sample.data.column_names == ["text"]
    assert sample.data.num_rows == 7
    assert sample.note == "judged on a fixed sample of 7 of 40 rows"
    # The raw texts are the ids: each row keeps its own.
    assert sample.item_ids is not None
    assert sample.data["text"].to_pylist() == sample.item_ids.to_pylist()
    assert sample.item_ids.to_pylist() != sorted(sample.item_ids.to_pylist())
    assert columns_of(made.step(), check, most_rows=40).note is None


def test_the_sample_does_not_depend_on_rows_outside_it(world: Any) -> None:
    small, large = world(expectations=[LENGTHS]), world(expectations=[LENGTHS])
    small.raw(20)
    large.raw(40)
    check = team_checks(small.project)["raw_items"][0]
    drawn = columns_of(large.step(), check, most_rows=10).data["text"].to_pylist()
    again = columns_of(small.step(), check, most_rows=10).data["text"].to_pylist()
    assert [name for name in drawn if name < "i020"] == again[: len([name for name in drawn if name < "i020"])]


def test_tables_that_answers_fill_are_open_while_empty(world: Any) -> None:
    about = {"table": "annotations", "arguments": {"column": "label", "value_set": ["yes", "no"]}}
    made = world(expectations=[LENGTHS | about | {"expectation": "ExpectColumnValuesToBeInSet"}])
    suite = Suite("labeling", "annotations")
    made.labeling(["", ""])
    row = judge_stage(made.step(), suite).to_pylist()[0]
    assert (row["outcome"], row["reason"]) == ("open", "answers are awaited: the table annotations is still empty")
    made.labeling(["yy", "nn"])
    assert judge_stage(made.step(), suite).to_pylist()[0]["outcome"] == "pass"


def test_tables_of_what_went_wrong_pass_while_empty(world: Any) -> None:
    about = {"table": "rejected_rows", "arguments": {"column": "reason", "value_set": ["broken_json"]}}
    made = world(expectations=[LENGTHS | about | {"expectation": "ExpectColumnValuesToNotBeInSet"}])
    suite = Suite("raw", "rejected_rows")
    made.raw()
    assert judge_stage(made.step(), suite).to_pylist()[0]["outcome"] == "pass"
    made.raw(rejected=1)
    assert judge_stage(made.step(), suite).to_pylist()[0]["outcome"] == "fail"
