"""How fast Dawid-Skene is, and how much memory it takes: the same Arrow table, equal iterations, equal answers.

Each library runs in a process of its own. The clock starts with an Arrow table of integers in memory and stops when
the posterior is there: ours codes the table (names become text, everything is sorted) and fits; crowd-kit gets the
table as a pandas frame of integers, which is the form that suits it best. Compiled loops are loaded before, by a fit
to three answers; that takes `load_seconds`, some seconds more the first time ever, when they are compiled.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

CLASSES, ANNOTATORS, ANSWERS_PER_ITEM, ITERATIONS, SEED = 10, 1_000, 5, 10, 7
LIMIT_SECONDS = 3_600
EQUAL = 1e-6


def compare(answers: int) -> dict[str, Any]:
    """Return both libraries' seconds and peak memory on so many answers, and how far their answers are apart."""
    with tempfile.TemporaryDirectory() as place:
        ours = _child("cupel", answers, Path(place) / "ours.npy")
        peer = _child("crowd-kit", answers, Path(place) / "peer.npy")
        apart = np.abs(np.load(Path(place) / "ours.npy") - np.load(Path(place) / "peer.npy")).max()
    return {
        "answers": answers,
        "iterations": ITERATIONS,
        "cupel": ours,
        "crowd-kit": peer,
        "times_faster": peer["seconds"] / ours["seconds"],
        "times_less_processor_time": peer["cpu_seconds"] / ours["cpu_seconds"],
        "largest_difference": float(apart),
        "is_equal": bool(apart <= EQUAL),
    }


def table(answers: int) -> pa.Table:
    """Return made-up answers, right 50 to 95 times in 100, item by item; integers."""
    rng = np.random.default_rng(SEED)
    items = answers // ANSWERS_PER_ITEM
    truth = rng.integers(0, CLASSES, items)
    item = np.repeat(np.arange(items), ANSWERS_PER_ITEM)
    annotator = rng.integers(0, ANNOTATORS, len(item))
    is_right = rng.random(len(item)) < rng.uniform(0.5, 0.95, ANNOTATORS)[annotator]
    label = np.where(is_right, truth[item], rng.integers(0, CLASSES, len(item)))
    return pa.table({"item_id": item, "annotator": annotator, "label": label})


def _ours(answers: pa.Table) -> tuple[np.ndarray[Any, Any], dict[str, float]]:
    from cupel.consensus.coding import code
    from cupel.consensus.dawid_skene import DawidSkeneSettings, dawid_skene

    classes = [str(place) for place in range(CLASSES)]
    settings = DawidSkeneSettings(0.0, 0.0, tolerance=-1.0, max_iterations=ITERATIONS)
    start = time.perf_counter()
    dawid_skene(code(answers[:3], answers["item_id"][:3].unique(), classes), settings)
    loaded = time.perf_counter()
    cpu = time.process_time()
    coded = code(answers, answers["item_id"].unique(), classes)
    posterior = dawid_skene(coded, settings).posterior
    used = {"seconds": time.perf_counter() - loaded, "cpu_seconds": time.process_time() - cpu}
    used["peak_bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    order = np.argsort(coded.item_ids.cast(pa.int64()).to_numpy())
    return posterior[order], used | {"load_seconds": loaded - start}


def _peer(answers: pa.Table) -> tuple[np.ndarray[Any, Any], dict[str, float]]:
    from crowdkit.aggregation import DawidSkene

    start, cpu = time.perf_counter(), time.process_time()
    frame = answers.to_pandas().rename(columns={"item_id": "task", "annotator": "worker"})
    found = DawidSkene(n_iter=ITERATIONS, tol=-np.inf).fit(frame).probas_
    used = {"seconds": time.perf_counter() - start, "cpu_seconds": time.process_time() - cpu}
    used["peak_bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    assert found is not None
    return found.sort_index()[list(range(CLASSES))].to_numpy(), used


def _child(library: str, answers: int, out: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.consensus.speed", library, str(answers), str(out)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=LIMIT_SECONDS)
    used: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return used


if __name__ == "__main__":
    posterior, used = (_ours if sys.argv[1] == "cupel" else _peer)(table(int(sys.argv[2])))
    np.save(sys.argv[3], posterior)
    print(json.dumps(used))
