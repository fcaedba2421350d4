from pathlib import Path

import pytest

from cupel.contract.table import empty
from cupel.contract.tables.gates import GATE_RESULTS
from cupel.contract.tables.raw import RAW_ITEMS
from cupel.lake.lake import Lake
from orchestration.judged_lake import judged_lake


def test_outcomes_are_read_from_the_lake_and_written_beside_it(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake", "small")
    lake.write("raw_items", "one", empty(RAW_ITEMS))
    lake.write("gate_results", "raw--one", empty(GATE_RESULTS))
    judged = judged_lake(lake, tmp_path / "judged")
    assert judged.commit("raw_items", "one") == lake.commit("raw_items", "one")
    assert judged.commit("gate_results", "raw--one") == lake.commit("gate_results", "raw--one")
    judged.write("gate_results", "cleaning--one", empty(GATE_RESULTS))
    judged.write("gate_results", "raw--one", empty(GATE_RESULTS), code_version="2")
    assert lake.partitions("gate_results") == ["raw--one"]
    commit = lake.commit("gate_results", "raw--one")
    assert commit is not None
    assert commit.code_version == "1"


def test_a_lake_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    judged = judged_lake(Lake(tmp_path / "lake", "small"), tmp_path / "judged")
    assert judged.partitions("raw_items") == []
    assert not (tmp_path / "lake").exists()


def test_a_lake_named_relative_to_here_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    lake = Lake("lake", "small")
    lake.write("raw_items", "one", empty(RAW_ITEMS))
    (tmp_path / "elsewhere").mkdir()
    judged = judged_lake(lake, tmp_path / "judged")
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert judged.read("raw_items", "one").num_rows == 0


def test_outcomes_can_be_written_beside_a_lake_that_may_only_be_read(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake", "small")
    lake.write("gate_results", "raw--one", empty(GATE_RESULTS))
    folder = Path(str(lake.partition_folder("gate_results", "raw--one")))
    folder.chmod(0o555)
    judged = judged_lake(lake, tmp_path / "judged")
    assert Path(str(judged.partition_folder("gate_results", "raw--one"))).stat().st_mode & 0o200
