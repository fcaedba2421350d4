"""Which items are to be sent back: those that a file names, or those that a release's report would have relabelled."""

import csv
import io
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from cupel.errors import AnswerError
from cupel.lake.lake import Lake
from cupel.release.places import report_file
from cupel.release.plan import is_finished
from cupel.store.files import open_file, read_text
from cupel.store.store import MissingError

RELABEL = "relabel_next.csv"
# Before a cell that a spreadsheet would take for a formula.
_GUARD = "'"


class NamedItems(NamedTuple):
    """Ids of items, each once, in the order in which they were named; and by what, as the log keeps it."""

    item_ids: tuple[str, ...]
    source: str


def read_item_file(path: Path, batch: str, first: int | None = None) -> NamedItems:
    """Return the items of a batch that a file names.

    Args:
        path: CSV or Parquet with the column item_id and, where it names items of several batches, batch.
        batch: The batch.
        first: Take so many from its beginning; None: all.

    Raises:
        AnswerError: The file is missing, has no such column, or names no item of the batch; with the file and row.
    """
    try:
        if path.suffix == ".parquet":
            with open_file(path) as file:
                table = pq.read_table(file)
            names = table.column_names
            rows = [
                {name: None if value is None else str(value) for name, value in row.items()}
                for row in table.select([name for name in ("batch", "item_id") if name in names]).to_pylist()
            ]
        else:
            names, rows = _read_csv(read_text(path))
    except FileNotFoundError:
        raise AnswerError(f"{path}: no such file; name a CSV or Parquet file with the column item_id") from None
    except (OSError, UnicodeDecodeError, csv.Error, pa.ArrowException) as error:
        raise AnswerError(f"{path}: cannot be read as CSV or Parquet: {error}") from None
    return NamedItems(_ids_of(rows, names, batch, str(path), first), path.name)


def read_release_items(lake: Lake, release: str, batch: str, first: int | None = None) -> NamedItems:
    """Return the items of a batch that a release's report would have relabelled next, the worst first.

    Raises:
        AnswerError: The release is not there or not at its end, has no report, or that names no item of the batch.
    """
    if lake.commit("release_plan", release) is None:
        there = ", ".join(lake.partitions("release_plan")) or "none"
        raise AnswerError(f"release {release!r}: project {lake.project} has none of this name; there is {there}")
    if not is_finished(lake, release):
        raise AnswerError(
            f"release {release}: not finished yet: what is to be relabelled is known at its end; let its questions be "
            "answered first, or name items with --items"
        )
    name = report_file(release, RELABEL)
    try:
        content = lake.store.read(name)
    except MissingError:
        raise AnswerError(
            f"{lake.folder / name}: not there; run the chain once more, which writes the report"
        ) from None
    names, rows = _read_csv(content.decode())
    return NamedItems(_ids_of(rows, names, batch, str(lake.folder / name), first), f"release {release}")


def _read_csv(text: str) -> tuple[list[str], list[dict[str, str | None]]]:
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    return list(reader.fieldnames or ()), list(reader)


def _ids_of(
    rows: Iterable[dict[str, str | None]], names: Iterable[str], batch: str, where: str, first: int | None
) -> tuple[str, ...]:
    """Return the ids of the rows that speak of a batch, or say nothing of batches."""
    names = list(names)
    if "item_id" not in names:
        raise AnswerError(f"{where}: has no column item_id, only {', '.join(names) or 'nothing'}; name it item_id")
    found: dict[str, None] = {}
    for number, row in enumerate(rows, 1):
        if "batch" in names and row["batch"] not in (batch, None, ""):
            continue
        if row["item_id"] in (None, ""):
            raise AnswerError(f"{where}: row {number}: item_id: empty; write the item's id, or remove the row")
        found[str(row["item_id"])] = None
    if not found:
        raise AnswerError(f"{where}: names no item of batch {batch}")
    return tuple(found)[:first]


def without_guard(item: str, known: Iterable[str]) -> str:
    """Return an id as the lake has it: a CSV of ours guards what a spreadsheet would take for a formula.

    >>> without_guard("'=1", {"=1"}), without_guard("'=1", {"'=1"}), without_guard("x", set())
    ('=1', "'=1", 'x')
    """
    bare = item.removeprefix(_GUARD)
    return bare if item not in known and bare in known else item
