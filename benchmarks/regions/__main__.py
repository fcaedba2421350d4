"""Fused marks on real answers of several people, beside plain methods and other libraries in the same run.

`python -m benchmarks.regions --data DIR --kind boxes --json FILE` takes a folder that holds boxes/, spans/ and
moments/, or one of these. Gold scores, and does nothing else. Shares are F1 over all items at an intersection over
union of .5 and .75, and items with any wrong, missed or invented mark at .5; intervals are 95% over items drawn anew.
Of moments there is no gold: each person's answer is foretold from the others'.
"""

import argparse
import json
import sys
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from benchmarks.new_file import new_file
from benchmarks.regions.crowds import EDGES, RegionCrowd, draw_annotators, find_folder, read_crowd
from benchmarks.regions.left_out import leave_each_out, list_moment_methods
from benchmarks.regions.peers import find_peers
from benchmarks.regions.plain import DRAWS, OURS, QUORUMS, fuse_ours, keep_clusters, pick_most_agreeing, pick_random
from benchmarks.regions.scoring import (
    LEVELS,
    Counts,
    FoundMarks,
    average_counts,
    compare_paired,
    compute_f1,
    count_matches,
    find_interval,
)
from cupel.store.files import put_file

FEW = (3, 5)
RANDOM = "random single"
Method = Callable[[RegionCrowd], FoundMarks]
Scores = dict[str, list[Counts]]


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="benchmarks.regions", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="a folder that holds boxes/, spans/, moments/, or one")
    parser.add_argument("--kind", choices=sorted(EDGES), required=True)
    parser.add_argument("--json", type=new_file, help="file to write")
    parser.add_argument("--seeds", type=int, default=10, help="draws of 3 and of 5 annotators an item")
    arguments = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 150)
    crowd = read_crowd(find_folder(arguments.data, arguments.kind), arguments.kind)
    peers, missing = find_peers(arguments.kind)
    for line in missing:
        console.print(line, highlight=False)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a peer's sums overflow; its figures are what they are
        content = measure(crowd, arguments.kind, peers, arguments.seeds, progress)
    print_table(content, content["methods"], f"{arguments.kind}, all annotators", console)
    for count, entry in content.get("few", {}).items():
        print_table(entry, entry["methods"], f"{arguments.kind}, {count} drawn, {arguments.seeds} times", console)
    if arguments.json:
        put_file(arguments.json, (json.dumps(content | {"left_out": missing}, indent=1) + "\n").encode())
    return 0


def measure(crowd: RegionCrowd, kind: str, peers: dict[str, Method], seeds: int, progress: Progress) -> dict[str, Any]:
    """Return the figures of all methods, with all annotators and, where there is gold, with few.

    Args:
        crowd: The answers.
        kind: boxes, spans or moments.
        peers: Other libraries' methods.
        seeds: Draws of few annotators.
        progress: Shown while it goes on.
    """
    size = {"items": len(crowd.items), "answers": len(crowd.asked.item), "marks": len(crowd.marks.item)}
    content: dict[str, Any] = {"ours": OURS, "kind": kind, **size}
    if crowd.gold is None:
        return content | summarise(score_left_out(crowd, peers, progress))
    content |= {"gold": len(crowd.gold.item)} | summarise(score_methods([crowd], peers, progress, "all"))
    content["few"] = {}
    for count in FEW:
        drawn = [draw_annotators(crowd, count, seed) for seed in range(seeds)]
        content["few"][str(count)] = summarise(score_methods(drawn, peers, progress, str(count)))
    return content


def list_methods(peers: dict[str, Method]) -> dict[str, Method]:
    """Return the methods by name, ours first."""
    found: dict[str, Method] = {OURS: fuse_ours, "most agreeing single": pick_most_agreeing}
    middles: dict[str, Any] = {"mean": np.mean, "median": np.median}
    for name, middle in middles.items():
        for quorum in QUORUMS:
            found[f"{name}, {quorum}"] = partial(keep_clusters, quorum=quorum, middle=middle)
    return found | peers


