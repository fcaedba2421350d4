"""Parquet: record batches to rows, with values as JSON can hold them."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cupel.errors import SourceError
from cupel.sources.csv_rows import check_fields
from cupel.sources.input_limits import DEFAULT_LIMITS, InputLimits, refuse_size
from cupel.sources.reasons import BadRow, Row, evidence
from cupel.store.files import open_stream, stat_file

# A record batch is held whole, so that its rows are chosen by what they weigh.
BATCH_BYTES = 1 << 24
BATCH_ROWS = 8_192
BUFFER_BYTES = 1 << 20
# What Arrow needs of a row besides its values.
ROW_OVERHEAD_BYTES = 64


def parquet_rows(
    path: Path,
    name: str,
    texts: tuple[str, ...],
    needed: tuple[str, ...],
    max_row_bytes: int = DEFAULT_LIMITS.row_bytes,
) -> Iterator[Row | BadRow]:  # fmt: skip
    """Yield a row a table row; damage ends the file with one rejected row.

    Args:
        path: The file.
        name: Its name, for errors.
        texts: Columns that the text is made of; they must hold strings.
        needed: Columns that must be there.
        max_row_bytes: A longer row is rejected before it is unpacked.

    Raises:
        SourceError: A needed column is missing, a column of the text holds no strings, or there are too many columns.
    """
    number = 1
    try:
        stat = stat_file(path)
        if stat is not None and stat.size == 0:
            return
        with open_stream(path) as stream, open_packed(stream) as file:
            _check_schema(name, file.schema_arrow, texts, needed)
            for batch in file.iter_batches(batch_size=_batch_rows(file.metadata)):
                yield from batch_rows(batch, number, max_row_bytes)
                number += batch.num_rows
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:  # names of columns may be damaged too
        yield BadRow(number, "unreadable_file", evidence(f"{type(error).__name__}: {error}"))


@contextmanager
def open_packed(stream: "pa.NativeFile | BinaryIO") -> Iterator[pq.ParquetFile]:
    """Open a Parquet file whose columns of texts stay dictionaries: a text that a million rows share is held once."""
    schema = pq.ParquetFile(stream).schema
    columns = [schema.column(place) for place in range(len(schema))]
    packed = [one.name for one in columns if one.physical_type == "BYTE_ARRAY" and one.path == one.name]
    stream.seek(0)
    with pq.ParquetFile(stream, read_dictionary=packed, pre_buffer=False, buffer_size=BUFFER_BYTES) as file:
        yield file


def read_columns(name: str, file: BinaryIO, columns: list[str], limits: InputLimits) -> pa.Table:
    """Return some columns of a Parquet file, unpacked.

    Raises:
        SourceError: They hold more values or bytes than the limits allow.
    """
    file.seek(0)
    with open_packed(file) as opened:
        if opened.metadata.num_rows * len(columns) > limits.values:
            refuse_size(name, "values", limits, "values")
        found, size = [], 0
        for batch in opened.iter_batches(BATCH_ROWS, columns=columns):
            size += measure_unpacked(batch)
            if size > limits.bytes:
                refuse_size(name, "bytes when it is unpacked", limits, "bytes")
            found.append(batch)
        schema = pa.schema([opened.schema_arrow.field(column) for column in columns])
    table = pa.Table.from_batches(found, schema) if found else schema.empty_table()
    plain = [
        field.with_type(field.type.value_type) if pa.types.is_dictionary(field.type) else field for field in schema
    ]
    return table.cast(pa.schema(plain))


def measure_unpacked(data: pa.Array | pa.RecordBatch) -> int:
    """Return the bytes that values take when each text stands for itself; nested lists are counted as they lie."""
    if isinstance(data, pa.RecordBatch):
        return sum(measure_unpacked(column) for column in data.columns)
    if not pa.types.is_dictionary(data.type):
        return int(data.nbytes)
    if not len(data.dictionary):
        return len(data)
    lengths = pc.binary_length(data.dictionary)
    return len(data) + int(pc.sum(pc.cast(lengths.take(data.indices), pa.int64())).as_py() or 0)


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


def batch_rows(
    batch: pa.RecordBatch, first: int, max_row_bytes: int = DEFAULT_LIMITS.row_bytes
) -> Iterator[Row | BadRow]:
    """Yield the rows of a record batch; a row with a value that Python cannot hold is rejected.

    Args:
        batch: The batch; a part at a time is unpacked, so that memory does not grow with how often a text is repeated.
        first: Number of its first row.
        max_row_bytes: A longer row is rejected.
    """
    size = measure_unpacked(batch)
    if batch.num_rows == 1 and size > max_row_bytes + ROW_OVERHEAD_BYTES * batch.num_columns:
        yield BadRow(first, "row_too_long", evidence(f"over {max_row_bytes} bytes"))
        return
    if batch.num_rows > 1 and size > min(BATCH_BYTES, max_row_bytes):  # so that a row that is too long stands alone
        half = batch.num_rows // 2
        yield from batch_rows(batch.slice(0, half), first, max_row_bytes)
        yield from batch_rows(batch.slice(half), first + half, max_row_bytes)
        return
    try:
        rows = batch.to_pylist()
    except (UnicodeDecodeError, ValueError, OverflowError) as error:
        # One value that Python cannot hold spoils the whole batch: find the rows it stands in.
        if batch.num_rows == 1:
            reason = "wrong_encoding" if isinstance(error, UnicodeDecodeError) else "unreadable_value"
            yield BadRow(first, reason, evidence(str(error)))
            return
        half = batch.num_rows // 2
        yield from batch_rows(batch.slice(0, half), first, max_row_bytes)
        yield from batch_rows(batch.slice(half), first + half, max_row_bytes)
        return
    for offset, values in enumerate(rows):
        yield Row(first + offset, {key: _plain(value) for key, value in values.items()})


def _plain(value: object) -> object:
    """Return a value that JSON can hold: times and decimals as text, NaN and infinity as null.

    Bytes are the text that they are, as some programs write texts, and hexadecimal where they are none.
    """
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, bytes):
        return _text_of(value)
    if isinstance(value, dict):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _text_of(value: bytes) -> str:
    """Return bytes as text.

    >>> _text_of(b"cat"), _text_of(b"\\xff\\x00")
    ('cat', 'ff00')
    """
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        return value.hex()
    return text if "\0" not in text else value.hex()
