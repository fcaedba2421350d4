import json
import sys
from pathlib import Path

import pytest

from orchestration.run import main
from small_project import write_project


# Without capturing the steps' output: it duplicates file descriptors, which pytest does too.
SETTINGS = """
telemetry: {enabled: false}
compute_logs: {module: dagster._core.storage.noop_compute_log_manager, class: NoOpComputeLogManager}
"""


@pytest.fixture
def deployed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    deployment = write_project(tmp_path, "small", items=200)
    home = tmp_path / "dagster"
    home.mkdir()
    (home / "dagster.yaml").write_text(SETTINGS)
    for name, value in (
        ("CUPEL_PROJECTS", deployment.projects), ("CUPEL_DATA", deployment.data), ("CUPEL_LAKE", deployment.lake),
        ("DAGSTER_HOME", home),
    ):  # fmt: skip
        monkeypatch.setenv(name, str(value))
    monkeypatch.setattr(sys, "argv", ["run", "small"])
    return tmp_path


def test_a_run_tells_what_came_of_each_delivery(deployed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main() == 0
    shown = capsys.readouterr().out
    for words in ("rows delivered", "PASS", "release one-r1", "report one-r1", "relabel one-r1", "make ui"):
        assert words in shown
    found = json.loads((deployed / "lake" / "small" / "summary.json").read_text())["deliveries"]["one"]
    assert found["items_in"] == 200
    assert found["gate"] == "PASS"
    assert found["released"] + found["contested"] == found["items_labelled"]
    assert Path(found["release"]).is_dir()
    assert found["error_bound"] <= found["error_budget"]
    assert main() == 0
    assert "Nothing had changed" in capsys.readouterr().out


def test_a_wrong_project_name_is_one_clear_message(
    deployed: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["run", "none"])
    assert main() == 1
    assert "none.yaml: no such project file" in capsys.readouterr().out.replace("\n", "")


def test_a_broken_delivery_ends_with_1_and_says_what_broke(deployed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (deployed / "data" / "small" / "one.jsonl").unlink()
    assert main() == 1
    assert "one.jsonl" in capsys.readouterr().out.replace("\n", "")
