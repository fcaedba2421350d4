"""Daemon, worker, runs, code servers and page killed: the next start finishes, and `down` leaves nothing."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest

from cupel.config.project import load_project
from cupel.contract.tables import TABLES
from cupel.lake import Lake
from dagster_homes import make_home
from dagster_programs import free_port
from orchestration.deployment import REPOSITORY, Deployment
from orchestration.rounds import Rounds
from small_project import write_project

KILLS = ("run", "worker", "daemon", "page", "code server", "run", "daemon", "worker")
SECONDS = 900
WORDS = {
    "run": "orchestration.run_worker", "worker": "orchestration.run_worker", "daemon": "orchestration.dagster_daemon",
    "page": "dagster-webserver", "code server": "api grpc",
}  # fmt: skip


class Place:
    """A deployment that `make up` works on, and its processes."""

    def __init__(self, folder: Path) -> None:
        self.home, self.deployment = make_home(folder / "dagster"), deploy(folder)
        places = {"PROJECTS": "projects", "DATA": "data", "LAKE": "lake", "INBOX": "inbox"}
        self.environment = os.environ | {f"CUPEL_{name}": str(folder / place) for name, place in places.items()} | {
            "DAGSTER_HOME": str(self.home), "PORT": str(free_port()), "DAGSTER_DISABLE_TELEMETRY": "1",
        }  # fmt: skip
        self.lake = Lake(self.deployment.lake, "small")

    def serve(self, what: str) -> str:
        command = [sys.executable, "-m", "orchestration.service", what]
        done = subprocess.run(
            command, env=self.environment, cwd=REPOSITORY, capture_output=True, text=True, check=False
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def processes(self) -> dict[int, str]:
        """Return the processes that live of all that was started in this home, with their command lines."""
        ours, found = f"DAGSTER_HOME={self.home}".encode(), {}
        for folder in Path("/proc").iterdir():
            try:
                state = (folder / "stat").read_text().rpartition(")")[2].split()[0] if folder.name.isdecimal() else "Z"
                if state not in "ZX" and ours in (folder / "environ").read_bytes().split(b"\0"):
                    found[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
        return found

    def kill(self, what: str) -> bool:
        """Kill one process of a kind, if there is one."""
        found = self.processes()
        ours = [number for number, words in found.items() if WORDS[what] in words]
        if what in ("run", "worker"):
            ours = [number for number in ours if (parent_of(number) in ours) == (what == "run")]
        if not ours:
            return False
        os.kill(ours[0], signal.SIGKILL)
        return True

    def hashes(self) -> dict[str, str]:
        return tables_of(self.lake)


def parent_of(process: int) -> int:
    try:
        return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


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
    (tmp_path / "killed").mkdir()
    place, rng = Place(tmp_path / "killed"), random.Random(3)
    undisturbed = deploy(tmp_path / "undisturbed")
    with dg.DagsterInstance.ephemeral() as instance:
        Rounds(load_project(undisturbed.projects / "small.yaml"), undisturbed, instance).run()
    expected = tables_of(Lake(undisturbed.lake, "small"))
    assert "manifest@one-r1" in expected
    try:
        place.serve("up")
        for what in KILLS:
            until(lambda what=what: place.kill(what) or place.hashes() == expected)  # type: ignore[misc]
            time.sleep(rng.uniform(0, 3))
            if what == "page":
                assert "had died; what it left was ended" in place.serve("down")
                assert place.processes() == {}
            if what in ("daemon", "page"):
                place.serve("up")
        until(lambda: place.hashes() == expected)
    finally:
        place.serve("down")
    assert place.processes() == {}
