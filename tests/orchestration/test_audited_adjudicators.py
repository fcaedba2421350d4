"""The chain where adjudicators are not right by definition: another expert judges some of their items again."""

from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest

from cupel.kinds.projects import load_project
from cupel.lake.lake import Lake
from cupel.release.audit_tables import conclude_audit
from cupel.release.names import find_rows
from cupel.release.places import release_folder
from cupel.release.release_audit import read_release_audit
from cupel.release.verify import verify_release
from orchestration.rounds import Done, Rounds
from small_project import write_project

AGAIN, PLANTED = 60, 40
RELEASE: dict[str, Any] = {
    "audit_size": 150, "error_budget": 0.06, "max_experts_seen_share": 1.0,
    "certificate": {"adjudicators_audited": AGAIN},
}  # fmt: skip
OTHER = {"warm": "cold", "cold": "warm"}
METHODS: dict[str, dict[str, Any]] = {
    "rising": {"method": "rising", "gain": 1.0, "steps": 1},
    "stratified": {
        "method": "stratified", "strata": [{"share": 0.5, "audited": 80}, {"share": 0.5, "audited": 70}],
    },
    "e_process": {"method": "e_process", "look_every": 50},
}  # fmt: skip


def run(
    folder: Path, wrong_every: int, error_budget: float = 0.06, known: int = 0, **certificate: Any
) -> tuple[Done, Lake]:
    """Run a project whose expert eve errs on every so many items, and whose expert finn, asked next, never does.

    Of the first items, `known` have a known label, which may be planted among the auditors' items.
    """
    declared = {**RELEASE, "error_budget": error_budget, "certificate": {**RELEASE["certificate"], **certificate}}
    labeling = {"gold": "small/gold.csv"} if known else {}
    deployment = write_project(folder, crew_error=0.14, labeling=labeling, release=declared)
    path = folder / "data" / "small" / "answers.csv"
    lines, gold, number = [], ["batch,item_id,label"], 0
    for line in path.read_text().splitlines():
        where, _, label = line.rpartition(",")
        if ",expert," not in line:
            lines.append(line)
            continue
        number += 1
        if number <= known:
            gold.append(f"one,{line.split(',')[1]},{label}")
        lines.append(f"{where},{OTHER[label] if number % wrong_every == 0 else label}")
        lines.append(line.replace(",eve,", ",finn,"))
    path.write_text("\n".join(lines) + "\n")
    path.with_name("gold.csv").write_text("\n".join(gold) + "\n")
    rounds = Rounds(load_project(deployment.projects / "small.yaml"), deployment, dg.DagsterInstance.ephemeral())
    return rounds.run(), rounds.lake


def rows_of_items(table: pa.Table, items: pa.Table) -> pa.Table:
    """Return the rows of a table that speak of some items."""
    return table.filter(pa.array(find_rows(items, table)[0] >= 0))


def row(lake: Lake, table: str) -> dict[str, Any]:
    return dict(lake.read(table, "one-r1").to_pylist()[0])


def test_another_expert_judges_adjudicated_items_again_and_the_certificate_counts_what_is_left(tmp_path: Path) -> None:
    done, lake = run(tmp_path, wrong_every=30, error_budget=0.065)
    assert done.broken == []
    assert (done.tasks_open, lake.partitions("training_set")) == (0, ["one-r1"])
    audit, adjudicated = lake.read("audit", "one-r1"), lake.read("adjudications", "one-r1")
    again = rows_of_items(adjudicated, audit)
    assert 0 < again.num_rows == min(AGAIN, adjudicated.num_rows) == audit.num_rows - RELEASE["audit_size"]
    asked = rows_of_items(lake.read("expert_answers", "one-r1"), again)
    assert set(zip(asked["purpose"].to_pylist(), asked["annotator"].to_pylist(), strict=True)) == {
        ("expert", "eve"), ("audit", "finn"),
    }  # fmt: skip
    assert set(lake.read("rejected_expert_answers", "one-r1")["reason"].to_pylist()) == {"answered_twice"}
    tasks = rows_of_items(lake.read("release_tasks", "one-r1"), again).to_pylist()
    assert sorted({(task["asked_of"], task["slot"]) for task in tasks}) == [
        ("auditor", 1),
        ("auditor", 2),
        ("expert", 1),
    ]
    reason = row(lake, "audit_result")["reason"]
    assert f"another expert judged {again.num_rows} of the {adjudicated.num_rows} adjudicated items" in reason
    assert "Adjudicators were audited" in row(lake, "certificate")["wording"]
    verification = verify_release(Path(str(release_folder(lake, "one-r1"))))
    assert [check.name for check in verification.checks if not check.is_passed] == []


