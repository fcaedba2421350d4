import json
import os
import random
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

import cupel.lake.lake
from cupel.contract.columns import Column
from cupel.contract.table import Table, from_rows
from cupel.contract.tables import TABLES
from cupel.contract.tables.checking import ROUTES
from cupel.contract.tables.raw import REJECTED_ROWS
from cupel.contract.tables.tasks import TASKS
from cupel.errors import LakeError, TableError
from cupel.lake.lake import Lake
from cupel.store.memory import MemoryStore
from cupel.store.store import NoLocationError


def routes(count: int, seed: int = 0) -> pa.Table:
    rows = [
        {"item_id": f"item {n}", "route": "accept", "reason": "r", "votes": 3, "label": None, "log_odds": n / 7}
        for n in range(count)
    ]
    random.Random(seed).shuffle(rows)
    return from_rows(rows, ROUTES)


def test_what_is_written_is_read_in_the_order_of_the_key(tmp_path: Path) -> None:
    lake = Lake(tmp_path, "p")
    lake.write("routes", "one", routes(100))
    read = lake.read("routes", "one")
    assert read["item_id"].to_pylist() == sorted(routes(100)["item_id"].to_pylist())
    assert read.schema.equals(ROUTES.schema)


def test_the_order_of_rows_and_the_number_of_threads_do_not_change_a_byte(tmp_path: Path) -> None:
    hashes = set()
    for number, threads in enumerate((1, 2, 4)):
        connection = duckdb.connect(config={"threads": threads})
        hashes.add(Lake(tmp_path / str(number), "p", connection).write("routes", "one", routes(70_000, number)).hash)
    assert len(hashes) == 1


def test_a_relation_a_reader_and_a_table_give_the_same_bytes(tmp_path: Path) -> None:
    lake = Lake(tmp_path, "p")
    data = routes(1_000)
    relation = lake.connection.from_arrow(data)
    reader = pa.RecordBatchReader.from_batches(data.schema, data.to_batches(max_chunksize=7))
    hashes = {lake.write("routes", name, what).hash for name, what in (("a", data), ("b", relation), ("c", reader))}
    assert len(hashes) == 1


def test_a_large_table_lies_in_parts_of_fixed_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cupel.lake.lake, "ROWS_PER_PART", 40)
    lake = Lake(tmp_path, "p")
    commit = lake.write("routes", "one", routes(100))
    assert [pa.parquet.read_table(file).num_rows for file in lake.files("routes", "one")] == [40, 40, 20]
    assert commit.rows == lake.read("routes", "one").num_rows == 100
    assert sum(piece.num_rows for piece in lake.read_batches("routes", "one", 7)) == 100


def test_some_columns_are_read_in_the_order_asked_for(tmp_path: Path) -> None:
    lake = Lake(tmp_path, "p")
    lake.write("routes", "one", routes(10))
    whole = lake.read("routes", "one")
    assert lake.read("routes", "one", ["votes", "item_id"]).equals(whole.select(["votes", "item_id"]))
    pieces = list(lake.read_batches("routes", "one", 3, ["votes", "item_id"]))
    assert [piece.num_rows for piece in pieces] == [3, 3, 3, 1]
    assert pa.concat_tables(pieces).equals(whole.select(["votes", "item_id"]))
    with pytest.raises(TableError, match="no column weight; it has item_id"):
        lake.read("routes", "one", ["weight"])


def test_rows_that_come_in_order_need_not_be_sorted_and_give_the_same_bytes(tmp_path: Path) -> None:
    lake = Lake(tmp_path, "p")
    commit = lake.write("routes", "one", routes(70_000))
    in_order = lake.read("routes", "one")
    assert lake.write("routes", "two", in_order, is_sorted=True).hash == commit.hash
    relation = lake.relation("routes", "one").order("item_id")
    assert lake.write("routes", "three", relation, is_sorted=True).hash == commit.hash
    reader = pa.RecordBatchReader.from_batches(in_order.schema, in_order.to_batches(max_chunksize=999))
    assert lake.write("routes", "four", reader, is_sorted=True).hash == commit.hash


@pytest.mark.parametrize("where", [0, 999, 2_500])
def test_rows_that_should_come_in_order_and_do_not_are_refused(tmp_path: Path, where: int) -> None:
    lake = Lake(tmp_path, "p")
    lake.write("routes", "one", routes(3_000))
    rows = lake.read("routes", "one")
    mixed = pa.concat_tables([rows.slice(0, where), rows.slice(where + 1, 1), rows.slice(where, 1)])
    reader = pa.RecordBatchReader.from_batches(rows.schema, mixed.to_batches(max_chunksize=1_000))
    with pytest.raises(TableError, match="comes after"):
        lake.write("routes", "two", reader, is_sorted=True)
    assert [path.name for path in lake.partition_folder("routes", "two").iterdir()] == []


