"""Merged segments: copies of many small segments in one file each, so that a log of years is read as fast as a new one.

A person who answers now and then leaves a segment each time, and opening a file takes longer than reading its few
answers. So of each run of consecutive small segments a copy is kept in one file. It is derived: the segments stay as
they are, and are what is verified. A copy that is damaged, or of which a segment has changed, is not read.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from cupel.answers.chain import PIECE_RECORDS
from cupel.answers.segments import SEGMENT_RECORDS, File, read_segment
from cupel.contract.tables.answers import ANSWERS
from cupel.errors import AnswerError
from cupel.store.files import put_file

FOLDER = "merged"
SEGMENTS_MERGED = 64
COPIES_HELD = 4096
_STATES = b"cupel_segments"


def pieces(folder: File, segments: Sequence[File]) -> list[File]:
    """Return files that hold the records of segments, in their order: merged copies where there are any.

    Args:
        folder: The log's folder.
        segments: Its segments, oldest first, as they were found there.
    """
    copies = _copies(folder)
    found: list[File] = []
    for run in _runs(segments):
        copy = copies.get(run[0].name)
        found += [copy] if copy is not None and _is_of(copy, run) else run
    return found


def merge(folder: File, segments: Sequence[File]) -> None:
    """Write the merged copies that are missing; what cannot be written now is by the next append.

    Args:
        folder: The log's folder.
        segments: Its segments, oldest first.
    """
    copies = _copies(folder)
    for run in _runs(segments):
        before = copies.get(run[0].name)
        if len(run) == SEGMENTS_MERGED and (before is None or not _is_of(before, run)):
            with suppress(OSError, AnswerError):
                _write(folder / FOLDER, run, before)


def _runs(segments: Sequence[File]) -> Iterator[list[File]]:
    """Yield segments by the places that they have for ever: a log only grows."""
    for first in range(0, len(segments), SEGMENTS_MERGED):
        yield list(segments[first : first + SEGMENTS_MERGED])


def _write(folder: Path, run: list[File], before: Path | None) -> None:
    states = _states(run)
    if sum(pq.read_metadata(str(path)).num_rows for path in run) > SEGMENT_RECORDS:
        return  # large ones are read fast enough as they are
    records = pa.concat_tables([read_segment(path) for path in run])
    sink = pa.BufferOutputStream()
    schema = ANSWERS.schema.with_metadata({_STATES: json.dumps(states).encode()})
    pq.write_table(records.cast(schema), sink, compression="zstd", row_group_size=PIECE_RECORDS)
    content = sink.getvalue().to_pybytes()
    folder.mkdir(exist_ok=True)
    path = folder / f"{run[0].name.removesuffix('.parquet')}.{hashlib.sha256(content).hexdigest()}.parquet"
    put_file(path, content)
    if before not in (None, path):
        before.unlink(missing_ok=True)


def _copies(folder: File) -> dict[str, Path]:
    """Return the merged copies, by the name of the first segment that each is of."""
    there = folder / FOLDER
    return {f"{path.name.partition('.')[0]}.parquet": path for path in sorted(there.glob("segment-*.*.parquet"))}


def _is_of(copy: Path, run: list[File]) -> bool:
    with suppress(OSError):
        state = copy.stat()
        return _read_states(copy, state.st_ino, state.st_size, state.st_mtime_ns) == _states(run)
    return False


def _states(run: list[File]) -> list[list[str | int]]:
    """Return what tells these files from others of their names: size and time of change."""
    stats = [(path.name, os.stat(str(path))) for path in run]
    return [[name, stat.st_size, stat.st_mtime_ns] for name, stat in stats]


@lru_cache(maxsize=COPIES_HELD)
def _read_states(copy: Path, inode: int, size: int, changed_ns: int) -> list[list[str | int]] | None:
    """Return the states of the segments that a copy was made of; None where it is damaged. Read once a process."""
    with suppress(OSError, ValueError, pa.ArrowException):
        with copy.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != copy.name.split(".")[1]:
                return None
        found: list[list[str | int]] = json.loads((pq.read_schema(copy).metadata or {})[_STATES])
        return found
    return None
