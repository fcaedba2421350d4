"""A gate has passed only for the tables as they are now."""

from pathlib import Path
from typing import Any

import pytest

from cupel.contract.stages import STAGES
from cupel.contract.table import from_rows
from cupel.contract.tables import TABLES
from cupel.contract.tables.gates import GATE_RESULTS
from cupel.contract.tables.raw import RAW_ITEMS, REJECTED_ROWS
from cupel.kinds.projects import make_project
from cupel.lake.gates import (
    batch_state,
    closed_gates,
    gate_of,
    gate_partition,
    gate_rows,
    gated_stages,
    gates_of,
    is_awaiting,
    open_gate,
    release_state,
)
from cupel.lake.lake import Lake
from cupel.lake.step import Step
from cupel.versions.code_version import gate_version
from made_releases import make_terms

SETTINGS: dict[str, Any] = {
    "project": "tiny",
    "title": "Tiny",
    "owner": "team@example.org",
    "raw": {"deliveries": {"one": {"files": ["a.jsonl"], "licence": "MIT"}}},
    "labeling": {
        "question": "Is it?",
        "classes": ["no", "yes"],
        "answers": ["answers.csv"],
        "experts": {"description": "two people"},
    },
    "release": {"error_budget": 0.02, "audit_size": 100, "max_experts_seen_share": 0.3},
}
PROJECT = make_project(SETTINGS)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """Return a lake in which every stage gate of the batch `one` has passed."""
    made = Lake(tmp_path, "tiny")
    for stage in gated_stages("batch"):
        judged(made, stage, {"some_check": "pass"})
    return made


def items(lake: Lake, *texts: str) -> str:
    place = {"batch": "one", "source_file": "a.jsonl", "licence": "MIT"}
    rows = [place | {"item_id": str(line), "line": line, "text": text} for line, text in enumerate(texts, 1)]
    return lake.write("raw_items", "one", from_rows(rows, RAW_ITEMS)).hash


def judged(
    lake: Lake, gate: str, outcomes: dict[str, str], severity: str = "critical", partition: str = "one", **row: Any
) -> None:
    """Write a gate's outcome on raw_items, whatever the gate, and with rejected_rows beside it."""
    hashes = {"raw_items@one": items(lake, "a")}
    hashes["rejected_rows@one"] = lake.write("rejected_rows", "one", from_rows([], REJECTED_ROWS)).hash
    common = {"stage": row.get("stage", gate), "partition": partition, "severity": severity, "item_ids": []}
    common |= {"comparison": "at most", "reason": "because", "table_name": "raw_items"}
    common |= {"table_hash": hashes["raw_items@one"]} | row
    rows = [common | {"check": check, "outcome": outcome} for check, outcome in outcomes.items()]
    version = gate_version(PROJECT, gate)
    lake.write("gate_results", f"{gate}--{partition}", from_rows(rows, GATE_RESULTS), hashes, version)


def test_a_batch_whose_gates_have_all_passed_has_passed(lake: Lake) -> None:
    assert batch_state(lake, "one").outcome == "pass"
    assert batch_state(lake, "one", PROJECT).outcome == "pass"
    assert closed_gates(lake, ["one"]) == {}


def test_a_batch_that_nobody_judged_is_missing(tmp_path: Path) -> None:
    state = batch_state(Lake(tmp_path, "tiny"), "one")
    assert (state.outcome, state.stage, state.reason) == ("missing", "raw", "the raw gate has not judged it yet")


def test_a_table_written_anew_with_other_rows_is_not_the_one_that_was_judged(lake: Lake) -> None:
    items(lake, "a", "b")
    assert closed_gates(lake, ["one"])["one"].outcome == "missing"
    items(lake, "a")
    assert batch_state(lake, "one").outcome == "pass"


def test_another_input_of_the_gate_makes_its_outcome_stale_too(lake: Lake) -> None:
    bad = {"batch": "one", "source_file": "a.jsonl", "line": 9, "reason": "empty_row", "evidence": ""}
    lake.write("rejected_rows", "one", from_rows([bad], REJECTED_ROWS))
    assert batch_state(lake, "one").outcome == "missing"


def test_other_thresholds_than_those_it_was_judged_by_make_an_outcome_stale(lake: Lake) -> None:
    changed = make_project(SETTINGS | {"thresholds": {"kept_share": {"value": 0.1, "reason": "why"}}})
    assert batch_state(lake, "one", changed).outcome == "missing"


