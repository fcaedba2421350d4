"""Files of recorded answers, CSV or Parquet: checked once, then read a batch at a time, never whole."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from cupel.contract.columns import INTEGER, REAL, TEXT
from cupel.errors import AnswerError
from cupel.sources.class_values import value_text, write_whole_number
from cupel.store.files import FileStat, open_file, open_stream, stat_file

COLUMNS = ("batch", "item_id", "purpose", "annotator", "label", "seconds_spent", "shown_label", "guideline")
REQUIRED = ("batch", "item_id", "purpose", "annotator", "label")
MAY_BE_EMPTY = ("annotator", "label", "seconds_spent", "shown_label")
PURPOSES = ("label", "expert", "contamination")
PIECE_ROWS = 65_536
# What was found of so many files is kept in memory.
FILES_HELD = 1024


class Piece(NamedTuple):
    """Some rows of a file that follow each other, and the number of the first; the first row of a file is 1."""

    first: int
    rows: pa.Table


def batches_in(path: Path, required: Sequence[str] = REQUIRED) -> frozenset[str]:
    """Check a file and return the batches that it speaks of; a file that has not changed is read once a process.

    Args:
        path: The file.
        required: Columns that it must have.

    Raises:
        AnswerError: The file is missing or unreadable, lacks a column, leaves a value empty, or names an
            unknown purpose; with file and row.
    """
    with _readable(path), open_file(path):
        state = stat_file(path)
    return _batches_in(path, tuple(required), state)


def rows_of(files: Sequence[Path], batch: str, required: Sequence[str] = REQUIRED) -> pa.Table:
    """Return a batch's rows of some files, in the files' order and theirs.

    Args:
        files: The files; row groups of a Parquet file that cannot hold the batch are not read.
        batch: The batch.
        required: Columns that each must have.

    Returns:
        The required columns but batch, `seconds_spent`, `shown_label` and `guideline` (null where a file has none),
        `row` and `file` (its name).

    Raises:
        AnswerError: As `batches_in`.
    """
    texts = [name for name in required if name != "batch"]
    told = [("seconds_spent", REAL), ("shown_label", TEXT), ("guideline", TEXT)]
    schema = pa.schema([*((name, TEXT) for name in texts), *told, ("row", INTEGER), ("file", TEXT)])
    found = [schema.empty_table()]
    for path in files:
        for first, rows in _pieces(path, required, batch) if batch in batches_in(path, required) else []:
            added = {
                "row": pa.array(np.arange(first, first + rows.num_rows)),
                "file": pa.repeat(pa.scalar(path.name, TEXT), rows.num_rows),
                "seconds_spent": pa.nulls(rows.num_rows, REAL),
                "shown_label": pa.nulls(rows.num_rows, TEXT),
                "guideline": pa.nulls(rows.num_rows, TEXT),
            }
            columns = {**added, **{name: rows[name] for name in rows.column_names}}
            table = pa.table({name: columns[name] for name in schema.names}, schema=schema)
            found.append(table.filter(pc.equal(rows["batch"], batch)))
    return pa.concat_tables(found)


@lru_cache(maxsize=FILES_HELD)
def _batches_in(path: Path, required: tuple[str, ...], state: FileStat | None) -> frozenset[str]:
    """Check a file; its state is there to tell one file of a name from another."""
    batches: set[str] = set()
    filled = [name for name in required if name not in MAY_BE_EMPTY]
    for first, rows in _pieces(path, required, columns=filled):
        problems = [(_row(pc.is_null(rows[name])), f"{name} is empty") for name in filled]
        if "purpose" in filled:
            row = _row(pc.invert(pc.is_in(rows["purpose"], value_set=pa.array(PURPOSES, TEXT))))
            found = None if row is None else rows["purpose"][row].as_py()
            problems.append((row, f"purpose {found!r}; expected one of {', '.join(PURPOSES)}"))
        if bad := [(row, said) for row, said in problems if row is not None]:
            row, said = min(bad, key=lambda problem: problem[0])
            raise AnswerError(f"{path}: row {first + row}: {said}")
        batches.update(rows["batch"].unique().to_pylist())
    return frozenset(batches)


def _row(holds: pa.ChunkedArray) -> int | None:
    """Return the first row where a condition holds."""
    row = pc.index(holds, True).as_py()
    return None if row < 0 else int(row)


def _pieces(
    path: Path, required: Sequence[str], batch: str | None = None, columns: Sequence[str] | None = None
) -> Iterator[Piece]:
    """Yield a file's rows piece by piece; of Parquet, only row groups that may hold the batch."""
    read = _csv_pieces if path.name.endswith((".csv", ".csv.gz")) else _parquet_pieces
    with _readable(path):
        for first, rows in read(path, required, batch, columns):
            columns_as_read = {
                name: rows[name].cast(REAL) if name == "seconds_spent" else text_column(rows[name])
                for name in rows.schema.names
            }
            if "item_id" in columns_as_read:
                columns_as_read["item_id"] = _write_whole_numbers(columns_as_read["item_id"])
            yield Piece(first, pa.table(columns_as_read))