def score_methods(drawn: list[RegionCrowd], peers: dict[str, Method], progress: Progress, name: str) -> Scores:
    """Return each method's counts at both overlaps, means over the crowds."""
    methods = list_methods(peers)
    bar = progress.add_task(f"{name} annotators", total=(len(methods) + 1) * len(drawn))
    scores: Scores = {}
    for method, run in methods.items():
        found = []
        for crowd in drawn:
            found.append(_score(run(crowd), crowd))
            progress.advance(bar)
        scores[method] = [average_counts(list(counts)) for counts in zip(*found, strict=True)]
    draws = max(DRAWS // len(drawn), 1)
    singles = [_score(pick_random(crowd, seed), crowd) for crowd in drawn for seed in range(draws)]
    scores[RANDOM] = [average_counts(list(counts)) for counts in zip(*singles, strict=True)]
    progress.advance(bar, len(drawn))
    return scores


def score_left_out(crowd: RegionCrowd, peers: dict[str, Method], progress: Progress) -> Scores:
    """Return each method's counts against the person left out; items of all four turns are put side by side."""
    methods = list_moment_methods() | peers
    turns = list(leave_each_out(crowd))
    bar = progress.add_task("left out", total=len(methods) * len(turns))
    scores: Scores = {}
    for method, run in methods.items():
        found = []
        for others, answers in turns:
            found.append(_score(run(others), others._replace(gold=answers)))
            progress.advance(bar)
        scores[method] = [average_counts(list(counts)) for counts in zip(*found, strict=True)]
    return scores


def summarise(scores: Scores) -> dict[str, Any]:
    """Return the figures of each method, and ours less the best of the others at each overlap."""
    methods: dict[str, Any] = {}
    for name, counts in scores.items():
        low, high = counts
        methods[name] = {
            "f1_50": compute_f1(low), "f1_75": compute_f1(high), "wrong_items": float(low.wrong.mean()),
            "f1_50_interval": find_interval(low), "f1_75_interval": find_interval(high),
        }  # fmt: skip
    compared = {}
    for place, key in enumerate(("f1_50", "f1_75")):
        best = max((name for name in methods if name != OURS), key=lambda name: methods[name][key])
        compared[key] = {"best": best, **compare_paired(scores[OURS][place], scores[best][place])}
    return {"methods": methods, "ours_less_best": compared}


def print_table(entry: dict[str, Any], methods: dict[str, Any], title: str, console: Console) -> None:
    """Print a line a method, and how far ours is from the best of the others."""
    table = Table(title=f"{title}: F1 (%) with 95% intervals over items, and wrong items (%)")
    table.add_column("method")
    for name in ("F1 at IoU .5", "F1 at IoU .75", "wrong items"):
        table.add_column(name, justify="right")
    for name, row in methods.items():
        cells = [f"{100 * row[key]:.1f} ({_span(row[f'{key}_interval'])})" for key in ("f1_50", "f1_75")]
        table.add_row(name, *cells, f"{100 * row['wrong_items']:.0f}")
    console.print(table)
    for key, row in entry["ours_less_best"].items():
        console.print(
            f"{key}: ours less {row['best']}: {100 * row['difference']:+.2f} points "
            f"({100 * row['low']:+.2f} to {100 * row['high']:+.2f}), better in {row['share_better']:.1%} of resamples",
            highlight=False,
        )


def _score(found: FoundMarks, crowd: RegionCrowd) -> list[Counts]:
    if crowd.gold is None:
        raise ValueError("there is no gold to score with")
    return [count_matches(found, crowd.gold, least, len(crowd.items)) for least in LEVELS]


def _span(interval: list[float]) -> str:
    return f"{100 * interval[0]:.1f} to {100 * interval[1]:.1f}"


if __name__ == "__main__":
    sys.exit(main())
