"""What the buyer reads on the terminal: the delivery, the plan, the verdict, the vendors. Words only, no decisions."""

from collections.abc import Sequence
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.panel import Panel
from rich.table import Table

from cupel.accept.blind import Shown
from cupel.accept.budget import money as plain_money
from cupel.accept.budget import percent
from cupel.accept.delivery import Delivery, rejection_counts
from cupel.accept.folder import Copies
from cupel.accept.judging import Part, Prices, Rate, Verdict, earlier_words
from cupel.accept.plan import Choice, Plan
from cupel.accept.scores import Standing
from cupel.certificate.result import percent as percent_up
from cupel.exchange.imports.columns import Columns
from cupel.figures import plural
from cupel.printable import printable
from cupel.show.delivery_parts import show_part_plan, show_parts_verdict
from cupel.show.delivery_words import escape

COLOURS = {"ACCEPT": "green", "REFUSE": "red", "OPEN": "yellow"}
MOST_CLASSES_NAMED = 12
MOST_PARTS = 10
MOST_FILES_NAMED = 5
LONGEST_NAME = 60


def money(amount: float, currency: str) -> str:
    """Return an amount of money; the buyer's name for the currency is a text like any other."""
    return escape(plain_money(amount, currency))


def show_delivery(console: Console, delivery: Delivery, given: Columns | None) -> None:
    """Print what the delivery holds: rows in = labels + rejected, and one line per reason.

    Args:
        console: Where to print.
        delivery: The delivery.
        given: Columns that the buyer named, the others None; None where a plan named them all.
    """
    rejected = len(delivery.rejected)
    console.print(
        f"[bold]{escape(delivery.path.name)}[/] ({delivery.format}): {delivery.rows_in:,} rows = "
        f"[bold]{len(delivery.labels):,} labels[/] + {rejected:,} rejected"
    )
    for entry in rejection_counts(delivery.rejected):
        rows = ", ".join(map(str, entry.first_rows)) + (", ..." if entry.rows > len(entry.first_rows) else "")
        console.print(f"  [yellow]rejected {entry.rows:,}[/]: {escape(entry.meaning)} ({entry.reason}; row {rows})")
    if given is not None:
        console.print(f"  columns: {_columns(delivery.columns, given)}")
    for notice in delivery.notices:
        console.print(f"  {notice}", markup=False, soft_wrap=True)
    names = [escape(name) for name in delivery.classes[:MOST_CLASSES_NAMED]]
    more = f" and {len(delivery.classes) - len(names)} more" if len(delivery.classes) > len(names) else ""
    if delivery.classes:
        console.print(f"  {len(delivery.classes)} classes: {', '.join(names)}{more}")


def _columns(columns: Columns, given: Columns) -> str:
    parts = []
    for role, column, named in zip(Columns._fields, columns, given, strict=True):
        if column is not None:
            parts.append(f"{role} = {escape(column)}" + ("" if named else " [dim](guessed)[/]"))
        elif role == "id":
            parts.append("id = row number [dim](no column for it)[/]")
        else:
            parts.append(f"{role} = [dim]none[/]")
    return ", ".join(parts)


def show_shown(console: Console, shown: Shown) -> None:
    """Print what the auditor sees, and which columns not."""
    if shown.text_column is None:
        console.print(
            "  [yellow]no column shows the items[/]: the sheet has their ids only, and the auditor must find "
            "them by it; name the column with --text if there is one"
        )
    seen = [name for name in (shown.text_column, *shown.others) if name]
    console.print(f"  the auditor sees: {escape(', '.join(seen)) or 'ids'}")
    for name, reason in shown.dropped.items():
        console.print(f"  [dim]hidden: {escape(name)}: {escape(reason)}[/]")


def show_plan(console: Console, plan: Plan, choice: Choice, prices: Prices) -> None:
    """Print the audit's size, why, what it costs, and the chances to be accepted."""
    budget = percent(plan.settings.error_budget)
    if plan.earlier is not None:
        words = earlier_words(plan.earlier, plan.labels, plan.attempt, plan.alpha)
        console.print(f"\n[yellow]Audited before[/]: {escape(words)}.")
    console.print(
        f"\n[bold]Plan[/]: audit [bold]{plan.size:,}[/] of {plan.labels:,} labels against a budget of {budget} wrong "
        f"({choice.reason})."
    )
    what = "that the whole keeps its budget" if plan.settings.budgets else "to be accepted"
    table = _table(f"Chance {what} at the first look, by the true share of wrong labels")
    heads = ["check", "max wrong", *(f"if {percent(error)}" for error in choice.errors), "time"]
    for head in heads if prices.expert_answer is None else [*heads, prices.currency]:
        table.add_column(escape(head), justify="right", no_wrap=True)
    for row in choice.table:
        allowed = "-" if row.most_wrong is None else f"{row.most_wrong}"
        cost = [] if prices.expert_answer is None else [f"{row.drawn * prices.expert_answer:,.0f}"]
        cells = [allowed, *map(_chance, row.chances), _time(row.drawn, prices), *cost]
        table.add_row(f"{row.drawn:,}", *cells, style="bold" if row.drawn == plan.size else "")
    console.print(table)
    show_part_plan(console, plan)
    limit = plan.settings.max_undecided
    undecided = "" if limit is None else f", or with more than {percent(limit)} that cannot be decided,"
    console.print(
        f"A delivery with more than {budget} wrong{undecided} is accepted at most 5 times in 100, all looks at its "
        "items together. "
        "If the first look proves nothing either way, the answer is OPEN and says how many more to check."
    )


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", title_style="dim", box=SIMPLE_HEAD, padding=(0, 1), pad_edge=False)