def text_column(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column as text: whole numbers without a point, NaN as missing, lists and objects as JSON.

    >>> text_column(pa.chunked_array([[1.0, float("nan"), 2.5]])).to_pylist()
    ['1', None, '2.5']
    """
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if not (_is_number(kind) or pa.types.is_temporal(kind) or pa.types.is_nested(kind)):
        return column.cast(TEXT)
    if pa.types.is_nested(kind):
        return pa.chunked_array([[_text_of(value) for value in column.to_pylist()]], TEXT)
    coded = (
        column.combine_chunks() if pa.types.is_dictionary(column.type) else column.combine_chunks().dictionary_encode()
    )
    words = pa.array([_text_of(value) for value in coded.dictionary.to_pylist()], TEXT)
    return pa.chunked_array([words.take(coded.indices)])


def _write_whole_numbers(ids: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return ids of items as deliveries name them: a text that is a whole number has no point."""
    if not pc.any(pc.match_substring(ids, ".0")).as_py():
        return ids
    return pa.chunked_array([[None if one is None else write_whole_number(one) for one in ids.to_pylist()]], TEXT)


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _text_of(value: Any) -> str | None:
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
    return value_text(value.isoformat() if hasattr(value, "isoformat") else value)


def _csv_pieces(
    path: Path, required: Sequence[str], batch: str | None, columns: Sequence[str] | None
) -> Iterator[Piece]:
    with open_stream(path) as stream, pa_csv.open_csv(stream) as header:
        names = _chosen(path, header.schema.names, required, columns)
    options = pa_csv.ConvertOptions(
        column_types={name: REAL if name == "seconds_spent" else TEXT for name in names},
        include_columns=names,
        strings_can_be_null=True,
        null_values=[""],
    )
    first = 1
    with open_stream(path) as stream, pa_csv.open_csv(stream, convert_options=options) as reader:
        for rows in reader:
            yield Piece(first, pa.Table.from_batches([rows]))
            first += rows.num_rows


def _parquet_pieces(
    path: Path, required: Sequence[str], batch: str | None, columns: Sequence[str] | None
) -> Iterator[Piece]:
    with open_stream(path) as stream, pq.ParquetFile(stream) as file:
        names = _chosen(path, file.schema_arrow.names, required, columns)
        first = 1
        for group in range(file.num_row_groups):
            about = file.metadata.row_group(group)
            row, first = first, first + about.num_rows
            if batch is not None and not _may_hold(about, batch):
                continue
            for rows in file.iter_batches(PIECE_ROWS, row_groups=[group], columns=names):
                rows.validate(full=True)  # Parquet may hold texts that are not UTF-8
                yield Piece(row, pa.Table.from_batches([rows]).select(names))
                row += rows.num_rows


def _may_hold(about: pq.RowGroupMetaData, batch: str) -> bool:
    """Tell by its statistics whether a row group may hold rows of a batch."""
    for place in range(about.num_columns):
        column = about.column(place)
        if column.path_in_schema == "batch":
            found = column.statistics
            is_told = found is not None and found.has_min_max and isinstance(found.min, str)
            return not is_told or found.min.encode() <= batch.encode() <= found.max.encode()
    return True


def _chosen(path: Path, found: list[str], required: Sequence[str], columns: Sequence[str] | None) -> list[str]:
    """Return the columns to read of those found.

    Raises:
        AnswerError: A required one is missing.
    """
    if missing := [name for name in required if name not in found]:
        raise AnswerError(f"{path}: columns {missing} are missing; found {found}")
    return list(columns) if columns is not None else [name for name in COLUMNS if name in found]


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise AnswerError(f"{path}: no such file of recorded answers") from None
    except (pa.ArrowException, OSError, ValueError) as error:
        raise AnswerError(f"{path}: not a CSV or Parquet file of answers: {error}") from error
