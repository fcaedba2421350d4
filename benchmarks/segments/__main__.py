"""Fused segments on real actions marked by simulated annotators, beside plain methods and weighted boxes fusion.

`python -m benchmarks.segments --data DIR --json FILE` takes a folder with charades.json and multithumos.json (or one of
them). Two simulators: one has the model's shape, the other does not. F1 and mean average precision (mAP) are at a
temporal intersection over union of .5, .75 and .95; the error is the mean distance of the edges of what matches at .5,
in seconds; figures are means over seeds. `--marks N` measures speed and memory on N made-up marks.
"""

import argparse
import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from benchmarks.new_file import new_file
from benchmarks.segments.clips import SHAPES, TrueActions, read_actions, simulate
from benchmarks.segments.methods import OURS, Method, list_methods
from benchmarks.segments.scoring import LEVELS, score_segments
from benchmarks.segments.speed import measure_speed
from cupel.store.files import put_file

SETS = ("charades", "multithumos")
COUNTS = (3, 5)
MAJORITY = "median, majority"
# How much smaller than the best of the others the edges' error is to be, and how far F1 at .5 may be below majority.
ERROR_SHARE, LOSS = 0.85, 0.005


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="benchmarks.segments", description=__doc__)
    parser.add_argument("--data", type=Path, help="a folder with charades.json and multithumos.json")
    parser.add_argument("--json", type=new_file, help="file to write")
    parser.add_argument("--seeds", type=int, default=3, help="simulated crowds of each kind")
    parser.add_argument("--videos", type=int, help="take the first so many videos of each set")
    parser.add_argument("--marks", type=int, help="measure speed on so many made-up marks")
    arguments = parser.parse_args()
    if arguments.data is None and arguments.marks is None:
        parser.error("name a folder with --data, a number with --marks, or both")
    console = Console(width=None if sys.stdout.isatty() else 150)
    content: dict[str, Any] = {"ours": OURS}
    if arguments.data is not None:
        content |= _measure_sets(arguments.data, arguments.videos, arguments.seeds, console)
    if arguments.marks is not None:
        content["speed"] = measure_speed(arguments.marks)
        print_speed(content["speed"], console)
    if arguments.json:
        put_file(arguments.json, (json.dumps(content, indent=1) + "\n").encode())
    return 0


def _measure_sets(folder: Path, videos: int | None, seeds: int, console: Console) -> dict[str, Any]:
    """Return the figures of all sets that are there, printed as they come."""
    methods = list_methods(importlib.util.find_spec("ensemble_boxes") is not None)
    if len(methods) < 5:
        console.print("ensemble-boxes is not installed (make peers): weighted boxes fusion left out", highlight=False)
    names = [name for name in SETS if (folder / f"{name}.json").is_file()]
    if not names:
        raise SystemExit(f"{folder}: neither charades.json nor multithumos.json is in it")
    crowds = []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        bar = progress.add_task("crowds", total=len(names) * len(SHAPES) * len(COUNTS) * seeds)
        for name in names:
            truth = read_actions(folder / f"{name}.json", videos)
            for shape in SHAPES:
                for count in COUNTS:
                    entry = measure_crowd(truth, shape, count, seeds, methods, lambda: progress.advance(bar))
                    crowds.append({"set": name, **entry})
    for crowd in crowds:
        print_crowd(crowd, console)
    return {"crowds": crowds, "is_met": all(all(crowd["is_met"].values()) for crowd in crowds)}


