import shutil
from pathlib import Path

import pyarrow as pa
import pytest

from cupel.contract.columns import Column
from cupel.contract.table import from_rows
from cupel.contract.tables import TABLES
from cupel.contract.tables.raw import REJECTED_ROWS
from cupel.lake.lake import Commit, Lake
from cupel.lake.recorded_inputs import alteration, gates_there, recorded_hashes


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    lake = Lake(tmp_path, "small")
    rows = [{"batch": "one", "source_file": "a", "line": 1, "reason": "not_json", "evidence": "{"}]
    lake.write("rejected_rows", "one", from_rows(rows, REJECTED_ROWS))
    return lake


def committed(lake: Lake) -> Commit:
    commit = lake.commit("rejected_rows", "one")
    assert commit is not None
    return commit


def test_a_table_as_it_was_written_is_not_altered(lake: Lake) -> None:
    assert alteration(lake, committed(lake)) == ""


def test_a_table_that_has_got_another_column_since_is_not_altered(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    grown = REJECTED_ROWS._replace(columns=(*REJECTED_ROWS.columns, Column("more", pa.string(), "", is_optional=True)))
    monkeypatch.setitem(TABLES, "rejected_rows", grown)
    assert alteration(lake, committed(lake)) == ""


def test_a_part_that_was_altered_is_named(lake: Lake) -> None:
    part = Path(lake.files("rejected_rows", "one")[0])
    part.write_bytes(part.read_bytes() + b" ")
    assert part.name in alteration(lake, committed(lake))


def test_a_commit_of_other_parts_is_an_alteration(lake: Lake) -> None:
    assert "does not name these parts" in alteration(lake, committed(lake)._replace(hash="0" * 64))


def test_what_a_release_was_made_from_is_followed_as_far_as_the_lake_still_holds_it(
    traced: Path, tmp_path: Path
) -> None:
    lake = Lake(shutil.copytree(traced, tmp_path / "lake"), "small")
    recorded = recorded_hashes(lake, "one-r2")
    for table in ("labels", "consensus", "annotations", "clean_items", "raw_items"):
        assert recorded.frozen[f"{table}@one"] == lake.version(f"{table}@one")
    assert recorded.ended["training_set@one-r2"] == lake.version("training_set@one-r2")
    assert {f"gate_results@{gate}" for gate in gates_there(lake, "one")} <= set(recorded.ended)
    lake.write("labels", "one", lake.read("labels", "one").slice(1))
    after = recorded_hashes(lake, "one-r2")
    assert after.frozen["labels@one"] == recorded.frozen["labels@one"]
    assert "consensus@one" not in after.frozen
