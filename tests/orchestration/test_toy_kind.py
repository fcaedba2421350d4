"""A label kind that somebody else has written goes through the whole chain: delivery, release, tools, rebuild."""

from pathlib import Path

import dagster as dg
import pytest
from toy_kind import TOY, write_project

from cupel.kinds.projects import load_project
from cupel.lake.lake import Lake
from cupel.release.facts import release_facts
from cupel.release.verify import verify_release
from orchestration.deployment import Deployment
from orchestration.rounds import Done, Rounds

Finished = tuple[Deployment, Done, Lake]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    deployment = write_project(tmp_path_factory.mktemp("line"))
    project = load_project(deployment.projects / "line.yaml", TOY)
    rounds = Rounds(project, deployment, dg.DagsterInstance.ephemeral())
    return deployment, rounds.run(), rounds.lake


@pytest.fixture(scope="module")
def folder(finished: Finished) -> Path:
    return Path(str(finished[2].folder)) / "releases" / "one-r1"


def test_a_kind_of_somebody_else_ends_in_a_certified_release(finished: Finished) -> None:
    deployment, done, lake = finished
    assert done.broken == []
    facts = release_facts(lake, load_project(deployment.projects / "line.yaml", TOY), "one-r1")
    assert facts.verdict == "PASS", facts.reason
    print(facts.result, facts.labels)


def test_it_is_verified(folder: Path) -> None:
    verification = verify_release(folder, TOY)
    assert [(check.name, check.problem) for check in verification.checks if check.problem] == []
    assert "verdicts are what the experts' answers come to" in [check.name for check in verification.checks]
