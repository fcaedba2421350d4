"""Parquet: record batches to rows, with values as JSON can hold them."""

import math
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from cupel.errors import SourceError
from cupel.sources.csv_rows import check_fields
from cupel.sources.reasons import BadRow, Row, evidence
from cupel.store.files import open_stream, stat_file

# A record batch is held whole, so that its rows are chosen by what they weigh.
BATCH_BYTES = 1 << 24
BATCH_ROWS = 8_192
BUFFER_BYTES = 1 << 20


def parquet_rows(path: Path, name: str, texts: tuple[str, ...], needed: tuple[str, ...]) -> Iterator[Row | BadRow]:
    """Yield a row a table row; damage ends the file with one rejected row.

    Args:
        path: The file.
        name: Its name, for errors.
        texts: Columns that the text is made of; they must hold strings.
        needed: Columns that must be there.

    Raises:
        SourceError: A needed column is missing, or a column of the text holds no strings.
    """
    number = 1
    try:
        stat = stat_file(path)
        if stat is not None and stat.size == 0:
            return
        with open_stream(path) as stream, pq.ParquetFile(stream, pre_buffer=False, buffer_size=BUFFER_BYTES) as file:
            _check_schema(name, file.schema_arrow, texts, needed)
            for batch in file.iter_batches(batch_size=_batch_rows(file.metadata)):
                yield from batch_rows(batch, number)
                number += batch.num_rows
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:  # names of columns may be damaged too
        yield BadRow(number, "unreadable_file", evidence(f"{type(error).__name__}: {error}"))


def _check_schema(name: str, schema: pa.Schema, texts: tuple[str, ...], needed: tuple[str, ...]) -> None:
    check_fields(name, schema.names, needed)
    for text in texts:
        kind = schema.field(text).type
        value = kind.value_type if pa.types.is_dictionary(kind) else kind
        if not (pa.types.is_string(value) or pa.types.is_large_string(value) or pa.types.is_string_view(value)):
            raise SourceError(f"{name}: column {text!r} holds {kind}, expected string; convert it or name another")


def _batch_rows(metadata: pq.FileMetaData) -> int:
    """Return how many rows to read at once: as many as the heaviest row group's rows let fit."""
    groups = [metadata.row_group(index) for index in range(metadata.num_row_groups)]
    heaviest = max((group.total_byte_size / max(group.num_rows, 1) for group in groups), default=1.0)
    return max(1, min(BATCH_ROWS, int(BATCH_BYTES / max(heaviest, 1.0))))


def batch_rows(batch: pa.RecordBatch, first: int) -> Iterator[Row | BadRow]:
    """Yield the rows of a record batch; a row with a value that Python cannot hold is rejected.

    Args:
        batch: The batch.
        first: Number of its first row.
    """
    try:
        rows = batch.to_pylist()
    except (UnicodeDecodeError, ValueError, OverflowError) as error:
        # One value that Python cannot hold spoils the whole batch: find the rows it stands in.
        if batch.num_rows == 1:
            reason = "wrong_encoding" if isinstance(error, UnicodeDecodeError) else "unreadable_value"
            yield BadRow(first, reason, evidence(str(error)))
            return
        half = batch.num_rows // 2
        yield from batch_rows(batch.slice(0, half), first)
        yield from batch_rows(batch.slice(half), first + half)
        return
    for offset, values in enumerate(rows):
        yield Row(first + offset, {key: _plain(value) for key, value in values.items()})


def _plain(value: object) -> object:
    """Return a value that JSON can hold: bytes as hexadecimal, times and decimals as text, NaN and infinity as null."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
