"""A gate records what it judged, awaits what is missing, and never passes without evidence."""

from typing import Any

import pytest

from cupel.contract.table import empty
from cupel.contract.tables import TABLES
from cupel.errors import LakeError
from expectations import checking, cleaning, gold, labeling, raw, release
from expectations.gate import asked_checks, judge_stage
from expectations.suite import Suite, one_row
from expectations.suites import project_suites


def by_check(world: Any, suite: Suite, partition: str = "first") -> dict[str, dict[str, Any]]:
    return {row["check"]: row for row in judge_stage(world.step(partition), suite).to_pylist()}


def test_an_outcome_holds_the_hash_of_the_table_and_all_inputs(world: Any) -> None:
    made = world()
    made.raw(9, rejected=1)
    step = made.step()
    row = judge_stage(step, raw.SUITE).to_pylist()[0]
    assert row["table_hash"] == made.lake.commit("raw_items", "first").hash
    assert set(step.inputs) == {"raw_items@first", "rejected_rows@first", "deliveries@first"}


def test_the_same_tables_give_the_same_outcome(world: Any) -> None:
    made = world()
    made.labeling(["yy", "nn", "yn"] * 9)
    assert judge_stage(made.step(), labeling.SUITE).equals(judge_stage(made.step(), labeling.SUITE))


def test_every_check_of_an_empty_table_fails(world: Any) -> None:
    made = world()
    made.cleaning(kept=0, rejected=3)
    made.write("labels", [])
    outcomes = {row["outcome"] for row in by_check(made, checking.SUITE).values()}
    assert outcomes == {"fail"}


def test_a_number_that_was_not_measured_fails(world: Any) -> None:
    made = world()
    made.raw()
    rows = judge_stage(made.step(), raw.SUITE._replace(measure=lambda step: one_row({}))).to_pylist()
    assert {row["outcome"] for row in rows} == {"fail"}
    assert all(row["observed"] is None and row["reason"].endswith("(nothing was measured)") for row in rows)


def test_an_estimate_without_its_bound_is_no_evidence(world: Any) -> None:
    made = world()
    made.labeling(["yy"] * 9 + ["nn"])
    row = by_check(made, labeling.SUITE)["agreement"]
    assert (row["observed"], row["bound"], row["outcome"]) == (1.0, None, "fail")


def test_a_table_that_is_not_there_is_an_error_not_an_outcome(world: Any) -> None:
    made = world()
    made.raw()
    with pytest.raises(LakeError, match="table clean_items, partition first: not there yet"):
        judge_stage(made.step(), cleaning.SUITE)


def test_labeling_is_open_until_every_item_has_its_first_annotations(world: Any) -> None:
    made = world()
    made.labeling(["yy", "y", ""])
    rows = by_check(made, labeling.SUITE)
    assert {row["outcome"] for row in rows.values()} == {"open"}
    assert rows["annotations_missing"]["reason"] == "2 of 3 items await 3 annotations"
    assert rows["annotations_missing"]["item_ids"] == ["i001", "i002"]


def test_a_vote_that_the_consensus_does_not_know_is_found(world: Any) -> None:
    made = world()
    made.labeling(["yy", "nn", "yy"])
    rows = made.lake.read("consensus", "first").to_pylist()
    made.write("consensus", [row | {"votes": 3} if row["item_id"] == "i002" else row for row in rows])
    found = by_check(made, labeling.SUITE)["items_without_consensus"]
    assert (found["outcome"], found["observed"], found["item_ids"]) == ("fail", 1, ["i002"])


def test_anonymous_annotators_are_not_asked_who_dominates(world: Any) -> None:
    labels = world().project.labeling.model_dump()
    made = world(labeling=labels | {"are_annotators_known": {"first": False}})
    made.labeling(names="?")
    assert "largest_answer_share" not in by_check(made, labeling.SUITE)
    assert "largest_answer_share" not in [check.name for check in asked_checks(made.project, labeling.SUITE)]


