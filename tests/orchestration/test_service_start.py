"""`make up` with Dagster's own page and daemon, in the state that once poisoned a new home."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dagster_homes import PATHS, SECONDS_TO_COME, make_home, open_directly, race, versions
from dagster_programs import free_port
from orchestration.dagster_storage import SET_ASIDE
from orchestration.deployment import REPOSITORY
from orchestration.service_health import ask_page
from small_project import write_project

SCHEDULES = "schedules/schedules.db"
# In every process of Python: the first that makes a database waits before its stamp until a second one is there too.
HOLD = """
import os, time
from pathlib import Path
from alembic.runtime.migration import HeadMaintainer, MigrationContext
barrier = Path(os.environ["BARRIER"])
stamp, look = HeadMaintainer._insert_version, MigrationContext.get_current_revision

def claim(name):
    try:
        (barrier / name).mkdir()
    except FileExistsError:
        return False
    return True

def wait_for(name, seconds):
    end = time.monotonic() + seconds
    while not (barrier / name).exists() and time.monotonic() < end:
        time.sleep(0.01)

def wait_and_look(self):
    if not claim("first"):
        wait_for("first at its stamp", 60)
    return look(self)

def wait_and_stamp(self, version):
    if claim("first at its stamp"):
        wait_for("second at its stamp", 5)
    else:
        claim("second at its stamp")
    stamp(self, version)

HeadMaintainer._insert_version, MigrationContext.get_current_revision = wait_and_stamp, wait_and_look
"""


class Place:
    """A deployment with a home; `serve` is what `make up` and `make down` start."""

    def __init__(self, folder: Path) -> None:
        self.home, self.port, self.folder = make_home(folder / "dagster"), free_port(), folder
        write_project(folder, "small", items=60)
        places = {"PROJECTS": "projects", "DATA": "data", "LAKE": "lake", "INBOX": "inbox"}
        self.environment = os.environ | {f"CUPEL_{name}": str(folder / place) for name, place in places.items()} | {
            "DAGSTER_HOME": str(self.home), "PORT": str(self.port), "COLUMNS": "400", "DAGSTER_DISABLE_TELEMETRY": "1",
        }  # fmt: skip

    def hold(self) -> None:
        (self.folder / "barrier").mkdir()
        (self.folder / "held").mkdir()
        (self.folder / "held" / "sitecustomize.py").write_text(HOLD)
        held = {"BARRIER": str(self.folder / "barrier"), "PYTHONPATH": str(self.folder / "held")}
        self.environment |= held

    def serve(self, what: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "orchestration.service", what]
        return subprocess.run(
            command, env=self.environment, cwd=REPOSITORY, capture_output=True, text=True, check=False
        )  # fmt: skip

    def sensors(self) -> int:
        """Ask the page how many sensors the code location has."""
        answer = ask_page(
            self.port, "{ repositoriesOrError { ... on RepositoryConnection { nodes { sensors { name } } } } }"
        )
        return sum(len(row["sensors"]) for row in answer["data"]["repositoriesOrError"].get("nodes", []))


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    found = Place(tmp_path)
    yield found
    found.serve("down")


def test_up_as_the_first_command_of_a_new_home_makes_one_record(place: Place) -> None:
    place.hold()
    done = place.serve("up")
    assert done.returncode == 0, done.stdout + done.stderr
    assert [len(versions(place.home / path)) for path in PATHS] == [1, 1, 1]
    assert place.sensors() > 0
    assert not (place.home / SET_ASIDE).exists()
    assert place.serve("down").stdout == "daemon: stopped\npage: stopped\n"


def test_up_heals_a_home_that_was_poisoned_before(place: Place, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    poisoned = make_home(tmp_path / "other" / "dagster")
    race(poisoned, SCHEDULES, open_directly, open_directly, SECONDS_TO_COME)
    assert len(versions(poisoned / SCHEDULES)) == 2
    shutil.copytree(poisoned, place.home, dirs_exist_ok=True)
    done = place.serve("up")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "schedules.db: its schema has 2 versions" in done.stdout
    assert [len(versions(place.home / path)) for path in PATHS] == [1, 1, 1]
    assert place.sensors() > 0
