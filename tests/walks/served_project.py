"""A small project with a home of its own, whose page and daemon `make up` starts, as an operator has it."""

import csv
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from dagster_homes import make_home
from dagster_programs import free_port
from orchestration.deployment import REPOSITORY
from orchestration.service_health import ask_page
from small_project import sentence, write_project

SECONDS = 240
RUNS = """{ runsOrError(limit: 100) { ... on Runs { results { runId jobName status tags { key value } } } } }"""
Found = TypeVar("Found")
CUPEL = Path(sys.executable).parent / "cupel"


class ServedProject:
    """The project `small` of a deployment, and the commands that people type.

    Args:
        folder: Where all of it is.
        changes: Of the project file.
    """

    def __init__(self, folder: Path, **changes: Any) -> None:
        folder.mkdir()
        self.folder, self.home, self.port = folder, make_home(folder / "dagster"), free_port()
        self.deployment = write_project(folder, **changes)
        self.inbox = folder / "inbox" / "small"
        self.inbox.mkdir(parents=True)
        places = {"PROJECTS": "projects", "DATA": "data", "LAKE": "lake", "INBOX": "inbox"}
        self.environment = os.environ | {f"CUPEL_{name}": str(folder / place) for name, place in places.items()} | {
            "DAGSTER_HOME": str(self.home), "PORT": str(self.port), "COLUMNS": "200", "DAGSTER_DISABLE_TELEMETRY": "1",
        }  # fmt: skip

    @property
    def lake(self) -> Path:
        """The project's folder of the lake."""
        return self.folder / "lake" / "small"

    def run(self, *command: object, code: int = 0) -> str:
        """Run a command in the deployment's environment, and return what it said."""
        done = subprocess.run(
            [str(word) for word in command], env=self.environment, cwd=REPOSITORY, capture_output=True, text=True
        )  # fmt: skip
        assert done.returncode == code, f"{command}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def make_run(self, code: int = 0) -> str:
        """Do what `make run PROJECT=small` does."""
        return self.run(sys.executable, "-m", "orchestration.run", "small", code=code)

    def make(self, what: str) -> str:
        """Do what `make up` or `make down` does."""
        return self.run(sys.executable, "-m", "orchestration.service", what)

    def cupel(self, *words: object, code: int = 0) -> str:
        """Run `cupel`; the deployment's places are in the environment."""
        return self.run(CUPEL, *words, code=code)

    def truth(self) -> dict[str, str]:
        """Return what the expert says of each item of the first delivery."""
        with (self.deployment.data / "small" / "answers.csv").open(newline="") as file:
            return {row["item_id"]: row["label"] for row in csv.DictReader(file) if row["purpose"] == "expert"}

    def drop_delivery(self, name: str, items: int, seed: int = 7) -> None:
        """Put a delivery into the inbox, and say that it is whole."""
        rng = random.Random(seed)
        lines = [{"id": f"{name}{number}", "text": sentence("cold", rng)} for number in range(items)]
        (self.inbox / f"{name}.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
        (self.inbox / f"{name}.jsonl.done").touch()

    def runs(self) -> list[dict[str, Any]]:
        """Return the runs that the page lists, the latest first, each with its tags by name."""
        found = ask_page(self.port, RUNS)["data"]["runsOrError"]["results"]
        return [run | {"tags": {tag["key"]: tag["value"] for tag in run["tags"]}} for run in found]

    def wait_for_run(self, is_it: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Return the latest run of a kind, as soon as the page lists one."""
        return wait_until(lambda: next(filter(is_it, self.runs()), None))


def wait_until(look: Callable[[], Found | None]) -> Found:
    """Return what is looked for as soon as it is there."""
    end = time.monotonic() + SECONDS
    while not (found := look()):
        assert time.monotonic() < end, f"it did not come within {SECONDS} s"
        time.sleep(0.5)
    return found
