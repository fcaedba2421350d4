"""A gate's work on one partition: measure, judge, and say pass, fail or open for every check."""

from typing import Any, NamedTuple

import pyarrow as pa

from cupel.config.project import Project
from cupel.contract.table import from_rows
from cupel.contract.tables.gates import GATE_RESULTS
from cupel.lake.step import Step
from expectations.judge import Asked, Verdict, judge, judge_columns
from expectations.suite import MOST_IDS, Check, Measured, Suite, measured_of
from expectations.team import FILLED_BY_ANSWERS, MAY_BE_EMPTY, TeamCheck, columns_of, team_checks
from expectations.thresholds import Limit, Severity, limits

Row = dict[str, Any]


class AskedCheck(NamedTuple):
    """A check as a project asks it: name, severity, and question, threshold and reason in words."""

    name: str
    severity: Severity
    description: str


def judge_stage(step: Step, suite: Suite) -> pa.Table:
    """Judge a table by its suite and by the team's own expectations of it.

    Args:
        step: The partition; all that is read is remembered as its inputs.
        suite: What is asked.

    Returns:
        GATE_RESULTS, one row for each check that applies. While the stage awaits something, all are
        open. An empty table, and a number that could not be measured, fail.

    Raises:
        ProjectError: A threshold or expectation of the project cannot be used.
        LakeError: A table that is measured is not there.
    """
    commit = step.uses(suite.table)
    common: Row = {
        "stage": suite.stage,
        "partition": step.partition,
        "table_name": suite.table,
        "table_hash": commit.hash,
    }
    metrics = suite.measure(step)
    awaited = suite.awaited(metrics)
    if not commit.rows and suite.table in FILLED_BY_ANSWERS:
        awaited = awaited or f"answers are awaited: the table {suite.table} is still empty"
    problem = "" if commit.rows else f"the table {suite.table} is empty"
    rows = _own_rows(step, suite, metrics.slice(0, 0) if problem else metrics, problem)
    rows += [_team_row(step, check, awaited) for check in team_checks(step.project).get(suite.table, [])]
    if awaited:
        rows = [row | {"outcome": "open", "reason": awaited} for row in rows]
    return from_rows([common | row for row in rows], GATE_RESULTS)


def described(check: Check, limit: Limit) -> str:
    """Return a check in words: the question, the threshold with its reason, and what to do when it fails."""
    return f"{check.question} Allowed: {limit.wording}. {limit.reason} When it fails: {check.remedy}"


def described_team(check: TeamCheck) -> str:
    """Return a team's check in words: the expectation and its reason."""
    return f"The team's own expectation: {check.question}. {check.expectation.reason}"


def asked_checks(project: Project, suite: Suite) -> list[AskedCheck]:
    """Return every check that a suite may ask in a project: its own, then the team's."""
    limit = limits(project)
    own = [
        AskedCheck(check.name, limit[check.name].severity, described(check, limit[check.name]))
        for check in suite.asked(project)
    ]
    team = team_checks(project).get(suite.table, [])
    return own + [AskedCheck(check.name, check.expectation.severity, described_team(check)) for check in team]


def _own_rows(step: Step, suite: Suite, metrics: pa.Table, problem: str) -> list[Row]:
    limit = limits(step.project)
    checks = suite.asked(step.project, step.partition)
    measured = {check.name: measured_of(metrics, check.name) for check in checks}
    asked = [
        Asked(check.name, own.comparison, own.value, own.severity, described(check, own))
        for check in checks
        for own in [limit[check.name]]
    ]
    verdicts = judge(_judged_numbers(checks, measured), asked, f"{step.project.project}.{suite.gate}")
    return [_row(limit[check.name], measured[check.name], verdicts[check.name], problem) for check in checks]


def _judged_numbers(checks: list[Check], measured: dict[str, Measured]) -> pa.Table:
    numbers = {
        check.name: found.bound if check.judges_bound else found.observed
        for check in checks
        for found in [measured[check.name]]
    }
    return pa.table({name: pa.array([number], pa.float64()) for name, number in numbers.items()})


def _row(limit: Limit, measured: Measured, verdict: Verdict, problem: str) -> Row:
    notes = [problem or verdict.problem, measured.note]
    return {
        "check": limit.check,
        "outcome": "pass" if verdict.is_passed else "fail",
        "severity": limit.severity,
        "observed": measured.observed,
        "bound": measured.bound,
        "threshold": limit.value,
        "comparison": limit.comparison,
        "reason": _reason(limit.reason, notes),
        "item_ids": list(measured.item_ids),
    }


def _team_row(step: Step, check: TeamCheck, awaited: str | None) -> Row:
    verdict, item_ids = Verdict(False, None), list[str]()
    notes: list[str | None] = []
    if not awaited:
        columns = columns_of(step, check)
        name = f"{step.project.project}.{check.expectation.table}.{check.name}"
        verdict = judge_columns(columns.data, check.expectation, check.expectation.table in MAY_BE_EMPTY, name)
        notes = [verdict.problem, broken_rows(verdict.rows_broken, columns.data.num_rows), columns.note]
        if columns.item_ids is not None:
            item_ids = sorted({columns.item_ids[row].as_py() for row in verdict.rows})[:MOST_IDS]
    return {
        "check": check.name,
        "outcome": "pass" if verdict.is_passed else "fail",
        "severity": check.expectation.severity,
        "observed": verdict.observed,
        "comparison": "expectation",
        "reason": _reason(check.expectation.reason, notes),
        "item_ids": item_ids,
    }


def broken_rows(broken: int | None, rows: int) -> str | None:
    """Return in words how many rows break an expectation; None where none does, or it does not ask every row.

    >>> broken_rows(1, 40), broken_rows(1200, 4000), broken_rows(0, 40)
    ('1 of 40 rows breaks it', '1,200 of 4,000 rows break it', None)
    """
    return f"{broken:,} of {rows:,} rows {'breaks' if broken == 1 else 'break'} it" if broken else None


def _reason(reason: str, notes: list[str | None]) -> str:
    found = [note for note in notes if note]
    return f"{reason} ({'; '.join(found)})" if found else reason
