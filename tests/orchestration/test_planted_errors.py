"""The chain where auditors may overlook wrong labels: items of known label are planted among theirs."""

import random
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from cupel.kinds.projects import load_project
from cupel.lake.lake import Lake
from cupel.people.answers.signed_answers import describe_answers
from cupel.release.places import release_folder
from cupel.release.release_signatures import check_signatures
from cupel.release.verify import verify_release
from cupel.signing.keys import make_key
from cupel.signing.signed_files import sign_file
from cupel.signing.trusted_keys import TrustedKeys, add_key, write_trusted_keys
from orchestration.rounds import Done, Rounds
from small_project import write_project

PLANTED = 60
EXPERT = make_key()
TRUSTED = add_key(TrustedKeys((), "keys.json"), EXPERT.public, "Eve", "2026-11-30T00:00:00Z")
OTHER = {"warm": "cold", "cold": "warm"}
# With e-processes planted items are asked, counted and verified among the audited adjudicators.
METHODS: dict[str, dict[str, Any]] = {
    # With so much allowed some planted items lie before the cut, whatever the draw.
    "fixed_sequence": {"error_budget": 0.14},
    "rising": {"method": "rising", "gain": 1.0, "steps": 4},
    "stratified": {
        "method": "stratified", "strata": [{"share": 0.5, "audited": 80}, {"share": 0.5, "audited": 60}],
    },
}  # fmt: skip


def run(
    folder: Path, missed_share: float, known: int = 300, error_budget: float = 0.1, **certificate: Any
) -> tuple[Done, Lake]:
    """Run a project whose expert gives the crew's wrong answer now and then; the first items have a known label."""
    release = {"audit_size": 200, "error_budget": error_budget, "max_experts_seen_share": 1.0}
    declared = {"planted_errors": PLANTED, **certificate}
    experts = {"answers": 1, "description": "one expert", "keys": "small/keys.json"}
    labeling = {"gold": "small/gold.csv", "experts": experts}
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
    write_trusted_keys(TRUSTED, path.with_name("keys.json"))
    sign_file(path, EXPERT, describe_answers(path))
    rounds = Rounds(load_project(deployment.projects / "small.yaml"), deployment, dg.DagsterInstance.ephemeral())
    return rounds.run(), rounds.lake


def row(lake: Lake, table: str) -> dict[str, Any]:
    return dict(lake.read(table, "one-r1").to_pylist()[0])


@pytest.fixture(scope="module", params=METHODS)
def finished(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Done, Lake]:
    return run(tmp_path_factory.mktemp("planted"), missed_share=0.03, **METHODS[request.param])


def test_planted_items_are_asked_counted_and_verified_with_every_method(finished: tuple[Done, Lake]) -> None:
    done, lake = finished
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
    asked = {one["item_id"] for table in ("audit", "adjudications", "planted_verdicts")
             for one in lake.read(table, "one-r1").to_pylist()}  # fmt: skip
    assert f"Of the {len(asked)} expert answers that the verdicts rest on, {len(asked)} were signed, by 1 key;" in said
    folder = release_folder(lake, "one-r1")
    words = [check.name for check in check_signatures(folder, TRUSTED) if check.is_passed]
    assert words == [f"{len(asked)} expert answers signed by {EXPERT.public.key_id} (Eve)"]
    verification = verify_release(Path(str(folder)))
    assert [check for check in verification.checks if not check.is_passed] == []


# Other methods adjudicate all that is planted here: what the crew gets wrong is what they do not vouch for.
@pytest.mark.parametrize("finished", ["fixed_sequence"], indirect=True)
def test_planted_items_look_like_all_others_cost_like_them_and_change_no_label(finished: tuple[Done, Lake]) -> None:
    _, lake = finished
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
