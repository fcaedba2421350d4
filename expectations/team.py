"""A team's own expectations: stock column expectations on any table, asked besides the stage's own checks."""

import re
from typing import NamedTuple

import pyarrow as pa

from cupel.config.expectations import ColumnExpectation
from cupel.config.project import Project
from cupel.contract.table import Table
from cupel.contract.tables import TABLES
from cupel.errors import ProjectError
from cupel.lake.step import Step

# Great Expectations holds its columns in memory, about 10 s and 3.5 GB for 10 million rows; a sample is judged
# in under a second, and breaks the same way where more than a few rows in a hundred thousand do.
MOST_ROWS = 100_000

# Tables that are empty until somebody answers: then they are open, not wrong.
FILLED_BY_ANSWERS = frozenset({"annotations", "annotators", "expert_answers"})
# Tables of what went wrong: without rows they are complete, and nothing in them can break a rule for rows.
MAY_BE_EMPTY = frozenset(
    {"rejected_rows", "rejected_items", "similar_items", "rejected_answers", "rejected_expert_answers",
     "withheld_items", "adjudications"}
)  # fmt: skip

_NOT_JUDGED = ("gate_results", "answers")
_ONE_COLUMN = ("column", "column_A", "column_B")
_MANY_COLUMNS = ("column_list",)
_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


class TeamCheck(NamedTuple):
    """A team's expectation as a check: its name, unique for its table, and the columns that it names."""

    name: str
    columns: tuple[str, ...]
    expectation: ColumnExpectation

    @property
    def question(self) -> str:
        """The expectation in words: what is expected of which column, with its arguments."""
        arguments = ", ".join(f"{name}={value!r}" for name, value in sorted(self.expectation.arguments.items()))
        return f"{self.expectation.expectation}({arguments})"


class Columns(NamedTuple):
    """The columns that an expectation names, in rows of stable order, and the items they belong to.

    `item_ids` is as long as `data`, or None where the table has no items; `rows` is how many rows the
    table has, of which `data` is a sample where it holds fewer.
    """

    data: pa.Table
    item_ids: pa.ChunkedArray | None
    rows: int

    @property
    def note(self) -> str | None:
        """What the outcome rests on, where that is not the whole table."""
        if self.data.num_rows == self.rows:
            return None
        return f"judged on a fixed sample of {self.data.num_rows:,} of {self.rows:,} rows"


def team_checks(project: Project) -> dict[str, list[TeamCheck]]:
    """Return a project's own expectations as checks, by table, in the order of the project file.

    Raises:
        ProjectError: A table or column is not known, or an expectation names no column.
    """
    checks: dict[str, list[TeamCheck]] = {}
    for place, expectation in enumerate(project.expectations):
        where = f"project {project.project}: key expectations.{place}"
        table = _table(where, expectation)
        columns = _columns(where, expectation, table)
        own = checks.setdefault(table.name, [])
        own.append(TeamCheck(_name(expectation, columns, {check.name for check in own}), columns, expectation))
    return checks


def columns_of(step: Step, check: TeamCheck, most_rows: int = MOST_ROWS) -> Columns:
    """Read the columns that a check names, all rows or a sample of them.

    Args:
        step: Where the table is.
        check: The check.
        most_rows: Rows beyond which a sample is drawn: those whose key has the smallest hash, so that it
            is the same for the same keys, and no row's place in it depends on what it holds.
    """
    table = TABLES[check.expectation.table]
    rows = step.uses(table.name).rows
    key = ", ".join(f'"{name}"' for name in table.key)
    order = key if rows <= most_rows else f"md5(concat_ws(chr(31), {key})), {key}"
    names = {column.name for column in table.columns}
    selected = [f'"{column}"' for column in check.columns] + (["item_id AS _item_id"] if "item_id" in names else [])
    relation = step.lake.relation(table.name, step.partition)
    data = relation.order(order).limit(most_rows).project(", ".join(selected)).to_arrow_table()
    item_ids = data["_item_id"] if "item_id" in names else None
    return Columns(data.select(list(check.columns)), item_ids, rows)


def _table(where: str, expectation: ColumnExpectation) -> Table:
    tables = [name for name in TABLES if name not in _NOT_JUDGED]
    if expectation.table not in tables:
        raise ProjectError(f"{where}.table: found {expectation.table!r}, expected one of {', '.join(tables)}")
    return TABLES[expectation.table]


def _columns(where: str, expectation: ColumnExpectation, table: Table) -> tuple[str, ...]:
    found = [expectation.arguments[name] for name in _ONE_COLUMN if name in expectation.arguments]
    for name in _MANY_COLUMNS:
        found += expectation.arguments.get(name, [])
    if not found:
        raise ProjectError(f"{where}.arguments: names no column; add one of {', '.join(_ONE_COLUMN + _MANY_COLUMNS)}")
    known = [column.name for column in table.columns]
    for column in found:
        if column not in known:
            raise ProjectError(
                f"{where}.arguments: table {table.name} has no column {column!r}; it has {', '.join(known)}"
            )
    return tuple(dict.fromkeys(found))


def _name(expectation: ColumnExpectation, columns: tuple[str, ...], taken: set[str]) -> str:
    words = _WORD.sub("_", expectation.expectation.removeprefix("Expect").removeprefix("Column")).lower()
    name = f"team_{'_'.join(columns)}_{words}"
    number = 2
    while name in taken:
        name = f"team_{'_'.join(columns)}_{words}_{number}"
        number += 1
    return name
