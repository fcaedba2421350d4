"""After a prune rebuild, trace, verify and `make run` give what they gave before."""

import hashlib
import json
import os
import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest
import yaml
from click.testing import CliRunner

from cupel.cli import main
from cupel.contract.tables.answers import ANSWERS
from cupel.kinds.projects import load_project
from cupel.lake.answer_chain import GIVEN
from cupel.lake.lake import Lake
from cupel.release.verify import verify_release
from cupel.store.locks import project_lock
from cupel.trace.machine import as_json
from cupel.trace.trace import trace
from dagster_homes import make_home
from orchestration import prune as prune_module
from orchestration.deployment import Deployment
from orchestration.old_runs import find_old_runs
from orchestration.prune import Pruned, plan_prune, prune
from orchestration.rebuild import rebuild
from orchestration.rounds import Done, Rounds
from small_project import write_project

DAYS = 40 * 86_400


def late(number: int) -> pa.Table:
    """Return an answer that nobody asked for now."""
    row = dict.fromkeys(GIVEN) | {
        "answer_id": f"late-{number}", "batch": "one", "item_id": f"i{number}", "purpose": "label", "source": "test",
        "annotator": f"late{number}", "label": "warm",
    }  # fmt: skip
    schema = pa.schema([ANSWERS.schema.field(name).with_nullable(True) for name in GIVEN])
    return pa.Table.from_pylist([row], schema=schema)


