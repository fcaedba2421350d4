"""Proposals: a release is proposed once, whoever asks at the same time."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cupel.config.project import Project
from cupel.errors import ReleaseError
from cupel.kinds.projects import load_project
from cupel.lake.lake import Lake
from cupel.release.proposals import propose, proposed
from small_project import write_project


def test_of_those_that_propose_at_once_one_does_and_the_others_are_told_to_wait_for_it(tmp_path: Path) -> None:
    deployment = write_project(tmp_path, items=1)
    project = load_project(deployment.projects / "small.yaml")

    def ask(project: Project) -> str:
        try:
            return propose(Lake(deployment.lake, "small"), project, "one", "ada")
        except ReleaseError as error:
            return str(error)

    with ThreadPoolExecutor(8) as threads:
        said = list(threads.map(ask, [project] * 8))
    assert said.count("one-r1") == 1
    assert all("release one-r1: not finished yet" in words for words in said if words != "one-r1")
    assert proposed(Lake(deployment.lake, "small")) == ["one-r1"]
    assert len(Lake(deployment.lake, "small").log("proposals").read()) == 1
