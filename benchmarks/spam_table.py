"""The tables of the benchmark of spammers: a row for each crowd and kind, and a row for each kind over all crowds."""

import statistics
import sys
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from cupel.certificate.hypergeometric import clopper_pearson_lower, clopper_pearson_upper

# A crowd of fewer people has too few spammers, and too few honest ones, for a share to say anything of a kind.
FEWEST_ANNOTATORS = 20
SHARES = ("found_share", "false_alarm_share", "flagged_of_all_real_share", "found_at_2_percent", "limit_at_2_percent")

Row = dict[str, Any]


def by_kind(rows: Sequence[Row]) -> list[Row]:
    """Return a row for each kind: lowest, median and highest share over its crowds, and how often budgets were kept.

    A budget is kept by a set that was not certified, too. Audits of one set share its labels, so the exact interval of
    that share is a little too narrow.

    Args:
        rows: Of `spam.summary`; crowds of fewer than FEWEST_ANNOTATORS are left out of the shares.
    """
    return [
        _kind(kind, [row for row in rows if row["kind"] == kind]) for kind in dict.fromkeys(r["kind"] for r in rows)
    ]


def _kind(kind: str, rows: Sequence[Row]) -> Row:
    own = [row for row in rows if row["annotators"] >= FEWEST_ANNOTATORS]
    found: Row = {"kind": kind, "crowds": [row["dataset"] for row in own]}
    for name in SHARES:
        shares = [row[name] for row in own if row[name] is not None]
        found[name] = [min(shares), statistics.median(shares), max(shares)] if shares else None
    sets = [one for row in rows for one in row["deployed"]]
    size, broken = sum(one["certified_n"] for one in sets), sum(one["over_budget_and_certified"] for one in sets)
    return found | {
        "audits": size,
        "certified": round(sum(one["certified_share"] * one["certified_n"] for one in sets)),
        "kept_or_not_certified_share": 1 - broken / size,
        "kept_or_not_certified_low": 1 - clopper_pearson_upper(broken, size, 0.975),
        "kept_or_not_certified_high": 1 - clopper_pearson_lower(broken, size, 0.975),
    }


def show(rows: Sequence[Row]) -> None:
    """Print what is in the JSON, in percent."""
    heads = ("dataset", "kind", "found", "false alarms", "of all real", "at 2%", "limit", "n")
    table = _table("Spammers found and honest annotators blamed (%)", heads)
    for one in rows[0]["deployed"]:
        table.add_column(f"final error, seen at {one['budget']:.0%}", justify="right")
    for row in rows:
        table.add_row(
            row["dataset"], row["kind"], *(_percent(row[name]) for name in SHARES), str(row["found_n"]),
            *(f"{100 * one['final_error']:.2f}, {100 * one['experts_seen_share']:.0f}" for one in row["deployed"]),
        )  # fmt: skip
    of_kinds = (
        "kind",
        "crowds",
        "found",
        "false alarms",
        "of all real",
        "at 2%",
        "limit",
        "audits",
        "certified",
        "kept",
    )
    kinds = _table(
        "The same over crowds: lowest, median, highest (%); kept: within the budget, or not certified", of_kinds
    )
    for row in by_kind(rows):
        kinds.add_row(
            row["kind"], str(len(row["crowds"])),
            *(", ".join(map(_percent, row[name] or [None])) for name in SHARES), str(row["audits"]),
            str(row["certified"]), _percent(row["kept_or_not_certified_share"]),
        )  # fmt: skip
    console = Console(width=None if sys.stdout.isatty() else 150)
    console.print(table)
    console.print(kinds)


def _table(title: str, heads: Sequence[str]) -> Table:
    table = Table(title=title)
    for head in heads:
        table.add_column(head, justify="left" if head in ("dataset", "kind") else "right")
    return table


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f}"
