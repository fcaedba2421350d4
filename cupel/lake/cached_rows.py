"""Small tables that are asked for again and again, taken apart once a process."""

from functools import lru_cache
from typing import Any

import pyarrow as pa

from cupel.contract.tables import TABLES
from cupel.lake.lake import Lake
from cupel.lake.parts import check_part, read_part
from cupel.store.store import Store

Row = dict[str, Any]

# A table of outcomes has some ten rows; so many of them are some ten megabytes.
MOST_TABLES = 8_192


def rows_of(lake: Lake, table: str, partition: str) -> list[Row]:
    """Return the rows of a partition, as dictionaries of the caller's own; lists in them are everybody's.

    Parts never change, and are named after their bytes: what was read of them stays true. That they are
    there, and are not altered, is seen each time.

    Raises:
        LakeError: The partition was never written, or a part is gone or was altered.
    """
    parts = tuple(check_part(lake.store, part) for part in lake.parts(table, partition))
    return [dict(row) for row in _parsed(lake.store, table, parts)]


@lru_cache(maxsize=MOST_TABLES)
def _parsed(store: Store, table: str, parts: tuple[str, ...]) -> tuple[Row, ...]:
    schema = TABLES[table].schema
    return tuple(pa.concat_tables(read_part(store, part, schema) for part in parts).to_pylist())
