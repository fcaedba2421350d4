"""The catalog: it shows the lake that it lies in, or says why it cannot; never another one."""

import json
import shutil
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from cupel.contract.table import from_rows
from cupel.contract.tables.checking import ROUTES
from cupel.lake.catalog import CATALOG, FOLDER_VARIABLE, MARK
from cupel.lake.lake import Lake

SEVERAL = "several catalogs are open in one connection"


def _write(lake: Lake, count: int) -> None:
    rows = [{"item_id": f"i{number}", "route": "accept", "reason": "r", "votes": 1} for number in range(count)]
    lake.write("routes", "one", from_rows([{**row, "label": "a", "log_odds": 1.0} for row in rows], ROUTES))
    lake.write_catalog()


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    made = Lake(tmp_path / "it's \\here", "p-1")
    answers = [
        {"answer_id": f"a{number}", "batch": "one", "item_id": f"i{number}", "purpose": "label", "annotator": "ann",
         "label": "a", "source": "made", "task_id": None, "seconds_spent": None, "answered_at": None}
        for number in range(3)
    ]  # fmt: skip
    made.answers.append(pa.Table.from_pylist(answers))
    made.log("annotator_actions").append(lambda there: [{"annotator": "bob", "deed": "remove"}])
    made.log("replies/one").append(lambda there: [{"key": "k"}])
    _write(made, 2)
    return made


def _ask(folder: Path | str, sql: str = "SELECT count(*) FROM routes") -> list[tuple[object, ...]]:
    with duckdb.connect(str(Path(folder) / CATALOG), read_only=True) as catalog:
        return catalog.execute(sql).fetchall()


def test_the_answers_and_the_events_of_the_logs_are_in_it(lake: Lake) -> None:
    assert _ask(lake.folder, "SELECT sequence, annotator, label FROM answers") == [(n, "ann", "a") for n in (1, 2, 3)]
    found = _ask(lake.folder, "SELECT log, sequence, event->>'$.annotator' FROM events ORDER BY log")
    assert found == [("annotator_actions", 1, "bob"), ("replies/one", 1, None)]


def test_views_and_columns_say_what_they_are(lake: Lake) -> None:
    views = dict(_ask(lake.folder, "SELECT view_name, comment FROM duckdb_views() WHERE NOT internal"))
    assert views.keys() == {"routes", "answers", "events", MARK}
    assert views["routes"] == "A row is what happens to an item next"
    columns = dict(_ask(lake.folder, "SELECT column_name, comment FROM duckdb_columns() WHERE table_name = 'routes'"))
    assert columns == {"partition": "Batch or release.", **{one.name: one.meaning for one in ROUTES.columns}}
    silent = "SELECT count(*) FROM duckdb_columns() WHERE NOT internal AND comment IS NULL AND column_name <> 'project'"
    assert _ask(lake.folder, silent) == [(0,)]


def test_it_is_read_from_any_working_folder(lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder, place in ((tmp_path, lake.folder.relative_to(tmp_path)), (lake.folder, "."), (Path("/"), lake.folder)):
        monkeypatch.chdir(folder)
        assert _ask(place) == [(2,)]


@pytest.mark.parametrize("is_old_there", [True, False])
def test_a_copied_lake_shows_its_own_rows(lake: Lake, tmp_path: Path, is_old_there: bool) -> None:
    copy = Lake(tmp_path / "copy", "p-1")
    shutil.copytree(lake.folder, copy.folder)
    if is_old_there:
        _write(lake, 5)
        assert (_ask(lake.folder), _ask(copy.folder)) == ([(5,)], [(2,)])
    else:
        shutil.rmtree(lake.folder)
        assert _ask(copy.folder) == [(2,)]
    assert len(_ask(copy.folder, "SELECT * FROM answers")) == 3


def test_a_copy_without_its_tables_is_an_error_while_the_old_lake_is_there(lake: Lake, tmp_path: Path) -> None:
    shutil.copy(lake.folder / CATALOG, tmp_path)
    with pytest.raises(duckdb.IOException, match="No files found"):
        _ask(tmp_path)


def test_attached_to_another_database_it_asks_for_its_folder(lake: Lake) -> None:
    with duckdb.connect() as own:
        own.execute("ATTACH $place AS shown (READ_ONLY)".replace("$place", _quoted(lake.folder / CATALOG)))
        with pytest.raises(duckdb.Error, match=rf"SET VARIABLE {FOLDER_VARIABLE} = 'lake/<project>'"):
            own.execute("SELECT * FROM shown.routes")
        own.execute(f"SET VARIABLE {FOLDER_VARIABLE} = {_quoted(lake.folder)}")
        assert own.execute("SELECT count(*) FROM shown.routes").fetchone() == (2,)


def test_two_catalogs_in_one_connection_are_refused_rather_than_mixed_up(lake: Lake, tmp_path: Path) -> None:
    copy = Lake(tmp_path / "copy", "p-1")
    shutil.copytree(lake.folder, copy.folder)
    with duckdb.connect(str(lake.folder / CATALOG), read_only=True) as both:
        both.execute(f"ATTACH {_quoted(copy.folder / CATALOG)} AS copy (READ_ONLY)")
        for view in ("routes", "copy.routes", "copy.answers"):
            with pytest.raises(duckdb.Error, match=SEVERAL):
                both.execute(f"SELECT count(*) FROM {view}").fetchall()


def test_it_says_whose_lake_it_is(lake: Lake) -> None:
    assert _ask(lake.folder, f"SELECT project FROM {MARK}") == [("p-1",)]


def test_no_path_of_the_machine_is_in_it(lake: Lake, tmp_path: Path) -> None:
    (sql,) = _ask(lake.folder, "SELECT string_agg(sql, ' ') FROM duckdb_views() WHERE NOT internal")
    assert str(tmp_path) not in json.dumps(sql)
    assert str(tmp_path).encode() not in (lake.folder / CATALOG).read_bytes()


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
