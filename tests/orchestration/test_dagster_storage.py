"""Dagster's record where it was broken before: it is set aside and made anew, and what is in order stays."""

import itertools
import os
import re
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from alembic.runtime.migration import HeadMaintainer

from dagster_homes import (
    PATHS,
    SECONDS_TO_COME,
    end,
    enter,
    enter_by_run,
    is_sound,
    make_home,
    open_directly,
    race,
    versions,
)
from orchestration import dagster_storage
from orchestration.dagster_storage import SET_ASIDE, StorageError, prepare_storage
from orchestration.deployment import REPOSITORY

# What reads the home as Dagster does.
OPENS_HOME = re.compile(r"bin/(dagster|dg)\b|orchestration\.dagster_page")


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take what was broken just now for broken."""
    monkeypatch.setattr(dagster_storage, "SECONDS_TO_SETTLE", 0)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return make_home(tmp_path / "dagster")


@pytest.fixture(params=["history/runs.db", "schedules/schedules.db"])
def poisoned(home: Path, request: pytest.FixtureRequest) -> str:
    """A home that two of Dagster's programs made at once; which of its databases has two versions."""
    race(home, request.param, open_directly, open_directly, SECONDS_TO_COME)
    assert len(versions(home / request.param)) == 2
    assert end(enter(home, open_directly)) != 0
    return str(request.param)


def test_a_record_with_two_versions_is_set_aside_and_made_anew(home: Path, poisoned: str) -> None:
    said: list[str] = []
    prepare_storage(home, said.append)
    assert is_sound(home)
    (loss,) = [words for words in said if poisoned in words]
    for words in ("its schema has 2 versions", "made it at once", SET_ASIDE, "the lake has lost nothing"):
        assert words in loss
    (kept,) = (home / SET_ASIDE).glob(f"*/{Path(poisoned).name}")
    assert len(versions(kept)) == 2


