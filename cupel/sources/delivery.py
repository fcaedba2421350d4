"""One delivery to tables: items, rejected rows, and an account of each file. Memory does not grow with the files."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from cupel.config.raw import Delivery
from cupel.contract.table import from_rows
from cupel.contract.tables.raw import DELIVERIES, RAW_ITEMS, REJECTED_ROWS
from cupel.errors import SourceError
from cupel.sources.csv_rows import csv_rows
from cupel.sources.files import ITEM, SourceFile, source_files
from cupel.sources.input_limits import DEFAULT_LIMITS
from cupel.sources.items import Item, ItemReader, TextOf, read_text_field
from cupel.sources.json_rows import json_rows, text_rows
from cupel.sources.lines import read_lines
from cupel.sources.parquet_rows import parquet_rows
from cupel.sources.reasons import BadRow, Row
from cupel.store.files import FileStat, hash_file, stat_file

MAX_ROW_BYTES = DEFAULT_LIMITS.row_bytes
CHUNK_BYTES = 1 << 26


class Chunk(NamedTuple):
    """Some rows of one file: those that became items (`raw_items`), and the others (`rejected_rows`)."""

    items: pa.Table
    rejected: pa.Table


class DeliveryReader:
    """Reads one delivery; see `read_delivery`."""

    def __init__(
        self, batch: str, delivery: Delivery, folder: Path, rows_per_chunk: int, max_row_bytes: int, text_of: TextOf,
        endings: tuple[str, ...],
    ) -> None:  # fmt: skip
        self.batch = batch
        self.delivery = delivery
        self.files = source_files(batch, delivery.files, folder, endings)
        self._rows_per_chunk = rows_per_chunk
        self._max_row_bytes = max_row_bytes
        self._text_of = text_of
        self._accounts: list[dict[str, object]] | None = None
        self._torn: frozenset[bytes] = frozenset()

    def chunks(self) -> Iterator[Chunk]:
        """Yield the delivery in pieces of at most `rows_per_chunk` rows, ordered by file and line.

        An id that comes with a second text is only then known to be of two items, when the first is read already.
        Where there are such ids, `has_torn_ids` is true at the end, and what was yielded counts for nothing: read
        again, for then none of their rows becomes an item.

        Raises:
            SourceError: A file lacks a field that the delivery names, or changes or vanishes while it is read.
        """
        reader = ItemReader(self.delivery, self._max_row_bytes, self._text_of, self._torn)
        accounts: list[dict[str, object]] = []
        for file in self.files:
            with _there(file):
                before = _look(file)
                sha256 = hash_file(file.path)
                read = rejected = 0
                for chunk in self._file_chunks(file, reader):
                    read, rejected = read + chunk.items.num_rows, rejected + chunk.rejected.num_rows
                    yield chunk
                after = _look(file)
            if before != after:
                raise SourceError(f"{file.name}: the file changed while it was read; run again when it is complete")
            accounts.append(self._account(file, sha256, before.size, read, rejected))
        self._accounts, self.has_torn_ids = accounts, bool(reader.torn - self._torn)
        self._torn |= reader.torn

    has_torn_ids = False

    def first_chunks(self) -> Iterator[Chunk]:
        """Yield the first rows of each file, as much as `chunks` would at once.

        Raises:
            SourceError: As of `chunks`.
        """
        for file in self.files:
            with _there(file):
                chunk = next(
                    self._file_chunks(file, ItemReader(self.delivery, self._max_row_bytes, self._text_of)), None
                )
            if chunk is not None:
                yield chunk

    def hashes(self) -> dict[str, str]:
        """Return the hash of each file's bytes, by its name.

        Raises:
            SourceError: A file is gone, or cannot be opened.
        """
        found = {}
        for file in self.files:
            with _there(file):
                found[file.name] = hash_file(file.path)
        return found

    def deliveries(self) -> pa.Table:
        """Return the account of each file (`deliveries`), once all chunks have been read.

        Raises:
            SourceError: The chunks have not been read to their end.
        """
        if self._accounts is None:
            raise SourceError(f"delivery {self.batch}: not read to its end; take all of chunks() first")
        return from_rows(self._accounts, DELIVERIES)

    def _account(self, file: SourceFile, sha256: str, size: int, read: int, rejected: int) -> dict[str, object]:
        return {
            "batch": self.batch,
            "source_file": file.name,
            "format": file.label,
            "sha256": sha256,
            "size_bytes": size,
            "rows_in": read + rejected,
            "rows_read": read,
            "rows_rejected": rejected,
            "licence": self.delivery.licence,
        }

    def _file_chunks(self, file: SourceFile, reader: ItemReader) -> Iterator[Chunk]:
        items: list[Item] = []
        bad: list[BadRow] = []
        size = 0
        for row in self._rows(file):
            item = reader.read(row, file.name, file.format != "text") if isinstance(row, Row) else row
            if isinstance(item, BadRow):
                bad.append(item)
            else:
                items.append(item)
                size += item.size
            if len(items) + len(bad) >= self._rows_per_chunk or size >= CHUNK_BYTES:
                yield self._chunk(file, items, bad)
                items, bad, size = [], [], 0
        if items or bad:
            yield self._chunk(file, items, bad)

    def _rows(self, file: SourceFile) -> Iterator[Row | BadRow]:
        delivery = self.delivery
        if file.format == ITEM:
            return iter([_item_row(file, delivery)])
        named = (
            *delivery.text_fields, delivery.id_field, delivery.group_field, delivery.language_field,
            delivery.licence_field,
        )  # fmt: skip
        needed = tuple(dict.fromkeys(field for field in named if field is not None))
        if file.format == "parquet":
            return parquet_rows(file.path, file.name, delivery.text_fields, needed, self._max_row_bytes)
        lines = read_lines(file.path, file.compression, self._max_row_bytes)
        if file.format == "csv":
            return csv_rows(file.name, lines, needed, self._max_row_bytes)
        return json_rows(lines) if file.format == "jsonl" else text_rows(lines, delivery.text_field)

    def _chunk(self, file: SourceFile, items: list[Item], bad: list[BadRow]) -> Chunk:
        count = len(items)
        table = pa.table(
            {
                "batch": [self.batch] * count,
                "item_id": [item.item_id for item in items],
                "source_file": [file.name] * count,
                "line": [item.line for item in items],
                "text": [item.text for item in items],
                "group_id": [item.group_id for item in items],
                "declared_language": [item.language for item in items],
                "fields": [item.fields for item in items],
                "licence": [item.licence for item in items],
            },
            schema=RAW_ITEMS.schema,
        )
        rejected = [{"batch": self.batch, "source_file": file.name, **row._asdict()} for row in bad]
        return Chunk(table, from_rows(rejected, REJECTED_ROWS))


def read_delivery(
    batch: str,
    delivery: Delivery,
    folder: Path,
    rows_per_chunk: int = 50_000,
    max_row_bytes: int = MAX_ROW_BYTES,
    text_of: TextOf = read_text_field,
    endings: tuple[str, ...] = (),
) -> DeliveryReader:
    """Find a delivery's files and make ready to read them.

    Files are read in the order of their names; JSON Lines, CSV with a header row, plain text (an item a
    line) and Parquet, all but the last also compressed by gzip, bzip2, xz or Zstandard. Every row ends in
    a chunk's items or its rejected rows.

    Args:
        batch: Name of the delivery.
        delivery: Its files, licence and fields. Plain text has no fields: the id is file and line there.
        folder: The folder that its files lie in.
        rows_per_chunk: Most rows of a chunk; long texts make smaller chunks.
        max_row_bytes: A longer row is rejected, and never held whole.
        text_of: Returns a row's text, or why it has none.
        endings: Endings of files each of which is an item by itself: its name is its id and its text.

    Returns:
        A reader: `chunks()` yields the rows, then `deliveries()` gives the account.

    Raises:
        SourceError: A file is missing, lies outside the folder, or has an unknown ending.
    """
    return DeliveryReader(batch, delivery, folder, rows_per_chunk, max_row_bytes, text_of, endings)


def _item_row(file: SourceFile, delivery: Delivery) -> Row:
    """Return the row of a file that is an item by itself."""
    values: dict[str, object] = {delivery.text_field: file.name}
    return Row(1, values | ({} if delivery.id_field is None else {delivery.id_field: file.name}))


@contextmanager
def _there(file: SourceFile) -> Iterator[None]:
    """Say of a file that cannot be opened, or no longer, which one it was and what to do."""
    try:
        yield
    except FileNotFoundError as error:
        raise SourceError(
            f"{file.name}: the file vanished while the delivery was read; nothing of it was kept: bring the file back "
            "and run again"
        ) from error
    except PermissionError as error:  # other trouble of a disk may pass by itself; see the bench
        raise SourceError(f"{file.name}: cannot be opened: {error.strerror}; check the file's rights") from error


def _look(file: SourceFile) -> FileStat:
    """Return what changes when a file is written to, or another is put in its place."""
    found = stat_file(file.path)
    if found is None:
        raise FileNotFoundError(f"{file.path}")
    return found
