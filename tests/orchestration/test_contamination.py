"""A project that says what it does not want: questions, a frozen ranking, an audit, a cut, and a release without it."""

from pathlib import Path

import dagster as dg
import pytest

from contaminated_project import change, write_contaminated
from cupel.lake import Lake
from cupel.project import load_project
from cupel.release.gates import batch_state
from orchestration.deployment import Deployment
from orchestration.rounds import Done, Rounds


def run(deployment: Deployment, instance: dg.DagsterInstance, name: str = "spammy") -> tuple[Done, Lake]:
    rounds = Rounds(load_project(deployment.projects / f"{name}.yaml"), deployment, instance)
    return rounds.run(), rounds.lake


@pytest.fixture(scope="module")
def instance() -> dg.DagsterInstance:
    return dg.DagsterInstance.ephemeral()


@pytest.fixture(scope="module")
def finished(
    tmp_path_factory: pytest.TempPathFactory, instance: dg.DagsterInstance
) -> tuple[Deployment, set[str], Done, Lake]:
    deployment, unwanted = write_contaminated(tmp_path_factory.mktemp("contaminated"))
    return deployment, unwanted, *run(deployment, instance)


def test_a_release_comes_of_it_with_less_unwanted_than_the_bound_says(
    finished: tuple[Deployment, set[str], Done, Lake],
) -> None:
    _, unwanted, done, lake = finished
    assert done.broken == []
    assert done.tasks_open == 0
    assert lake.partitions("training_set") == ["one-r1"]
    result = lake.read("contamination_result", "one").to_pylist()[0]
    kept = lake.read("clean_items", "one")["item_id"].to_pylist()
    assert result["status"] == "bounded"
    assert len(unwanted & set(kept)) / len(kept) <= result["bound"] <= 0.05
    assert len(kept) > 0.9 * (700 - len(unwanted))


def test_every_item_is_kept_or_rejected_and_the_contaminated_have_score_and_cut(
    finished: tuple[Deployment, set[str], Done, Lake],
) -> None:
    _, unwanted, _, lake = finished
    rejected = [row for row in lake.read("rejected_items", "one").to_pylist() if row["reason"] == "contaminated"]
    assert lake.commit("clean_items", "one").rows + lake.commit("rejected_items", "one").rows == 700  # type: ignore[union-attr]
    cut = lake.read("contamination_result", "one")["cut_score"][0].as_py()
    assert len(rejected) >= 0.9 * len(unwanted)
    assert {row["threshold"] for row in rejected} == {cut}
    assert all(row["value"] > cut or row["evidence"].endswith("does not say good") for row in rejected)


def test_no_audited_item_has_trained_the_model_that_it_judges(
    finished: tuple[Deployment, set[str], Done, Lake],
) -> None:
    _, _, _, lake = finished
    answers = lake.read("contamination_answers", "one")
    purposes = dict(zip(answers["item_id"].to_pylist(), answers["purpose"].to_pylist(), strict=True))
    uses = {"pilot": "contamination", "train": "contamination", "audit": "contamination_audit"}
    asked = [row for row in lake.read("contamination_items", "one").to_pylist() if row["use"]]
    assert len(asked) == len(purposes) == answers.num_rows == 230
    assert all(purposes[row["item_id"]] == uses[row["use"]] for row in asked)
    assert {row["rank"] for row in asked if row["use"] != "audit"} == {None}


def test_nothing_is_labelled_before_the_audit_is_answered(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    deployment, _ = write_contaminated(tmp_path, "waiting")
    path = deployment.data / "waiting" / "answers.csv"
    rows = path.read_text().splitlines()
    path.write_text("\n".join(row for row in rows if ",contamination," not in row or not row.startswith("one,i1")))
    done, lake = run(deployment, instance, "waiting")
    assert done.broken == []
    assert done.tasks_open > 0
    assert lake.partitions("clean_items") == lake.partitions("annotations") == []
    state = batch_state(lake, "one", load_project(deployment.projects / "waiting.yaml"))
    assert (state.outcome, state.stage) == ("open", "cleaning")
    assert "answers to learn from are awaited" in state.reason
    again, _ = run(deployment, instance, "waiting")
    assert again.runs == []


def test_other_settings_are_another_attempt_and_no_answer_is_asked_for_twice(
    finished: tuple[Deployment, set[str], Done, Lake], instance: dg.DagsterInstance
) -> None:
    deployment, _, _, lake = finished
    before = set(lake.read("contamination_answers", "one")["item_id"].to_pylist())
    change(deployment, "spammy", at_most=0.06)
    done, lake = run(deployment, instance)
    assert done.broken == []
    plan = lake.read("contamination_plan", "one").to_pylist()[0]
    assert (plan["attempt"], plan["alpha"], plan["at_most"]) == (2, 0.005, 0.06)
    items = lake.read("contamination_items", "one").to_pylist()
    assert {row["item_id"] for row in items if row["use"] == "known"} == before
    assert lake.commit("contamination_answers", "one").rows == len(before) + 230  # type: ignore[union-attr]
