"""CPU seconds of steps: kept beside the tables, of every run."""

from pathlib import Path

from cupel.lake.lake import Lake
from cupel.lake.stage_seconds import put_cpu, read_cpu
from cupel.store.sealed import seal_json


def test_every_run_of_a_step_counts_once_and_stages_are_added_up_over_partitions(tmp_path: Path) -> None:
    lake = Lake(tmp_path, "small")
    assert read_cpu(lake, ["one"]) == {}
    put_cpu(lake, "one", "measure", "cleaning", "first", 9.0)
    put_cpu(lake, "one", "measure", "cleaning", "second", 4.0)
    put_cpu(lake, "one", "measure", "cleaning", "second", 2.0)
    put_cpu(lake, "one", "sign", "cleaning", "first", 1.0)
    put_cpu(lake, "one-r1", "certify", "release", "second", 5.0)
    assert read_cpu(lake, ["one", "one-r1", "none"]) == {"cleaning": 12.0, "release": 5.0}


def test_what_an_older_version_remembered_of_the_last_run_counts_too(tmp_path: Path) -> None:
    lake = Lake(tmp_path, "small")
    lake.store.put("cpu/one.json", seal_json({"measure": ["cleaning", 3.0]}))
    put_cpu(lake, "one", "measure", "cleaning", "now", 2.0)
    assert read_cpu(lake, ["one"]) == {"cleaning": 5.0}
