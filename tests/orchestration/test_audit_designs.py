"""The chain with audits that grow: answers make more items due, until the design has what it needs."""

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

RELEASE = {"audit_size": 150, "error_budget": 0.08, "max_experts_seen_share": 0.8}


def run(folder: Path, certificate: dict[str, Any]) -> tuple[Done, Lake]:
    deployment = write_project(folder, items=220, release={**RELEASE, "certificate": certificate})
    rounds = Rounds(load_project(deployment.projects / "small.yaml"), deployment, dg.DagsterInstance.ephemeral())
    return rounds.run(), rounds.lake


@pytest.mark.parametrize(
    "certificate",
    [{"method": "rising", "gain": 1.0, "steps": 4}, {"method": "e_process", "look_every": 25}],
    ids=["rising", "e_process"],
)
def test_an_audit_that_grows_is_asked_for_in_waves_and_certified(tmp_path: Path, certificate: dict[str, Any]) -> None:
    done, lake = run(tmp_path, certificate)
    assert done.broken == []
    assert (done.tasks_open, lake.partitions("training_set")) == (0, ["one-r1"])
    first = lake.read("release_plan", "one-r1")["audit_size"][0].as_py()
    assert lake.commit("audit", "one-r1").rows > first  # type: ignore[union-attr]
    verification = verify_release(Path(str(release_folder(lake, "one-r1"))))
    assert [check.name for check in verification.checks if not check.is_passed] == []
