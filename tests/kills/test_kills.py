"""Killed anywhere, a run is finished by the next one: nothing lost, nothing doubled, the same bytes."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.kills
HARNESS = Path(__file__).parent / "harness.py"
KILLS = 52  # with two seeds, more than a hundred
PLACES = {"raw", "cleaning", "labeling", "checking", "tasks", "gates", "release", "answers"}


def harness(folder: Path, *arguments: str) -> tuple[dict[str, Any], str]:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(HARNESS), str(folder), *arguments],
        capture_output=True, text=True, check=False, timeout=550,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result, done.stderr


@pytest.mark.parametrize("seed", [0, 1])
def test_a_run_killed_at_any_change_of_the_disk_is_finished_by_the_next(tmp_path: Path, seed: int) -> None:
    found, said = harness(tmp_path, str(seed), str(KILLS))
    assert found["differing"] == [], said[-2000:]
    assert found["kills"] >= KILLS
    assert set(found["where"]) >= PLACES, found["where"]
    assert {"replace", "fsync"} <= set(found["how"])
    assert found["tables"] > 40


def test_a_full_disk_is_said_and_the_next_run_finishes(tmp_path: Path) -> None:
    found, said = harness(tmp_path, "full_disk")
    first, second, is_same = found["limited"]
    assert (first != 0, second, is_same) == (True, 0, True)
    assert "the disk is full" in said or "File too large" in said
    if isinstance(found["tmpfs"], str):
        pytest.skip(f"a small tmpfs {found['tmpfs']}")
    first, second, is_same = found["tmpfs"]
    assert (first != 0, second, is_same) == (True, 0, True)
    assert "No space left on device" in said


def test_of_two_runs_at_once_one_wins_and_the_other_says_so(tmp_path: Path) -> None:
    found, said = harness(tmp_path, "at_once")
    assert found["codes"] == [0, 4]
    assert "make run (process" in said
    assert "is at work on it" in said
    assert found["same"]
