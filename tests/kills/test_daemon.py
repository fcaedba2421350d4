"""Daemon, worker, runs, code servers and page killed: the next start finishes, and `down` leaves nothing."""

import random
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest
from daemon_place import Place

from cupel.contract.tables import TABLES
from cupel.kinds.projects import load_project
from cupel.lake.lake import Lake
from orchestration.deployment import Deployment
from orchestration.rounds import Rounds
from small_project import write_project

KILLS = ("run", "worker", "daemon", "page", "code server", "run", "daemon", "worker")
SECONDS = 900


def tables_of(lake: Lake) -> dict[str, str]:
    return {
        f"{table}@{name}": commit.hash
        for table in TABLES
        for name in lake.partitions(table)
        if (commit := lake.commit(table, name)) is not None
    }


def deploy(folder: Path) -> Deployment:
    deployment = write_project(
        folder, items=120, raw={"deliveries": {}, "inbox": {"licence": "CC0-1.0"}}, labeling={"answers": []},
        release={"audit_size": 60, "error_budget": 0.1},
    )._replace(inbox=folder / "inbox")  # fmt: skip
    (folder / "inbox" / "small" / "answers").mkdir(parents=True)
    shutil.move(deployment.data / "small" / "one.jsonl", folder / "inbox" / "small" / "one.jsonl")
    shutil.move(deployment.data / "small" / "answers.csv", folder / "inbox" / "small" / "answers" / "crew.csv")
    return deployment


def until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + SECONDS
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.5)


@pytest.mark.kills
def test_whatever_is_killed_the_release_is_the_same_and_down_leaves_nothing(tmp_path: Path) -> None:
    place, rng = Place(deploy(tmp_path / "killed"), tmp_path / "home"), random.Random(3)
    lake = Lake(place.deployment.lake, "small")
    undisturbed = deploy(tmp_path / "undisturbed")
    with dg.DagsterInstance.ephemeral() as instance:
        Rounds(load_project(undisturbed.projects / "small.yaml"), undisturbed, instance).run()
    expected = tables_of(Lake(undisturbed.lake, "small"))
    assert "manifest@one-r1" in expected
    try:
        place.serve("up")
        for what in KILLS:
            until(lambda what=what: place.kill(what) or tables_of(lake) == expected)  # type: ignore[misc]
            time.sleep(rng.uniform(0, 3))
            if what == "page":
                assert "had died; what it left was ended" in place.serve("down")
                assert place.processes() == {}
            if what in ("daemon", "page"):
                place.serve("up")
        until(lambda: tables_of(lake) == expected)
    finally:
        place.serve("down")
    assert place.processes() == {}
