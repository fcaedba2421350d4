"""What a suite is: the checks of one stage, the table they judge, and how its metrics are measured."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import pyarrow as pa

from cupel.config.project import Project
from cupel.lake.gates import gate_of
from cupel.lake.lake import Commit
from cupel.lake.step import Step
from expectations.thresholds import Threshold

MOST_IDS = 20


def always(project: Project, partition: str | None) -> bool:
    """Say that a check is asked in every project, of every partition."""
    return True


def never_open(metrics: pa.Table) -> str | None:
    """Say that a stage awaits nobody."""
    return None


class Check(NamedTuple):
    """One question that a gate asks.

    `remedy` says what to do when the check fails. Where `judges_bound`, the confidence bound is held
    against the threshold, and an estimate without a bound is no evidence. `applies(project, partition)`
    is false where the check is not asked at all; with None for the partition it is true if some
    partition of the project is asked.
    """

    threshold: Threshold
    question: str
    remedy: str
    judges_bound: bool = False
    applies: Callable[[Project, str | None], bool] = always

    @property
    def name(self) -> str:
        """Name of the check, unique in the project."""
        return self.threshold.check


def nothing(step: Step) -> pa.Table:
    """Measure nothing: for a gate that holds a team's own expectations only."""
    return one_row({})


class Suite(NamedTuple):
    """All that a gate asks of one table.

    `measure` returns one row as `one_row` makes it. `awaited` says why the stage is open, or None.
    `beside` names tables that are measured too and are written beside the judged table, not before it.
    """

    stage: str
    table: str
    beside: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    measure: Callable[[Step], pa.Table] = nothing
    awaited: Callable[[pa.Table], str | None] = never_open

    @property
    def gate(self) -> str:
        """Name of the gate: the stage, or the table where it is not the one that stands for its stage."""
        return gate_of(self.table)

    def asked(self, project: Project, partition: str | None = None) -> list[Check]:
        """Return the checks that apply to a partition; without one, to any partition."""
        return [check for check in self.checks if check.applies(project, partition)]


class Measured(NamedTuple):
    """What was measured for one check.

    None where there is no evidence; `bound` where a confidence bound is judged instead of the
    estimate; `note` says what the number rests on, such as a sample.
    """

    observed: float | None
    bound: float | None = None
    item_ids: tuple[str, ...] = ()
    note: str | None = None


def one_row(measured: Mapping[str, Measured], **also: int) -> pa.Table:
    """Return metrics as a table of one row.

    Args:
        measured: What was measured, by check.
        **also: Counts that only `awaited` reads.

    Returns:
        For each check the columns `<check>`, `<check>.bound`, `<check>.item_ids` and `<check>.note`;
        and one column for each further count.
    """
    columns: dict[str, pa.Array] = {}
    for check, found in measured.items():
        columns[check] = pa.array([found.observed], pa.float64())
        columns[f"{check}.bound"] = pa.array([found.bound], pa.float64())
        columns[f"{check}.item_ids"] = pa.array([list(found.item_ids)], pa.list_(pa.string()))
        columns[f"{check}.note"] = pa.array([found.note], pa.string())
    return pa.table(columns | {name: pa.array([count], pa.int64()) for name, count in also.items()})


def measured_of(metrics: pa.Table, check: str) -> Measured:
    """Return what a row of metrics holds for a check; nothing where the row or the column is missing."""
    if metrics.num_rows != 1 or check not in metrics.column_names:
        return Measured(None)
    names = (check, f"{check}.bound", f"{check}.item_ids", f"{check}.note")
    observed, bound, item_ids, note = (metrics[name][0].as_py() for name in names)
    return Measured(observed, bound, tuple(item_ids), note)


def share(part: float | None, whole: float | None) -> float | None:
    """Return a share, or None where there is nothing to have a share of.

    >>> share(1, 4), share(0, 0)
    (0.25, None)
    """
    return part / whole if whole and part is not None else None


def view(step: Step, table: str, partition: str | None = None) -> Commit:
    """Remember a table as an input, and let SQL on the step's connection read it by its name."""
    commit = step.uses(table, partition)
    step.lake.relation(table, commit.partition).create_view(table, replace=True)
    return commit


def row_of(step: Step, sql: str, parameters: Iterable[Any] = ()) -> dict[str, Any]:
    """Return the one row of an aggregate, by column."""
    cursor = step.lake.connection.execute(sql, list(parameters))
    names = [column[0] for column in cursor.description or []]
    return dict(zip(names, cursor.fetchone() or (), strict=True))


def some_ids(step: Step, count: float | None, sql: str, parameters: Iterable[Any] = ()) -> tuple[str, ...]:
    """Return up to 20 ids, the first in order, of what a count found; none, and no query, where it found none.

    Args:
        step: Where the tables are.
        count: How many there are.
        sql: A query whose first column is the id.
        parameters: What stands for its question marks.
    """
    if not count:
        return ()
    query = f"SELECT DISTINCT * FROM (SELECT COLUMNS(*) FROM ({sql})) AS found(item_id) ORDER BY 1 LIMIT {MOST_IDS}"
    return tuple(row[0] for row in step.lake.connection.execute(query, list(parameters)).fetchall())