@pytest.mark.parametrize("method", ["rising", "stratified"])
def test_adjudicators_are_audited_whatever_the_method(tmp_path: Path, method: str) -> None:
    done, lake = run(tmp_path, 40, **METHODS[method])
    assert done.broken == []
    assert done.tasks_open == 0
    audit, adjudicated = lake.read("audit", "one-r1"), lake.read("adjudications", "one-r1")
    again = rows_of_items(adjudicated, audit)
    assert 0 < again.num_rows == min(AGAIN, adjudicated.num_rows)
    asked = rows_of_items(lake.read("expert_answers", "one-r1"), again)
    assert set(zip(asked["purpose"].to_pylist(), asked["annotator"].to_pylist(), strict=True)) == {
        ("expert", "eve"), ("audit", "finn"),
    }  # fmt: skip
    result = row(lake, "audit_result")
    assert "another expert judged" in result["reason"]
    assert conclude_audit(read_release_audit(lake, "one-r1", "audit", "adjudications")).to_pylist() == [result]
    if result["status"] == "certified":  # a sharper method than the sample's may leave too little for adjudicators
        verification = verify_release(Path(str(release_folder(lake, "one-r1"))))
        assert [check.name for check in verification.checks if not check.is_passed] == []
    else:
        assert "wrong labels, and 6% allow" in result["reason"], result["reason"]


def test_adjudicators_are_audited_beside_planted_errors_in_an_audit_that_grows(tmp_path: Path) -> None:
    done, lake = run(tmp_path, 1_000, 0.25, known=150, planted_errors=PLANTED, **METHODS["e_process"])
    assert done.broken == []
    assert done.tasks_open == 0
    audit, adjudicated = lake.read("audit", "one-r1"), lake.read("adjudications", "one-r1")
    again = rows_of_items(adjudicated, audit)
    assert 0 < again.num_rows == min(AGAIN, adjudicated.num_rows)
    asked = rows_of_items(lake.read("expert_answers", "one-r1"), again)
    assert set(zip(asked["purpose"].to_pylist(), asked["annotator"].to_pylist(), strict=True)) >= {
        ("expert", "eve"), ("audit", "finn"),
    }  # fmt: skip
    result, planted = row(lake, "audit_result"), lake.read("planted_verdicts", "one-r1")
    assert result["status"] == "certified", result["reason"]
    caught = sum(one["expert_label"] == one["label"] for one in planted.to_pylist())
    assert (result["planted"], result["planted_caught"]) == (planted.num_rows, caught) == (PLANTED, caught)
    assert 0.5 < result["sensitivity_bound"] < result["planted_caught"] / PLANTED
    assert "another expert judged" in result["reason"]
    whole = read_release_audit(lake, "one-r1", "audit", "adjudications", "planted_verdicts")
    assert conclude_audit(whole).to_pylist() == [result]
    said = row(lake, "certificate")["wording"]
    assert "Adjudicators were audited" in said
    assert "their sensitivity is at least" in said
    assert "at confidence 99%" in said
    verification = verify_release(Path(str(release_folder(lake, "one-r1"))))
    assert [check.name for check in verification.checks if not check.is_passed] == []