def test_known_annotators_without_a_name_are_missing_evidence(world: Any) -> None:
    made = world()
    made.labeling(names="?")
    row = by_check(made, labeling.SUITE)["largest_answer_share"]
    assert (row["outcome"], row["observed"]) == ("fail", None)


def test_gold_is_asked_only_where_a_project_has_gold_and_is_open_before_answers(world: Any) -> None:
    assert gold.SUITE not in project_suites(world().project)
    made = world(labeling=world().project.labeling.model_dump() | {"gold": "gold.csv"})
    assert gold.SUITE in project_suites(made.project)
    made.gold(answers=5, right=0)
    made.lake.write("annotators", "first", empty(TABLES["annotators"]))
    assert by_check(made, gold.SUITE)["gold_accuracy"]["outcome"] == "open"
    made.gold(answers=40, right=40)
    assert by_check(made, gold.SUITE)["gold_accuracy"]["bound"] == pytest.approx(0.05 ** (1 / 40))


def test_near_duplicates_count_only_against_kept_items_of_this_or_earlier_batches(world: Any) -> None:
    made = world()
    made.cleaning(38, 2)
    made.similar(0.9, earlier="i039")
    assert by_check(made, cleaning.SUITE)["near_duplicates_left"]["observed"] == 0
    made.similar(0.9, earlier="z1", batch="zero")
    assert by_check(made, cleaning.SUITE)["near_duplicates_left"]["observed"] == 0
    other = made.clean[0] | {"batch": "zero", "item_id": "z1"}
    made.write("clean_items", [other], "zero")
    step = made.step()
    found = {row["check"]: row for row in judge_stage(step, cleaning.SUITE).to_pylist()}["near_duplicates_left"]
    assert (found["outcome"], found["item_ids"]) == ("fail", ["i001"])
    assert "clean_items@zero" in step.inputs


def test_a_project_that_keeps_near_duplicates_is_not_asked(world: Any) -> None:
    made = world(cleaning={"duplicate_similarity": None})
    made.cleaning()
    assert "near_duplicates_left" not in by_check(made, cleaning.SUITE)


def test_a_kept_item_that_was_never_measured_is_missing_evidence(world: Any) -> None:
    made = world()
    made.cleaning()
    made.write("item_signals", made.lake.read("item_signals", "first").to_pylist()[1:])
    row = by_check(made, cleaning.SUITE)["exact_duplicates_left"]
    assert (row["outcome"], row["observed"]) == ("fail", None)


def test_private_data_are_found_in_a_stated_sample(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cleaning, "MOST_SCANNED", 10)
    made = world()
    made.cleaning()
    row = by_check(made, cleaning.SUITE)["private_data_left"]
    assert row["reason"].endswith("(10 of 40 texts were searched, a fixed sample)")


def test_a_release_is_open_while_experts_are_awaited(world: Any) -> None:
    made = world()
    made.released(status="open")
    rows = by_check(made, release.SUITE, "first-r1")
    assert {row["outcome"] for row in rows.values()} == {"open"}


def test_no_more_than_twenty_ids_and_never_a_text_are_recorded(world: Any) -> None:
    made = world()
    made.cleaning(**{f"i{number:03}": "the same secret" for number in range(40)})
    table = judge_stage(made.step(), cleaning.SUITE)
    row = {row["check"]: row for row in table.to_pylist()}["exact_duplicates_left"]
    assert row["observed"] == 39
    assert row["item_ids"] == [f"i{number:03}" for number in range(1, 21)]
    assert "secret" not in str(table.to_pylist())


def test_experts_are_asked_for_nothing_where_the_audit_refused(world: Any) -> None:
    made = world()
    made.released(status="refused", to_adjudicate=5, adjudicated=0)
    found = by_check(made, release.SUITE, "first-r1")
    assert found["adjudications_missing"]["outcome"] == "pass"
    assert "the audit refused" in found["adjudications_missing"]["reason"]
    assert found["release_certified"]["outcome"] == "fail"
    made.released(to_adjudicate=5, adjudicated=0)
    assert by_check(made, release.SUITE, "first-r1")["adjudications_missing"]["outcome"] == "fail"
