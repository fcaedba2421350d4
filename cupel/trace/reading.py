"""Reading the few rows that a trace needs, from whatever of the lake is there."""

from collections.abc import Sequence
from typing import Any

import duckdb

from cupel.contract.tables import TABLES
from cupel.errors import LakeError
from cupel.lake.lake import Commit, Lake

Row = dict[str, Any]


class Reader:
    """Reads rows of one project's tables by a condition, and remembers which tables it used.

    A table that is not there gives no rows. What is damaged gives none either and is told in `problems`, so
    that one bad file does not hide all else.

    Args:
        lake: The project's lake.
    """

    def __init__(self, lake: Lake) -> None:
        self.lake = lake
        self.commits: dict[str, Commit | None] = {}
        self.problems: list[str] = []

    def commit(self, table: str, partition: str) -> Commit | None:
        """Return the commit of a partition, read once; None where it was never written or is damaged."""
        name = f"{table}@{partition}"
        if name not in self.commits:
            try:
                self.commits[name] = self.lake.commit(table, partition)
            except (LakeError, KeyError, TypeError, OSError) as error:
                self.commits[name] = None
                self.fails(f"{name}: {error}")
        return self.commits[name]

    def rows(self, table: str, partition: str, where: str, columns: Sequence[str] = ()) -> list[Row]:
        """Return the rows of a partition for which a condition holds, in the order of the table's key.

        Args:
            table: Name of the table.
            partition: Batch or release.
            where: SQL; see `equal`.
            columns: Columns to return; none for all.
        """
        if self.commit(table, partition) is None:
            return []
        names = list(columns) or [column.name for column in TABLES[table].columns]
        try:
            found = self.lake.relation(table, partition).filter(where).to_arrow_table().to_pylist()
        except (LakeError, duckdb.Error, OSError) as error:
            self.fails(f"{table}@{partition}: {error}")
            return []
        found.sort(key=lambda row: [row[name] for name in TABLES[table].key if name in row])
        # A table that an earlier version wrote may lack a column.
        return [{name: row.get(name) for name in names} for row in found]

    def one(self, table: str, partition: str, where: str = "true") -> Row | None:
        """Return the first row of a partition for which a condition holds, or None."""
        return next(iter(self.rows(table, partition, where)), None)

    def ask(self, table: str, partition: str, select: str, where: str = "true", rest: str = "") -> list[Row]:
        """Return what a query over one partition finds: `SELECT select FROM table WHERE where rest`."""
        if self.commit(table, partition) is None:
            return []
        try:
            relation = self.lake.relation(table, partition)
            query = f"SELECT {select} FROM traced WHERE {where} {rest}"
            found: list[Row] = relation.query("traced", query).to_arrow_table().to_pylist()
        except (LakeError, duckdb.Error, OSError) as error:
            self.fails(f"{table}@{partition}: {error}")
            return []
        return found

    def partitions(self, table: str) -> list[str]:
        """Return the partitions of a table that are there."""
        return self.lake.partitions(table)

    def fails(self, problem: str) -> None:
        """Remember once what could not be read."""
        if problem not in self.problems:
            self.problems.append(problem)


def equal(**values: str | int) -> str:
    """Return SQL that holds where each column has its value.

    Values are written into the SQL: to pass them as parameters, DuckDB would load pandas, which takes
    longer than the trace.

    >>> equal(batch="one", item_id="it's")
    '"batch" = \\'one\\' AND "item_id" = \\'it\\'\\'s\\''
    """
    return " AND ".join(f'"{name}" = {_literal(value)}' for name, value in values.items())


def _literal(value: str | int) -> str:
    return str(value) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"