def _chance(chance: float) -> str:
    """Return a chance in whole percent that never looks surer than it is."""
    if 0 < chance < 0.01:
        return "<1%"
    return ">99%" if 0.99 < chance < 1 else f"{chance:.0%}"


def _time(count: int, prices: Prices) -> str:
    hours = count * prices.expert_seconds / 3600
    return f"{hours:,.{0 if hours >= 10 else 1}f} h" if hours >= 1 else f"{60 * hours:.0f} min"


def show_copies(console: Console, copies: Copies) -> None:
    """Print which files go to the auditor with the sheet, and which that cells name do not."""
    if copies.copied:
        size = sum(item.size_bytes for item in copies.copied)
        names = _names([item.name for item in copies.copied])
        console.print(
            f"\n[bold]Copied for the auditor[/], under the rows' codes: {len(copies.copied):,} media files, "
            f"{_size(size)}: {names}"
        )
    for reason, named in copies.problems.items():
        console.print(f"[yellow]Not copied[/], {reason}: {len(named):,} named in the items: {_names(named)}")


def _names(names: Sequence[str]) -> str:
    shown = [name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}…" for name in names[:MOST_FILES_NAMED]]
    return escape(", ".join(shown)) + (", ..." if len(names) > len(shown) else "")


def _size(size: float) -> str:
    for unit in ("bytes", "kB", "MB"):
        if size < 1_000:
            return f"{size:,.0f} {unit}" if unit == "bytes" else f"{size:,.1f} {unit}"
        size /= 1_000
    return f"{size:,.1f} GB"


def show_awaited(
    console: Console, folder: Path, sheets: Sequence[Path], count: int, labels: int, prices: Prices
) -> None:
    """Print what to do with a sheet that awaits its answers."""
    page, table = (escape(str(folder / sheet)) for sheet in sheets)
    console.print(
        Panel(
            f"Have {count:,} items judged by somebody who has not seen the delivered labels:\n"
            f"  in a browser, offline:  [bold]{page}[/]\n"
            f"  or in a spreadsheet:    [bold]{table}[/], column label\n"
            "Then run the same command again; for a downloaded sheet add [bold]--sheet FILE[/].\n"
            f"{_effort(count, labels, prices)}",
            title="The sheet awaits its answers",
            title_align="left",
            expand=False,
        )
    )


def _effort(count: int, labels: int, prices: Prices) -> str:
    """Return what the checks take, and whether they are worth it."""
    time = f"That takes about {_time(count, prices)} at {prices.expert_seconds:g} seconds an item"
    if prices.expert_answer is None:
        return f"{time}."
    cost = count * prices.expert_answer
    text = f"{time} and {money(cost, prices.currency)}."
    if prices.label is not None and cost > labels * prices.label:
        text += f" [yellow]That is more than the labels cost, {money(labels * prices.label, prices.currency)}.[/]"
    return text


def show_verdict(console: Console, verdict: Verdict) -> None:
    """Print the verdict with its numbers."""
    colour = COLOURS[verdict.verdict]
    who = f" by {verdict.vendor}" if verdict.vendor else ""
    console.print(
        Panel(f"{escape(verdict.delivery)}{escape(who)}: {escape(verdict.reason)}.", title=f"[bold]{verdict.verdict}",
              title_align="left", border_style=colour, expand=False)
    )  # fmt: skip
    if verdict.earlier is not None:
        words = earlier_words(verdict.earlier, verdict.labels, verdict.attempt, verdict.alpha)
        console.print(f"[yellow]Audited before[/]: {escape(words)}.")
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    for name, value in _figures(verdict):
        table.add_row(f"[dim]{name}[/]", value)
    console.print(table)
    show_parts_verdict(console, verdict)
    if not verdict.bounds:
        show_parts(console, "Where the errors are: delivered label", verdict.by_class)
    show_parts(console, "By annotator", verdict.by_annotator)
    for signed in verdict.signed:
        console.print(f"Sheet of look {signed.look} signed by {signed.key_id[:16]} ({escape(signed.who)})")
    console.print(f"[dim]{escape(verdict.wording)}[/]")


