"""Segments: the immutable Parquet files of the answers log; how one is read, written and summed up."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cupel.answers.chain import PIECE_RECORDS
from cupel.contract.table import conform
from cupel.contract.tables.answers import ANSWERS
from cupel.errors import AnswerError
from cupel.store.files import new_file

# A longer append becomes several segments, so that none is too large to hold.
SEGMENT_RECORDS = 4 * PIECE_RECORDS
# Sums of so many segments are kept in memory; each is a few hundred bytes.
SUMMARIES_HELD = 4096

File = Path


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


def segment_files(folder: File) -> list[File]:
    """Return the segment files of a log, oldest first."""
    return sorted(folder.glob("segment-*.parquet"), key=lambda path: path.name) if folder.is_dir() else []


def read_segment(path: File, columns: Sequence[str] | None = None) -> pa.Table:
    """Return the records of a segment.

    Args:
        path: The segment's file.
        columns: Columns of ANSWERS; None for all.

    Raises:
        AnswerError: The file cannot be read; names it.
    """
    schema = ANSWERS.schema if columns is None else pa.schema([ANSWERS.schema.field(name) for name in columns])
    with readable(path), pq.ParquetFile(str(path)) as file:
        return file.read(schema.names).select(schema.names).cast(schema)


def segment_pieces(path: File) -> Iterator[pa.Table]:
    """Yield the records of a segment in pieces, never holding more than one.

    Raises:
        AnswerError: The file cannot be read; names it.
    """
    with readable(path), pq.ParquetFile(str(path)) as file:
        for batch in file.iter_batches(PIECE_RECORDS):
            yield pa.Table.from_batches([batch]).select(ANSWERS.schema.names).cast(ANSWERS.schema)


def summary(path: File) -> Summary:
    """Return what a segment holds; read once a process, for a segment never changes.

    Raises:
        AnswerError: The file cannot be read, or holds nothing; names it.
    """
    with readable(path):
        state = os.stat(str(path))
    return _summary(path, (state.st_ino, state.st_size, state.st_mtime_ns))


@lru_cache(maxsize=SUMMARIES_HELD)
def _summary(path: File, state: tuple[int, int, int]) -> Summary:
    """Sum up a segment; its file's state is there to tell one file of a name from another."""
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
        state = os.stat(str(path))
    return _has_hash(path, (state.st_ino, state.st_size, state.st_mtime_ns), hash_)


@lru_cache(maxsize=SUMMARIES_HELD)
def _has_hash(path: File, state: tuple[int, int, int], hash_: str) -> bool:
    return bool(pc.index(read_segment(path, ["hash"])["hash"], hash_).as_py() >= 0)


def _hashes(path: File, rows: list[int]) -> list[str]:
    """Return the hashes of some rows, reading only the row groups that hold them."""
    with pq.ParquetFile(str(path)) as file:
        sizes = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
        ends = np.cumsum(sizes)
        groups = np.searchsorted(ends, rows, side="right").tolist()
        columns = {group: file.read_row_group(group, ["hash"])["hash"] for group in set(groups)}
        return [
            str(columns[group][row - int(ends[group]) + sizes[group]]) for row, group in zip(rows, groups, strict=True)
        ]


def create_segment(folder: File, records: pa.Table) -> None:
    """Write a segment whole, under the number of its first record.

    Raises:
        AnswerError: There is a segment of that name: another writer was faster.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"segment-{records['sequence'][0].as_py():012d}.parquet"
    try:
        with new_file(path, is_only=True) as file:
            pq.write_table(conform(records, ANSWERS), file, compression="zstd", row_group_size=PIECE_RECORDS)
    except FileExistsError:
        raise AnswerError(f"{path}: another process appended at the same time; run again") from None
    _sync(folder)


@contextmanager
def readable(path: File) -> Iterator[None]:
    """Say of whatever goes wrong while a segment is read which file it was."""
    try:
        yield
    except (pa.ArrowException, ValueError, TypeError, LookupError, OSError) as error:
        raise AnswerError(f"{path}: not a readable segment of the log: {error}; restore it from a copy") from error


def _sync(folder: Path) -> None:
    """Make a new name in a folder last through a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
