"""`make run` as its user starts it: a process of its own, judged by what it prints, leaves and returns."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from small_project import write_project


@pytest.fixture
def deployed(tmp_path: Path) -> Path:
    write_project(tmp_path, "small", items=200)
    (tmp_path / "dagster").mkdir()
    (tmp_path / "dagster" / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    return tmp_path


def run(folder: Path, project: str = "small") -> subprocess.CompletedProcess[str]:
    places = {"CUPEL_PROJECTS": "projects", "CUPEL_DATA": "data", "CUPEL_LAKE": "lake", "DAGSTER_HOME": "dagster"}
    environment = {**os.environ, "COLUMNS": "200", **{name: str(folder / place) for name, place in places.items()}}
    command = [sys.executable, "-m", "orchestration.run", project]
    return subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)


def test_a_run_tells_what_came_of_each_delivery_and_a_second_one_does_nothing(deployed: Path) -> None:
    done = run(deployed)
    assert done.returncode == 0, done.stderr
    for words in ("rows delivered", "PASS", "release one-r1", "report one-r1", "relabel one-r1", "make ui"):
        assert words in done.stdout
    assert "will proceed without gating" not in done.stderr
    found = json.loads((deployed / "lake" / "small" / "summary.json").read_text())["deliveries"]["one"]
    assert found["items_in"] == 200
    assert found["gate"] == "PASS"
    assert found["released"] + found["contested"] == found["items_labelled"]
    assert (deployed / found["release"]).is_dir()
    assert found["error_bound"] <= found["error_budget"]
    again = run(deployed)
    assert "Nothing had changed" in again.stdout


def test_a_wrong_project_name_is_one_clear_message(deployed: Path) -> None:
    done = run(deployed, "none")
    assert done.returncode == 1
    assert "none.yaml: no such project file" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_a_wrong_key_in_the_project_file_is_one_clear_message(deployed: Path) -> None:
    path = deployed / "projects" / "small.yaml"
    path.write_text(path.read_text() + "colour: red\n")
    done = run(deployed)
    assert done.returncode == 1
    assert "key colour: not known" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_a_missing_delivery_ends_with_1_and_says_what_is_missing(deployed: Path) -> None:
    (deployed / "data" / "small" / "one.jsonl").unlink()
    done = run(deployed)
    assert done.returncode == 1
    assert "one.jsonl" in done.stdout
    assert "Traceback" not in done.stdout