def _figures(verdict: Verdict) -> list[tuple[str, str]]:
    cost = verdict.cost
    both = "accepted too" if verdict.is_accepted_with_contested else "not accepted"
    with_contested = f" ({percent_up(verdict.error_bound_with_contested)} with undecided counted wrong: {both})"
    rows = [
        ("labels", f"{verdict.labels:,} judged, {verdict.rows_rejected:,} of {verdict.rows_in:,} rows rejected"),
        ("checked", f"{verdict.audited:,} at look {verdict.look}: [bold]{verdict.wrong} wrong[/], "
                    f"{verdict.contested} cannot be decided"),
        *_for_parts(verdict),
        ("estimated error", f"{_rate(verdict.rate)} (95% interval)"),
        ("upper bound", f"[bold]{percent_up(verdict.error_bound)}[/]{with_contested if verdict.contested else ''}, "
                        f"budget {percent(verdict.error_budget)}"),
        *_undecided(verdict),
        ("right labels", f"{cost.right_by_estimate:,} by estimate, {cost.right_at_worst:,} at worst"),
    ]  # fmt: skip
    if cost.per_right_label_by_estimate is None:
        rows.append(("cost", "give --price and --expert-price for the cost of a right label"))
    else:
        worst = cost.per_right_label_at_worst
        at_worst = f", {money(worst, cost.currency)} at worst" if worst is not None else ""
        audit = f" + {money(cost.audit, cost.currency)} audit" if cost.audit is not None else ", audit not priced"
        rows.append(("cost of a right label", f"[bold]{money(cost.per_right_label_by_estimate, cost.currency)}[/]"
                     f"{at_worst} (labels {money(cost.labels or 0, cost.currency)}{audit})"))  # fmt: skip
    return rows


def _for_parts(verdict: Verdict) -> list[tuple[str, str]]:
    if not verdict.budgets:
        return []
    return [("checked besides", f"{verdict.audited_for_parts:,} for the budgets of parts")]


def _undecided(verdict: Verdict) -> list[tuple[str, str]]:
    if verdict.max_undecided is None or verdict.undecided_bound is None:
        return []
    bound = f"at most [bold]{percent_up(verdict.undecided_bound)}[/], {percent(verdict.max_undecided)} allowed"
    return [("cannot be decided", bound)]


def _rate(rate: Rate) -> str:
    shown = "unknown" if rate.error is None else percent(rate.error)
    return f"{shown}, {percent(rate.low)} to {percent(rate.high)}"


def show_parts(console: Console, title: str, parts: Sequence[Part]) -> None:
    """Print where the errors are: at most ten parts, the worst first, if any was wrong."""
    if len(parts) < 2 or not any(part.wrong or part.contested for part in parts):
        return
    table = _table(title)
    table.add_column("")
    for name in ("labels", "checked", "wrong", "undecided"):
        table.add_column(name, justify="right")
    table.add_column("error, 95% interval", justify="right")
    for part in parts[:MOST_PARTS]:
        table.add_row(escape(part.name), f"{part.labels:,}", f"{part.audited:,}", str(part.wrong),
                      str(part.contested), _rate(part.rate))  # fmt: skip
    console.print(table)
    if len(parts) > MOST_PARTS:
        console.print(f"[dim]  and {len(parts) - MOST_PARTS:,} more, in the verdict's JSON[/]")


def show_vendors(console: Console, standings: Sequence[Standing]) -> None:
    """Print the running score of all vendors, on equal terms."""
    table = _table("Vendors so far, each delivery by its last look")
    table.add_column("vendor", overflow="fold", min_width=6)
    # Heads break between their words, so that all columns fit 80 characters.
    heads = ("accepted refused open", "labels", "wrong of checked", "error", "95% from", "95% to", "right label costs")
    for head in heads:
        table.add_column(head, justify="right", overflow="fold")
    for one in standings:
        price = "?" if one.per_right_label is None else money(one.per_right_label, one.currency)
        table.add_row(
            escape(one.vendor), f"{one.accepted} {one.refused} {one.open}", f"{one.labels:,}",
            f"{one.wrong:,} of {one.audited:,}", "unknown" if one.error is None else percent(one.error),
            percent(one.low), percent(one.high), price,
        )  # fmt: skip
    console.print(table)
    for one in standings:
        console.print(printable(first_time_words(one)), markup=False)


def first_time_words(one: Standing) -> str:
    """Return how much of a vendor was right at first look, in one line."""
    if not one.first_looks:
        return f"{one.vendor}: first-time acceptance unknown: no first look at new items is scored"
    deliveries = plural(one.first_looks, "delivery", "deliveries")
    said = f"{one.vendor}: accepted at first look {one.first_accepted:,} of {deliveries}"
    if one.first_low is None:
        return said
    return (
        f"{said}; right at first look {one.first_right:,} of {one.first_settled:,} checked labels, at least "
        f"{percent(one.first_low)} (95%, one-sided)"
    )


def show_no_model(console: Console, library: str) -> None:
    """Print that no model looks for suspicious labels here, and what to install if it shall."""
    console.print(
        f"Not looked for: more suspicious labels, which a model would suggest; it needs {library}: "
        "pip install 'cupel[suspicious]'",
        markup=False,
    )
