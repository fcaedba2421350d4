"""What is asked of the tables that a label kind writes of its own; the kind says it, as plain data."""

import pyarrow as pa

from cupel.contract.kind import Kind
from cupel.lake.step import Step
from expectations.suite import Check, Measured, Suite, one_row, view
from expectations.thresholds import of_kind


def kind_suite(kind: Kind) -> Suite | None:
    """Return what a label kind has asked of its first table, and of those beside it; None: nothing."""
    if not kind.checks:
        return None
    known, (table, *beside) = of_kind(kind), kind.tables
    checks = tuple(Check(known[check.name], check.question, check.remedy) for check in kind.checks)
    return Suite("labeling", table, tuple(beside), checks, measure)


def measure(step: Step) -> pa.Table:
    """Measure what the label kind asks, each by its query."""
    for table in step.project.kind.tables:
        view(step, table)
    found = {}
    for check in step.project.kind.checks:
        (value,) = step.lake.connection.execute(check.measure).fetchone() or (None,)
        found[check.name] = Measured(None if value is None else float(value))
    return one_row(found)
