"""A part is removed when its commit does not name it, nothing else does either, and nobody reads it any more."""

import os
import threading
import time
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

import cupel.lake.lake as lake_module
from cupel.contract.table import from_rows
from cupel.contract.tables import TABLES
from cupel.contract.tables.checking import ROUTES
from cupel.errors import LakeError
from cupel.lake import superseded_parts as superseded
from cupel.lake.lake import Lake
from cupel.lake.superseded_parts import find_superseded, remove_superseded
from cupel.store.locks import claim, pause

HOURS = 24
TABLE_OF_NOTHING = TABLES["rejected_items"].schema.empty_table()


def routes(count: int) -> pa.Table:
    row = {"route": "accept", "reason": "r", "votes": 3, "label": None, "log_odds": 0.5}
    return from_rows([{"item_id": f"item {n}", **row} for n in range(count)], ROUTES)


def part_of(lake: Lake, table: str = "routes") -> Path:
    return Path(lake.files(table, "one")[0])


def make_old(lake: Lake) -> None:
    """Let all that was written have been written two days ago."""
    then = time.time() - 2 * 86_400
    for path in Path(str(lake.folder)).rglob("*"):
        os.utime(path, (then, then))


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """A table of which there is an old part, and the part that its commit names."""
    lake = Lake(tmp_path, "p")
    for count in (3, 4):
        lake.write("routes", "one", routes(count))
    return lake


def test_a_part_in_whose_place_a_newer_one_came_is_removed_and_the_newer_one_stays(lake: Lake) -> None:
    make_old(lake)
    now = part_of(lake)
    found = find_superseded(lake, HOURS)
    assert [(part.table, part.partition) for part in found] == [("routes", "one")]
    assert lake.folder / found[0].name != now
    assert remove_superseded(lake, HOURS) == (1, found[0].bytes, [])
    assert sorted(now.parent.glob("*.parquet")) == [now]
    assert lake.read("routes", "one").num_rows == 4
    assert remove_superseded(lake, HOURS) == (0, 0, [])


def test_a_part_stays_for_the_readers_that_found_it_when_the_newer_one_came(lake: Lake) -> None:
    make_old(lake)
    lake.write("routes", "one", routes(5))  # the one before is old, but was current until now
    assert find_superseded(lake, HOURS) == []


def test_a_part_that_a_run_has_just_put_in_place_stays_though_its_commit_is_not_there_yet(lake: Lake) -> None:
    make_old(lake)
    new = part_of(lake).with_name(f"part-{'0' * 64}.parquet")
    new.write_bytes(b"of a table of many parts")
    assert new not in [lake.folder / part.name for part in find_superseded(lake, HOURS)]


def test_a_part_stays_while_another_table_was_made_from_what_it_held(tmp_path: Path) -> None:
    lake = Lake(tmp_path, "p")
    before = lake.write("routes", "one", routes(3))
    kept = part_of(lake)
    lake.write("routes", "one", routes(4))
    dropped = part_of(lake)
    lake.write("routes", "one", routes(5))
    lake.write("rejected_items", "one", TABLE_OF_NOTHING, {"routes@one": before.hash})
    make_old(lake)
    assert [lake.folder / part.name for part in find_superseded(lake, HOURS)] == [dropped]
    lake.write("rejected_items", "one", TABLE_OF_NOTHING, {"routes@one": lake.version("routes@one")})
    make_old(lake)
    assert {lake.folder / part.name for part in find_superseded(lake, HOURS)} == {kept, dropped}


def test_of_a_table_of_several_parts_all_stay_while_another_was_made_from_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (lake_module, superseded):
        monkeypatch.setattr(module, "ROWS_PER_PART", 4)
    lake = Lake(tmp_path, "p")
    before = lake.write("routes", "one", routes(6))
    kept = {Path(name) for name in lake.files("routes", "one")}
    assert len(kept) == 2
    lake.write("rejected_items", "one", TABLE_OF_NOTHING, {"routes@one": before.hash})
    lake.write("routes", "one", routes(2))
    make_old(lake)
    assert find_superseded(lake, HOURS) == []
    lake.write("rejected_items", "one", TABLE_OF_NOTHING, {"routes@one": lake.version("routes@one")})
    make_old(lake)
    assert {lake.folder / part.name for part in find_superseded(lake, HOURS)} == kept


def test_where_a_commit_cannot_be_read_nothing_of_the_lake_is_removed(lake: Lake) -> None:
    make_old(lake)
    there = sorted(Path(str(lake.folder)).rglob("*.parquet"))
    other = lake.partition_folder("tasks", "one")
    other.mkdir(parents=True)
    for content in ("{}", "no JSON", "[]"):
        (other / "commit.json").write_text(content)
        with pytest.raises(LakeError, match=r"tasks/one/commit\.json: cannot be read"):
            remove_superseded(lake, HOURS)
    assert sorted(Path(str(lake.folder)).rglob("*.parquet")) == there


def test_where_the_current_part_is_gone_the_one_before_stays(lake: Lake) -> None:
    make_old(lake)
    part_of(lake).unlink()
    assert find_superseded(lake, HOURS) == []


def test_what_is_no_part_stays(lake: Lake) -> None:
    kept = part_of(lake).with_name("part-of-the-team.parquet")
    kept.write_bytes(b"")
    make_old(lake)
    remove_superseded(lake, HOURS)
    assert kept.exists()


def test_a_batch_that_a_step_is_at_work_on_is_left(lake: Lake) -> None:
    make_old(lake)
    with claim(lake.store, "one", "run-a"):
        assert remove_superseded(lake, HOURS) == (0, 0, ["one"])
    assert remove_superseded(lake, HOURS).parts == 1


def test_a_step_that_begins_while_parts_are_removed_waits(lake: Lake) -> None:
    begun = threading.Event()

    def step() -> None:
        with claim(lake.store, "one", "run-a"):
            begun.set()

    with pause(lake.store, "one") as is_idle:
        assert is_idle
        waiting = threading.Thread(target=step)
        waiting.start()
        assert not begun.wait(0.2)
    waiting.join(10)
    assert begun.is_set()


def test_the_catalog_names_no_part_that_was_removed(lake: Lake) -> None:
    lake.write_catalog()
    lake.write("routes", "one", routes(5))
    make_old(lake)
    remove_superseded(lake, HOURS)
    with duckdb.connect(str(lake.folder / "catalog.duckdb"), read_only=True) as catalog:
        assert catalog.execute("SELECT count(*) FROM routes").fetchone() == (5,)
