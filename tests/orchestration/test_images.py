"""A project of images goes through the whole chain, from a folder of pictures to a certified release."""

from pathlib import Path

import dagster as dg
import pytest

from cupel.kinds.projects import load_project
from cupel.lake.lake import Lake
from cupel.release.facts import release_facts
from cupel.release.verify import verify_release
from image_project import write_project
from orchestration.deployment import Deployment
from orchestration.rounds import Done, Rounds

Finished = tuple[Deployment, Done, Lake]


def finish(deployment: Deployment) -> Finished:
    project = load_project(deployment.projects / "views.yaml")
    rounds = Rounds(project, deployment, dg.DagsterInstance.ephemeral())
    return deployment, rounds.run(), rounds.lake


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    return finish(write_project(tmp_path_factory.mktemp("views")))


def release(lake: Lake) -> Path:
    return Path(str(lake.folder)) / "releases" / "one-r1"


def test_images_end_in_a_certified_release(finished: Finished) -> None:
    deployment, done, lake = finished
    assert done.broken == []
    facts = release_facts(lake, load_project(deployment.projects / "views.yaml"), "one-r1")
    assert facts.verdict == "PASS"
    assert verify_release(release(lake)).is_passed
