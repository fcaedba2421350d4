"""Files of a release while they are written: durable, and hashed as they go."""

import hashlib
import os
from pathlib import Path
from typing import BinaryIO, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from cupel.contract.table import Table
from cupel.lake import ROWS_PER_GROUP


class WrittenFile(NamedTuple):
    """A file as the manifest names it; `rows` where it is a table."""

    path: str
    sha256: str
    size_bytes: int
    rows: int | None


def write_bytes(folder: Path, name: str, content: bytes) -> WrittenFile:
    """Write a file that is not there yet."""
    with _Hashed(folder, name) as sink:
        sink.write(content)
    return WrittenFile(name, sink.digest.hexdigest(), sink.size, None)


class TableFile:
    """A Parquet file that is written in pieces and never held; the same rows give the same bytes.

    Args:
        folder: The release's folder.
        name: The file's path in it.
        table: Its columns; what is written must be held to them, in the order of the key.
    """

    def __init__(self, folder: Path, name: str, table: Table) -> None:
        self._name = name
        self._sink = _Hashed(folder, name)
        self._table = table
        self._pending: list[pa.Table] = []
        self._held = self._rows = 0

    def __enter__(self) -> "TableFile":
        self._sink.__enter__()
        file = pa.PythonFile(self._sink, "w")
        self._writer = pq.ParquetWriter(file, self._table.schema, compression="zstd", store_schema=True)
        return self

    def write(self, piece: pa.Table) -> None:
        """Write the next rows: row groups have all the same size, whatever that of the pieces."""
        while piece.num_rows:
            part = piece.slice(0, ROWS_PER_GROUP - self._held)
            piece = piece.slice(part.num_rows)
            self._pending.append(part)
            self._held += part.num_rows
            if self._held == ROWS_PER_GROUP:
                self._write_group()

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        try:
            if kind is None and (self._held or not self._rows):  # a file without rows has one empty row group
                self._write_group()
            self._writer.close()
        finally:
            self._sink.__exit__(kind, *rest)

    def done(self) -> WrittenFile:
        """Return what was written."""
        return WrittenFile(self._name, self._sink.digest.hexdigest(), self._sink.size, self._rows)

    def _write_group(self) -> None:
        group = pa.concat_tables([self._table.schema.empty_table(), *self._pending]).combine_chunks()
        self._writer.write_table(group, row_group_size=ROWS_PER_GROUP)
        self._rows += group.num_rows
        self._pending, self._held = [], 0


class _Hashed:
    """A new file that hashes what is written to it, and is durable when it is closed."""

    def __init__(self, folder: Path, name: str) -> None:
        self._path = folder / name
        self.digest = hashlib.sha256()
        self.size = 0
        self.closed = False

    def __enter__(self) -> "_Hashed":
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file: BinaryIO = self._path.open("xb")
        return self

    def write(self, content: bytes) -> int:
        self.digest.update(content)
        self.size += len(content)
        return self._file.write(content)

    def flush(self) -> None:
        self._file.flush()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self._file.flush()
                os.fsync(self._file.fileno())
        finally:
            self._file.close()
