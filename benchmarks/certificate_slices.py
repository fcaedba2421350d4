"""Budgets and bounds by class and slice: how often any of them, or the certificate, is false, and what they cost."""

import argparse
import dataclasses
import json
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.certificate_slice_replays import draw_marks, find_passed, replay
from benchmarks.certificate_slice_sets import SIZE, SlicedSet, at_each_cut, declare, sets
from benchmarks.new_file import new_file
from cupel.certificate.hypergeometric import clopper_pearson_lower, clopper_pearson_upper
from cupel.certificate.result import Terms
from cupel.certificate.sequence import Flags
from cupel.certificate.slice_budgets import MISSED, WRONG
from cupel.store.files import put_file

LIMIT, REPLAYS = 0.05, 1_000
METHODS, RARE_SHARES = ("fixed_sequence", "rising"), (0.03, 0.12)
# Of the rising audit, which has no cuts that could be known beforehand, so many places of the errors will do.
RISING_PLACES = 20


class Undivided(Terms):
    """Terms by which each test has the whole alpha, however many there are: a fault that must be caught."""

    @property
    def tests(self) -> int:
        """One, whatever is tested."""
        return 1


def measure(replays: int) -> Iterator[dict[str, Any]]:
    """Yield what replays of each set came to, a row of the report each; the control last."""
    for method in METHODS:
        for share in RARE_SHARES:
            for counts in (WRONG, MISSED):
                told = {"method": method, "rare_share": share, "counts": counts}
                *own, disjoint = sets(share, counts)
                for one in own:
                    yield {**told, **_measure_set(one, method, replays)}
                yield {**told, **_measure_cuts(list(at_each_cut(share, counts)), method, replays)}
        told = {"method": method, "rare_share": None, "counts": WRONG}
        yield {**told, **_measure_set(disjoint, method, replays)}
    control = replay(disjoint, undivide(declare(disjoint, "rising")), replays, has_bounds=False)
    yield {
        "method": "rising", "rare_share": None, "counts": WRONG, "set": "control: the same, alpha undivided",
        **_count(control.is_false, np.zeros(replays, np.bool_)), "is_control": True,
        "seen_share": float(control.seen_share.mean()), "seen_share_alone": None,
    }  # fmt: skip


def undivide(terms: Terms) -> Undivided:
    """Return the same terms, each of whose tests has the whole alpha."""
    return Undivided(**{field.name: getattr(terms, field.name) for field in dataclasses.fields(terms)})


def _measure_set(one: SlicedSet, method: str, replays: int) -> dict[str, Any]:
    found = replay(one, declare(one, method), replays)
    alone = replay(one, declare(one, method, budgets=False), min(replays, REPLAYS), has_bounds=False)
    return {
        "set": one.name, **_count(found.is_false, found.is_under), "is_control": False,
        "seen_share": float(found.seen_share.mean()), "seen_share_alone": float(alone.seen_share.mean()),
    }  # fmt: skip


def _measure_cuts(many: list[SlicedSet], method: str, replays: int) -> dict[str, Any]:
    """Return the worst of the sets whose errors stand right before or behind a cut."""
    terms = declare(many[0], method)
    if method == "rising":
        chosen = many[:: len(many) // RISING_PLACES | 1]
        flags = np.stack([replay(one, terms, replays, has_bounds=False).is_false for one in chosen])
    else:
        chosen = many
        flags = np.concatenate([find_passed(many, terms, marks) for marks in draw_marks(SIZE, replays)], axis=1)
    worst = flags[int(flags.sum(axis=1).argmax())]
    return {
        "set": f"worst of {len(chosen)}: all errors before or behind a cut", "is_control": False,
        **_count(worst, np.zeros(len(worst), np.bool_)), "seen_share": None, "seen_share_alone": None,
    }  # fmt: skip


def _count(is_false: Flags, is_under: Flags) -> dict[str, Any]:
    """Count false certificates, bounds below the truth, and both together, with exact intervals of 95%."""
    said: dict[str, Any] = {"replays": len(is_false)}
    for name, flags in (("false", is_false), ("under", is_under), ("joint", is_false | is_under)):
        count, size = int(flags.sum()), len(flags)
        said[name] = {
            "count": count, "share": count / size, "low": clopper_pearson_lower(count, size, 0.975),
            "high": clopper_pearson_upper(count, size, 0.975),
        }  # fmt: skip
    return said


def main() -> int:
    """Replay, print, write; 1 where any joint share is above 5% by more than chance, or the control is not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=new_file, help="file to write")
    parser.add_argument("--replays", type=int, default=REPLAYS, help="replays of each set")
    arguments = parser.parse_args()
    rows, console = list(measure(arguments.replays)), Console(width=None if sys.stdout.isatty() else 170)
    console.print(_make_table(rows, arguments.replays))
    if arguments.json:
        put_file(arguments.json, (json.dumps(rows, indent=1) + "\n").encode())
    over = [row for row in rows if row["joint"]["low"] > LIMIT]
    return int(any(not row["is_control"] for row in over) or not any(row["is_control"] for row in over))


def _make_table(rows: list[dict[str, Any]], replays: int) -> Table:
    table = Table(title=f"{replays:,} replays each: false certificates and bounds (%), and what experts see (%)")
    for name in ("method", "rare class", "counts", "errors", "false", "bound under", "joint", "seen", "alone"):
        table.add_column(name)
    for row in rows:
        shares = [
            f"{100 * row[name]['share']:.2f} ({100 * row[name]['low']:.2f} to {100 * row[name]['high']:.2f})"
            for name in ("false", "under", "joint")
        ]
        seen = ["" if row[name] is None else f"{100 * row[name]:.1f}" for name in ("seen_share", "seen_share_alone")]
        rare = "" if row["rare_share"] is None else f"{row['rare_share']:.0%}"
        table.add_row(row["method"], rare, row["counts"], row["set"], *shares, *seen)
    return table


if __name__ == "__main__":
    sys.exit(main())
