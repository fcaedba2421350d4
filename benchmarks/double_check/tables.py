"""Tables of the figures for a terminal."""

from rich.console import Console
from rich.table import Table

from benchmarks.double_check.figures import Row
from benchmarks.double_check.over_sets import BUDGETS, MARGIN
from benchmarks.double_check.rankers import OURS

WIDTH = 160


def print_set(found: Row) -> None:
    """Print what experts see in one set, by budget and method."""
    others = found["deployed_with_other_rankers"]
    table = Table(title=f"{found['dataset']}: {found['items']:,} items, {found['crowds']} crowd(s); experts see (%)")
    pac = [row for row in found["pac_labels"] if row["source"] in (OURS, "confidence") and row["draws_by"] == "ours"]
    names = list(dict.fromkeys(f"pac {row['bound']}, {row['source']}" for row in pac))
    for name in ("budget", "before", "audited", OURS, *others, *names, "p80", "false", "floor", "CP"):
        table.add_column(name, justify="right")
    for place, own in enumerate(found["deployed"]):
        rows = [own, *(rows[place] for rows in others.values())]
        rows += [row for row in pac if row["budget"] == own["budget"]]
        shares = [own["asked_before_share"], *(row["experts_seen_share"]["mean"] for row in rows)]
        shares += [own["experts_seen_share"]["p80"], own["false_certificate_share"], own["floor_share"]]
        texts = [f"{100 * share:.1f}" for share in (*shares, own["clopper_pearson_share"])]
        table.add_row(f"{own['budget']:.1%}", texts[0], f"{own['audited']:.0f}", *texts[1:])
    console = Console(width=WIDTH)
    console.print(table)
    if found["class_budgets"] is not None:
        _print_class(console, found["class_budgets"])


def print_over_sets(found: Row) -> None:
    """Print the figures over sets: each method, ours against the best rival, and against what it was before."""
    budgets = [str(budget) for budget in BUDGETS]
    table = Table(title=f"{len(found['sets'])} sets; experts see (%), means over sets")
    for name in (
        "method",
        "sets",
        *(f"{budget:.0%}" for budget in BUDGETS),
        "above floor",
        "ours less it",
        "over sets",
        "false",
    ):
        table.add_column(name, justify="left" if name == "method" else "right", no_wrap=True)
    for row in found["methods"]:
        less = [format_difference(row, key) for key in ("interval_of_these_sets", "interval_over_sets")]
        low, high = row["false_certificate_interval"]
        false = f"{row['false_certificates']} of {row['replays']}: {100 * low:.1f} to {100 * high:.1f}"
        seen = [f"{100 * row['experts_seen_share'][budget]:.1f}" for budget in budgets]
        table.add_row(row["method"], str(row["sets"]), *seen, f"{100 * row['above_floor']:.1f}", *less, false)
    console = Console(width=WIDTH)
    console.print(table)
    _print_rivals(console, found["rivals"])
    for floor, one in (found["against_before"] or {}).items():
        ratio = "" if one["ratio"] is None else f", {one['ratio']:.2f} of it"
        points = f"{100 * one['ours']:.1f} points, before {100 * one['before']:.1f}"
        console.print(f"above the floor {floor.replace('_', ' ')}: {points}{ratio}", highlight=False)


def format_difference(row: Row, interval: str) -> str:
    """Return ours less a method, in points, with one of its intervals; empty for ours itself."""
    if row["method"] == OURS:
        return ""
    less, found = f"{100 * row['ours_less_this']:.1f}", row[interval]
    return less if found is None else f"{less} ({100 * found[0]:.1f} to {100 * found[1]:.1f})"


def _print_class(console: Console, found: Row) -> None:
    title = f"{found['budget_of_all']:.0%} of all, and {found['budget']:.0%} of {found['class']!r}"
    table = Table(title=f"{title} ({found['share_of_items']:.1%} of the items); in percent")
    for name in (
        "bounded of the class",
        "experts see",
        "class wrong, mean",
        "most",
        "missed, mean",
        "most",
        "unproven",
        "false",
    ):
        table.add_column(name, justify="left" if name.startswith("bounded") else "right")
    for row in found["asked"]:
        wrong, missed = row["class_wrong_share"], row["class_missed_share"]
        shares = [row["experts_seen_share"], wrong["mean"], wrong["max"], missed["mean"], missed["max"]]
        shares.append(row["unproven_share"])
        false = ", ".join(f"{name} {count}" for name, count in row["false_certificates"].items())
        bounded = " and ".join(row["bounded"]) or "nothing"
        table.add_row(bounded, *(f"{100 * share:.1f}" for share in shares), f"{false} of {row['replays']}")
    console.print(table)


def _print_rivals(console: Console, rivals: list[Row]) -> None:
    if not rivals:
        return
    table = Table(title="Ours less the best of majority, Dawid-Skene and EBCC as rankers (points of all items)")
    for name in ("set", *(f"{budget:.0%}" for budget in BUDGETS)):
        table.add_column(name, justify="left" if name == "set" else "right", no_wrap=True)
    for dataset in dict.fromkeys(row["dataset"] for row in rivals):
        table.add_row(dataset, *(_rival_text(row) for row in rivals if row["dataset"] == dataset))
    console.print(table)
    worse = {row["dataset"] for row in rivals if row["difference"] > MARGIN}
    within = len({row["dataset"] for row in rivals}) - len(worse)
    proven = sum(row["is_within"] for row in rivals)
    console.print(
        f"within {MARGIN:.0%} at all three budgets: {within} sets; by Holm within {proven}, better "
        f"{sum(row['is_better'] for row in rivals)}, worse by more {sum(row['is_worse'] for row in rivals)} of "
        f"{len(rivals)} (+ within, ++ better, - worse)",
        highlight=False,
    )


def _rival_text(row: Row) -> str:
    mark = "++" if row["is_better"] else "+" if row["is_within"] else "-" if row["is_worse"] else ""
    return f"{100 * row['difference']:.1f} ({row['rival']}) {mark:2}"
