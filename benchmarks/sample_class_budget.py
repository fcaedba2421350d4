"""What a budget for one class of the default sample costs: its frozen labels audited many times, with and without.

Run after `make run`: `.venv/bin/python -m benchmarks.sample_class_budget --class neutral`. The whole has a budget of
2%, by a rising audit; the class has one of 5% beside it, of what is wrong among the labels so, and of what they miss.
Contested items count as right, as they do in a certificate.
"""

import json
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.double_check.class_budgets import (
    ASKED,
    BUDGET_OF_ALL,
    ClassItems,
    ClassOutcome,
    plan_budgets,
    replay_with_class,
)
from benchmarks.new_file import new_file
from benchmarks.sample_budget import SEED, verdict_arrays
from benchmarks.sample_truth import Truth, truth
from cupel.lake.lake import Lake
from cupel.store.files import put_file
from orchestration.deployment import Deployment


def read_class(lake: Lake, release: str, verdicts: Truth, name: str) -> ClassItems:
    """Return the frozen items of a release in risk order, and what of them is of a class."""
    is_wrong, is_contested = verdict_arrays(lake, release, verdicts)
    rows = lake.read("release_items", release).sort_by("risk_rank").to_pylist()
    is_labelled = np.array([row["label"] == name for row in rows])
    is_of_class = np.array([verdicts[row["batch"], row["item_id"]] == name for row in rows])
    return ClassItems(0, is_wrong, is_labelled, np.where(is_contested, is_labelled, is_of_class))


def summarize(asked: tuple[str, ...], outcomes: list[ClassOutcome]) -> dict[str, Any]:
    """Return what the replays of one set of budgets came to; shares."""
    return {
        "asked": list(asked),
        "experts_seen_share": float(np.mean([one.seen_share for one in outcomes])),
        "false_share": float(np.mean([any(one.is_false) for one in outcomes])),
        "wrong_share": float(np.mean([one.wrong_share for one in outcomes])),
        "class_wrong_share": float(np.mean([one.class_wrong_share for one in outcomes])),
        "class_missed_share": float(np.mean([one.class_missed_share for one in outcomes])),
    }


@click.command()
@click.option("--project", default="sentiment", show_default=True)
@click.option("--class", "name", default="neutral", show_default=True, help="The class with a budget of its own.")
@click.option("--budget", default=0.05, show_default=True, type=click.FloatRange(0, 1, min_open=True, max_open=True))
@click.option("--replays", default=200, show_default=True)
@click.option("--json", "json_path", type=new_file, help="Where to write the figures.")
def main(project: str, name: str, budget: float, replays: int, json_path: Path | None) -> None:
    """Audit the frozen labels of each release again and again, with and without a budget for one class."""
    deployment = Deployment.from_environment()
    lake, verdicts = Lake(deployment.lake, project), truth(deployment.data / project / "panel.parquet")
    found: dict[str, list[dict[str, Any]]] = {}
    for release in lake.partitions("release_items"):
        items = read_class(lake, release, verdicts, name)
        found[release] = []
        for asked in ASKED:
            rng, budgets = np.random.default_rng(SEED), plan_budgets(items, name, budget, asked)
            outcomes = [
                replay_with_class(items, rng.random(len(items.is_wrong)), BUDGET_OF_ALL, budgets)
                for _ in track(range(replays), f"{release}, {', '.join(asked) or 'all alone'}")
            ]
            found[release].append(summarize(asked, outcomes))
    if json_path is not None:
        put_file(json_path, (json.dumps(found, indent=1, sort_keys=True) + "\n").encode())
    table = Table(
        "release", f"budgets of {name}", "experts see", "false", "wrong, all", "wrong, class", "missed, class"
    )
    for release, rows in found.items():
        for row in rows:
            shares = [row[key] for key in list(row)[1:]]
            table.add_row(release, ", ".join(row["asked"]) or "none", *(f"{share:.2%}" for share in shares))
    Console().print(table)


if __name__ == "__main__":
    main()
