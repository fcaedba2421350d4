"""Contamination through the whole cleaning stage of a project: what is kept of a real set, and what is left in it.

    .venv/bin/python -m benchmarks.contamination_chain --data DIR --json FILE --bad LABEL[,LABEL] [--share 0.15]
        [--answers 1000] [--budget 0.02] [--seed N]

DIR holds data.parquet with `text` and `label`, as for `benchmarks.contamination`. A project is written whose delivery
is the mixed set and whose expert knows the label of each item; the rounds ask for answers as they do with people, by
the outbox, and only what was asked for reaches the log. The scorer reads the labels afterwards.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from numpy.typing import NDArray

from benchmarks.contamination import mix, mix_parser
from cupel.kinds.projects import load_project
from cupel.lake.lake import Lake
from cupel.store.files import put_file
from orchestration.deployment import Deployment
from orchestration.rounds import Rounds

NAME = "contaminated"
BATCH = "one"


def main() -> None:
    """Run, print, and write the figures as JSON."""
    parser = mix_parser(__doc__)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cupel-contamination-") as folder:
        deployment, is_junk = write(Path(folder), options)
        found = {"dataset": options.data.name, "seed": options.seed} | run(deployment, is_junk)
    content = json.dumps(found, indent=1) + "\n"
    print(content, end="")
    if options.json:
        put_file(options.json, content.encode())


def write(folder: Path, options: argparse.Namespace) -> tuple[Deployment, NDArray[np.bool_]]:
    """Write the project, its delivery and what its expert would say; return also which items are junk."""
    table = pq.read_table(options.data / "data.parquet", columns=["text", "label"]).drop_null()
    is_bad = np.isin([str(label) for label in table["label"].to_pylist()], options.bad.split(","))
    places = mix(is_bad, options.share, np.random.default_rng([1895, options.seed]))
    is_junk = is_bad[places]
    data = folder / "data" / NAME
    data.mkdir(parents=True)
    ids = [f"d{place}" for place in range(len(places))]
    texts = table["text"].take(pa.array(places)).cast(pa.string())
    pq.write_table(pa.table({"id": ids, "text": texts}), data / "texts.parquet")
    said = {"batch": [BATCH] * len(ids), "item_id": ids, "purpose": ["contamination"] * len(ids)}
    said |= {"annotator": ["expert"] * len(ids), "label": np.where(is_junk, "bad", "good").tolist()}
    pq.write_table(pa.table(said), data / "answers.parquet")
    (folder / "projects").mkdir()
    (folder / "projects" / f"{NAME}.yaml").write_text(yaml.safe_dump(_project(options)))
    return Deployment(folder / "projects", folder / "data", str(folder / "lake")), is_junk


def run(deployment: Deployment, is_junk: NDArray[np.bool_]) -> dict[str, Any]:
    """Run the rounds until nobody is asked any more, and score what was kept."""
    start = time.process_time()
    rounds = Rounds(load_project(deployment.projects / f"{NAME}.yaml"), deployment, dg.DagsterInstance.ephemeral())
    done = rounds.run()
    seconds = time.process_time() - start
    lake = Lake(deployment.lake, NAME)
    plan, result = (lake.read(f"contamination_{name}", BATCH).to_pylist()[0] for name in ("plan", "result"))
    outcome = lake.read("gate_results", f"cleaning--{BATCH}", ["check", "outcome"]).to_pylist()
    found: dict[str, Any] = {
        "documents": len(is_junk),
        "share": float(is_junk.mean()),
        "rounds": done.rounds,
        "answers": plan["trained"] + result["audited"],
        "alpha": plan["alpha"],
        "status": result["status"],
        "gate": {row["check"]: row["outcome"] for row in outcome if row["check"].startswith("contaminat")},
        "bound": result["bound"],
        "estimate": result["estimate"],
        "cpu_seconds": seconds,
    }
    sifted = lake.read("sifted_items", BATCH, ["item_id", "group_id"]).to_pylist()
    left = _places(row["item_id"] for row in sifted if row["group_id"] is not None)
    found |= {"candidates": len(left), "good_candidates": int((~is_junk[left]).sum())}
    if lake.commit("clean_items", BATCH) is not None:
        kept = _places(lake.read("clean_items", BATCH, ["item_id"])["item_id"].to_pylist())
        good = int((~is_junk[kept]).sum())
        found |= {"kept": len(kept), "residual": 1 - good / len(kept), "good_kept": good / found["good_candidates"]}
    return found


def _places(ids: Any) -> NDArray[np.int64]:
    return np.array([int(item[1:]) for item in ids], np.int64)


def _project(options: argparse.Namespace) -> dict[str, Any]:
    train = int(0.4 * options.answers)
    answers = {"train": train, "audit": options.answers - train, "pilot": min(150, train)}
    return {
        "project": NAME,
        "title": "Is it wanted?",
        "owner": "team:benchmarks",
        "raw": {"deliveries": {BATCH: {"files": [f"{NAME}/texts.parquet"], "licence": "CC0-1.0"}}},
        "cleaning": {"contamination": {"what": "bad", "at_most": options.budget, "answers": answers}},
        "labeling": {
            "question": "Not asked here",
            "classes": ["a", "b"],
            "answers": [f"{NAME}/answers.parquet"],
            "experts": {"answers": 1, "description": "the labels of the data set"},
        },
        "release": {"error_budget": 0.05, "audit_size": 10, "max_experts_seen_share": 0.9},
    }


if __name__ == "__main__":
    main()