def test_a_part_that_was_altered_or_is_gone_is_refused_however_it_is_read(tmp_path: Path) -> None:
    lake = Lake(tmp_path, "p")
    lake.write("routes", "one", routes(5))
    path = Path(lake.files("routes", "one")[0])
    reads = [
        lambda: lake.read("routes", "one"),
        lambda: lake.read("routes", "one", ["votes"]),
        lambda: list(lake.read_batches("routes", "one")),
        lambda: lake.relation("routes", "one").fetchall(),
    ]
    for read in reads:
        read()
    good = path.read_bytes()
    path.write_bytes(good[:-20] + b"x" * 20)
    for read in reads:
        with pytest.raises(LakeError, match="was altered"):
            read()
    path.unlink()
    for read in reads:
        with pytest.raises(LakeError, match="is gone"):
            read()


def test_an_altered_part_is_mended_by_the_write_of_the_same_rows(tmp_path: Path) -> None:
    lake = Lake(tmp_path, "p")
    lake.write("routes", "one", routes(5))
    Path(lake.files("routes", "one")[0]).write_bytes(b"x")
    lake.write("routes", "one", routes(5))
    assert lake.read("routes", "one").num_rows == 5


def test_what_a_killed_writer_left_goes_with_the_next_write_unless_it_may_be_alive(tmp_path: Path) -> None:
    lake = Lake(tmp_path, "p")
    lake.write("routes", "one", routes(3))
    folder = Path(str(lake.partition_folder("routes", "one")))
    unique = uuid.uuid4().hex
    dead = [f".cupel-{unique}"]
    other = [f".notes-{unique}", "part-of-nothing"]
    for name in (*dead, *other):
        (folder / name).write_bytes(b"")
        os.utime(folder / name, (0, 0))
    alive = f".cupel-{uuid.uuid4().hex}"
    (folder / alive).write_bytes(b"")
    with pytest.raises(TableError):
        lake.write("routes", "one", pa.concat_tables([routes(1), routes(1)]))
    assert {*dead, *other, alive} <= {path.name for path in folder.iterdir()}
    lake.write("routes", "one", routes(4))
    left = {path.name for path in folder.iterdir()}
    assert left.isdisjoint(dead)
    assert {*other, alive} <= left
    assert lake.read("routes", "one").num_rows == 4


def test_an_empty_table_is_a_table(tmp_path: Path) -> None:
    lake = Lake(tmp_path, "p")
    assert lake.write("routes", "one", routes(0)).rows == 0
    assert lake.read("routes", "one").num_rows == 0
    assert lake.relation("routes", "one").fetchall() == []


@pytest.mark.parametrize("size", [2, 70_000])
def test_two_rows_with_one_key_are_refused_and_nothing_changes(tmp_path: Path, size: int) -> None:
    lake = Lake(tmp_path, "p")
    before = lake.write("routes", "one", routes(3))
    twice = pa.concat_tables([routes(size), routes(size).slice(0, 1)])
    with pytest.raises(TableError, match="two rows with the key"):
        lake.write("routes", "one", twice)
    assert lake.commit("routes", "one") == before


@pytest.mark.parametrize("partition", ["../../x", "a/b", "", "..", "A"])
def test_a_partition_cannot_leave_the_lake(tmp_path: Path, partition: str) -> None:
    with pytest.raises(LakeError, match="not a slug"):
        Lake(tmp_path, "p").write("routes", partition, routes(1))


def test_an_unknown_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LakeError, match="not known"):
        Lake(tmp_path, "p").write("../x", "one", routes(1))


def test_reading_what_is_not_there_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(LakeError, match="routes, partition one: not there yet"):
        Lake(tmp_path, "p").read("routes", "one")


def test_a_broken_commit_is_named(tmp_path: Path) -> None:
    lake = Lake(tmp_path, "p")
    lake.write("routes", "one", routes(1))
    (lake.partition_folder("routes", "one") / "commit.json").write_text("{")
    with pytest.raises(LakeError, match="not a commit"):
        lake.read("routes", "one")


def test_a_table_is_stale_when_code_or_an_input_changes_and_fresh_when_the_input_is_written_again(
    tmp_path: Path,
) -> None:
    lake = Lake(tmp_path, "p")
    task = {
        "task_id": "t", "batch": "one", "item_id": "i", "purpose": "label", "slot": 1,
        "asked_of": "annotator", "reason": "r", "is_answered": False,
    }  # fmt: skip
    source = lake.write("tasks", "one", from_rows([task], TASKS))
    lake.write("routes", "one", routes(2), {"tasks@one": source.hash}, "v1")
    assert lake.is_fresh("routes", "one", "v1")
    assert not lake.is_fresh("routes", "one", "v2")
    lake.write("tasks", "one", lake.read("tasks", "one"))
    assert lake.is_fresh("routes", "one", "v1")
    lake.write("tasks", "one", lake.read("tasks", "one").slice(0, 0))
    assert not lake.is_fresh("routes", "one", "v1")