def test_a_failed_critical_check_closes_the_gate_and_a_warning_does_not(lake: Lake) -> None:
    judged(lake, "labeling", {"a": "pass", "b": "fail"}, severity="warning")
    assert batch_state(lake, "one").outcome == "pass"
    judged(lake, "labeling", {"a": "pass", "b": "fail"})
    assert batch_state(lake, "one") == ("fail", "labeling", "checks failed: b")


def test_failed_comes_before_open_and_missing(lake: Lake) -> None:
    judged(lake, "raw", {"a": "open"})
    assert batch_state(lake, "one") == ("open", "raw", "because")
    judged(lake, "checking", {"a": "fail"})
    assert batch_state(lake, "one").outcome == "fail"


def test_a_gate_without_a_single_check_has_not_passed(lake: Lake) -> None:
    judged(lake, "raw", {})
    assert batch_state(lake, "one").outcome == "missing"


def test_a_gate_of_a_team_counts_with_its_stage(lake: Lake) -> None:
    judged(lake, "item_signals", {"team_text": "fail"}, stage="cleaning")
    assert batch_state(lake, "one") == ("fail", "cleaning", "checks failed: team_text")
    own = {"table": "item_signals", "expectation": "ExpectColumnValuesToNotBeNull", "arguments": {"column": "text"}}
    project = make_project(SETTINGS | {"expectations": [own | {"reason": "r"}]})
    assert gates_of(project, "batch") == [*gated_stages("batch"), "item_signals"]
    assert gates_of(project, "release") == ["release"]


def test_a_gate_that_only_the_project_knows_of_is_missing(lake: Lake) -> None:
    gold = make_project(SETTINGS | {"labeling": SETTINGS["labeling"] | {"gold": "gold.csv"}})
    for stage in gated_stages("batch"):
        name = gate_partition(stage, "one")
        commit = lake.commit("gate_results", name)
        assert commit is not None
        lake.write("gate_results", name, lake.read("gate_results", name), commit.inputs, gate_version(gold, stage))
    assert batch_state(lake, "one", gold) == ("missing", "labeling", "the annotators gate has not judged it yet")


def test_batches_whose_names_end_alike_are_kept_apart(lake: Lake) -> None:
    judged(lake, "item_signals", {"a": "fail"}, partition="twenty--one", stage="cleaning")
    assert batch_state(lake, "one").outcome == "pass"
    assert {row["partition"] for row in gate_rows(lake, "one")} == {"one"}


def test_an_open_stage_is_recorded_with_what_it_awaits(lake: Lake) -> None:
    step = Step(lake, PROJECT, "one")
    step.uses("raw_items")
    line = open_gate(step, "checking", "labels", "3 items await annotators' answers")
    assert line == "checking gate of one: open: 3 items await annotators' answers"
    assert batch_state(lake, "one", PROJECT) == ("open", "checking", "3 items await annotators' answers")
    items(lake, "a", "b")
    assert batch_state(lake, "one").outcome == "missing"


def test_a_freeze_that_was_awaited_is_over_once_it_is_there(lake: Lake) -> None:
    step = Step(lake, PROJECT, "one-r1")
    open_gate(step, "release", "release_plan", "a witness is awaited")
    assert is_awaiting(lake, "release_plan", "one-r1")
    assert [row["reason"] for row in gate_rows(lake, "one-r1")] == ["a witness is awaited"]
    lake.write("release_plan", "one-r1", from_rows([make_terms(10).to_plan()], TABLES["release_plan"]))
    assert not is_awaiting(lake, "release_plan", "one-r1")
    assert gate_rows(lake, "one-r1") == []


def test_a_release_has_its_own_gate(lake: Lake) -> None:
    assert release_state(lake, "one-r1").outcome == "missing"
    judged(lake, "release", {"error_bound": "pass"}, partition="one-r1", table_hash="")
    assert release_state(lake, "one-r1").outcome == "pass"
    assert [row["check"] for row in gate_rows(lake, "one-r1", ["release"])] == ["error_bound"]


def test_each_stage_has_one_table_that_stands_for_it() -> None:
    stages = {stage.name: stage for stage in STAGES.values() if stage.gate is not None}
    assert {gate_of(stage.gate) for stage in stages.values() if stage.gate} == set(stages)
