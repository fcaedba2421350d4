"""`make run` as its user starts it, judged by what it prints, leaves and returns; once as a process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestration.run import main
from small_project import write_project


@pytest.fixture
def deployed(tmp_path: Path) -> Path:
    write_project(tmp_path, "small", items=300)
    (tmp_path / "dagster").mkdir()
    (tmp_path / "dagster" / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    return tmp_path


def settings(folder: Path) -> dict[str, str]:
    places = {"CUPEL_PROJECTS": "projects", "CUPEL_DATA": "data", "CUPEL_LAKE": "lake", "DAGSTER_HOME": "dagster"}
    return {"COLUMNS": "200", **{name: str(folder / place) for name, place in places.items()}}


Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(deployed: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Return what does as `make run` in this process, where a traceback would end the test."""
    for name, value in settings(deployed).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(deployed)

    def running(project: str = "small") -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["run", project])
        code = main()
        said = capfd.readouterr()
        assert "Traceback" not in said.out + said.err
        return code, said.out

    return running


def test_a_run_tells_what_came_of_each_delivery_and_a_second_one_does_nothing(deployed: Path, run: Run) -> None:
    command = [sys.executable, "-m", "orchestration.run", "small"]
    environment = {**os.environ, **settings(deployed)}
    done = subprocess.run(command, env=environment, cwd=deployed, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for words in ("rows delivered", "PASS", "release one-r1", "report one-r1", "relabel one-r1", "make ui"):
        assert words in done.stdout
    assert "will proceed without gating" not in done.stderr
    found = json.loads((deployed / "lake" / "small" / "summary.json").read_text())["deliveries"]["one"]
    assert found["items_in"] == 300
    assert found["gate"] == "PASS"
    assert found["released"] + found["contested"] == found["items_labelled"]
    assert (deployed / found["release"]).is_dir()
    assert found["error_bound"] <= found["error_budget"]
    code, said = run()
    assert code == 0
    assert "Nothing had changed" in said


def test_a_wrong_project_name_is_one_clear_message(run: Run) -> None:
    code, said = run("none")
    assert code == 1
    assert "none.yaml: no such project file" in said


def test_a_wrong_key_in_the_project_file_is_one_clear_message(deployed: Path, run: Run) -> None:
    path = deployed / "projects" / "small.yaml"
    path.write_text(path.read_text() + "colour: red\n")
    code, said = run()
    assert code == 1
    assert "key colour: not known" in said


def test_a_missing_delivery_ends_with_1_and_says_what_is_missing(deployed: Path, run: Run) -> None:
    (deployed / "data" / "small" / "one.jsonl").unlink()
    code, said = run()
    assert code == 1
    assert "one.jsonl" in said
