"""The consensus of answers that are sets of classes, beside majorities and crowd-kit, in the same run.

`python -m benchmarks.multilabel --data DIR --json FILE` takes a folder that holds `crowd` and `kinds`. How crowds come
to answer in sets is said in `benchmarks.multilabel_sets`. Known labels score, and do nothing else: the model is chosen
by answers held out. An item is wrong if its set is, in any class; a class that is an exact tie counts half, and of sets
that are equally frequent each counts its part.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.consensus.accuracy import paired
from benchmarks.multilabel_sets import SetCrowd, all_crowds
from benchmarks.new_file import new_file
from cupel.consensus.coding import Flags, Reals
from cupel.kinds.multilabel.coded_sets import CodedSets, code_class, code_sets, count_yes
from cupel.kinds.multilabel.label_sets import split_sets
from cupel.kinds.multilabel.set_chooser import choose_set_model
from cupel.kinds.multilabel.set_models import class_by_class
from cupel.store.files import put_file

MAJORITY, WHOLE, PEER = "majority a class", "most frequent set", "crowd-kit Dawid-Skene a class"
PLAIN, CHOSEN = "ours a class", "chosen"


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="benchmarks.multilabel", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="a folder that holds crowd and kinds")
    parser.add_argument("--json", type=new_file, help="file to write")
    parser.add_argument("--only", action="append", help="name of a crowd; may be given again")
    arguments = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 170)
    entries = []
    for crowd in all_crowds(arguments.data):
        if arguments.only is None or crowd.name in arguments.only:
            entries.append(measure(crowd))
            console.print(f"{crowd.name}: {entries[-1]['why']}", highlight=False)
    _print(entries, console)
    if arguments.json:
        put_file(arguments.json, (json.dumps({"sets": entries, **_summary(entries)}, indent=1) + "\n").encode())
    return 0


def measure(crowd: SetCrowd) -> dict[str, Any]:
    """Return what was measured on one crowd: errors by method, and paired differences, chosen less others."""
    answers = code_sets(crowd.annotations, None, crowd.classes)
    start = time.perf_counter()
    choice = choose_set_model(answers)
    seconds = {"choosing": time.perf_counter() - start}
    found: dict[str, Reals] = {}
    votes, yes = count_yes(answers)
    found[MAJORITY] = np.where(2 * yes == votes[:, None], 0.5, 2 * yes > votes[:, None]).astype(np.float64)
    frequent = share_most_frequent(answers)
    found[WHOLE] = frequent @ answers.sets
    fits: dict[str, Callable[[], Any]] = {
        PEER: lambda: _by_peer(answers),
        PLAIN: lambda: class_by_class(["dawid_skene"] * len(crowd.classes)).fit(answers).sets,
        CHOSEN: lambda: choice.model.fit(answers).sets,
    }
    for name, fit in fits.items():
        start = time.perf_counter()
        found[name] = np.asarray(fit(), dtype=np.float64)
        seconds[name] = time.perf_counter() - start
    ids = answers.coded.item_ids.to_pylist()
    scored = np.flatnonzero([item in crowd.gold for item in ids])
    known = answers.coded.item_ids.take(scored).to_pylist()
    truth = split_sets(_texts(crowd.gold[item] for item in known), crowd.classes).astype(np.bool_)
    shares = {name: _shares_right(sets[scored], truth) for name, sets in found.items()}
    exact = {name: share.prod(axis=1) for name, share in shares.items()}
    is_truth = (answers.sets[None] == truth[:, None]).all(axis=2)
    exact[WHOLE] = (frequent[scored] * is_truth).sum(axis=1)
    return {
        "set": crowd.name,
        "items": len(ids),
        "scored_items": len(scored),
        "answers": len(answers.coded.item),
        "annotators": len(answers.coded.annotators),
        "classes": len(crowd.classes),
        "distinct_sets": len(answers.sets),
        "exact_set_error": {name: float(1 - right.mean()) for name, right in exact.items()},
        "class_error": {name: float(1 - share.mean()) for name, share in shares.items()},
        "chosen_less": {name: paired(exact[CHOSEN], right) for name, right in exact.items() if name != CHOSEN},
        "model": choice.model.name,
        "why": choice.why,
        "seconds": {name: round(value, 3) for name, value in seconds.items()},
    }


def share_most_frequent(answers: CodedSets) -> Reals:
    """Return 1 at the set that most answers of an item are, equal parts at equally frequent ones; items x sets."""
    coded = answers.coded
    counts = np.zeros((len(coded.item_ids), len(answers.sets)))
    np.add.at(counts, (coded.item, coded.label), 1.0)
    is_top = counts == counts.max(axis=1, keepdims=True)
    return np.asarray(is_top / is_top.sum(axis=1, keepdims=True))


def _shares_right(sets: Reals, truth: Flags) -> Reals:
    """Return how far each class of each item is right: 1, 0, or half where a method leaves a tie."""
    return np.asarray(np.where(truth, sets, 1 - sets))


def _by_peer(answers: CodedSets) -> Reals:
    """Return crowd-kit's likeliest answer to each class, as it comes; shape items x classes."""
    import pandas as pd
    from crowdkit.aggregation import DawidSkene

    columns = []
    for place in range(len(answers.classes)):
        coded = code_class(answers, place)
        frame = pd.DataFrame({"task": coded.item, "worker": coded.annotator, "label": coded.label})
        found = DawidSkene(n_iter=100).fit_predict(frame)
        columns.append(found.reindex(range(len(coded.item_ids))).to_numpy(dtype=np.float64))
    return np.stack(columns, axis=1)


