"""Rounds with experts before the freeze: from crew to a certified release that anybody can verify."""

from pathlib import Path

import dagster as dg
import pyarrow.compute as pc
import pytest

from cupel.kinds.projects import load_project
from cupel.lake.lake import Lake
from cupel.people.answers.experts import DECIDED
from cupel.release.facts import release_facts
from cupel.release.frozen_terms import FrozenTerms
from cupel.release.places import release_folder
from cupel.release.verify import verify_release
from orchestration.deployment import Deployment
from orchestration.rounds import Done, Rounds
from small_project import write_project

CHECKING = {"rounds": True}


def run(deployment: Deployment) -> tuple[Done, Lake]:
    rounds = Rounds(load_project(deployment.projects / "small.yaml"), deployment, dg.DagsterInstance.ephemeral())
    return rounds.run(), rounds.lake


@pytest.fixture(scope="module", params=[("fixed_sequence", 0.05), ("rising", 0.02)], ids=["one round", "many"])
def finished(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Deployment, Done, Lake]:
    method, budget = request.param
    release = {"certificate": {"method": method}, "error_budget": budget}
    deployment = write_project(tmp_path_factory.mktemp(method), checking=CHECKING, release=release)
    return deployment, *run(deployment)


def test_a_release_with_rounds_is_certified_and_nothing_stays_open(finished: tuple[Deployment, Done, Lake]) -> None:
    deployment, done, lake = finished
    assert done.broken == []
    assert done.tasks_open == 0
    facts = release_facts(lake, load_project(deployment.projects / "small.yaml"), "one-r1")
    assert facts.verdict == "PASS"
    assert facts.released + facts.withheld == facts.terms.items


def test_what_experts_decided_stands_last_with_their_label_and_counts_as_seen(
    finished: tuple[Deployment, Done, Lake],
) -> None:
    _, _, lake = finished
    decided = lake.read("round_items", "one")
    assert decided.num_rows > 1
    assert all(decided["is_settled"].to_pylist())
    frozen = lake.read("release_items", "one-r1").sort_by("risk_rank")
    last = frozen.slice(frozen.num_rows - decided.num_rows)
    assert set(last["item_id"].to_pylist()) == set(decided["item_id"].to_pylist())
    assert set(last["decided_by"].to_pylist()) == {DECIDED}
    assert DECIDED not in frozen.slice(0, frozen.num_rows - decided.num_rows)["decided_by"].to_pylist()
    verdict = dict(zip(decided["item_id"].to_pylist(), decided["expert_label"].to_pylist(), strict=True))
    assert {row["item_id"]: row["label"] for row in last.to_pylist()} == verdict
    result = lake.read("audit_result", "one-r1").to_pylist()[0]
    seen = set(lake.read("audit", "one-r1")["item_id"].to_pylist()) | set(
        lake.read("adjudications", "one-r1")["item_id"].to_pylist()
    )
    assert set(verdict) <= seen
    assert result["experts_seen"] == len(seen)


def test_experts_are_asked_once_about_an_item_and_the_first_round_before_anything_is_frozen(
    finished: tuple[Deployment, Done, Lake],
) -> None:
    _, _, lake = finished
    said = lake.answers.read("one", ["round", "audit", "expert"])
    assert len(set(said["item_id"].to_pylist())) == said.num_rows
    rounds = lake.answers.read("one", ["round"])["sequence"].to_pylist()
    others = lake.answers.read("one", ["audit", "expert"])["sequence"].to_pylist()
    assert max(rounds) < min(others)
    asked = lake.read("tasks", "one")
    assert pc.sum(pc.equal(asked["purpose"], "round")).as_py() == len(rounds)


def test_the_audit_is_a_random_draw_of_all_items_made_after_the_rounds(finished: tuple[Deployment, Done, Lake]) -> None:
    _, _, lake = finished
    plan = lake.read("release_plan", "one-r1").to_pylist()[0]
    assert FrozenTerms.from_plan(plan).undecided == lake.read("round_items", "one").num_rows
    assert plan["answers_until"] >= max(lake.answers.read("one", ["round"])["sequence"].to_pylist())


def test_the_release_verifies(
    finished: tuple[Deployment, Done, Lake],
) -> None:
    _, _, lake = finished
    folder = Path(str(release_folder(lake, "one-r1")))
    assert [check for check in verify_release(folder).checks if check.problem] == []
