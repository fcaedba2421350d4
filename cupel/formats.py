"""Formats: how a folder tells what wrote it; what came before there were numbers is told by what it holds."""

import json
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from cupel.contract.format_check import check_number
from cupel.contract.format_numbers import LAKE, OLDEST_LAKE_OF_THESE_TABLES
from cupel.earlier_logs import earlier_logs
from cupel.errors import FormatError
from cupel.store.local import LocalStore
from cupel.whole import put_file

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


def read_number(folder: Path, newest: int) -> int | None:
    """Return the format number of a folder; None where it has none: it is empty, or from before there were numbers.

    Args:
        folder: A project's lake, or the folder of a log.
        newest: The highest that is read.

    Raises:
        FormatError: It cannot be read, or a newer version of Cupel wrote it.
    """
    path = folder / FORMAT_FILE
    try:
        found = path.read_text(encoding="utf-8").strip()
        number = int(found) if found.isdecimal() else found
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise FormatError(f"{path}: not a format number: {error}; restore it from a copy") from None
    return check_number(number, newest, str(folder))


def write_number(folder: Path, number: int) -> None:
    """Number a folder, unless it has this number already; made if need be."""
    if read_number(folder, number) != number:
        folder.mkdir(parents=True, exist_ok=True)
        put_file(folder / FORMAT_FILE, f"{number}\n".encode())


def recognise_lake(folder: Path) -> int:
    """Return the format of a project's lake: its number, or, without one, that of the oldest that it holds.

    Args:
        folder: The project's folder in the lake; it need not be there.

    Raises:
        FormatError: A newer version of Cupel wrote it.
    """
    number = read_number(folder, LAKE)
    if number is not None:
        return number
    found = recognise_partition(folder, "*")
    is_of_now = found == OLDEST_LAKE_OF_THESE_TABLES and not earlier_logs(LocalStore(folder))
    return LAKE if is_of_now else found


def recognise_partition(folder: Path, partition: str) -> int:
    """Return the format of the oldest table of a batch or release, told by what it holds; no table is of a newer one.

    Args:
        folder: The project's folder in the lake.
        partition: Batch or release; `*` for all.
    """
    lasts = (sign.last for sign in _SIGNS if _lacks_column(folder, sign, partition))
    return min(lasts, default=OLDEST_LAKE_OF_THESE_TABLES)


def _lacks_column(folder: Path, sign: _Sign, partition: str) -> bool:
    """Tell whether a partition of the sign's table is without its column; a damaged one tells nothing of the format."""
    for commit in (folder / "tables" / sign.table).glob(f"{partition}/commit.json"):
        with suppress(OSError, ValueError, LookupError, TypeError, pa.ArrowException):
            first = json.loads(commit.read_text(encoding="utf-8"))["parts"][0]["name"]
            if sign.column not in pq.read_schema(commit.with_name(first)).names:
                return True
    return False
