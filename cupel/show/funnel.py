"""The funnel on the terminal: deliveries side by side, what became of each, and why."""

from collections.abc import Callable, Mapping, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cupel.figures import UNKNOWN, bound, count, hours, interval, money, percent, seconds, setting
from cupel.printable import printable
from cupel.release.facts import BatchFacts, ReleaseFacts
from cupel.show.audit_words import accepted_until
from cupel.show.summary import Delivery, deliveries, stage_error, summary
from cupel.show.wording import stage_order

__all__ = ["print_funnel", "summary"]

NAME_WIDTH = 31
COLUMN_WIDTH = 24
WIDEST_COLUMN = 40
_STYLES = {"PASS": "bold green", "REFUSED": "bold red", "OPEN": "bold yellow"}
_SIGNS = {"PASS": "✔ PASS", "REFUSED": "✘ REFUSED", "OPEN": "… OPEN"}

Cell = Callable[[Delivery], str | Text]


def print_funnel(
    facts: Sequence[ReleaseFacts | BatchFacts],
    console: Console,
    stage_seconds: Mapping[str, Mapping[str, float]] | None = None,
) -> None:
    """Print the deliveries side by side, as many beside each other as the console is wide enough for.

    Args:
        facts: Of each delivery its release's facts, or its own where it never got to a release.
        console: Where to print.
        stage_seconds: Seconds of each stage by batch; None or empty prints no such table.
    """
    found = deliveries(facts)
    beside = max(1, (console.width - NAME_WIDTH) // COLUMN_WIDTH)
    for start in range(0, len(found), beside):
        part = found[start : start + beside]
        width = min(WIDEST_COLUMN, (console.width - NAME_WIDTH) // len(part)) - 2
        console.print(_table(part, _rows(part), width))
        if stage_seconds and any(stage_seconds.values()):
            console.print(_table(part, _seconds_rows(part, stage_seconds), width))


def _table(found: Sequence[Delivery], rows: Sequence[tuple[str, Cell | None]], width: int) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1))
    table.add_column("", width=NAME_WIDTH - 2, overflow="fold")
    for delivery in found:
        table.add_column(Text(delivery.batch.batch, style="bold"), width=width, justify="right", overflow="fold")
    for name, cell in rows:
        if cell is None:
            table.add_section()
        else:
            table.add_row(_text(name), *(_text(cell(delivery)) for delivery in found))
    return table


def _text(cell: str | Text) -> Text:
    return Text(printable(cell)) if isinstance(cell, str) else cell


def _behind(found: Sequence[Delivery]) -> str:
    """Return what the items are called that the audits did not accept; not every method ends at a cut."""
    ends = {accepted_until(delivery.release.terms.design) for delivery in found if delivery.release}
    return f"to experts, behind {ends.pop()}" if len(ends) == 1 else "to experts, not accepted"


def _rows(found: Sequence[Delivery]) -> list[tuple[str, Cell | None]]:
    return [
        ("rows delivered", lambda d: count(d.batch.rows_in)),
        *_reason_rows(found, "rejected", lambda d: d.batch.rejected),
        ("labelled", lambda d: count(d.batch.items_labelled)),
        *_reason_rows(found, "answers that do not count", lambda d: d.batch.rejected_answers),
        ("one annotator wrong (est.)", lambda d: _error(d, "one annotator")),
        ("consensus wrong (est.)", lambda d: _error(d, "consensus")),
        ("", None),
        ("audited, drawn at random", lambda d: _count(d, "audited")),
        ("  wrong", lambda d: _count(d, "audit_wrong")),
        ("  contested", lambda d: _count(d, "audit_contested")),
        (_behind(found), _to_experts),
        ("seen by experts", lambda d: _share(d, "experts_seen_share")),
        ("contested, audit and experts", lambda d: _count(d, "contested")),
        ("", None),
        ("bound, contested aside", lambda d: _bound(d, "error_bound")),
        ("bound, contested as wrong", lambda d: _bound(d, "error_bound_with_contested")),
        ("confidence of the bounds", lambda d: _setting(_result(d, "confidence"))),
        ("error budget", lambda d: _setting(d.release.terms.error_budget if d.release else None)),
        ("gate", lambda d: Text(_SIGNS[d.verdict], style=_STYLES[d.verdict])),
        ("why", lambda d: Text(printable(d.reason), justify="left")),
        ("", None),
        ("released", lambda d: Text(count(d.release.released if d.release else 0), style="bold")),
        ("withheld, contested", lambda d: count(d.release.withheld) if d.release else UNKNOWN),
        ("expert hours", lambda d: hours(d.release.cost.expert_hours) if d.release else UNKNOWN),
        ("cost of all answers", _cost),
    ]


def _reason_rows(
    found: Sequence[Delivery], name: str, counts: Callable[[Delivery], Mapping[str, int]]
) -> list[tuple[str, Cell | None]]:
    """Return a row for all that was rejected, and one a reason, the commonest first."""
    totals: dict[str, int] = {}
    for delivery in found:
        for reason, number in counts(delivery).items():
            totals[reason] = totals.get(reason, 0) + number
    rows: list[tuple[str, Cell | None]] = [(name, lambda d: count(sum(counts(d).values())))]
    for reason in sorted(totals, key=lambda reason: (-totals[reason], reason)):
        rows.append((f"  {reason.replace('_', ' ')}", lambda d, reason=reason: count(counts(d).get(reason, 0))))  # type: ignore[misc]
    return rows


def _seconds_rows(
    found: Sequence[Delivery], stage_seconds: Mapping[str, Mapping[str, float]]
) -> list[tuple[str, Cell | None]]:
    taken = {delivery.batch.batch: stage_seconds.get(delivery.batch.batch, {}) for delivery in found}
    stages = sorted({stage for stages in taken.values() for stage in stages}, key=stage_order)
    rows: list[tuple[str, Cell | None]] = []
    for stage in stages:
        rows.append((f"seconds, {stage}", lambda d, stage=stage: _seconds(taken[d.batch.batch].get(stage))))  # type: ignore[misc]
    rows.append(("seconds, together", lambda d: _seconds(sum(taken[d.batch.batch].values()))))
    return rows


def _seconds(number: float | None) -> str:
    return UNKNOWN if number is None else seconds(number)


def _error(delivery: Delivery, decided_by: str) -> str:
    row = stage_error(delivery.release, decided_by)
    return UNKNOWN if row is None else interval(row)


def _result(delivery: Delivery, name: str) -> float | None:
    result = delivery.release.result if delivery.release else None
    return None if result is None else result[name]


def _count(delivery: Delivery, name: str) -> str:
    number = _result(delivery, name)
    return UNKNOWN if number is None else count(int(number))


def _share(delivery: Delivery, name: str) -> str:
    return percent(_result(delivery, name))


def _setting(share: float | None) -> str:
    return UNKNOWN if share is None else setting(share)


def _bound(delivery: Delivery, name: str) -> str:
    value = _result(delivery, name)
    return UNKNOWN if value is None else bound(value)


def _to_experts(delivery: Delivery) -> str:
    wanted, done = _result(delivery, "to_adjudicate"), _result(delivery, "adjudicated")
    if wanted is None or done is None:
        return UNKNOWN
    return count(int(done)) if done == wanted else f"{count(int(done))} of {count(int(wanted))}"


def _cost(delivery: Delivery) -> str:
    if delivery.release is None:
        return UNKNOWN
    return money(delivery.release.cost.total, delivery.release.cost.currency)