def test_a_record_that_another_program_is_just_making_is_waited_for(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare_storage(home, pytest.fail)
    path = home / PATHS[0]
    whole = path.read_bytes()
    with closing(sqlite3.connect(path)) as database:
        database.execute("DELETE FROM alembic_version")
        database.commit()
    monkeypatch.setattr(dagster_storage, "SECONDS_TO_SETTLE", 30)

    def finish(seconds: float) -> None:
        path.write_bytes(whole)

    monkeypatch.setattr(time, "sleep", finish)
    prepare_storage(home, pytest.fail)
    assert path.read_bytes() == whole


def test_a_broken_record_that_somebody_goes_on_writing_is_told_and_left(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare_storage(home, pytest.fail)
    path = home / PATHS[0]
    with closing(sqlite3.connect(path)) as database:
        database.execute("DELETE FROM alembic_version")
        database.commit()
    monkeypatch.setattr(dagster_storage, "SECONDS_TO_SETTLE", 30)
    monkeypatch.setattr(time, "sleep", lambda seconds: path.touch())
    with pytest.raises(StorageError, match="another program writes to it"):
        prepare_storage(home, pytest.fail)
    assert path.exists()


def test_what_is_sound_stays_and_nothing_is_said(home: Path) -> None:
    prepare_storage(home, pytest.fail)
    before = {path: (home / path).read_bytes() for path in PATHS}
    prepare_storage(home, pytest.fail)
    assert {path: (home / path).read_bytes() for path in PATHS} == before
    assert not [*home.glob("storage-*")]


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def overwrite(path: Path) -> None:
    path.write_bytes(b"this is no database " * 500)


def drop_tables(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        for table in ("runs", "event_logs", "job_ticks"):
            connection.execute(f"DROP TABLE IF EXISTS {table}")


def unstamp(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM alembic_version")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (cut, "no sound database"),
        (empty, "not finished"),
        (overwrite, "no sound database"),
        (drop_tables, "lacks the tables"),
        (unstamp, "not finished"),
    ],
)
def test_a_broken_database_alone_is_set_aside(
    sound: Path, tmp_path: Path, path: str, harm: Callable[[Path], None], words: str
) -> None:
    home = tmp_path / "copy"
    subprocess.run(["cp", "-r", str(sound), str(home)], check=True)
    harm(home / path)
    harmed = (home / path).read_bytes()
    said: list[str] = []
    prepare_storage(home, said.append)
    assert len(said) == 1
    assert words in said[0]
    assert path in said[0]
    (kept,) = (home / SET_ASIDE).glob("*/*.db")
    assert kept.read_bytes() == harmed
    assert is_sound(home)
    assert all((home / other).read_bytes() == (sound / other).read_bytes() for other in PATHS if other != path)


@pytest.fixture(scope="module", autouse=True)
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that is in order; making it imports what the forks then have already."""
    home = make_home(tmp_path_factory.mktemp("sound") / "dagster")
    prepare_storage(home, pytest.fail)
    return home


def test_what_was_not_yet_written_into_a_broken_database_is_moved_with_it(home: Path) -> None:
    prepare_storage(home, pytest.fail)
    overwrite(home / PATHS[0])
    for ending in ("-wal", "-shm"):
        (home / f"{PATHS[0]}{ending}").write_bytes(b"late")
    prepare_storage(home, lambda words: None)
    assert {path.name for path in (home / SET_ASIDE).glob("*/*")} == {"runs.db", "runs.db-wal", "runs.db-shm"}
    assert is_sound(home)


def test_a_maker_that_is_killed_leaves_no_half_of_a_record(home: Path) -> None:
    def die(maintainer: HeadMaintainer, version: str) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def dying() -> None:
        HeadMaintainer._insert_version = die  # type: ignore[method-assign]
        enter_by_run()

    assert end(enter(home, dying)) == -signal.SIGKILL
    assert not any((home / path).exists() for path in PATHS)
    prepare_storage(home, pytest.fail)
    assert is_sound(home)


@pytest.mark.parametrize("change", [1, 2, 3])
def test_what_a_killed_program_of_dagster_left_half_made_is_set_aside(home: Path, change: int) -> None:
    count = itertools.count(1)
    stamp = HeadMaintainer._insert_version

    def die(maintainer: HeadMaintainer, version: str) -> None:
        stamp(maintainer, version)
        if next(count) == change:
            os.kill(os.getpid(), signal.SIGKILL)

    def dying() -> None:
        HeadMaintainer._insert_version = die  # type: ignore[method-assign]
        open_directly()

    assert end(enter(home, dying)) == -signal.SIGKILL
    said: list[str] = []
    prepare_storage(home, said.append)
    assert len(said) == 1
    assert "was not finished" in said[0]
    assert is_sound(home)


def test_a_full_disk_is_said_in_a_sentence_and_nothing_is_set_aside(home: Path) -> None:
    def lacking() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
        with pytest.raises(StorageError, match=r"cannot be made \(.*(full|I/O).*\); see to its rights and its disk"):
            prepare_storage(home, pytest.fail)

    assert end(enter(home, lacking)) == 0
    assert {path.name for path in home.iterdir()} == {"dagster.yaml", "storage.lock"}


def test_a_database_that_cannot_be_opened_is_not_taken_for_broken(home: Path, tmp_path: Path) -> None:
    (home / PATHS[0]).mkdir(parents=True)
    with pytest.raises(StorageError, match=r"runs\.db: cannot be opened"):
        prepare_storage(home, pytest.fail)
    assert not (home / SET_ASIDE).exists()


def test_a_record_that_is_kept_elsewhere_is_left_to_dagster(home: Path, tmp_path: Path) -> None:
    place = tmp_path / "elsewhere"
    (home / "dagster.yaml").write_text(f"storage: {{sqlite: {{base_dir: {place}}}}}\n")
    assert end(enter(home, enter_by_run)) == 0
    assert len(versions(place / PATHS[0])) == 1
    assert not (home / PATHS[0]).exists()


def test_nothing_of_ours_opens_the_home_past_its_door() -> None:
    for folder in ("orchestration", "assets", "samples", "benchmarks"):
        for path in (REPOSITORY / folder).rglob("*.py"):
            if path.name != "dagster_storage.py":
                assert "DagsterInstance.get(" not in path.read_text(), f"{path}: use open_instance"
    recipes = (REPOSITORY / "Makefile").read_text().split("\n\n")
    opening = [recipe for recipe in recipes if OPENS_HOME.search(recipe)]
    assert [recipe.partition(":")[0] for recipe in opening] == ["ui", "check"]
    for recipe in opening:
        prepared, opened = recipe.find("orchestration.dagster_storage"), OPENS_HOME.search(recipe)
        assert opened is not None
        assert 0 < prepared < opened.start(), recipe


def test_the_command_says_what_was_set_aside(home: Path) -> None:
    (home / "schedules").mkdir()
    overwrite(home / "schedules" / "schedules.db")
    command = [sys.executable, "-m", "orchestration.dagster_storage"]
    done = subprocess.run(
        command, env={**os.environ, "DAGSTER_HOME": str(home), "COLUMNS": "400"},
        cwd=REPOSITORY, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "schedules.db: it is no sound database" in done.stdout
