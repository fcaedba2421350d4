"""Segments: the immutable Parquet files of the answers log; how one is read, written and summed up."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cupel.contract.table import conform
from cupel.contract.tables.answers import ANSWERS
from cupel.errors import AnswerError
from cupel.lake.answer_chain import PIECE_RECORDS
from cupel.store.parquet import open_parquet
from cupel.store.store import MissingError, Stat, Store, StoreError, describe_place

# A longer append becomes several segments, so that none is too large to hold.
SEGMENT_RECORDS = 4 * PIECE_RECORDS
# Sums of so many segments are kept in memory; each is a few hundred bytes.
SUMMARIES_HELD = 4096


class File(NamedTuple):
    """A Parquet file of records: a segment, or a merged copy of some."""

    store: Store
    name: str

    def __str__(self) -> str:
        """Return where it lies, for people and for what reads it in place."""
        return describe_place(self.store, self.name)

    def state(self) -> Stat:
        """Return how it looks.

        Raises:
            MissingError: It is gone.
        """
        if (found := self.store.stat(self.name)) is None:
            raise MissingError("gone")
        return found


class Kind(NamedTuple):
    """A segment's records of one batch and purpose: how many, the last one's row and its hash."""

    records: int
    row: int
    hash: str


class Summary(NamedTuple):
    """What a segment holds: its first and last sequence number, its last hash, and records by batch and purpose."""

    first: int
    last: int
    hash: str
    kinds: dict[tuple[str, str], Kind]


def read_segment(path: File, columns: Sequence[str] | None = None) -> pa.Table:
    """Return the records of a segment.

    Args:
        path: The segment's file.
        columns: Columns of ANSWERS; None for all.

    Raises:
        AnswerError: The file cannot be read; names it.
    """
    schema = ANSWERS.schema if columns is None else pa.schema([ANSWERS.schema.field(name) for name in columns])
    with readable(path), open_parquet(*path) as file:
        return file.read(schema.names).select(schema.names).cast(schema)


def segment_pieces(path: File) -> Iterator[pa.Table]:
    """Yield the records of a segment in pieces, never holding more than one.

    Raises:
        AnswerError: The file cannot be read; names it.
    """
    with readable(path), open_parquet(*path) as file:
        for batch in file.iter_batches(PIECE_RECORDS):
            yield pa.Table.from_batches([batch]).select(ANSWERS.schema.names).cast(ANSWERS.schema)


def summary(path: File) -> Summary:
    """Return what a segment holds; read once a process, for a segment never changes.

    Raises:
        AnswerError: The file cannot be read, or holds nothing; names it.
    """
    with readable(path):
        version = path.state().version
    return _summary(path, version)


@lru_cache(maxsize=SUMMARIES_HELD)
def _summary(path: File, version: str) -> Summary:
    """Sum up a segment; its version is there to tell one file of a name from another."""
    records = read_segment(path, ["sequence", "batch", "purpose"])
    with readable(path):
        batch, purpose = (records[name].combine_chunks().dictionary_encode() for name in ("batch", "purpose"))
        names = [(one, other) for one in batch.dictionary.to_pylist() for other in purpose.dictionary.to_pylist()]
        kind = batch.indices.to_numpy().astype(np.int64) * len(purpose.dictionary) + purpose.indices.to_numpy()
        sizes = np.bincount(kind, minlength=len(names)).tolist()
        last = np.zeros(len(names), np.int64)
        last[kind] = np.arange(len(kind))
        found = [place for place, size in enumerate(sizes) if size]
        rows = [int(last[place]) for place in found]
        *hashes, end = _hashes(path, [*rows, records.num_rows - 1])
        kinds = {names[p]: Kind(sizes[p], row, hash_) for p, row, hash_ in zip(found, rows, hashes, strict=True)}
        return Summary(records["sequence"][0].as_py(), records["sequence"][-1].as_py(), end, kinds)


def has_hash(path: File, hash_: str) -> bool:
    """Tell whether a record of a segment has this hash; looked for once a process, for a segment never changes.

    Raises:
        AnswerError: The file cannot be read; names it.
    """
    with readable(path):
        version = path.state().version
    return _has_hash(path, version, hash_)


@lru_cache(maxsize=SUMMARIES_HELD)
def _has_hash(path: File, version: str, hash_: str) -> bool:
    return bool(pc.index(read_segment(path, ["hash"])["hash"], hash_).as_py() >= 0)


def hash_in(path: File, sequence: int) -> str | None:
    """Return the hash of a record of a segment; None where the segment does not hold it.

    Raises:
        AnswerError: The file cannot be read; names it.
    """
    if not (about := summary(path)).first <= sequence <= about.last:
        return None
    records = read_segment(path, ["sequence", "hash"])
    row = pc.index(records["sequence"], sequence).as_py()
    return str(records["hash"][row]) if row >= 0 else None


def _hashes(path: File, rows: list[int]) -> list[str]:
    """Return the hashes of some rows, reading only the row groups that hold them."""
    with open_parquet(*path) as file:
        sizes = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
        ends = np.cumsum(sizes)
        groups = np.searchsorted(ends, rows, side="right").tolist()
        columns = {group: file.read_row_group(group, ["hash"])["hash"] for group in set(groups)}
        return [
            str(columns[group][row - int(ends[group]) + sizes[group]]) for row, group in zip(rows, groups, strict=True)
        ]


def encode_segment(records: pa.Table) -> bytes:
    """Return the bytes of a segment."""
    sink = pa.BufferOutputStream()
    pq.write_table(conform(records, ANSWERS), sink, compression="zstd", row_group_size=PIECE_RECORDS)
    return bytes(memoryview(sink.getvalue()))


@contextmanager
def readable(path: File) -> Iterator[None]:
    """Say of whatever goes wrong while a segment is read which file it was."""
    try:
        yield
    except (pa.ArrowException, ValueError, TypeError, LookupError, OSError, StoreError) as error:
        raise AnswerError(f"{path}: not a readable segment of the log: {error}; restore it from a copy") from error
