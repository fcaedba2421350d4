"""The answers log: every answer as it arrived, appended once, chained by hashes, never changed."""

import hashlib
import json
import os
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from upath import UPath

from cupel.errors import AnswerError
from cupel.tables import ANSWERS, conform, empty

PURPOSES = ("label", "audit", "expert")
GENESIS = "0" * 64
HEAD = "head.json"

_CHAINED = [column.name for column in ANSWERS.columns if column.name != "hash"]
_GIVEN = [name for name in _CHAINED if name != "sequence"]


class Head(NamedTuple):
    """The end of the log: the last record's sequence number and hash."""

    sequence: int
    hash: str


class Appended(NamedTuple):
    """What an append did: answers written, and answers that the log had already."""

    written: int
    known: int


class AnswersLog:
    """An append-only log in immutable Parquet segments.

    A segment is named after its first record and is created only where none of that name is, so that
    of two writers one wins and the other is told. Each record's hash covers the record and the hash
    before it; `head.json` remembers the last one, so that a log cut short is seen.

    Args:
        folder: Where the segments lie; made on the first append.
    """

    def __init__(self, folder: UPath | Path) -> None:
        self.folder = folder

    def segments(self) -> list[UPath | Path]:
        """Return the segment files, oldest first."""
        return sorted(self.folder.glob("segment-*.parquet"), key=lambda path: path.name) if self.folder.is_dir() else []

    def read(self, batch: str | None = None, purposes: Sequence[str] = PURPOSES) -> pa.Table:
        """Return the records of a batch (all batches where None) and of these purposes, in sequence."""
        parts = []
        for segment in self.segments():
            records = _read_segment(segment)
            mask = pc.is_in(records["purpose"], value_set=pa.array(purposes, pa.string()))
            if batch is not None:
                mask = pc.and_(mask, pc.equal(records["batch"], batch))
            parts.append(records.filter(mask))
        return pa.concat_tables(parts) if parts else empty(ANSWERS)

    def version(self, batch: str, purposes: Sequence[str]) -> str:
        """Return what names the answers of a batch and these purposes: how many, and the last one's hash.

        In a chained log of which nothing is ever removed, these two fix all of them.
        """
        records = self.read(batch, purposes)
        return f"{records.num_rows}:{records['hash'][-1].as_py() if records.num_rows else GENESIS}"

    def head(self) -> Head:
        """Return the last record's sequence number and hash; 0 and zeros for an empty log."""
        segments = self.segments()
        if not segments:
            return Head(0, GENESIS)
        last = _read_segment(segments[-1])
        return Head(last["sequence"][-1].as_py(), last["hash"][-1].as_py())

    def hash_at(self, sequence: int) -> str:
        """Return the hash of a record, which fixes it and all before it; zeros for 0.

        Raises:
            AnswerError: The log has no such record.
        """
        if sequence == 0:
            return GENESIS
        records = self.read()
        found = records.filter(pc.equal(records["sequence"], sequence))["hash"].to_pylist()
        if not found:
            raise AnswerError(f"{self.folder}: no answer {sequence}; the log ends at {self.head().sequence}")
        return str(found[0])

    def append(self, answers: pa.Table) -> Appended:
        """Append answers that the log does not have yet.

        Args:
            answers: The columns of ANSWERS but `sequence` and `hash`; row order is kept.

        Returns:
            How many were written, and how many were there already under the same answer_id.

        Raises:
            AnswerError: A purpose is unknown, an answer_id comes again with another content, or another
                writer was faster.
        """
        if missing := sorted(set(_GIVEN) - set(answers.column_names)):
            raise AnswerError(f"answers to append lack the columns {missing}")
        self._check_head()
        rows, known = self._new_rows(_typed(answers).to_pylist())
        if not rows:
            return Appended(0, known)
        head = self.head()
        records, previous = [], head.hash
        for sequence, row in enumerate(rows, head.sequence + 1):
            record = {"sequence": sequence, **row}
            previous = record["hash"] = _chain(previous, record)
            records.append(record)
        table = conform(pa.Table.from_pylist(records, schema=ANSWERS.schema), ANSWERS)
        self._create_segment(table, head.sequence + 1)
        self._write_head(Head(records[-1]["sequence"], previous))
        return Appended(len(records), known)

    def verify(self) -> Head:
        """Recompute the whole chain.

        Returns:
            The head, when every record is as it was written and none is missing.

        Raises:
            AnswerError: Names the first record that is altered, missing or out of place, and its file.
        """
        previous, expected = GENESIS, 1
        for segment in self.segments():
            for record in _records(segment):
                if record["sequence"] != expected:
                    raise AnswerError(
                        f"{segment}: expected answer {expected}, found {record['sequence']}; "
                        "a segment is missing or out of place; restore it from a copy"
                    )
                if _chain(previous, record) != record["hash"]:
                    raise AnswerError(f"{segment}: answer {expected} was altered; restore the file from a copy")
                previous, expected = record["hash"], expected + 1
        self._check_head()
        return Head(expected - 1, previous)

    def _check_head(self) -> None:
        path = self.folder / HEAD
        if not path.exists():
            return
        try:
            remembered = Head(**json.loads(path.read_text(encoding="utf-8")))
        except (ValueError, TypeError) as error:
            raise AnswerError(f"{path}: not the head of a log: {error}") from error
        head = self.head()
        if head.sequence < remembered.sequence:
            raise AnswerError(
                f"{self.folder}: the log ends at answer {head.sequence}, but {remembered.sequence} were written; "
                f"answers from {head.sequence + 1} on were cut off; restore them from a copy"
            )

    def _new_rows(self, rows: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], int]:
        there = self.read()
        have = dict(
            zip(there["answer_id"].to_pylist(), there.select(_GIVEN).to_pylist(), strict=True)
        )  # answer_id -> content
        fresh: list[dict[str, Any]] = []
        for row in rows:
            if row["purpose"] not in PURPOSES:
                raise AnswerError(f"answer {row['answer_id']!r}: purpose {row['purpose']!r}; allowed: {PURPOSES}")
            before = have.get(row["answer_id"])
            if before is None:
                have[row["answer_id"]] = row
                fresh.append(row)
            elif _content(before) != _content(row):
                raise AnswerError(
                    f"answer {row['answer_id']!r} came again with another content; a new version needs an id of its own"
                )
        return fresh, len(rows) - len(fresh)

    def _create_segment(self, table: pa.Table, first: int) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"segment-{first:012d}.parquet"
        temporary = self.folder / f".segment-{uuid.uuid4().hex}"
        with temporary.open("wb") as file:
            pq.write_table(table, file, compression="zstd")
            file.flush()
            os.fsync(file.fileno())
        try:
            # A hard link fails where the name is taken; a rename would overwrite.
            os.link(str(temporary), str(path))
        except FileExistsError:
            raise AnswerError(f"{path}: another process appended at the same time; run again") from None
        finally:
            temporary.unlink()
        _sync(Path(str(self.folder)))

    def _write_head(self, head: Head) -> None:
        temporary = self.folder / f".head-{uuid.uuid4().hex}"
        with temporary.open("wb") as file:
            file.write((json.dumps(head._asdict()) + "\n").encode())
            file.flush()
            os.fsync(file.fileno())
        os.replace(str(temporary), str(self.folder / HEAD))


