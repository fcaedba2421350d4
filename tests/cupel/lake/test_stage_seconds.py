"""CPU seconds of steps: kept beside the tables, each as it ran last."""

from pathlib import Path

from cupel.lake.lake import Lake
from cupel.lake.stage_seconds import put_cpu, read_cpu


def test_a_steps_last_run_counts_and_stages_are_added_up_over_partitions(tmp_path: Path) -> None:
    lake = Lake(tmp_path, "small")
    assert read_cpu(lake, ["one"]) == {}
    put_cpu(lake, "one", "measure", "cleaning", 9.0)
    put_cpu(lake, "one", "measure", "cleaning", 2.0)
    put_cpu(lake, "one", "sign", "cleaning", 1.0)
    put_cpu(lake, "one-r1", "certify", "release", 5.0)
    assert read_cpu(lake, ["one", "one-r1", "none"]) == {"cleaning": 3.0, "release": 5.0}
