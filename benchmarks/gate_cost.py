"""What a gate costs as a Checkpoint, beside the suite alone on a batch: processor time, paired in one process.

`python -m benchmarks.gate_cost` prints it. Both judge the same row of numbers; a run in turn each, medians.
"""

import statistics
import time
from collections.abc import Callable

import pyarrow as pa

from expectations.judge import Asked, judge

CHECKS = 6  # what the gates of the sample ask on average
RUNS = 31


def main(runs: int = RUNS) -> dict[str, float]:
    """Measure and print; return milliseconds a gate, and what is spent once."""
    asked = [
        Asked(f"check_{one}", "at most", 0.5, "critical", "How bad? Allowed: at most 0.5.") for one in range(CHECKS)
    ]
    metrics = pa.table({check.check: [0.25] for check in asked})
    begun = time.process_time()
    judge(metrics, asked, "once")
    found = {"once": 1000 * (time.process_time() - begun)}
    ways = {
        "suite": lambda: judge_by_suite(metrics, asked),
        "checkpoint": lambda: judge(metrics, asked, "again"),
        "checkpoint_anew": lambda: judge(metrics, asked, f"gate {time.perf_counter_ns()}"),
    }
    measured = measure_in_turn(ways, runs)
    found |= {name: statistics.median(values) for name, values in measured.items()}
    added = [one - other for one, other in zip(measured["checkpoint"], measured["suite"], strict=True)]
    print(f"the first gate of a process, with the import of Great Expectations: {found['once'] / 1000:.1f} s")
    print(f"a gate of {CHECKS} checks, medians of {runs} runs in turn, milliseconds of processor time:")
    print(f"  the suite alone on a batch                {found['suite']:6.1f}")
    print(f"  as a Checkpoint, as gates are judged      {found['checkpoint']:6.1f}")
    print(f"  as a Checkpoint of a gate not seen before {found['checkpoint_anew']:6.1f}")
    print(f"  what the Checkpoint adds, paired          {statistics.median(added):6.1f}")
    return found


def judge_by_suite(metrics: pa.Table, asked: list[Asked]) -> bool:
    """Judge as the gates did before: the suite alone, with neither ValidationDefinition nor Checkpoint."""
    from great_expectations.core import ExpectationSuite

    from expectations.judge import _context, _whole, make_expectation

    suite = ExpectationSuite(name="alone", expectations=[make_expectation(check) for check in asked])
    batch = _whole(_context()).get_batch({"dataframe": metrics.to_pandas()})
    result = batch.validate(suite, result_format="BASIC")
    return all(entry.to_json_dict()["success"] for entry in result.results)


def measure_in_turn(ways: dict[str, Callable[[], object]], runs: int) -> dict[str, list[float]]:
    """Return milliseconds of processor time of each way, each run once in turn; a first turn is left out."""
    measured: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(runs + 1):
        for name, work in ways.items():
            begun = time.process_time()
            work()
            if turn:
                measured[name].append(1000 * (time.process_time() - begun))
    return measured


if __name__ == "__main__":
    main()
