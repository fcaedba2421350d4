import io
from typing import get_args

import pytest
from rich.console import Console

from orchestration.findings import MOST_PASSES_SHOWN, Finding, Outcome, count, is_failure, print_findings


def finding(outcome: Outcome, severity: str = "critical", check: str = "kept_share") -> Finding:
    place = ("small", "one", "cleaning", "clean_items", check)
    return Finding(*place, outcome, severity, "too [bold]few", "look", 0.4, 0.3, "at least", 0.5, ("i1",))


def printed(found: list[Finding]) -> str:
    console = Console(file=io.StringIO(), width=160)
    print_findings(found, console, 1.25)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("severity", ["critical", "warning"])
@pytest.mark.parametrize("outcome", get_args(Outcome))
def test_only_a_warning_what_is_open_and_what_passed_leave_the_gate_open(outcome: Outcome, severity: str) -> None:
    closes = outcome in ("error", "missing", "stale", "refused") or (outcome, severity) == ("fail", "critical")
    assert is_failure(finding(outcome, severity)) == closes
    assert is_failure(finding(outcome, severity), is_strict=True) == (closes or outcome == "open")


def test_every_finding_is_counted_once() -> None:
    found = [finding(outcome, severity) for outcome in get_args(Outcome) for severity in ("critical", "warning")]
    for is_strict in (False, True):
        assert sum(count(found, is_strict)) == len(found)
    assert count(found) == (2, 9, 1, 2, 2)


def test_failures_come_first_with_what_to_do_and_the_counts_last() -> None:
    shown = printed([finding("pass", check="fine"), finding("fail", "warning", "odd"), finding("fail", check="bad")])
    rows = [line.split()[3] for line in shown.splitlines()[1:4]]
    assert rows == ["bad", "odd", "fine"]
    assert "0.4 (bound 0.3)" in shown
    assert "at least 0.5" in shown
    assert "too [bold]few" in shown
    assert "what to do: look" in shown
    assert shown.splitlines()[-1] == "REFUSED: 1 passed, 1 failed, 1 warnings, 0 open, 0 not judged, in 1.2 s."


def test_very_many_that_passed_are_counted_only() -> None:
    shown = printed([finding("pass")] * (MOST_PASSES_SHOWN + 1) + [finding("fail", check="bad")])
    assert "kept_share" not in shown
    assert "bad" in shown
    assert f"{MOST_PASSES_SHOWN + 1} checks that passed are not shown" in shown