def _texts(values: Any) -> Any:
    import pyarrow as pa

    return pa.array(list(values), pa.string())


def _summary(entries: list[dict[str, Any]]) -> dict[str, Any]:
    """Return on how many sets of real answers the chosen model beats others, and is beaten, by the bootstrap."""
    real = [entry for entry in entries if not entry["set"].startswith("made")]
    summary: dict[str, Any] = {"real_sets": len(real)}
    for name in (MAJORITY, WHOLE, PEER, PLAIN):
        apart = [entry["chosen_less"][name] for entry in real]
        summary[name] = {
            "better": sum(one["low"] > 0 for one in apart),
            "worse": sum(one["high"] < 0 for one in apart),
            "median_difference": median([one["difference"] for one in apart]) if apart else None,
        }
    return summary


def _print(entries: list[dict[str, Any]], console: Console) -> None:
    table = Table(title="Wrong sets (%), and wrong classes")
    apart_from = ("less majority", "less most frequent", "less crowd-kit")
    for name in ("set", "items", "model", MAJORITY, WHOLE, PEER, PLAIN, CHOSEN, *apart_from, "seconds"):
        table.add_column(name, justify="left" if name in ("set", "model") else "right")
    for entry in entries:
        errors = [
            f"{100 * entry['exact_set_error'][name]:.1f} ({100 * entry['class_error'][name]:.1f})"
            for name in (MAJORITY, WHOLE, PEER, PLAIN, CHOSEN)
        ]
        apart = [_interval(entry["chosen_less"][name]) for name in (MAJORITY, WHOLE, PEER)]
        items = f"{entry['scored_items']:,}"
        table.add_row(entry["set"], items, entry["model"], *errors, *apart, f"{entry['seconds']['choosing']:.1f}")
    console.print(table)
    for name, found in _summary(entries).items():
        console.print(f"{name}: {found}", highlight=False)


def _interval(apart: dict[str, Any]) -> str:
    """Return by how much fewer sets are wrong, with the interval, in percentage points."""
    return f"{-100 * apart['difference']:+.1f} ({-100 * apart['high']:.1f} to {-100 * apart['low']:.1f})"


if __name__ == "__main__":
    sys.exit(main())