class Place:
    """A project on a record of its own."""

    def __init__(self, folder: Path) -> None:
        self.deployment = Deployment(folder / "projects", folder / "data", str(folder / "lake"))
        self.home = folder / "home"
        self.lake = Lake(self.deployment.lake, "small")

    @property
    def project(self) -> Any:
        return load_project(self.deployment.projects / "small.yaml")

    def run(self) -> Done:
        with dg.DagsterInstance.from_config(str(self.home)) as instance:
            done = Rounds(self.project, self.deployment, instance).run()
        assert done.broken == []
        return done

    def prune(self, *, is_only_told: bool = False) -> Pruned:
        with dg.DagsterInstance.from_config(str(self.home)) as instance:
            work = plan_prune if is_only_told else prune
            return work([self.project], Path(self.deployment.lake), instance, self.home)

    def said(self) -> dict[str, Any]:
        """Return what a person can ask of the lake."""
        release = Path(str(self.lake.folder)) / "releases" / "one-r1"
        return {
            "trace": as_json(trace(self.deployment.lake, "one/i7")),
            "trace of a late one": as_json(trace(self.deployment.lake, "one/i1")),
            "verify": verify_release(release),
            "tables": {
                f"{table}@{name}": self.lake.read(table, name).to_pylist()
                for table in ("labels", "annotations", "consensus", "routes") for name in self.lake.partitions(table)
            },
        }  # fmt: skip

    def page(self) -> dict[str, Any]:
        """Return what Dagster's page shows of the tables' partitions and checks."""
        with dg.DagsterInstance.from_config(str(self.home)) as instance:
            tables = [key for key in instance.all_asset_keys() if key.path[0] == "small"]
            partitions = {str(key): instance.get_materialized_partitions(key) for key in tables}
            events = {
                str(key): record.asset_entry.last_materialization_record
                for key in tables
                for record in instance.get_asset_records([key])
            }
        return {"partitions": partitions, "latest": {name: record and record.run_id for name, record in events.items()}}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished project into which late answers came, twice."""
    folder = tmp_path_factory.mktemp("prune")
    write_project(folder, items=120, crew_error=0.02)
    make_home(folder / "home")
    place = Place(folder)
    place.run()
    for number in range(2):
        place.lake.answers.append(late(number))
        place.run()
    return folder


@pytest.fixture
def place(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """The same place, 40 days later."""
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + DAYS)
    return Place(shutil.copytree(finished, tmp_path / "place"))


def files(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "lock" not in path.name and path.name != "seen.json"  # how files look, not what they hold
    }  # fmt: skip


def test_after_a_prune_all_that_can_be_asked_is_as_it_was_and_nothing_is_run(place: Place, tmp_path: Path) -> None:
    lake = Path(str(place.lake.folder))
    said, page, there = place.said(), place.page(), files(lake)
    planned = place.prune(is_only_told=True)
    assert files(lake) == there
    found = place.prune()
    assert found == planned
    assert found.parts["small"] > 20
    assert found.runs > 0
    assert (place.said(), place.page()) == (said, page)
    left = files(lake)
    assert left.items() <= there.items()
    assert {name.split("/")[0] for name in there.keys() - left.keys()} == {"tables"}
    assert place.run().runs == []
    again = place.prune()
    assert (again.parts["small"], again.runs, again.notes) == (0, 0, [])
    comparison = rebuild(place.deployment, "small", "one-r1", tmp_path / "again")
    assert comparison.is_same, comparison.first_difference


def test_labels_that_a_release_froze_stay_though_later_ones_came(place: Place) -> None:
    plan = place.lake.commit("release_plan", "one-r1")
    assert plan is not None
    folder = Path(str(place.lake.partition_folder("labels", "one")))
    frozen = plan.inputs["labels@one"]
    assert frozen != place.lake.version("labels@one")
    place.prune()
    schema = place.lake.read("labels", "one").schema.to_string()
    hashes = [hashlib.sha256(f"{schema}{path.name}".encode()).hexdigest() for path in folder.glob("*.parquet")]
    assert frozen in hashes


def test_databases_become_smaller_and_runs_leave_no_file(place: Place) -> None:
    history = place.home / "history"
    before = (history / "runs" / "index.db").stat().st_size
    with dg.DagsterInstance.from_config(str(place.home)) as instance:
        old = {run.run_id for run in find_old_runs(instance, {})}
        known = {run.run_id for run in instance.get_runs()}
    place.prune()
    names = {path.name.partition(".")[0] for path in (history / "runs").iterdir()}
    assert names == {"index", "", *(known - old)}
    assert (history / "runs" / "index.db").stat().st_size < before
    with closing(sqlite3.connect(history / "runs" / "index.db")) as database:
        left = {run for (run,) in database.execute("SELECT run_id FROM event_logs")}
        left |= {run for (run,) in database.execute("SELECT run_id FROM asset_check_executions")}
    assert not left & old
    assert old
    with dg.DagsterInstance.from_config(str(place.home)) as instance:
        assert {run.run_id for run in instance.get_runs()} == known - old


def test_new_runs_stay_as_far_as_the_project_says(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() - DAYS + 2 * 86_400)
    assert place.prune(is_only_told=True).runs == 0
    path = place.deployment.projects / "small.yaml"
    content = yaml.safe_load(path.read_text())
    path.write_text(yaml.safe_dump(content | {"operation": {"prune": {"runs_kept": 1}}}))
    assert place.prune(is_only_told=True).runs > 0


def test_while_a_run_is_at_work_on_the_project_its_lake_is_left(place: Place) -> None:
    there = files(Path(str(place.lake.folder)))
    with project_lock(place.lake.store, place.lake.project, "make run"):
        found = place.prune()
    assert found.parts["small"] == 0
    assert "make run (process" in found.notes[0]
    assert files(Path(str(place.lake.folder))) == there


@pytest.mark.parametrize(("table", "content"), [("labels", None), ("signatures", None), ("signatures", b"x")])
def test_of_a_damaged_lake_nothing_is_removed_and_what_mends_it_is_told(
    place: Place, table: str, content: bytes | None
) -> None:
    part = Path(place.lake.files(table, "one")[0])
    part.unlink()
    if content is not None:
        part.write_bytes(content)
    there = files(Path(str(place.lake.folder)))
    found = place.prune()
    assert found.parts["small"] == 0
    assert f"{part.name}: " in found.notes[0]
    assert "make run PROJECT=small" in found.notes[0]
    assert files(Path(str(place.lake.folder))) == there


def test_a_broken_database_of_the_record_is_told_and_the_lake_is_pruned(place: Place) -> None:
    path = place.home / "history" / "runs" / ".db"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    found = place.prune()
    assert found.parts["small"] > 20
    assert "malformed" in found.notes[0]


def test_the_number_of_the_newest_event_is_never_given_again(place: Place) -> None:
    """Cursors of sensors are such numbers: an event of a lower one than theirs they would never see."""

    def newest() -> int:
        with closing(sqlite3.connect(place.home / "history" / "runs" / "index.db")) as database:
            return int(database.execute("SELECT max(id) FROM event_logs").fetchone()[0])

    before = newest()
    place.prune()
    assert newest() == before


def test_a_prune_killed_between_a_runs_record_and_its_file_is_ended_by_the_next(place: Place) -> None:
    with dg.DagsterInstance.from_config(str(place.home)) as instance:
        run = find_old_runs(instance, {})[0]
        instance.run_storage.delete_run(run.run_id)
    assert (place.home / "history" / "runs" / f"{run.run_id}.db").exists()
    place.prune()
    assert not (place.home / "history" / "runs" / f"{run.run_id}.db").exists()
    with closing(sqlite3.connect(place.home / "history" / "runs" / "index.db")) as database:
        assert database.execute("SELECT count(*) FROM event_logs WHERE run_id = ?", [run.run_id]).fetchone() == (0,)


def test_a_long_log_is_moved_beside_and_its_program_goes_on_at_the_new_end(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prune_module, "LOG_BYTES", 10)
    log = place.home / "service" / "page.log"
    log.parent.mkdir()
    with log.open("ab", buffering=0) as written:
        written.write(b"0123456789abcdef")
        assert place.prune().log_bytes == 16
        written.write(b"more")
    assert (log.read_bytes(), log.with_name("page.log.1").read_bytes()) == (b"more", b"6789abcdef")
    assert place.prune().log_bytes == 0


def test_the_command_says_what_it_would_do_and_does_it_when_told_to(place: Place, tmp_path: Path) -> None:
    options = ["--projects", place.deployment.projects, "--lake", place.deployment.lake, "--home", place.home]
    file = tmp_path / "pruned.json"

    def command(*more: object) -> str:
        done = CliRunner().invoke(main, ["prune", *map(str, [*options, *more])], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    home = os.environ.get("DAGSTER_HOME")
    try:
        told = command("--json", file)
        count = json.loads(file.read_text())["parts"]["small"]
        assert f"small: {count} superseded parts of tables to remove" in told
        assert "Nothing was removed. `cupel prune --yes` does it." in told
        assert f"small: {count} superseded parts of tables removed" in command("small", "--yes")
        assert "small: 0 superseded parts of tables to remove" in command()
    finally:
        if home is None:
            os.environ.pop("DAGSTER_HOME", None)
        else:
            os.environ["DAGSTER_HOME"] = home