def test_the_catalog_shows_every_table_over_its_partitions(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "it's here", "p")
    lake.write("routes", "one", routes(2))
    lake.write("routes", "two", routes(3))
    with duckdb.connect(str(lake.write_catalog()), read_only=True) as catalog:
        counts = catalog.execute("SELECT partition, count(*) FROM routes GROUP BY ALL ORDER BY ALL").fetchall()
    assert counts == [("one", 2), ("two", 3)]


def test_a_writer_killed_before_its_commit_leaves_the_old_table(tmp_path: Path) -> None:
    lake = Lake(tmp_path, "p")
    before = lake.write("routes", "one", routes(3))
    script = tmp_path / "kill.py"
    script.write_text(
        "import os\n"
        "from cupel.lake.lake import Lake\n"
        "from cupel.store.local import LocalStore\n"
        f"lake = Lake({str(tmp_path)!r}, 'p')\n"
        "data = lake.read('routes', 'one').slice(0, 2)\n"
        "LocalStore.replace_if_unchanged = lambda *_: os.kill(os.getpid(), 9)\n"
        "lake.write('routes', 'one', data)\n"
    )
    done = subprocess.run([sys.executable, str(script)], env={**os.environ}, check=False)
    assert done.returncode == -9
    assert lake.commit("routes", "one") == before
    assert lake.read("routes", "one").num_rows == 3


def test_of_two_that_write_a_table_at_once_the_second_is_told_and_the_first_ones_table_stays(tmp_path: Path) -> None:
    mine, theirs = Lake(tmp_path, "p"), Lake(tmp_path, "p")

    def rows(count: int) -> Iterator[pa.RecordBatch]:
        """Yield rows, and write others meanwhile."""
        theirs.write("routes", "one", routes(count))
        yield from routes(3).sort_by("item_id").to_batches()

    for count in (4, 5):
        reader = pa.RecordBatchReader.from_batches(ROUTES.schema, rows(count))
        with pytest.raises(LakeError, match=r"routes/one/commit\.json: another process wrote the table at the same"):
            mine.write("routes", "one", reader, is_sorted=True)
        assert mine.read("routes", "one").num_rows == count
    reader = pa.RecordBatchReader.from_batches(ROUTES.schema, rows(3))
    assert mine.write("routes", "one", reader, is_sorted=True) == theirs.commit("routes", "one")


def test_a_lake_in_memory_is_written_and_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cupel.lake.lake, "ROWS_PER_PART", 4)
    store = MemoryStore()
    lake = Lake(store, "p")
    before = lake.write("routes", "one", routes(3))
    commit = lake.write("routes", "one", routes(10), {"routes@two": "absent"}, "7")
    assert (len(commit.parts), commit.hash != before.hash) == (3, True)
    again = Lake(store, "p")
    assert again.commit("routes", "one") == commit
    assert again.partitions("routes") == ["one"]
    assert again.is_fresh("routes", "one", "7")
    expected = again.read("routes", "one")
    assert expected.num_rows == 10
    assert pa.concat_tables(again.read_batches("routes", "one", 3)).equals(expected)
    assert again.relation("routes", "one").to_arrow_table().cast(expected.schema).equals(expected)
    with pytest.raises(NoLocationError):
        again.write_catalog()
    store.put(again.parts("routes", "one")[1], b"other bytes")
    with pytest.raises(LakeError, match="the part was altered"):
        again.relation("routes", "one")


def test_a_commit_says_what_a_table_was_made_of(tmp_path: Path) -> None:
    lake = Lake(tmp_path, "p")
    lake.write("routes", "one", routes(2), {"b": "2", "a": "1"}, "v1")
    content = json.loads((lake.partition_folder("routes", "one") / "commit.json").read_text())
    assert list(content["inputs"]) == ["a", "b"]
    assert content["code_version"] == "v1"
    assert content["rows"] == 2


def grown(is_optional: bool) -> Table:
    return REJECTED_ROWS._replace(columns=(*REJECTED_ROWS.columns, Column("more", pa.string(), "", is_optional)))


def test_a_column_that_came_later_is_null_in_what_was_written_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = Lake(tmp_path, "small")
    rows = [
        {"batch": "one", "source_file": "a", "line": line, "reason": "not_json", "evidence": "{"} for line in (1, 2)
    ]
    lake.write("rejected_rows", "one", from_rows(rows, REJECTED_ROWS))
    monkeypatch.setitem(TABLES, "rejected_rows", grown(is_optional=True))
    later = from_rows(rows, REJECTED_ROWS).append_column("more", pa.nulls(2, pa.string())).to_pylist()
    assert lake.read("rejected_rows", "one").to_pylist() == later
    assert lake.read("rejected_rows", "one", ["more"]).to_pylist() == [{"more": None}] * 2
    assert [row for piece in lake.read_batches("rejected_rows", "one", 1) for row in piece.to_pylist()] == later
    monkeypatch.setitem(TABLES, "rejected_rows", grown(is_optional=False))
    with pytest.raises(LakeError, match="has no column more, for an earlier version wrote it; make the table anew"):
        lake.read("rejected_rows", "one")
    with pytest.raises(LakeError, match="has no column more"):
        list(lake.read_batches("rejected_rows", "one"))
