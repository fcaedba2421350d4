"""Formats: how a folder tells what wrote it; what came before there were numbers is told by what it holds."""

import json
from contextlib import suppress
from typing import NamedTuple

import pyarrow as pa

from cupel.contract.format_check import check_number
from cupel.contract.format_numbers import LAKE, OLDEST_LAKE_OF_THESE_TABLES
from cupel.errors import FormatError
from cupel.lake.earlier_logs import earlier_logs
from cupel.store.parquet import open_parquet
from cupel.store.store import MissingError, Store, StoreError, describe_place

# Without an ending, so that no log takes it for one of its entries.
FORMAT_FILE = "FORMAT"
# What a column that may not be null holds of rows from before there was such a column.
VALUES_BEFORE_COLUMN = {"language": "und"}


class _Sign(NamedTuple):
    """A column that came with the format after `last`: a table without it is of that format, or an older one."""

    table: str
    column: str
    last: int


_SIGNS = (
    _Sign("raw_items", "declared_language", 1),
    _Sign("clean_items", "language", 1),
    _Sign("release_items", "language", 1),
    _Sign("training_set", "language", 1),
    _Sign("sifted_items", "licence", 2),
    _Sign("annotator_findings", "log10_ratio", 2),
    _Sign("release_plan", "purpose", 2),
    _Sign("training_set", "terms", 2),
)


def read_number(store: Store, folder: str, newest: int) -> int | None:
    """Return the format number of a folder; None where it has none: it is empty, or from before there were numbers.

    Args:
        store: A project's store.
        folder: The folder of a log in it; empty for the lake itself.
        newest: The highest that is read.

    Raises:
        FormatError: It cannot be read, or a newer version of Cupel wrote it.
    """
    name = format_file(folder)
    try:
        found = store.read(name).decode().strip()
        number = int(found) if found.isdecimal() else found
    except MissingError:
        return None
    except (OSError, ValueError) as error:
        where = describe_place(store, name)
        raise FormatError(f"{where}: not a format number: {error}; restore it from a copy") from None
    return check_number(number, newest, describe_place(store, folder))


def write_number(store: Store, folder: str, number: int) -> None:
    """Number a folder, unless it has this number already."""
    if read_number(store, folder, number) != number:
        store.put(format_file(folder), f"{number}\n".encode())


def format_file(folder: str) -> str:
    """Return the name of a folder's format number."""
    return f"{folder}/{FORMAT_FILE}".lstrip("/")


def recognise_lake(store: Store) -> int:
    """Return the format of a project's lake: its number, or, without one, that of the oldest that it holds.

    Args:
        store: The project's store.

    Raises:
        FormatError: A newer version of Cupel wrote it.
    """
    number = read_number(store, "", LAKE)
    if number is not None:
        return number
    found = recognise_partition(store, None)
    is_of_now = found == OLDEST_LAKE_OF_THESE_TABLES and not earlier_logs(store)
    return LAKE if is_of_now else found


def recognise_partition(store: Store, partition: str | None) -> int:
    """Return the format of the oldest table of a batch or release, told by what it holds; no table is of a newer one.

    Args:
        store: The project's store.
        partition: Batch or release; None for all.
    """
    lasts = (sign.last for sign in _SIGNS if _lacks_column(store, sign, partition))
    return min(lasts, default=OLDEST_LAKE_OF_THESE_TABLES)


def _lacks_column(store: Store, sign: _Sign, partition: str | None) -> bool:
    """Tell whether a partition of the sign's table is without its column; a damaged one tells nothing of the format."""
    for commit in store.list("/".join(["tables", sign.table, *([partition] if partition else [])])):
        folder, _, file = commit.name.rpartition("/")
        if file != "commit.json":
            continue
        with suppress(OSError, ValueError, LookupError, TypeError, StoreError, pa.ArrowException):
            first = json.loads(store.read(commit.name))["parts"][0]["name"]
            with open_parquet(store, f"{folder}/{first}") as part:
                if sign.column not in part.schema_arrow.names:
                    return True
    return False
