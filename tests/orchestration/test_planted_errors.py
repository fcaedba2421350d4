"""The chain where auditors may overlook wrong labels: items of known label are planted among theirs."""

import random
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from cupel.kinds.projects import load_project
from cupel.lake.lake import Lake
from cupel.release.places import release_folder
from cupel.release.verify import verify_release
from orchestration.rounds import Done, Rounds
from small_project import write_project

PLANTED = 60
OTHER = {"warm": "cold", "cold": "warm"}
METHODS: dict[str, dict[str, Any]] = {
    "fixed_sequence": {},
    "rising": {"method": "rising", "gain": 1.0, "steps": 4},
    "stratified": {
        "method": "stratified", "strata": [{"share": 0.5, "audited": 80}, {"share": 0.5, "audited": 60}],
    },
    "e_process": {"method": "e_process", "look_every": 40},
}  # fmt: skip


def run(folder: Path, missed_share: float, known: int = 300, **certificate: Any) -> tuple[Done, Lake]:
    """Run a project whose expert gives the crew's wrong answer now and then; the first items have a known label."""
    release = {"audit_size": 160, "error_budget": 0.1, "max_experts_seen_share": 1.0}
    declared = {"planted_errors": PLANTED, **certificate}
    labeling = {"gold": "small/gold.csv"}
    deployment = write_project(folder, crew_error=0.14, labeling=labeling, release={**release, "certificate": declared})
    path, rng = folder / "data" / "small" / "answers.csv", random.Random(5)
    lines, gold = [], ["batch,item_id,label"]
    for line in path.read_text().splitlines():
        where, _, label = line.rpartition(",")
        if ",expert," in line and len(gold) <= known:
            gold.append(f"one,{line.split(',')[1]},{label}")
        misses = ",expert," in line and rng.random() < missed_share
        lines.append(f"{where},{OTHER[label]}" if misses else line)
    path.write_text("\n".join(lines) + "\n")
    (folder / "data" / "small" / "gold.csv").write_text("\n".join(gold) + "\n")
    rounds = Rounds(load_project(deployment.projects / "small.yaml"), deployment, dg.DagsterInstance.ephemeral())
    return rounds.run(), rounds.lake


def row(lake: Lake, table: str) -> dict[str, Any]:
    return dict(lake.read(table, "one-r1").to_pylist()[0])


@pytest.mark.parametrize("method", METHODS)
def test_planted_items_are_asked_counted_and_verified_with_every_method(tmp_path: Path, method: str) -> None:
    done, lake = run(tmp_path, missed_share=0.03, **METHODS[method])
    assert done.broken == []
    result = row(lake, "audit_result")
    assert (result["status"], done.tasks_open) == ("certified", 0), result["reason"]
    planted = lake.read("planted_verdicts", "one-r1").to_pylist()
    caught = sum(one["expert_label"] == one["label"] for one in planted)
    assert (result["planted"], result["planted_caught"]) == (PLANTED, caught)
    # Of 300 known labels the crew got some sixteen wrong: those alone bound what auditors see.
    assert 0.5 < result["sensitivity_bound"] < caught / PLANTED
    assert f"known label of {caught} of {PLANTED} planted items" in result["reason"] or not result["accepted"]
    said = row(lake, "certificate")["wording"]
    assert "their sensitivity is at least" in said
    assert "at confidence 99%" in said
    verification = verify_release(Path(str(release_folder(lake, "one-r1"))))
    assert [check for check in verification.checks if not check.is_passed] == []


def test_planted_items_look_like_all_others_cost_like_them_and_change_no_label(tmp_path: Path) -> None:
    _, lake = run(tmp_path, missed_share=0.05)
    names = {table: set(lake.read(table, "one-r1")["item_id"].to_pylist()) for table in (
        "audit", "adjudications", "planted_verdicts", "release_items",
    )}  # fmt: skip
    beside = names["planted_verdicts"] - names["audit"] - names["adjudications"]
    assert beside
    tasks = lake.read("release_tasks", "one-r1").to_pylist()
    one, other = min(beside), min(names["audit"] - names["planted_verdicts"])
    assert _asked(tasks, one) == _asked(tasks, other)
    assert len({one["task_id"] for one in tasks}) == len(tasks)
    assert {one["item_id"] for one in tasks} == names["audit"] | names["adjudications"] | names["planted_verdicts"]
    assert row(lake, "audit_result")["experts_seen"] == len({one["item_id"] for one in tasks})
    frozen = {one["item_id"]: one["label"] for one in lake.read("release_items", "one-r1").to_pylist()}
    released = {one["item_id"]: one for one in lake.read("training_set", "one-r1").to_pylist()}
    assert all(released[item]["label"] == frozen[item] for item in beside)
    assert not {released[item]["decided_by"] for item in beside} & {"audit", "expert"}


def _asked(tasks: list[dict[str, Any]], item: str) -> set[tuple[str, ...]]:
    return {(task["purpose"], task["asked_of"], task["reason"]) for task in tasks if task["item_id"] == item}


def test_auditors_who_find_nothing_prove_nothing(tmp_path: Path) -> None:
    done, lake = run(tmp_path, missed_share=1.0)
    assert done.broken == []
    result = row(lake, "audit_result")
    assert (result["status"], result["planted_caught"], result["sensitivity_bound"]) == ("refused", 0, 0.0)
    assert "flag at least 0% of wrong labels; at least 50% is needed" in result["reason"]
    assert lake.commit("adjudications", "one-r1").rows == 0  # type: ignore[union-attr]


def test_too_few_known_labels_are_an_error_that_says_how_many_there_are(tmp_path: Path) -> None:
    done, lake = run(tmp_path, missed_share=0.0, known=40)
    assert lake.commit("release_plan", "one-r1") is None
    assert "planted_errors: found 60, but only" in str(done.broken)
