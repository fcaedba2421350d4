"""Findings: what `make gate` found of each check and of the tables behind it, and how that is counted and shown."""

from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple

from rich.console import Console
from rich.table import Table as Shown
from rich.text import Text

Outcome = Literal["pass", "fail", "open", "error", "missing", "stale", "refused", "not judged"]
Word = Literal["PASSED", "OPEN", "REFUSED", "BROKEN"]

# In the order of the table: what must be mended comes first.
ORDER: tuple[Outcome, ...] = ("error", "missing", "stale", "fail", "refused", "open", "not judged", "pass")
BROKEN_EVIDENCE = ("error", "missing", "stale")
STYLES = {"pass": "green", "open": "yellow", "not judged": "dim"}
MOST_PASSES_SHOWN = 100


class Finding(NamedTuple):
    """One check of one batch or release, or the state of the tables of a stage that checks rest on.

    `outcome` is pass, fail or open as the gate says it; error where the check raised; missing or stale
    where a table is not there or out of date; not judged where a check had no table to judge, of which
    the finding about the stage's tables tells why; refused where a table is not there because a gate before it is
    closed. `seconds` is the check's part of its gate's time.
    """

    project: str
    partition: str
    stage: str
    table: str
    check: str
    outcome: Outcome
    severity: str
    reason: str
    remedy: str
    observed: float | None = None
    bound: float | None = None
    comparison: str | None = None
    threshold: float | None = None
    item_ids: tuple[str, ...] = ()
    seconds: float = 0.0


class Counts(NamedTuple):
    """How many findings there are of each kind."""

    passed: int
    failed: int
    warnings: int
    open: int
    not_judged: int


def is_failure(finding: Finding, is_strict: bool = False) -> bool:
    """Tell whether a finding closes the gate: a failed critical check, or evidence that is missing, old or broken.

    Args:
        finding: The finding.
        is_strict: Answers that are awaited close it too.
    """
    if finding.outcome == "open":
        return is_strict
    is_refused = finding.outcome == "refused" or (finding.outcome == "fail" and finding.severity == "critical")
    return is_refused or finding.outcome in BROKEN_EVIDENCE


def sum_up(findings: Iterable[Finding]) -> Word:
    """Return what findings come to in one word.

    BROKEN where evidence is missing, old or raised, so that nothing can be said; else REFUSED where a critical check
    failed; else OPEN where answers are awaited.
    """
    rows = list(findings)
    if any(row.outcome in BROKEN_EVIDENCE for row in rows):
        return "BROKEN"
    if any(is_failure(row) for row in rows):
        return "REFUSED"
    return "OPEN" if any(row.outcome == "open" for row in rows) else "PASSED"


def is_warning(finding: Finding) -> bool:
    """Tell whether a finding is a failed check that the project only wants to be told of."""
    return finding.outcome == "fail" and finding.severity != "critical"


def count(findings: Iterable[Finding], is_strict: bool = False) -> Counts:
    """Count findings; each is counted once."""
    rows = list(findings)
    failed = [row for row in rows if is_failure(row, is_strict)]
    left = [row for row in rows if not is_failure(row, is_strict)]
    return Counts(
        sum(row.outcome == "pass" for row in left), len(failed), sum(is_warning(row) for row in left),
        sum(row.outcome == "open" for row in left), sum(row.outcome == "not judged" for row in left),
    )  # fmt: skip


def print_findings(findings: Sequence[Finding], console: Console, seconds: float, is_strict: bool = False) -> None:
    """Print findings as a table, failures first; why the failures are, and what to do; and a line of counts."""
    rows = sorted(findings, key=lambda row: (not is_failure(row, is_strict), not is_warning(row), _place(row)))
    passes = [row for row in rows if row.outcome == "pass"]
    if len(passes) > MOST_PASSES_SHOWN:
        rows = [row for row in rows if row.outcome != "pass"]
    if rows:
        console.print(_table(rows, is_strict))
    if len(passes) > MOST_PASSES_SHOWN:
        console.print(f"{len(passes):,} checks that passed are not shown; the JUnit file has them all.")
    for row in rows:
        if row.outcome not in ("pass", "not judged"):
            _explain(row, console, is_strict)
    number = count(findings, is_strict)
    console.print(
        f"\n{sum_up(findings)}: {number.passed:,} passed, {number.failed:,} failed, {number.warnings:,} warnings, "
        f"{number.open:,} open, {number.not_judged:,} not judged, in {seconds:.1f} s."
    )


def allowed(finding: Finding) -> str:
    """Return what a finding is held to, in words."""
    if finding.threshold is None:
        return finding.comparison or ""
    return f"{finding.comparison} {finding.threshold:g}"


def measured(finding: Finding) -> str:
    """Return what was measured, and the bound that was judged where there is one."""
    if finding.observed is None:
        return "" if finding.bound is None else f"bound {finding.bound:.4g}"
    return f"{finding.observed:.4g}" + ("" if finding.bound is None else f" (bound {finding.bound:.4g})")


def _place(row: Finding) -> tuple[Any, ...]:
    return (ORDER.index(row.outcome), row.project, row.partition)


def _table(rows: Sequence[Finding], is_strict: bool) -> Shown:
    shown = Shown(box=None, pad_edge=False)
    for name in ("project", "partition", "stage", "check", "outcome", "observed", "allowed", "severity"):
        shown.add_column(name, overflow="fold")
    for row in rows:
        style = STYLES.get(row.outcome, "red" if is_failure(row, is_strict) else "yellow")
        cells = (row.project, row.partition, row.stage, row.check)
        shown.add_row(
            *map(Text, cells), Text(row.outcome, style), Text(measured(row)), Text(allowed(row)), row.severity
        )  # fmt: skip
    return shown


def _explain(row: Finding, console: Console, is_strict: bool) -> None:
    style = "red" if is_failure(row, is_strict) else "yellow"
    console.print(Text(f"\n{row.project}, {row.partition}, {row.table}: {row.check}: {row.outcome}", style))
    console.print(f"  {row.reason}", markup=False, highlight=False)
    if row.item_ids:
        console.print(f"  items: {', '.join(row.item_ids)}", markup=False, highlight=False)
    if row.remedy:
        console.print(f"  what to do: {row.remedy}", markup=False, highlight=False)
