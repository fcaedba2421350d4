"""A table of the chain: its columns and unique key, and how rows are held to them."""

from typing import NamedTuple

import pyarrow as pa

from cupel.contract.columns import Column
from cupel.errors import TableError


class Table(NamedTuple):
    """One table: a row is what `row` says, and `key` names one row."""

    name: str
    row: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema that a write is held to."""
        return pa.schema([pa.field(c.name, c.type, nullable=c.is_optional) for c in self.columns])


def conform(data: pa.Table, table: Table) -> pa.Table:
    """Return the data with exactly the table's columns, order and types.

    Args:
        data: Any row order; columns beyond the table's are an error, so that nothing is lost unseen.
        table: The schema to hold it to.

    Returns:
        The same rows, cast to the table's schema.

    Raises:
        TableError: A column is missing, unknown, of another type, or null where it must not be.
    """
    have, want = set(data.column_names), [column.name for column in table.columns]
    missing, unknown = [name for name in want if name not in have], sorted(have - set(want))
    if missing or unknown:
        raise TableError(f"table {table.name}: missing columns {missing}, unknown columns {unknown}")
    for column in table.columns:
        nulls = data.column(column.name).null_count
        if nulls and not column.is_optional:
            raise TableError(f"table {table.name}: column {column.name} is null in {nulls} of {data.num_rows} rows")
    try:
        return data.select(want).cast(table.schema)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, ValueError) as error:
        raise TableError(f"table {table.name}: {error}") from error


def empty(table: Table) -> pa.Table:
    """Return the table without rows."""
    return table.schema.empty_table()


def from_rows(rows: list[dict[str, object]], table: Table) -> pa.Table:
    """Return a table made of dictionaries, held to the table's schema.

    Raises:
        TableError: A value is of another type than its column, or null where it must not be.
    """
    try:
        data = pa.Table.from_pylist(rows, schema=pa.schema([field.with_nullable(True) for field in table.schema]))
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise TableError(f"table {table.name}: {error}") from error
    return conform(data, table)
