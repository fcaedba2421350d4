"""Pieces: tables that are copied or divided row by row, a piece at a time, so that their texts are never all held."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import pyarrow as pa

from cupel.contract.table import Table, conform
from cupel.lake.lake import ROWS_PER_GROUP, Lake


class Stored(NamedTuple):
    """A partition in the lake, to be read in pieces."""

    lake: Lake
    table: str
    partition: str

    @property
    def num_rows(self) -> int:
        """Rows of the partition; 0 where it was never written."""
        commit = self.lake.commit(self.table, self.partition)
        return 0 if commit is None else commit.rows


def in_order(data: "pa.Table | Stored", table: Table) -> Iterator[pa.Table]:
    """Yield the columns of a table in pieces, in the order of its key.

    Args:
        data: Rows in any order, or what lies in the lake in the order of the same key.
        table: The columns wanted, and the key; the pieces are held to it.
    """
    names = [column.name for column in table.columns]
    if isinstance(data, Stored):
        for piece in data.lake.read_batches(data.table, data.partition, columns=names):
            yield conform(piece, table)
    else:
        rows = conform(data.select(names), table).sort_by([(name, "ascending") for name in table.key])
        for batch in rows.to_batches(ROWS_PER_GROUP):
            yield pa.Table.from_batches([batch])


def reader(pieces: Iterable[pa.Table], table: Table) -> pa.RecordBatchReader:
    """Return pieces that are held to a table's schema as a reader, which takes them one after another."""
    batches = (batch for piece in pieces for batch in piece.to_batches())
    return pa.RecordBatchReader.from_batches(table.schema, batches)


def values(data: "pa.Table | Stored", column: str) -> set[str]:
    """Return the values of a column of text."""
    pieces = data.lake.read_batches(*data[1:], columns=[column]) if isinstance(data, Stored) else [data]
    return {value for piece in pieces for value in piece[column].unique().to_pylist()}
