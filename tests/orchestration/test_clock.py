"""A clock that was wrong: sensors and schedules go on, and nothing is made anew or another way."""

import os
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest
import yaml
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorType,
    ScheduleInstigatorData,
    SensorInstigatorData,
)
from dagster._daemon.controller import DagsterDaemonController
from dagster._daemon.sensor import is_under_min_interval
from ticks import remember

from cupel.intake import alerts
from cupel.intake import collect_inputs as world
from cupel.kinds.projects import load_project
from cupel.release import days
from orchestration import dagster_daemon
from orchestration.automation import Outlook
from orchestration.clock import ClockWatch, correct_future_ticks
from orchestration.dagster_daemon import ClockSetBackError, Controller
from orchestration.deployment import BEGUN_ANEW, Deployment
from orchestration.rounds import Done, Rounds
from orchestration.run_process import KILLED
from orchestration.service_health import _daemon_trouble
from small_project import write_project

DAY = 86_400.0
EVERY_HALF_MINUTE: Any = SimpleNamespace(min_interval_seconds=30)


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        yield instance


def sensor_of(moment: float) -> SensorInstigatorData:
    return SensorInstigatorData(moment, cursor="seen so far", last_tick_start_timestamp=moment)


def state_of(instance: dg.DagsterInstance, name: str) -> InstigatorState:
    return next(state for state in instance.all_instigator_state() if state.instigator_name == name)


def ticks_of(instance: dg.DagsterInstance, name: str) -> list[float]:
    state = state_of(instance, name)
    return [tick.timestamp for tick in instance.get_ticks(state.instigator_origin_id, state.selector_id)]


def test_a_sensor_that_ticked_in_the_future_goes_on_where_it_was(instance: dg.DagsterInstance) -> None:
    later = time.time() + 365 * DAY
    remember(instance, "inbox", InstigatorType.SENSOR, sensor_of(later), later)
    assert is_under_min_interval(state_of(instance, "inbox"), EVERY_HALF_MINUTE), "without help it waits for a year"
    assert correct_future_ticks(instance) == ["inbox"]
    state = state_of(instance, "inbox")
    assert isinstance(state.instigator_data, SensorInstigatorData)
    assert state.instigator_data.cursor == "seen so far"
    assert not is_under_min_interval(state, SimpleNamespace(min_interval_seconds=-1))  # type: ignore[arg-type]
    assert max(ticks_of(instance, "inbox")) <= time.time()
    assert correct_future_ticks(instance) == []


def test_a_schedule_that_ticked_in_the_future_is_due_again(instance: dg.DagsterInstance) -> None:
    later = time.time() + DAY
    data = ScheduleInstigatorData("0 6 * * *", time.time() - DAY, later)
    remember(instance, "daily", InstigatorType.SCHEDULE, data, later)
    assert correct_future_ticks(instance) == ["daily"]
    corrected = state_of(instance, "daily").instigator_data
    assert isinstance(corrected, ScheduleInstigatorData)
    assert corrected.start_timestamp == data.start_timestamp
    assert corrected.last_iteration_timestamp is not None
    assert max(corrected.last_iteration_timestamp, *ticks_of(instance, "daily")) <= time.time()


def test_what_ticked_just_now_is_left_alone(instance: dg.DagsterInstance) -> None:
    now = time.time()
    remember(instance, "inbox", InstigatorType.SENSOR, sensor_of(now), now)
    assert correct_future_ticks(instance) == []
    assert ticks_of(instance, "inbox") == [pytest.approx(now, abs=1)]


@pytest.mark.parametrize(
    ("seconds", "is_seen"), [(-DAY, True), (-61, True), (-1, False), (365 * DAY, False), (0, False)]
)
def test_a_clock_that_is_set_back_is_seen_once(seconds: float, is_seen: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    watch, real = ClockWatch(), time.time
    monkeypatch.setattr(time, "time", lambda: real() + seconds)
    assert watch.was_set_back() == is_seen
    assert not watch.was_set_back()


def test_the_daemon_ends_when_the_clock_is_set_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DagsterDaemonController, "check_daemon_threads", lambda controller: None)
    monkeypatch.setattr(Controller, "_clock", ClockWatch())
    controller, real = object.__new__(Controller), time.time
    controller.check_daemon_threads()
    monkeypatch.setattr(time, "time", lambda: real() - DAY)
    with pytest.raises(ClockSetBackError):
        controller.check_daemon_threads()


