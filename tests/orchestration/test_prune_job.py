"""The daemon prunes by the clock, and the page says what was removed and how large all is."""

from pathlib import Path

import dagster as dg
import pytest
from rich.console import Console

from cupel.lake.lake import Lake
from dagster_homes import make_home
from orchestration.definitions import build_definitions
from orchestration.deployment import Deployment
from orchestration.sizes import tell_sizes
from small_project import write_project


def schedule_of(deployment: Deployment) -> dg.ScheduleDefinition | None:
    schedules = build_definitions(deployment).schedules or []
    return next((one for one in schedules if one.name == "small_prune"), None)  # type: ignore[return-value]


def test_it_is_done_every_night_unless_the_project_says_otherwise(tmp_path: Path) -> None:
    schedule = schedule_of(write_project(tmp_path / "default"))
    assert schedule is not None
    assert (schedule.cron_schedule, schedule.default_status) == ("30 3 * * *", dg.DefaultScheduleStatus.RUNNING)
    weekly = {"timezone": "Europe/Berlin", "prune": {"at": "0 5 * * 0"}}
    schedule = schedule_of(write_project(tmp_path / "weekly", operation=weekly))
    assert schedule is not None
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("0 5 * * 0", "Europe/Berlin")


def test_a_project_without_a_time_for_it_has_the_job_alone(tmp_path: Path) -> None:
    deployment = write_project(tmp_path, operation={"prune": {"at": None}})
    assert schedule_of(deployment) is None
    assert build_definitions(deployment).resolve_job_def("small_prune").tags["cupel/project"] == "small"


def test_its_run_says_what_it_removed_and_how_large_all_is(tmp_path: Path) -> None:
    deployment, home = write_project(tmp_path), make_home(tmp_path / "home")
    (Path(deployment.lake) / "small" / "answers").mkdir(parents=True)
    (Path(deployment.lake) / "small" / "answers" / "some").write_bytes(b"1234")
    with dg.DagsterInstance.from_config(str(home)) as instance:
        done = build_definitions(deployment).resolve_job_def("small_prune").execute_in_process(instance=instance)
    (event,) = [event for event in done.all_events if event.event_type is dg.DagsterEventType.STEP_OUTPUT]
    said = {name: value.value for name, value in event.step_output_data.metadata.items()}
    assert str(said["removed"]).startswith("small: 0 superseded parts of tables removed, 0 B; Dagster's record: 0 runs")
    assert said["lake, answers (bytes)"] == 4
    assert said["superseded (bytes)"] == 0
    assert int(str(said["Dagster's record (bytes)"])) > int(str(said["Dagster's record, runs and events (bytes)"])) > 0


def test_make_up_tells_the_sizes_and_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    deployment = write_project(tmp_path)
    lake = Lake(deployment.lake, "small")
    (lake.folder / "answers").mkdir(parents=True)
    Path(str(lake.folder / "answers" / "some")).write_bytes(b"1" * 5_000)
    monkeypatch.setenv("CUPEL_PROJECTS", str(deployment.projects))
    monkeypatch.setenv("CUPEL_LAKE", deployment.lake)
    tell_sizes(make_home(tmp_path / "home"), Console(width=200))
    said = capsys.readouterr().out
    assert "size    lake of small: 5.0 kB (answers 5.0 kB)" in said
    assert "`cupel prune` says what can be removed" in said
