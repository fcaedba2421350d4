"""What of Dagster's record is kept although it is old: what sensors and schedules go on from."""

import time
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.remote_origin import (
    RegisteredCodeLocationOrigin,
    RemoteInstigatorOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    SensorInstigatorData,
    TickData,
    TickStatus,
)

from cupel.config.operation import Prune
from dagster_homes import make_home
from orchestration.old_runs import find_old_runs, find_old_ticks, remove_runless_events, remove_runs, remove_ticks
from orchestration.runs import PROJECT

DAY = 86_400


@dg.op
def nothing() -> None: ...


@dg.job
def some_job() -> None:
    nothing()


def run(instance: dg.DagsterInstance, project: str = "small", **tags: str) -> str:
    done = some_job.execute_in_process(instance=instance, tags={PROJECT: project, **tags})
    return str(done.run_id)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return make_home(tmp_path / "home")


def after(monkeypatch: pytest.MonkeyPatch, days: float) -> None:
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + days * DAY)


def sensor(instance: dg.DagsterInstance, last_run_key: str | None = None) -> InstigatorState:
    repository = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("here"), "repository")
    origin = RemoteInstigatorOrigin(repository, "small_inbox")
    state = InstigatorState(
        origin, InstigatorType.SENSOR, InstigatorStatus.RUNNING,
        SensorInstigatorData(last_run_key=last_run_key),
    )  # fmt: skip
    instance.add_instigator_state(state)
    return state


def tick(instance: dg.DagsterInstance, state: InstigatorState, status: TickStatus, days_ago: float) -> None:
    instance.create_tick(
        TickData(
            state.instigator_origin_id, state.name, state.instigator_type, status, time.time() - days_ago * DAY,
            run_ids=[], selector_id=state.selector_id,
        )
    )  # fmt: skip


def test_the_run_whose_key_a_sensor_asks_for_again_stays_or_it_would_be_started_again(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with dg.DagsterInstance.from_config(str(home)) as instance:
        asked, other, newest = (run(instance, **{"dagster/run_key": key}) for key in ("a", "b", "c"))
        sensor(instance, last_run_key="a")
        after(monkeypatch, 40)
        remove_runs(instance, find_old_runs(instance, {"small": Prune()}))
        left = {record.run_id for record in instance.get_runs()}
    assert left == {asked, newest}
    assert other not in left


def test_each_project_says_how_many_of_its_runs_stay(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with dg.DagsterInstance.from_config(str(home)) as instance:
        few = [run(instance, "few") for _ in range(3)]
        many = [run(instance, "many") for _ in range(3)]
        after(monkeypatch, 1)
        old = find_old_runs(instance, {"few": Prune(runs_kept=1), "many": Prune(runs_kept=2)})
    assert {one.run_id for one in old} == {*few[:2], many[0]}
    assert all(one.bytes > 10_000 for one in old)


def test_what_ended_within_the_hour_stays_for_the_sensors_of_alerts(home: Path) -> None:
    with dg.DagsterInstance.from_config(str(home)) as instance:
        for _ in range(3):
            run(instance)
        assert find_old_runs(instance, {"small": Prune(runs_kept=1)}) == []


def test_ticks_that_came_to_nothing_stay_a_day_others_longer_and_the_latest_for_ever(home: Path) -> None:
    with dg.DagsterInstance.from_config(str(home)) as instance:
        state = sensor(instance)
        for status, days in (
            (TickStatus.SUCCESS, 60), (TickStatus.SUCCESS, 50), (TickStatus.SKIPPED, 49), (TickStatus.SUCCESS, 45)
        ):  # fmt: skip
            tick(instance, state, status, days)
        assert find_old_ticks(instance, 55) == 2  # a success of 60 days, a skipped one
        remove_ticks(instance, 30)
        left = instance.get_ticks(state.instigator_origin_id, state.selector_id)
        assert [one.status for one in left] == [TickStatus.SUCCESS]
        tick(instance, state, TickStatus.SKIPPED, 0.5)
        remove_ticks(instance, 100)
        assert len(instance.get_ticks(state.instigator_origin_id, state.selector_id)) == 2


def test_of_what_was_told_outside_runs_the_newest_of_each_table_stay(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = dg.AssetKey(["small", "answers"])
    with dg.DagsterInstance.from_config(str(home)) as instance:
        for number in range(5):
            instance.report_runless_asset_event(dg.AssetMaterialization(key, metadata={"answers": number}))
        own = Prune(runs_kept=2)
        assert remove_runless_events(instance, own, is_only_counted=True) == 3
        assert remove_runless_events(instance, own) == 3
        after(monkeypatch, 40)
        assert remove_runless_events(instance, own) == 1
        event = instance.get_latest_materialization_event(key)
    assert event is not None
    assert event.asset_materialization is not None
    assert event.asset_materialization.metadata["answers"].value == 4
