"""What the default sample's error budget and audit size cost: the frozen labels audited again and again.

Run after `make run`: `.venv/bin/python -m benchmarks.sample_budget --json FILE`. For each batch, budget and
audit size the audit is drawn anew many times from the panel's verdicts, and the table says how often a
release is certified and which share of the items experts see. This is how the numbers in
projects/sentiment.yaml were chosen; the chain itself never reads these verdicts.
"""

import json
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.new_file import new_file
from benchmarks.sample_truth import Truth, truth
from cupel.certificate.evidence import Evidence
from cupel.certificate.result import Terms, assay
from cupel.lake.lake import Lake
from cupel.store.files import put_file
from orchestration.deployment import Deployment

BUDGETS = (0.005, 0.01, 0.02, 0.05)
AUDIT_SIZES = (300, 500, 700, 1000, 1500)
SEED = 1905

Flags = NDArray[np.bool_]


def verdict_arrays(lake: Lake, release: str, verdicts: Truth) -> tuple[Flags, Flags]:
    """Return, in risk order, which frozen labels are wrong and which items are contested."""
    rows = lake.read("release_items", release).sort_by("risk_rank").to_pylist()
    said = [(row["label"], verdicts[row["batch"], row["item_id"]]) for row in rows]
    is_wrong = np.array([verdict is not None and label != verdict for label, verdict in said])
    return is_wrong, np.array([verdict is None for _, verdict in said])


def replay(is_wrong: Flags, is_contested: Flags, budget: float, size: int, replays: int) -> dict[str, Any]:
    """Audit the same labels many times; return how often they are certified, and what experts see.

    Returns:
        Shares of certified and falsely certified audits, and mean and 80th percentile of the share of items
        that experts see.
    """
    rng = np.random.default_rng(SEED)
    items = len(is_wrong)
    certified = false = 0
    seen: list[float] = []
    allowed = budget * int(np.count_nonzero(~is_contested))
    for _ in range(replays):
        is_audited = np.zeros(items, dtype=np.bool_)
        is_audited[rng.choice(items, size, replace=False)] = True
        said = Evidence(is_audited, is_audited, is_wrong & is_audited, is_contested & is_audited)
        result = assay(said, Terms(budget, 1, 1.0)).result
        seen.append(result.experts_seen_share)
        certified += result.accepted > 0
        left = int(np.count_nonzero(is_wrong[: result.accepted] & ~is_audited[: result.accepted]))
        false += left > allowed
    return {
        "error_budget": budget,
        "audit_size": size,
        "cut_share": certified / replays,
        "false_share": false / replays,
        "experts_seen_share_mean": float(np.mean(seen)),
        "experts_seen_share_p80": float(np.quantile(seen, 0.8)),
    }


@click.command()
@click.option("--project", default="sentiment", show_default=True)
@click.option("--replays", default=200, show_default=True)
@click.option("--json", "json_path", type=new_file, help="Where to write the figures.")
def main(project: str, replays: int, json_path: Path | None) -> None:
    """Audit the frozen labels of each release again and again, for several budgets and sizes."""
    deployment = Deployment.from_environment()
    lake = Lake(deployment.lake, project)
    verdicts = truth(deployment.data / project / "panel.parquet")
    found: dict[str, list[dict[str, Any]]] = {}
    for release in lake.partitions("release_items"):
        arrays = verdict_arrays(lake, release, verdicts)
        grid = [(budget, size) for budget in BUDGETS for size in AUDIT_SIZES if size < len(arrays[0])]
        found[release] = [replay(*arrays, *cell, replays) for cell in track(grid, release)]
    if json_path is not None:
        put_file(json_path, (json.dumps(found, indent=1, sort_keys=True) + "\n").encode())
    table = Table("release", "budget", "audited", "a cut was found", "experts see, mean", "80th percentile", "false")
    for release, rows in found.items():
        for row in rows:
            table.add_row(
                release, f"{row['error_budget']:.1%}", str(row["audit_size"]), f"{row['cut_share']:.0%}",
                f"{row['experts_seen_share_mean']:.1%}", f"{row['experts_seen_share_p80']:.1%}",
                f"{row['false_share']:.1%}",
            )  # fmt: skip
    Console().print(table)


if __name__ == "__main__":
    main()
