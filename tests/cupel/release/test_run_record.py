import json
from pathlib import Path

from cupel.lake.lake import Lake
from cupel.lake.stage_seconds import add_seconds, put_cpu
from cupel.release.layout import json_bytes
from cupel.release.run_record import run_record


def test_seconds_are_added_up_over_a_release_and_its_deliveries_and_no_machine_is_named(tmp_path: Path) -> None:
    lake = Lake(tmp_path, "small")
    assert run_record(lake, ["one", "one-r1"])["cleaning_cpu_share"] is None
    add_seconds(lake, "one", {"raw": 1.0, "gates": 0.5}, is_new=True)
    add_seconds(lake, "one-r1", {"release": 2.0, "gates": 0.25}, is_new=True)
    add_seconds(lake, "two", {"raw": 100.0}, is_new=True)
    put_cpu(lake, "one", "measure", "cleaning", "first", 2.0)
    put_cpu(lake, "one", "design", "contamination", "first", 0.5)
    put_cpu(lake, "one", "design", "contamination", "second", 0.5)
    put_cpu(lake, "one-r1", "hand_over", "release", "second", 9.0)
    record = json.loads(json_bytes(run_record(lake, ["one", "one-r1"])))
    assert record["seconds"] == {"raw": 1.0, "gates": 0.75, "release": 2.0}
    assert (record["cpu_seconds"], record["cleaning_cpu_share"]) == (
        {"cleaning": 2.0, "contamination": 1.0, "release": 9.0},
        3 / 12,
    )
    assert set(record["machine"]) == {"cores", "memory_bytes", "system", "architecture", "python"}
    assert record["machine"]["cores"] >= 1
