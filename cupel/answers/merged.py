"""Merged segments: copies of many small segments in one file each, so that a log of years is read as fast as a new one.

A person who answers now and then leaves a segment each time, and opening a file takes longer than reading its few
answers. So of each run of consecutive small segments a copy is kept in one file. It is derived: the segments stay as
they are, and are what is verified. A copy that is damaged, or of which a segment has changed, is not read.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import lru_cache

import pyarrow as pa
import pyarrow.parquet as pq

from cupel.answers.chain import PIECE_RECORDS
from cupel.answers.segments import SEGMENT_RECORDS, File, read_segment
from cupel.contract.tables.answers import ANSWERS
from cupel.errors import AnswerError
from cupel.store.event_log import Segment
from cupel.store.parquet import open_parquet
from cupel.store.store import Store, StoreError, hash_content

FOLDER = "merged"
SEGMENTS_MERGED = 64
COPIES_HELD = 4096
_MADE_OF = b"cupel_segments"


def pieces(store: Store, folder: str, segments: Sequence[Segment]) -> list[File]:
    """Return files that hold the records of segments, in their order: merged copies where there are any.

    Args:
        store: Where the log lies.
        folder: The log's folder there.
        segments: Its segments, oldest first, verified.
    """
    copies = _copies(store, folder)
    found: list[File] = []
    for run in _runs(segments):
        copy = copies.get(_stem(run[0].name))
        found += [copy] if copy is not None and _is_of(copy, run) else [File(store, one.name) for one in run]
    return found


def merge(store: Store, folder: str, segments: Sequence[Segment]) -> None:
    """Write the merged copies that are missing; what cannot be written now is by the next append.

    Args:
        store: Where the log lies.
        folder: The log's folder there.
        segments: Its segments, oldest first, verified.
    """
    copies = _copies(store, folder)
    for run in _runs(segments):
        before = copies.get(_stem(run[0].name))
        if len(run) == SEGMENTS_MERGED and (before is None or not _is_of(before, run)):
            with suppress(OSError, AnswerError):
                _write(store, f"{folder}/{FOLDER}", run, before)


def _runs(segments: Sequence[Segment]) -> Iterator[list[Segment]]:
    """Yield segments by the places that they have for ever: a log only grows."""
    for first in range(0, len(segments), SEGMENTS_MERGED):
        yield list(segments[first : first + SEGMENTS_MERGED])


def _write(store: Store, folder: str, run: list[Segment], before: File | None) -> None:
    if run[-1].end.sequence - run[0].before.sequence > SEGMENT_RECORDS:
        return  # large ones are read fast enough as they are
    records = pa.concat_tables([read_segment(File(store, one.name)) for one in run])
    sink = pa.BufferOutputStream()
    schema = ANSWERS.schema.with_metadata({_MADE_OF: json.dumps(_made_of(run)).encode()})
    pq.write_table(records.cast(schema), sink, compression="zstd", row_group_size=PIECE_RECORDS)
    content = sink.getvalue().to_pybytes()
    name = f"{folder}/{_stem(run[0].name)}.{hashlib.sha256(content).hexdigest()}.parquet"
    store.put(name, content)
    if before is not None and before.name != name:
        store.delete(before.name)


def _copies(store: Store, folder: str) -> dict[str, File]:
    """Return the merged copies, by the name of the first segment that each is of, without its ending."""
    found = [stat.name for stat in store.list(f"{folder}/{FOLDER}") if stat.name.endswith(".parquet")]
    return {_stem(name): File(store, name) for name in found}


def _stem(name: str) -> str:
    return name.rpartition("/")[2].partition(".")[0]


def _is_of(copy: File, run: list[Segment]) -> bool:
    with suppress(OSError, StoreError):
        return _read_made_of(copy, copy.state().version) == _made_of(run)
    return False


def _made_of(run: list[Segment]) -> list[list[str]]:
    """Return what tells these segments from others of their names: the hashes of their bytes."""
    return [[one.name.rpartition("/")[2], str(one.sha256)] for one in run]


@lru_cache(maxsize=COPIES_HELD)
def _read_made_of(copy: File, version: str) -> list[list[str]] | None:
    """Return the segments that a copy was made of; None where it is damaged. Read once a process."""
    with suppress(OSError, ValueError, StoreError, pa.ArrowException):
        if hash_content(*copy) != copy.name.split(".")[-2]:
            return None
        with open_parquet(*copy) as file:
            found: list[list[str]] = json.loads((file.schema_arrow.metadata or {})[_MADE_OF])
        return found
    return None
