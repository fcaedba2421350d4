"""An audit that cannot pass: nobody is asked, the release waits, and goes on once its numbers can pass."""

from pathlib import Path

import dagster as dg
import yaml

from cupel.kinds.projects import load_project
from cupel.lake.lake import Lake
from cupel.release.facts import release_facts
from orchestration.deployment import Deployment
from orchestration.rounds import Done, Rounds
from small_project import write_project


def run(deployment: Deployment, instance: dg.DagsterInstance) -> tuple[Done, Lake]:
    rounds = Rounds(load_project(deployment.projects / "small.yaml"), deployment, instance)
    return rounds.run(), rounds.lake


def set_release(deployment: Deployment, **values: object) -> None:
    path = deployment.projects / "small.yaml"
    project = yaml.safe_load(path.read_text())
    project["release"] |= values
    path.write_text(yaml.safe_dump(project))


def test_nobody_is_asked_until_the_numbers_of_the_project_can_pass(tmp_path: Path) -> None:
    deployment, instance = write_project(tmp_path, items=120), dg.DagsterInstance.ephemeral()
    set_release(deployment, max_experts_seen_share=0.5)
    done, lake = run(deployment, instance)
    assert done.broken == []
    (state,) = lake.read("gate_results", "release_plan--one-r1").to_pylist()
    assert state["outcome"] == "open"
    assert "nobody is asked, for its audit could not pass if experts found nothing wrong" in state["reason"]
    assert "experts would have to see 83.4% of the items, at most 50% are allowed" in state["reason"]
    assert lake.answers.read("one", ["expert", "audit"]).num_rows == 0
    assert lake.commit("release_plan", "one-r1") is None
    set_release(deployment, max_experts_seen_share=0.9)
    again, lake = run(deployment, instance)
    assert again.broken == []
    facts = release_facts(lake, load_project(deployment.projects / "small.yaml"), "one-r1")
    assert (facts.verdict, facts.terms.attempt) == ("PASS", 1)
    assert lake.answers.read("one", ["audit"]).num_rows == 100
