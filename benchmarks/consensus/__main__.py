"""Consensus methods on real crowds, and Dawid-Skene's speed, beside crowd-kit in the same run.

`python -m benchmarks.consensus --data DIR --json FILE` takes a folder of the crowd form or a folder of such folders;
`--speed N` compares speed on N answers (it may be given again), which `--classes`, `--annotators`, `--per-item` and
`--shuffled` describe. Without either, speed is compared on one million and ten million. Known labels score, and do
nothing else.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.consensus.accuracy import AS_PUBLISHED, DEFAULT, mean_difference, measure
from benchmarks.consensus.peers import PEERS
from benchmarks.consensus.speed import Crowd, compare
from benchmarks.double_check.folder import folders_in
from benchmarks.new_file import new_file
from cupel.consensus.methods import METHODS
from cupel.store.files import put_file

SPEEDS = (1_000_000, 10_000_000)


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="benchmarks.consensus", description=__doc__)
    parser.add_argument("--data", type=Path, help="a folder of the crowd form, or a folder of such folders")
    parser.add_argument("--json", type=new_file, help="file to write")
    parser.add_argument("--speed", type=int, action="append", default=[], help="compare speed on so many answers")
    parser.add_argument("--pairs", type=int, default=3, help="runs of each library for the speed, in turn; medians")
    parser.add_argument("--classes", type=int, default=Crowd(0).classes)
    parser.add_argument("--annotators", type=int, default=Crowd(0).annotators)
    parser.add_argument("--per-item", type=int, default=Crowd(0).answers_per_item, help="answers per item")
    parser.add_argument("--shuffled", action="store_true", help="answers in any order, not item by item")
    parser.add_argument("--limit", type=float, default=600.0, help="seconds that a peer may take on a crowd")
    parser.add_argument("--no-peers", action="store_true", help="leave crowd-kit out of the accuracy")
    arguments = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 170)
    content: dict[str, Any] = {"sets": [], "speed": []}
    rights = []
    for folder in folders_in(arguments.data) if arguments.data else []:
        entry, right = measure(folder, arguments.limit, not arguments.no_peers)
        content["sets"].append(entry)
        rights.append(right)
        console.print(f"{folder.name}: chose {entry['chosen_method']}", highlight=False)
    if rights:
        content["chosen_less_always_dawid_skene"] = mean_difference(rights, DEFAULT)
        content["chosen_less_always_dawid_skene_as_published"] = mean_difference(rights, AS_PUBLISHED)
        content["sets_not_worse_than_best_peer"] = sum(
            not entry["chosen_less_best_peer"]["is_worse"] for entry in content["sets"] if "best_peer" in entry
        )
        _print_accuracy(content, console)
    for answers in arguments.speed or ([] if arguments.data else SPEEDS):
        asked = (arguments.classes, arguments.annotators, arguments.per_item, arguments.shuffled)
        content["speed"].append(compare(Crowd(answers, *asked), arguments.pairs))
        _print_speed(content["speed"][-1], console)
    if arguments.json:
        put_file(arguments.json, (json.dumps(content, indent=1) + "\n").encode())
    return 0


def _print_accuracy(content: dict[str, Any], console: Console) -> None:
    names = [*METHODS, AS_PUBLISHED, *(f"crowd-kit {name}" for name in PEERS)]
    table = Table(title="Right labels among items with a known one (%)")
    table.add_column("method")
    for entry in content["sets"]:
        table.add_column(entry["dataset"], justify="right")
    for name in names:
        values = [entry["accuracy"].get(name) for entry in content["sets"]]
        table.add_row(name.replace("_", " "), *("-" if value is None else f"{100 * value:.1f}" for value in values))
    table.add_section()
    table.add_row("chosen", *(entry["chosen_method"].replace("_", " ") for entry in content["sets"]))
    table.add_row(
        "less crowd-kit's best", *(_interval(entry.get("chosen_less_best_peer")) for entry in content["sets"])
    )
    console.print(table)
    for name in ("chosen_less_always_dawid_skene", "chosen_less_always_dawid_skene_as_published"):
        console.print(f"{name.replace('_', ' ')}, mean of sets: {_interval(content[name])}", highlight=False)


def _print_speed(entry: dict[str, Any], console: Console) -> None:
    ours, peer = entry["cupel"], entry["crowd-kit"]
    console.print(
        f"{entry['answers']:,} answers, {entry['classes']} classes, {entry['annotators']:,} annotators, "
        f"{entry['answers_per_item']} answers an item{', shuffled' * entry['is_shuffled']}, "
        f"{entry['iterations']} iterations, {entry['pairs']} runs: {ours['seconds']:.2f} s and "
        f"{ours['peak_bytes'] / 1e9:.2f} GB, crowd-kit {peer['seconds']:.1f} s and {peer['peak_bytes'] / 1e9:.2f} GB: "
        f"{entry['times_faster']:.1f} times faster ({entry['times_less_processor_time']:.1f} in processor time); "
        f"answers within {entry['largest_difference']:.0e}",
        highlight=False,
    )


def _interval(values: dict[str, Any] | None) -> str:
    if values is None:
        return "-"
    return f"{100 * values['difference']:+.2f} ({100 * values['low']:.2f} to {100 * values['high']:.2f})"


if __name__ == "__main__":
    sys.exit(main())
