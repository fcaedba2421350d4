"""Run by `test_new_stage` in a copy of the repository that has one stage more: tells what knows of it, as JSON."""

import json
import sys
from pathlib import Path

import dagster as dg

from cupel.kinds.projects import load_project
from cupel.lake.gates import batch_state, gate_rows
from cupel.lake.lake import Lake
from cupel.trace.terminal import story
from cupel.trace.trace import trace
from orchestration.changed_code import CodeChange
from orchestration.deployment import REPOSITORY
from orchestration.rebuild import rebuild
from orchestration.rounds import Rounds
from orchestration.wiring import deployment_definitions
from small_project import write_project


def main(folder: Path, before: Path) -> None:
    """Take a small project through the chain, and look for the stage everywhere."""
    expectation = {
        "table": "demo_items", "expectation": "ExpectColumnValuesToBeBetween", "reason": "a text has letters",
        "arguments": {"column": "letters", "min_value": 1}, "severity": "critical",
    }  # fmt: skip
    deployment = write_project(folder, expectations=[expectation])
    project = load_project(deployment.projects / "small.yaml")
    done = Rounds(project, deployment, dg.DagsterInstance.ephemeral()).run()
    lake = Lake(deployment.lake, "small")
    graph = deployment_definitions([project], deployment).resolve_asset_graph()
    node = graph.get(dg.AssetKey(["small", "demo_items"]))
    item = lake.read("demo_items", "one", ["item_id"])["item_id"][0].as_py()
    traced = trace(deployment.lake, f"one/{item}")
    found = rebuild(deployment, "small", "one-r1", folder / "again")
    release = lake.read("release_plan", "one-r1")["status"][0].as_py()
    print(json.dumps({
        "broken": [run.error for run in done.broken],
        "rows": lake.read("demo_items", "one").num_rows,
        "clean": lake.read("clean_items", "one").num_rows,
        "release": release,
        "partitions": node.partitions_def.name,
        "group": node.group_name,
        "checks": [key.name for key in graph.asset_check_keys if key.asset_key == node.key],
        "gate": [(row["stage"], row["outcome"]) for row in gate_rows(lake, "one", ["demo"])],
        "batch": batch_state(lake, "one", project).outcome,
        "trace": [line.text for line in story(traced, all_gates=True)],
        "rebuilt": [(row.stage, row.outcome) for row in found.rows if row.name == "demo_items"],
        "is_same": found.is_same,
        "since": sorted(CodeChange(before, REPOSITORY).find_stages(project, "assets/demo.py")[0]),
    }))  # fmt: skip


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