def measure_crowd(
    truth: TrueActions, shape: str, count: int, seeds: int, methods: dict[str, Method], advance: Any
) -> dict[str, Any]:
    """Return each method's figures, means over seeds, and whether ours is as good as asked.

    Args:
        truth: What is there.
        shape: Which simulator.
        count: Annotators a video.
        seeds: Simulated crowds.
        methods: By name.
        advance: Called after each crowd.
    """
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in methods}
    for seed in range(seeds):
        answers = simulate(truth, count, shape, seed)
        for name, run in methods.items():
            found[name].append(score_segments(run(answers), truth))
        advance()
    figures = {
        name: {key: float(np.mean([row[key] for row in rows])) for key in rows[0]} for name, rows in found.items()
    }
    ratios = [
        ours["error_seconds"] / min(rows[seed]["error_seconds"] for name, rows in found.items() if name != OURS)
        for seed, ours in enumerate(found[OURS])
    ]
    return {
        "simulator": shape, "annotators": count, "seeds": seeds, "actions": len(truth.video), "methods": figures,
        "error_ratio": float(np.mean(ratios)), "error_ratios": ratios, **_judge(figures, float(np.mean(ratios))),
    }  # fmt: skip


def _judge(figures: dict[str, dict[str, float]], ratio: float) -> dict[str, Any]:
    """Return what is asked of ours, and whether it is so."""
    others = {name: row for name, row in figures.items() if name != OURS}
    ours = figures[OURS]
    return {
        "is_met": {
            "error": ratio <= ERROR_SHARE,
            "f1_75": ours["f1_75"] >= max(row["f1_75"] for row in others.values()),
            "f1_50": ours["f1_50"] >= figures[MAJORITY]["f1_50"] - LOSS,
        }
    }


def print_crowd(crowd: dict[str, Any], console: Console) -> None:
    """Print a line a method."""
    title = f"{crowd['set']}, {crowd['annotators']} annotators, simulator {crowd['simulator']}, {crowd['seeds']} seeds"
    table = Table(title=f"{title}: F1 and mAP (%) at IoU .5, .75, .95; edges' error (seconds)")
    table.add_column("method")
    for name in ("F1", "mAP", "error"):
        table.add_column(name, justify="right")
    for name, row in crowd["methods"].items():
        cells = [
            " / ".join(f"{100 * row[f'{kind}_{100 * level:.0f}']:.1f}" for level in LEVELS) for kind in ("f1", "map")
        ]
        table.add_row(name, *cells, f"{row['error_seconds']:.3f}")
    console.print(table)
    missed = [name for name, is_met in crowd["is_met"].items() if not is_met]
    span = f"{min(crowd['error_ratios']):.3f} to {max(crowd['error_ratios']):.3f}"
    verdict = f"not as asked: {', '.join(missed)}" if missed else "as asked"
    console.print(
        f"error {crowd['error_ratio']:.3f} of the best of the others' ({span} over seeds); {verdict}", highlight=False
    )


def print_speed(speed: dict[str, Any], console: Console) -> None:
    """Print marks a second and memory."""
    ours = speed["ours"]
    console.print(
        f"{ours['marks']:,} marks: sorted in {ours['sort_cpu_seconds']:.2f} CPU s, matched in "
        f"{ours['match_cpu_seconds']:.2f} ({ours['matched_a_second'] / 1e6:.1f} million a CPU s); sorted, matched and "
        f"fused in {ours['fuse_cpu_seconds']:.1f} CPU s ({ours['marks_a_second'] / 1e6:.2f} million a CPU s), "
        f"{ours['peak_bytes'] / 1e9:.2f} GB at most ({ours['input_bytes'] / 1e9:.2f} before)",
        highlight=False,
    )
    for name, row in speed.items():
        if name not in ("ours", "marks", "left_out"):
            times = ours["marks_a_second"] / row["marks_a_second"]
            console.print(
                f"{name}: {row['marks']:,} marks in {row['fuse_cpu_seconds']:.1f} CPU s "
                f"({row['marks_a_second'] / 1e6:.3f} million a CPU s); ours is {times:.1f} times as fast",
                highlight=False,
            )
    if "left_out" in speed:
        console.print(f"weighted boxes fusion left out: {speed['left_out']}", highlight=False)


if __name__ == "__main__":
    sys.exit(main())
