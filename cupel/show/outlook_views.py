"""How the outlook of a release is shown: its rows as text, a table for the page, a sentence, and a plot."""

from collections.abc import Sequence
from typing import Any

from cupel.certificate.design import Design, FixedSequence, Rising
from cupel.certificate.outlook import BudgetOutlook, Outlook
from cupel.figures import hours, money, percent, setting
from cupel.show.plots import BLUE, GREEN, INK, ORANGE, SKY, svg_plot

NEITHER = "a guess, no measurement; it enters no test"
_COLOURS = (BLUE, ORANGE, GREEN, SKY)
HEADINGS = (
    "Guess of the risk",
    "Method",
    "Audited first",
    "Experts see",
    "in 4 of 5 at most",
    "Cost",
    "Time",
    "Passes",
)

BUDGET_HEADINGS = (
    "Guess of the risk",
    "Budget",
    "At most",
    "Of items",
    "Audited first",
    "Experts see for it, of all",
    "Cost, were it alone",
)


def outlook_rows(rows: Sequence[Outlook], currency: str) -> list[tuple[str, ...]]:
    """Return the outlook as rows of text, in the order of `HEADINGS`."""
    return [
        (
            row.guess, method(row), f"{row.audited:,}", percent(row.seen_share), percent(row.seen_share_high),
            f"{money(row.cost, currency)} (to {money(row.cost_high, currency)})", hours(row.hours),
            chance(row.pass_chance),
        )
        for row in rows
    ]  # fmt: skip


def method(row: Outlook) -> str:
    """Return the name of an outlook's method, as people read it."""
    return "rising" if isinstance(row.design, Rising) else "fixed sequence"


def chance(value: float) -> str:
    """Return a simulated chance in whole percent that never looks surer than it is.

    >>> chance(0.999), chance(0.0), chance(0.5)
    ('>99%', '<1%', '50%')
    """
    return "<1%" if value < 0.01 else ">99%" if value > 0.99 else f"{value:.0%}"


def outlook_table(rows: Sequence[Outlook], currency: str) -> str:
    """Return the outlook as a Markdown table."""
    lines = [f"| {' | '.join(HEADINGS)} |", f"|{' --- |' * len(HEADINGS)}"]
    return "\n".join([*lines, *(f"| {' | '.join(cells)} |" for cells in outlook_rows(rows, currency))])


def budget_table(rows: Sequence[BudgetOutlook], currency: str) -> str:
    """Return what budgets by class and slice are expected to cost as a Markdown table; nothing without any."""
    if not rows:
        return ""
    lines = [f"| {' | '.join(BUDGET_HEADINGS)} |", f"|{' --- |' * len(BUDGET_HEADINGS)}"]
    return "\n".join([*lines, *(f"| {' | '.join(cells)} |" for cells in budget_rows(rows, currency))])


def budget_rows(rows: Sequence[BudgetOutlook], currency: str) -> list[tuple[str, ...]]:
    """Return the outlook of budgets as rows of text, in the order of `BUDGET_HEADINGS`."""
    return [
        (
            row.guess, row.name, setting(row.share), f"{row.items:,}", f"{row.audited:,}", percent(row.seen_share),
            money(row.cost, currency),
        )
        for row in rows
    ]  # fmt: skip


def rising_saves(rows: Sequence[Outlook], design: Design) -> str:
    """Return what the rising audit would spare experts, in a sentence; nothing where it is declared or dearer.

    Args:
        rows: As `release_outlook` returns them.
        design: What was declared.
    """
    if not isinstance(design, FixedSequence):
        return ""
    shares = []
    for guess in dict.fromkeys(row.guess for row in rows):
        own = [row for row in rows if row.guess == guess]
        declared = next((row for row in own if row.design == design), None)
        rising = next((row for row in own if isinstance(row.design, Rising)), None)
        if declared and rising and rising.seen_share < declared.seen_share:
            shares.append(f"{percent(rising.seen_share)} instead of {percent(declared.seen_share)} ({guess})")
    if not shares:
        return ""
    return (
        f"With `release.certificate.method: rising`, experts would see {', '.join(shares)}, with the same chance of a "
        f"false certificate; their answers are then asked for in waves."
    )


def outlook_plot(rows: Sequence[Outlook], max_share: float, seen_share: float | None = None) -> str:
    """Plot the share that experts would see by the size of the audit; what they saw in truth, where it is known.

    Args:
        rows: As `release_outlook` returns them.
        max_share: What the project allows.
        seen_share: What experts saw, or None.
    """
    guesses = list(dict.fromkeys(row.guess for row in rows))

    def draw(axes: Any) -> None:
        for guess, colour in zip(guesses, _COLOURS, strict=False):
            fixed = [row for row in rows if row.guess == guess and not isinstance(row.design, Rising)]
            if fixed:
                axes.plot([row.audited for row in fixed], [row.seen_share for row in fixed], "o-", color=colour,
                          linewidth=1.4, markersize=4.5, label=f"fixed sequence, {guess}")  # fmt: skip
            for row in [row for row in rows if row.guess == guess]:
                axes.vlines(row.audited, row.seen_share, row.seen_share_high, color=colour, linewidth=2.4, alpha=0.4)
                if isinstance(row.design, Rising):
                    axes.plot(row.audited, row.seen_share, "D", color=colour, markersize=7, label=f"rising, {guess}")
        axes.axhline(max_share, color=INK, linewidth=1.1, linestyle=(0, (5, 3)))
        axes.annotate("allowed", (0, max_share), (4, 4), textcoords="offset points", fontsize=9)
        if seen_share is not None:
            axes.axhline(seen_share, color=GREEN, linewidth=1.4)
            axes.annotate("seen in truth", (0, seen_share), (4, 4), textcoords="offset points", fontsize=9)
        axes.set_xlim(0, max(row.audited for row in rows) * 1.06)
        axes.set_ylim(0, 1.02)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        axes.yaxis.set_major_formatter(lambda value, _: f"{value * 100:.4g}%")
        axes.set_xlabel("items audited (of a rising audit: in its first wave)")
        axes.set_ylabel("items that experts see")
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False, fontsize=8.5)

    best = min(rows, key=lambda row: row.seen_share)
    text = (
        f"Share of the items that experts would see, by method and size of the audit, {NEITHER}. Least: "
        f"{percent(best.seen_share)}, {method(best)}, {best.guess}. Allowed: {percent(max_share)}."
    )
    return svg_plot("outlook", text, draw, 3.4)
