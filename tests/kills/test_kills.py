"""Killed anywhere, a run is finished by the next one: nothing lost, nothing doubled, the same bytes."""

import json
import os
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from dying import BROKEN, FINISHED, REFUSED

HARNESS = Path(__file__).parent / "harness.py"
SEEDS, KILLS = range(4), 26  # more than a hundred
STAGES = {"raw", "cleaning", "labeling", "checking", "tasks", "gates", "release"}
BESIDE = {"deliveries", "answers", "locks", "proposals"}


def harness(folder: Path, *arguments: object) -> tuple[dict[str, Any], str]:
    folder.mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(HARNESS), str(folder), *map(str, arguments)],
        capture_output=True, text=True, check=False, timeout=2_400, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    print(json.dumps(result, indent=1))  # shown by pytest -s
    return result, done.stderr


def test_a_run_killed_a_dozen_times_is_finished_by_the_next(tmp_path: Path) -> None:
    found, said = harness(tmp_path, "kills", 5, 12)
    assert found["faults"] == [], said[-2000:]
    assert (found["kills"], found["is_released"]) == (12, True)
    assert 0 < found["any time"] < 12
    assert len(found["where"]) > 5, found["where"]


@pytest.mark.kills
def test_a_run_killed_at_any_point_of_any_stage_is_finished_by_the_next(tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        ran = list(pool.map(lambda seed: harness(tmp_path / str(seed), "kills", seed, KILLS), SEEDS))
    for found, said in ran:
        assert found["faults"] == [], said[-2000:]
        assert (found["kills"], found["is_released"]) == (KILLS, True)
        assert found["compared"] > 40
    where, how = (Counter(name for found, _ in ran for name in found[key]) for key in ("where", "how"))
    assert set(where) >= STAGES | BESIDE, where
    assert {"replace", "fsync", "mkdir"} <= set(how), how
    assert sum(found["any time"] for found, _ in ran) > KILLS


@pytest.mark.kills
def test_dagsters_record_of_killed_runs_is_closed_and_the_next_run_finishes(tmp_path: Path) -> None:
    found, said = harness(tmp_path, "recorded", 2, 8)
    assert found["faults"] == [], said[-2000:]
    assert (found["kills"], found["is_released"]) == (8, True)


@pytest.mark.kills
def test_a_full_disk_is_said_and_the_run_that_has_room_finishes(tmp_path: Path) -> None:
    found, said = harness(tmp_path, "full_disk")
    assert (found["limited"], found["limited_faults"]) == ([BROKEN] * 4 + [FINISHED], [])
    full = [line for line in said.splitlines() if "the disk is full" in line]
    assert len(full) >= 4
    assert all(": the disk is full (" in line and str(tmp_path) in line for line in full), full
    if isinstance(found["tmpfs"], str):
        pytest.skip(f"a small tmpfs {found['tmpfs']}")
    assert (found["tmpfs"], found["tmpfs_faults"]) == ([BROKEN] * 6 + [FINISHED], [])
    assert len(full) >= 10
    assert len(set(found["written"])) > 3  # full at several places of the chain


@pytest.mark.kills
def test_of_two_runs_at_once_one_wins_and_the_other_says_so(tmp_path: Path) -> None:
    found, said = harness(tmp_path, "at_once")
    assert (found["codes"], found["faults"]) == ([FINISHED, REFUSED], [])
    assert "make run (process" in said
    assert "is at work on it" in said


@pytest.mark.kills
def test_a_prune_killed_at_any_point_leaves_all_readable_and_the_next_ends_it(tmp_path: Path) -> None:
    found, said = harness(tmp_path, "pruned", 7, 24)
    assert found["faults"] == [], said[-2000:]
    assert found["codes"] == [FINISHED]
    assert found["kills"] >= 18
    assert all(left < all_ for left, all_ in zip(found["left"], found["all"], strict=True)), found