def test_what_the_daemon_ended_when_it_began_anew_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise ClockSetBackError

    begun: list[list[str]] = []
    monkeypatch.setenv("CUPEL_STARTED", "2026-11-29")
    monkeypatch.setenv(BEGUN_ANEW, "")
    before = Deployment.from_environment().started
    monkeypatch.setattr(dagster_daemon, "run", fail)
    monkeypatch.setattr(os, "execv", lambda program, words: begun.append(words))
    dagster_daemon.main()
    assert begun == [[sys.executable, "-m", "orchestration.dagster_daemon"]]
    assert Deployment.from_environment().started != before  # what names a partition's state, see Outlook
    assert os.environ["CUPEL_STARTED"] == "2026-11-29"  # by which `make down` finds what a killed daemon left


@pytest.mark.parametrize(("seconds", "is_heard"), [(0, True), (365 * DAY, False), (-DAY, False)])
def test_a_heartbeat_of_the_future_is_from_before_the_clock_was_set_back(seconds: float, is_heard: bool) -> None:
    row = {"daemonType": "SENSOR", "required": True, "lastHeartbeatTime": time.time() + seconds}
    troubles = _daemon_trouble({"instance": {"daemonHealth": {"allDaemonStatuses": [row]}}}, time.time() - 1)
    assert (troubles == []) == is_heard


@pytest.mark.parametrize(("days", "count"), [(0, 1), (-2, 0), (2, 0)])
def test_kills_count_on_their_day_also_where_a_clock_that_was_ahead_dated_them(
    instance: dg.DagsterInstance, tmp_path: Path, days: int, count: int
) -> None:
    instance.add_run(dg.DagsterRun("small_batch", tags={KILLED: "true", "dagster/partition": "one"}))
    outlook = Outlook("small", write_project(tmp_path / "small", items=10))
    assert outlook._count_killed(datetime.now(UTC) + timedelta(days=days), instance)["one"] == count


def set_clock(seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let everything in this process read a clock that is so much ahead, or behind."""
    real = time.time

    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            return datetime.now(tz) + timedelta(seconds=seconds)

    monkeypatch.setattr(time, "time", lambda: real() + seconds)
    for module in (alerts, days, world):
        monkeypatch.setattr(module, "datetime", Clock)


def run_at(seconds: float, deployment: Deployment, instance: dg.DagsterInstance) -> Done:
    with pytest.MonkeyPatch.context() as monkeypatch:
        set_clock(seconds, monkeypatch)
        return Rounds(load_project(deployment.projects / "small.yaml"), deployment, instance).run()


def release_bytes(deployment: Deployment) -> dict[str, bytes]:
    folder = Path(deployment.lake) / "small" / "releases"
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def add_delivery(deployment: Deployment) -> None:
    """Bring a second delivery like the first, with its answers."""
    source, file = deployment.data / "small", deployment.projects / "small.yaml"
    (source / "two.jsonl").write_text((source / "one.jsonl").read_text().replace(" w", " v"))
    first = (source / "answers.csv").read_text()
    (source / "answers.csv").write_text(first + first.partition("\n")[2].replace("one,", "two,"))
    project = yaml.safe_load(file.read_text())
    project["raw"]["deliveries"]["two"] = {"files": ["small/two.jsonl"], "licence": "CC0-1.0"}
    file.write_text(yaml.safe_dump(project))


def test_a_clock_that_jumps_makes_nothing_anew_and_holds_nothing_up(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    deployment = write_project(tmp_path / "small", items=60, release={"audit_size": 30, "error_budget": 0.2})
    assert run_at(0, deployment, instance).broken == []
    released = release_bytes(deployment)
    assert released
    for seconds in (-DAY, 365 * DAY):
        assert run_at(seconds, deployment, instance).runs == []
    add_delivery(deployment)
    assert run_at(-DAY, deployment, instance).broken == []
    both = release_bytes(deployment)
    assert len(both) == 2 * len(released)
    assert both.items() >= released.items()
    assert run_at(365 * DAY, deployment, instance).runs == []
    assert release_bytes(deployment) == both
