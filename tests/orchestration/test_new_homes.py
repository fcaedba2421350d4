"""Processes that enter a new home at the same moment: one makes Dagster's record, the others wait."""

import itertools
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from dagster_homes import DOORS, PATHS, SECONDS_HELD, end, enter, is_sound, make_home, meet, race, versions
from orchestration import dagster_storage
from orchestration.dagster_storage import SET_ASIDE, prepare_storage
from orchestration.known_partitions import register_all_partitions
from small_project import write_project

STARTS = 12  # each order of the doors, twice


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return make_home(tmp_path / "dagster")


@pytest.fixture(scope="module", autouse=True)
def imported(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Make one home first: the forks have then what takes long to import."""
    prepare_storage(make_home(tmp_path_factory.mktemp("first") / "dagster"), pytest.fail)


@pytest.mark.parametrize("second", list(DOORS))
@pytest.mark.parametrize("database", ["history/runs.db", "schedules/schedules.db"])
def test_the_second_to_come_waits_while_the_first_makes_the_record(home: Path, database: str, second: str) -> None:
    assert race(home, database, DOORS["run"], DOORS[second]) == [0, 0]
    assert is_sound(home)
    assert not (home / SET_ASIDE).exists()


def test_a_dozen_new_homes_are_sound_in_whatever_order_up_run_and_ui_come(tmp_path: Path) -> None:
    orders = itertools.cycle(itertools.permutations(DOORS))
    for number, order in zip(range(STARTS), orders, strict=False):
        home = make_home(tmp_path / f"home{number}")
        children = [enter(home, DOORS[name]) for name in order]
        assert [end(child) for child in children] == [0, 0, 0], order
        assert all(len(versions(home / path)) == 1 for path in PATHS)
        assert not (home / SET_ASIDE).exists()


def test_two_that_meet_a_broken_record_set_it_aside_once(home: Path) -> None:
    prepare_storage(home, pytest.fail)
    (home / PATHS[0]).write_bytes(b"this is no database")

    def hold(wait: Callable[[], None]) -> None:
        set_aside = dagster_storage._set_aside

        def waiting(place: Path, database: dagster_storage.Database) -> Path:
            is_first = not (home.with_name("barrier") / "first").exists()
            wait()
            if not is_first:
                time.sleep(SECONDS_HELD)  # by now the first has made it anew
            return set_aside(place, database)

        dagster_storage._set_aside = waiting

    assert meet(home, hold, DOORS["run"], DOORS["ui"]) == [0, 0]
    assert len([*(home / SET_ASIDE).glob("*/*.db")]) == 1
    assert is_sound(home)


def test_definitions_are_loaded_before_a_home_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "later"))
    register_all_partitions(write_project(tmp_path, "small", items=10))
    assert not (tmp_path / "later").exists()
