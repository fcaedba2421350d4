"""The benchmark's own arithmetic: shares, what is left over, exponents."""

import subprocess
import time
from pathlib import Path

import pytest

from benchmarks.chain import _child, entry, growth
from benchmarks.chain_run import Meter, Used


def used(seconds: float, peak: int = 0) -> dict[str, float]:
    return {"seconds": seconds, "cpu_seconds": seconds, "peak_bytes": peak}


def found(**parts: float) -> dict[str, object]:
    return {
        "parts": {name.replace("__", ":"): used(seconds) for name, seconds in parts.items()},
        "peak_bytes": 5, "under_way": [], "rounds": 2, "runs": 3, "tasks_open": 0, "releases": {}, "errors": [],
    }  # fmt: skip


def test_what_a_run_took_beyond_its_steps_is_dagsters_and_all_adds_up() -> None:
    parts = {"start": 2, "all": 20, "runs": 15, "answers": 3, "step__raw__read": 4, "step__gates__a": 2}
    one = entry(1_000, 1, found(**parts, step__gates__b=1, **{"great expectations": 2}))
    stages = {name: stage["seconds"] for name, stage in one["stages"].items()}
    assert stages == {"start": 2, "raw": 4, "gates": 3, "answers": 3, "dagster": 15 - 4 - 3, "other": 20 - 15 - 3}
    assert sum(stages.values()) == one["seconds"] == 22
    assert one["shares"] == {"dagster": 8 / 22, "great_expectations": 2 / 22, "gates": 3 / 22}
    assert one["stages"]["raw"]["rows_per_second"] == 1_000 / 4
    assert set(one["steps"]) == {"raw:read", "gates:a", "gates:b"}


def test_the_exponent_is_one_where_time_grows_with_the_rows_and_two_with_their_square() -> None:
    small = entry(1_000, 1, found(start=1, all=9, runs=9, step__raw__read=1, step__cleaning__compare=1))
    large = entry(10_000, 1, found(start=1, all=999, runs=999, step__raw__read=10, step__cleaning__compare=100))
    (grown,) = growth([large, small])
    assert (grown["from"], grown["to"]) == (1_000, 10_000)
    assert grown["exponents"]["raw"] == pytest.approx(1)
    assert grown["exponents"]["cleaning"] == pytest.approx(2)
    assert grown["exponents"]["start"] == pytest.approx(0)


def test_a_stage_too_short_to_be_measured_has_no_exponent() -> None:
    small = entry(1_000, 1, found(start=1, all=1, step__raw__read=0.01))
    large = entry(10_000, 1, found(start=1, all=1, step__raw__read=1))
    assert "raw" not in growth([small, large])[0]["exponents"]


def test_a_run_that_was_stopped_says_what_it_used_so_far_and_has_no_exponent() -> None:
    told = {"parts": {"start": used(1), "all": used(7), "runs": used(6), "step:raw:read": used(5)},
            "peak_bytes": 5, "under_way": ["all", "runs"]}  # fmt: skip
    stopped = entry(10_000, 1, told, "after 75 minutes")
    assert (stopped["stopped"], stopped["seconds"], stopped["under_way"]) == ("after 75 minutes", 8, ["all", "runs"])
    assert "releases" not in stopped
    assert growth([entry(1_000, 1, found(start=1, all=9)), stopped]) == []


def test_a_child_that_takes_too_long_or_is_killed_is_told_from_one_that_ends(tmp_path: Path) -> None:
    assert _child(tmp_path, "this") is None
    assert _child(tmp_path, "timeit", "-n", "1", "-r", "1", "import time; time.sleep(60)", minutes=0.02) == (
        "after 0.02 minutes"
    )
    code = "import os; os.kill(os.getpid(), 9)"
    assert _child(tmp_path, "timeit", "-n", "1", "-r", "1", code) == "by SIGKILL"
    with pytest.raises(subprocess.CalledProcessError):
        _child(tmp_path, "timeit", "1 / 0")


def test_the_meter_tells_what_is_under_way() -> None:
    meter = Meter()
    with meter.part("whole"), meter.part("inner"):
        assert meter.under_way() == ["whole", "inner"]
        time.sleep(0.05)
        so_far = meter.so_far()
        assert min(so_far[name].seconds for name in ("whole", "inner")) >= 0.05
    assert meter.under_way() == []


def test_the_meter_adds_up_times_and_takes_the_largest_peak() -> None:
    assert Used(1, 2, 30).plus(Used(3, 4, 20)) == Used(4, 6, 30)
    meter = Meter()
    with meter.part("large"):
        held = bytearray(200_000_000)
    del held
    for _ in range(2):
        with meter.part("small"):
            sum(range(200_000))
    assert meter.used["small"].seconds > 0
    assert meter.used["small"].cpu_seconds > 0
    assert meter.peak_bytes >= meter.used["large"].peak_bytes >= 200_000_000
    assert meter.measured(lambda number: number + 1, "small")(1) == 2
