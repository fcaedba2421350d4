"""How fast Dawid-Skene is, and how much memory it takes: the same answers, equal iterations, equal results.

Each library runs in a process of its own, the two in turn, several times. Each starts with the columns in memory in
the form that suits it best: ours an Arrow table of integers, crowd-kit a pandas frame of integers. The clock stops when
posterior and labels are there: ours codes the table (names become text, everything is sorted) and fits. Compiled loops
are loaded before, by a fit to three answers; that takes `load_seconds`, some seconds more the first time ever, when
they are compiled.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

ITERATIONS, SEED = 10, 7
LIMIT_SECONDS = 3_600
EQUAL = 1e-6
LIBRARIES = ("cupel", "crowd-kit")


class Crowd(NamedTuple):
    """What the made-up answers are like."""

    answers: int
    classes: int = 10
    annotators: int = 1_000
    answers_per_item: int = 5
    is_shuffled: bool = False


def compare(crowd: Crowd, pairs: int = 1) -> dict[str, Any]:
    """Return both libraries' seconds and peak memory on some answers, and how far their results are apart.

    Args:
        crowd: The answers.
        pairs: How often both run, in turn; figures are medians over the runs, ratios medians over the pairs, and the
            peak is the highest.
    """
    runs = []
    with tempfile.TemporaryDirectory() as place:
        out = {library: Path(place) / f"{library}.npy" for library in LIBRARIES}
        for _ in range(pairs):
            runs.append({library: _child(library, crowd, out[library]) for library in LIBRARIES})
        apart = np.abs(np.load(out["cupel"]) - np.load(out["crowd-kit"])).max()
    times = [run["crowd-kit"]["seconds"] / run["cupel"]["seconds"] for run in runs]
    processor = [run["crowd-kit"]["cpu_seconds"] / run["cupel"]["cpu_seconds"] for run in runs]
    return {
        **crowd._asdict(),
        "iterations": ITERATIONS,
        "pairs": pairs,
        **{library: _summary([run[library] for run in runs]) for library in LIBRARIES},
        "times_faster": median(times),
        "times_faster_of_pairs": times,
        "times_less_processor_time": median(processor),
        "largest_difference": float(apart),
        "is_equal": bool(apart <= EQUAL),
    }


def table(crowd: Crowd) -> pa.Table:
    """Return made-up answers, right 50 to 95 times in 100, item by item or in any order; integers."""
    rng = np.random.default_rng(SEED)
    items = crowd.answers // crowd.answers_per_item
    truth = rng.integers(0, crowd.classes, items)
    item = np.repeat(np.arange(items), crowd.answers_per_item)
    annotator = rng.integers(0, crowd.annotators, len(item))
    is_right = rng.random(len(item)) < rng.uniform(0.5, 0.95, crowd.annotators)[annotator]
    label = np.where(is_right, truth[item], rng.integers(0, crowd.classes, len(item)))
    order = rng.permutation(len(item)) if crowd.is_shuffled else slice(None)
    return pa.table({"item_id": item[order], "annotator": annotator[order], "label": label[order]})


def _ours(answers: pa.Table, classes: int) -> tuple[np.ndarray[Any, Any], dict[str, float]]:
    from cupel.consensus.coding import code
    from cupel.consensus.dawid_skene import DawidSkeneSettings, dawid_skene

    names = [str(place) for place in range(classes)]
    settings = DawidSkeneSettings(0.0, 0.0, tolerance=-1.0, max_iterations=ITERATIONS)
    before = time.perf_counter()
    dawid_skene(code(answers[:3], None, names), settings)
    start, cpu = time.perf_counter(), time.process_time()
    coded = code(answers, None, names)
    posterior = dawid_skene(coded, settings).posterior
    posterior.argmax(axis=1)
    used = _used(start, cpu) | {"load_seconds": start - before}
    order = np.argsort(coded.item_ids.cast(pa.int64()).to_numpy())
    return posterior[order], used


def _peer(answers: pa.Table, classes: int) -> tuple[np.ndarray[Any, Any], dict[str, float]]:
    from crowdkit.aggregation import DawidSkene

    frame = answers.to_pandas().rename(columns={"item_id": "task", "annotator": "worker"})
    start, cpu = time.perf_counter(), time.process_time()
    found = DawidSkene(n_iter=ITERATIONS, tol=-np.inf).fit(frame).probas_
    used = _used(start, cpu)
    assert found is not None
    return found.sort_index()[list(range(classes))].to_numpy(), used


def _used(start: float, cpu: float) -> dict[str, float]:
    used = {"seconds": time.perf_counter() - start, "cpu_seconds": time.process_time() - cpu}
    return used | {"peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}


def _summary(runs: list[dict[str, float]]) -> dict[str, Any]:
    found: dict[str, Any] = {name: median(run[name] for run in runs) for name in runs[0]}
    return found | {
        "seconds_of_runs": [run["seconds"] for run in runs],
        "peak_bytes": max(r["peak_bytes"] for r in runs),
    }


def _child(library: str, crowd: Crowd, out: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.consensus.speed", library, json.dumps(crowd), str(out)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=LIMIT_SECONDS)
    used: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return used


if __name__ == "__main__":
    asked = Crowd(*json.loads(sys.argv[2]))
    posterior, used = (_ours if sys.argv[1] == "cupel" else _peer)(table(asked), asked.classes)
    np.save(sys.argv[3], posterior)
    print(json.dumps(used))
