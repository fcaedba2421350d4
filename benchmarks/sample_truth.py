"""Is the certificate of the default sample true? Releases held against the panel's verdict on every sentence.

Run after `make run`: `.venv/bin/python -m benchmarks.sample_truth --json FILE`. The chain saw the panel's
word on the sentences that it paid for; this reads all of them, which nothing in the chain may do.
"""

import json
from pathlib import Path
from typing import Any

import click
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

from benchmarks.new_file import new_file
from cupel.kinds.projects import load_project
from cupel.lake.lake import Lake
from cupel.release.facts import ReleaseFacts, release_facts
from cupel.store.files import put_file
from orchestration.deployment import Deployment

Truth = dict[tuple[str, str], str | None]


def truth(panel: Path) -> Truth:
    """Return the panel's verdict on every sentence; null where it is contested."""
    return {(row["batch"], row["item_id"]): row["label"] for row in pq.read_table(panel).to_pylist()}


def errors(rows: list[dict[str, Any]], verdicts: Truth, column: str) -> dict[str, Any]:
    """Count how often a column of labels differs from the verdicts, contested sentences aside and counted."""
    judged = [(row[column], verdicts[row["batch"], row["item_id"]]) for row in rows]
    settled = [(label, verdict) for label, verdict in judged if verdict is not None]
    wrong = sum(label != verdict for label, verdict in settled)
    contested = len(judged) - len(settled)
    return {
        "items": len(judged),
        "settled": len(settled),
        "wrong": wrong,
        "contested": contested,
        "error": wrong / len(settled) if settled else None,
        "error_with_contested": (wrong + contested) / len(judged) if judged else None,
    }


def judge(lake: Lake, facts: ReleaseFacts, verdicts: Truth) -> dict[str, Any]:
    """Compare what a release's audit said with what is true."""
    frozen = lake.read("release_items", facts.release).to_pylist()
    released = lake.read("training_set", facts.release).to_pylist() if facts.released else []
    result = facts.result or {}
    rows = released or frozen
    found = errors(rows, verdicts, "label")
    stages = {row["decided_by"]: row for row in facts.stage_errors}
    return {
        "verdict": facts.verdict,
        "judged": "released labels" if released else "frozen labels, of which none was released",
        **found,
        "error_budget": facts.terms.error_budget,
        "error_bound": result.get("error_bound"),
        "error_bound_with_contested": result.get("error_bound_with_contested"),
        "is_bound_true": found["error"] <= result["error_bound"],
        "is_bound_with_contested_true": found["error_with_contested"] <= result["error_bound_with_contested"],
        "stages": {
            name: {
                "estimate": [stages[name]["error"], stages[name]["error_low"], stages[name]["error_high"]],
                "truth": errors(frozen, verdicts, column)["error"],
            }
            for name, column in (
                ("majority", "majority_label"),
                ("consensus", "consensus_label"),
                ("checker", "predicted_label"),
                ("people and checker", "label"),
            )
        },
    }


@click.command()
@click.option("--project", default="sentiment", show_default=True)
@click.option("--json", "json_path", type=new_file, help="Where to write the figures.")
def main(project: str, json_path: Path | None) -> None:
    """Hold every release of the default sample against the panel."""
    deployment = Deployment.from_environment()
    settings = load_project(deployment.projects / f"{project}.yaml")
    lake = Lake(deployment.lake, project)
    verdicts = truth(deployment.data / project / "panel.parquet")
    releases = lake.partitions("release_plan")
    found = {name: judge(lake, release_facts(lake, settings, name), verdicts) for name in releases}
    if json_path is not None:
        put_file(json_path, (json.dumps(found, indent=1, sort_keys=True) + "\n").encode())
    table = Table("release", "verdict", "judged", "error", "bound", "with contested", "bound", "true")
    for name, row in found.items():
        is_true = row["is_bound_true"] and row["is_bound_with_contested_true"]
        names = ("error", "error_bound", "error_with_contested", "error_bound_with_contested")
        shares = [f"{row[name]:.2%}" for name in names]
        table.add_row(name, row["verdict"], f"{row['items']:,} {row['judged']}", *shares, "yes" if is_true else "NO")
    Console().print(table)


if __name__ == "__main__":
    main()
