"""Crowd-kit's methods, each run in a process of its own: one that fails, hangs or grows harms nothing else."""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.double_check.folder import LABELS

# Seeds where a method draws; everything else as crowd-kit sets it.
PEERS: dict[str, dict[str, Any]] = {
    "MajorityVote": {},
    "DawidSkene": {},
    "OneCoinDawidSkene": {},
    "GLAD": {},
    "MACE": {"random_state": 0},
    "MMSR": {"random_state": 0},
    "KOS": {"random_state": 0},
    "Wawa": {},
    "ZeroBasedSkill": {},
}


def run(name: str, folder: Path, limit_seconds: float) -> dict[str, Any]:
    """Return a peer's labels by item and its seconds, or why there are none.

    Args:
        name: One of PEERS.
        folder: A folder of the crowd form; gold.csv is not opened.
        limit_seconds: The process is ended after this.

    Returns:
        `labels` and `seconds`, or `failed`.
    """
    with tempfile.TemporaryDirectory() as place:
        out = Path(place) / "labels.json"
        command = [sys.executable, "-m", "benchmarks.consensus.peers", name, str(folder / LABELS), str(out)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=limit_seconds, check=False)
        except subprocess.TimeoutExpired:
            return {"failed": f"ended after {limit_seconds:g} seconds"}
        if done.returncode:
            return {"failed": (done.stderr.strip().splitlines() or ["no message"])[-1][:200]}
        found: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
        return found


def fit(name: str, labels: Path) -> dict[str, Any]:
    """Return crowd-kit's labels by item, as text, and the seconds that fitting took."""
    import pandas as pd

    frame = pd.read_csv(labels, dtype=str, keep_default_na=False)[["task", "worker", "label"]]
    if name == "KOS" and frame["label"].nunique() != 2:
        raise SystemExit("KOS knows two classes only")
    from crowdkit import aggregation

    method = getattr(aggregation, name)(**PEERS[name])
    # Two methods ask scikit-learn whether they were fitted, in a way that newer ones refuse; they were.
    module = sys.modules[type(method).__module__]
    if hasattr(module, "check_is_fitted"):
        module.check_is_fitted = lambda *_, **__: None  # type: ignore[attr-defined]
    start = time.perf_counter()
    found = method.fit_predict(frame)
    seconds = time.perf_counter() - start
    return {"labels": {str(item): str(label) for item, label in found.items()}, "seconds": seconds}


if __name__ == "__main__":
    Path(sys.argv[3]).write_text(json.dumps(fit(sys.argv[1], Path(sys.argv[2]))), encoding="utf-8")
