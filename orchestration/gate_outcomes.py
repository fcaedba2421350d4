"""What a gate's outcome is called on the page: REFUSED and OPEN as tags of the run, values and remedy in the check.

A refusal is an outcome, not an error: the run ends well, nothing behind the gate runs, and the run says what was
refused, by how much, what to do and where the report is. Open is not failed: the check has no result yet.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import dagster as dg

from assets.run_outcome import OPEN, PASSED, REFUSED, OutcomeWord

OWN_EXPECTATION = "The team's own expectation: its reason is in the project file."


class GateOutcome(NamedTuple):
    """What a gate says of one batch or release as a whole: REFUSED, OPEN or PASSED, and why in a line."""

    word: OutcomeWord
    why: str


def is_refusal(row: Mapping[str, Any]) -> bool:
    """Tell whether a row of `gate_results` closes its gate."""
    return (row["outcome"], row["severity"]) == ("fail", "critical")


def decide_outcome(rows: Iterable[Mapping[str, Any]]) -> GateOutcome:
    """Return what a gate's rows come to: refused where a critical check failed, else open where one awaits something.

    >>> row = {"check": "error_bound", "outcome": "fail", "severity": "critical", "observed": 0.1, "bound": 0.156,
    ...        "comparison": "at most", "threshold": 0.01, "reason": "so it is agreed"}
    >>> decide_outcome([row])
    GateOutcome(word='REFUSED', why='error_bound: bound 0.156, allowed at most 0.01')
    """
    judged = list(rows)
    # A proven bound says most: it comes first.
    refused = sorted((row for row in judged if is_refusal(row)), key=lambda row: row["bound"] is None)
    if refused:
        return GateOutcome(REFUSED, "; ".join(describe_refusal(row) for row in refused))
    awaited = dict.fromkeys(str(row["reason"]) for row in judged if row["outcome"] == "open")
    return GateOutcome(OPEN, "; ".join(awaited)) if awaited else GateOutcome(PASSED, "every critical check passed")


def describe_refusal(row: Mapping[str, Any]) -> str:
    """Return a failed check in a line: its name, what was measured and what is allowed."""
    number = row["observed"] if row["bound"] is None else row["bound"]
    if number is None:
        return f"{row['check']}: {row['reason']}"
    measured = f"{'measured' if row['bound'] is None else 'bound'} {number:.4g}"
    return f"{row['check']}: {measured}" + (f", allowed {describe_limit(row)}" if describe_limit(row) else "")


def describe_limit(row: Mapping[str, Any]) -> str:
    """Return what a check allows, as `at most 0.01`; "" where it has no threshold."""
    return "" if row["threshold"] is None else f"{row['comparison']} {row['threshold']:g}"


def describe_check(row: Mapping[str, Any], remedy: str, links: Mapping[str, str | None]) -> dict[str, Any]:
    """Return what the page shows of a check, in the order in which a reader needs it: hashes last.

    Args:
        row: A row of `gate_results`.
        remedy: What to do when the check fails.
        links: Where more is to be read, by what it is called.
    """
    words = {"fail": REFUSED if is_refusal(row) else "WARNING", "open": OPEN, "pass": PASSED}
    shown: dict[str, Any] = {"outcome": words[row["outcome"]], "observed": row["observed"], "bound": row["bound"]}
    shown |= {"allowed": describe_limit(row) or None, "why": row["reason"]}
    shown |= {"what to do": remedy if row["outcome"] == "fail" else None}
    shown |= {name: dg.MetadataValue.url(link) for name, link in links.items() if link is not None}
    shown |= {"items": list(row["item_ids"]) or None, "severity": row["severity"], "table hash": row["table_hash"]}
    return {name: value for name, value in shown.items() if value not in (None, "")}