def _typed(answers: pa.Table) -> pa.Table:
    """Return the given columns in the log's types: what is hashed must be what is read back."""
    schema = pa.schema([field for field in ANSWERS.schema if field.name in _GIVEN]).remove_metadata()
    try:
        return answers.select(_GIVEN).cast(pa.schema([field.with_nullable(True) for field in schema]))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise AnswerError(f"answers to append: {error}") from error


def _sync(folder: Path) -> None:
    """Make a new name in a folder last through a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read_segment(path: UPath | Path) -> pa.Table:
    try:
        with path.open("rb") as file:
            return pq.read_table(file).cast(ANSWERS.schema)
    except (pa.ArrowInvalid, ValueError, OSError) as error:
        raise AnswerError(f"{path}: not a readable segment of the log: {error}; restore it from a copy") from error


def _records(path: UPath | Path) -> Iterator[dict[str, Any]]:
    yield from _read_segment(path).to_pylist()


def _content(row: dict[str, Any]) -> str:
    values = [row[name] for name in _GIVEN]
    return json.dumps(values, default=lambda moment: moment.isoformat(), separators=(",", ":"))


def _chain(previous: str, record: dict[str, Any]) -> str:
    return hashlib.sha256(f"{previous}{record['sequence']}{_content(record)}".encode()).hexdigest()
