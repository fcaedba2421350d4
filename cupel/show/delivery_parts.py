"""Budgets and bounds by class and slice, as the terminal shows them: what they cost, and what came of them."""

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from cupel.accept.budget import percent
from cupel.accept.judging import Verdict
from cupel.accept.part_judging import BudgetVerdict, PartBound, describe_unbounded
from cupel.accept.part_plan import count_costs
from cupel.accept.plan import Plan
from cupel.certificate.result import percent as percent_up
from cupel.certificate.slice_budgets import CLASS
from cupel.show.delivery_words import escape

COLOURS = {"kept": "green", "exceeded": "red", "unproven": "yellow"}
UNPROVEN = "unproven"
MOST_BOUNDS = 20


def show_part_plan(console: Console, plan: Plan) -> None:
    """Print what each budget of a part adds to the first look, and which parts are bounded."""
    bounded = [part for part in plan.parts if part.by == CLASS]
    if plan.parts:
        others = len(plan.parts) - len(bounded)
        slices = f" and {others} slices by {', '.join(plan.settings.slices)}" if plan.settings.slices else ""
        classes = f"{len(bounded)} class{'es' * (len(bounded) != 1)}"
        console.print(
            f"Beside the verdict stand exact upper bounds for {classes}{escape(slices)}: how many of the "
            "labels are wrong, and how many of the class were missed; all at once and with the verdict at 95%."
        )
    costs = count_costs(plan)
    if not costs:
        return
    table = Table(title="Budgets of parts: each must be kept for an ACCEPT", title_justify="left", title_style="dim",
                  box=SIMPLE_HEAD, padding=(0, 1), pad_edge=False)  # fmt: skip
    table.add_column("budget", overflow="fold")
    for head in ("labels", "check", "of others", "more"):
        table.add_column(head, justify="right")
    for one in costs:
        table.add_row(escape(one.budget.option), f"{one.labels:,}", f"{one.drawn:,}",
                      f"{one.drawn_others:,}" if one.drawn_others else "", f"about {one.more:,}")  # fmt: skip
    console.print(table)


def show_parts_verdict(console: Console, verdict: Verdict) -> None:
    """Print each budget of a part with its bound, then the bounds of all parts."""
    if verdict.budgets:
        table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
        for budget in verdict.budgets:
            colour = COLOURS[budget.status]
            table.add_row(f"[{colour}]{budget.status}[/]", escape(name_budget(budget)), _describe_bound(budget))
        console.print("[bold]Budgets of parts[/]")
        console.print(table)
    for by in dict.fromkeys(bound.by for bound in verdict.bounds):
        _show_bounds(console, by, [bound for bound in verdict.bounds if bound.by == by])
    for unbounded in verdict.unbounded:
        console.print(f"[dim]  {escape(describe_unbounded(unbounded))}[/]")


def name_budget(budget: BudgetVerdict) -> str:
    """Return what a budget allows, as it is written on the command line."""
    return f"{budget.by}:{budget.value}:{budget.counts}={percent(budget.budget)}"


def format_bound(upper: float | None) -> str:
    """Return an upper bound rounded up, or that nothing is shown.

    >>> format_bound(0.03151), format_bound(None)
    ('3.16%', 'unproven')
    """
    return UNPROVEN if upper is None else percent_up(upper)


def _describe_bound(budget: BudgetVerdict) -> str:
    return (
        f"at most [bold]{format_bound(budget.upper)}[/] {budget.counts}, {percent(budget.budget)} allowed "
        f"({budget.found:,} in {budget.audited:,} checked)"
    )


def _show_bounds(console: Console, by: str, bounds: list[PartBound]) -> None:
    title = "Upper bounds by delivered class" if by == CLASS else f"Upper bounds by {escape(by)}"
    table = Table(title=f"{title}, all at once and with the verdict at 95%", title_justify="left", title_style="dim",
                  box=SIMPLE_HEAD, padding=(0, 1), pad_edge=False)  # fmt: skip
    table.add_column("", overflow="fold")
    heads = ["labels", "checked", "wrong", "wrong at most"]
    for head in heads + (["missed", "missed at most"] if by == CLASS else []):
        table.add_column(head, justify="right")
    for one in bounds[:MOST_BOUNDS]:
        cells = [f"{one.labels:,}", f"{one.audited:,}", f"{one.wrong:,}", format_bound(one.wrong_upper)]
        cells += [f"{one.missed or 0:,}", format_bound(one.missed_upper)] if by == CLASS else []
        table.add_row(escape(one.value), *cells)
    console.print(table)
    if len(bounds) > MOST_BOUNDS:
        console.print(f"[dim]  and {len(bounds) - MOST_BOUNDS:,} more, in the verdict's JSON[/]")
