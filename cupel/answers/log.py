"""The answers log: every answer as it arrived, appended once, chained by hashes, never changed."""

import json
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cupel.answers.arriving import PURPOSES, fresh_rows, typed
from cupel.answers.chain import GENESIS, PIECE_RECORDS, contents, links
from cupel.answers.merged import merge, pieces
from cupel.answers.segments import SEGMENT_RECORDS, File, create_segment, has_hash, read_segment, segment_files, summary
from cupel.answers.verifying import FileStates, VerifiedLog, file_states, known_segments, verify_segments
from cupel.contract.format_numbers import ANSWERS_LOG
from cupel.contract.tables.answers import ANSWERS
from cupel.errors import AnswerError
from cupel.formats import read_number, write_number
from cupel.store.files import put_file
from cupel.store.local import LocalStore

HEAD = "head.json"
# Of each log that this process verified, by its folder: the states of its files then, and its segments.
_VERIFIED: dict[str, tuple[FileStates, list[File]]] = {}


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
    before it; `head.json` remembers the last one, so that a log cut short is seen. Whatever is asked of
    the log, the whole of it is verified first: once a process, until one of its files changes.

    Args:
        folder: Where the segments lie; made on the first append.
        is_tolerant: Read what is left of a log, whatever was done to it: only for what tells the damage itself.
    """

    def __init__(self, folder: File, *, is_tolerant: bool = False) -> None:
        self.folder = folder
        self._is_tolerant = is_tolerant
        self._can_be_read = False

    def segments(self) -> list[File]:
        """Return the segment files, oldest first, verified.

        Raises:
            FormatError: A newer version of Cupel wrote the log.
            AnswerError: The log is altered or cut short; see `verify`.
        """
        folder = self.folder
        if not self._can_be_read:
            read_number(LocalStore(folder), "", ANSWERS_LOG)
            self._can_be_read = True
        if self._is_tolerant:
            return segment_files(self.folder)
        states = file_states(folder, HEAD)
        if (known := _VERIFIED.get(str(folder))) is None or known[0] != states:
            # What was appended meanwhile is in the list, but not in the states, and so is looked at again.
            known = _VERIFIED[str(folder)] = (states, self._verify().segments)
        return list(known[1])

    def read(
        self, batch: str | None = None, purposes: Sequence[str] = PURPOSES, columns: Sequence[str] | None = None
    ) -> pa.Table:
        """Return the records of a batch (all batches where None) and of these purposes, in sequence.

        Args:
            batch: The batch; segments that hold none of it are not read.
            purposes: Any of `PURPOSES`.
            columns: Columns of ANSWERS; None for all.
        """
        names = ANSWERS.schema.names if columns is None else list(columns)
        parts = [ANSWERS.schema.empty_table().select(names)]
        for segment in pieces(self.folder, self.segments()):
            kinds = summary(segment).kinds
            wanted = [kind for kind in kinds if kind[0] == (batch or kind[0]) and kind[1] in purposes]
            if len(wanted) == len(kinds):
                parts.append(read_segment(segment, names))
            elif wanted:
                parts.append(_of_kinds(read_segment(segment, _with_kind(names)), batch, purposes).select(names))
        return pa.concat_tables(parts)

    def version(self, batch: str, purposes: Sequence[str]) -> str:
        """Return what names the answers of a batch and these purposes: how many, and the last one's hash.

        In a chained log of which nothing is ever removed, these two fix all of them.
        """
        records, hash_ = 0, GENESIS
        for segment in pieces(self.folder, self.segments()):
            kinds = summary(segment).kinds
            found = [kinds[batch, purpose] for purpose in purposes if (batch, purpose) in kinds]
            records += sum(kind.records for kind in found)
            if found:
                hash_ = max(found, key=lambda kind: kind.row).hash
        return f"{records}:{hash_}"

    def head(self) -> Head:
        """Return the last record's sequence number and hash; 0 and zeros for an empty log."""
        return _head_of(self.segments())

    def hash_at(self, sequence: int) -> str:
        """Return the hash of a record, which fixes it and all before it; zeros for 0.

        Raises:
            AnswerError: The log has no such record.
        """
        segments = self.segments()
        if (found := _hash_in(segments, sequence)) is None:
            raise AnswerError(f"{self.folder}: no answer {sequence}; the log ends at {_head_of(segments).sequence}")
        return found

    def holds_hash(self, hash_: str) -> bool:
        """Tell whether some record has this hash: then the log holds that record, and all before it, as they were."""
        return hash_ == GENESIS or any(has_hash(segment, hash_) for segment in reversed(self.segments()))

    def append(self, answers: pa.Table) -> Appended:
        """Append answers that the log does not have yet.

        A killed append may leave some of its answers in the log; the same append again completes it.

        Args:
            answers: The columns of ANSWERS but `sequence` and `hash`; row order is kept.

        Returns:
            How many were written, and how many were there already under the same answer_id.

        Raises:
            AnswerError: A value is missing, a purpose is unknown, an answer_id comes again with another
                content, or another writer was faster. Only in the last case was anything written.
        """
        segments = self.segments()
        given = typed(answers)
        fresh = fresh_rows(given, pieces(self.folder, segments))
        if not len(fresh):
            return Appended(0, given.num_rows)
        write_number(LocalStore(self.folder), "", ANSWERS_LOG)
        head = self.head()
        if head.sequence:
            self._write_head(head)  # a writer may have been killed before it did
        for first in range(0, len(fresh), SEGMENT_RECORDS):
            rows = fresh[first : first + SEGMENT_RECORDS]
            head = self._append_segment(given.take(pa.array(rows)), head)
        merge(self.folder, self.segments())
        return Appended(len(fresh), given.num_rows - len(fresh))

    def verify(self, *, is_afresh: bool = False) -> Head:
        """Verify the whole chain; of segments that were verified before, that their bytes are the same.

        Args:
            is_afresh: Recompute every hash, whatever was verified before.

        Returns:
            The head, when every record is as it was written and none is missing.

        Raises:
            AnswerError: Names the first record that is altered, missing or out of place, and its file.
        """
        folder = self.folder
        read_number(LocalStore(folder), "", ANSWERS_LOG)  # of a newer format, it is refused as such, not as altered
        found = self._verify(is_afresh=is_afresh)
        return Head(found.sequence, found.hash)

    def advance_head(self) -> None:
        """Write the head where it is behind the log: a writer was killed before it did, or an older one lies there."""
        path, head = (self.folder / HEAD), self.head()
        if head.sequence and json.loads(path.read_bytes() if path.is_file() else b"{}") != head._asdict():
            self._write_head(head)

    def restore_head(self) -> Head:
        """Write the head again, where what was verified before says that nothing was cut off behind it.

        Raises:
            AnswerError: A segment is altered or gone, or nobody remembers how far the log reached.
        """
        folder = self.folder
        known = known_segments(folder)
        found = verify_segments(folder)
        if not known or sorted(known) != [path.name for path in found.segments]:
            raise AnswerError(f"{folder / HEAD}: nobody remembers how far the log reached; restore it from a copy")
        head = Head(found.sequence, found.hash)
        self._write_head(head)
        return head

    def _verify(self, *, is_afresh: bool = False) -> VerifiedLog:
        """Verify segments and head. The head is read first: answers may be appended meanwhile, to both."""
        remembered = self._read_head()
        found = verify_segments(self.folder, is_afresh=is_afresh)
        if remembered is not None:
            self._check_head(remembered, found.segments)
        return found

    def _read_head(self) -> Head | None:
        """Return the head that is remembered; None for a log of one segment, whose writer was killed before it."""
        path = self.folder / HEAD
        try:
            remembered = Head(**json.loads(path.read_text(encoding="utf-8")))
            if type(remembered.sequence) is not int or remembered.sequence < 0:
                raise ValueError(f"sequence {remembered.sequence!r:.60}; expected a number, 0 or more")
        except FileNotFoundError:
            if len(segments := segment_files(self.folder)) > 1 and not path.exists():
                head = _head_of(segments)
                raise AnswerError(
                    f"{path}: gone, so that nobody can tell whether the log was cut off behind "
                    f"answer {head.sequence}; restore it from a copy, or, if the log is surely whole, write "
                    f"{json.dumps(head._asdict())} into it"
                ) from None
            return None
        except (ValueError, TypeError, OSError, RecursionError) as error:
            raise AnswerError(f"{path}: not the head of a log: {error}; restore it from a copy") from error
        return remembered

    def _check_head(self, remembered: Head, segments: Sequence[File]) -> None:
        """Hold the log against the head that is remembered: a log cut short, or another one, is refused."""
        head = _head_of(segments)
        if head.sequence < remembered.sequence:
            raise AnswerError(
                f"{self.folder}: the log ends at answer {head.sequence}, but {remembered.sequence} were written; "
                f"answers from {head.sequence + 1} on were cut off; restore them from a copy"
            )
        if _hash_in(segments, remembered.sequence) != remembered.hash:
            raise AnswerError(
                f"{self.folder / HEAD}: answer {remembered.sequence} has another hash in the log than here; "
                "the log or its head was altered; restore both from a copy"
            )

    def _append_segment(self, records: pa.Table, head: Head) -> Head:
        """Write one segment behind the head; return the new head."""
        hashes, previous = [], head.hash
        for first in range(0, records.num_rows, PIECE_RECORDS):
            piece = links(previous, head.sequence + 1 + first, contents(records.slice(first, PIECE_RECORDS)))
            hashes.append(pa.array(piece, pa.string()))
            previous = piece[-1]
        end = Head(head.sequence + records.num_rows, previous)
        numbers = pa.array(np.arange(head.sequence + 1, end.sequence + 1))
        create_segment(
            self.folder, records.append_column("sequence", numbers).append_column("hash", pa.chunked_array(hashes))
        )
        self._write_head(end)
        return end

    def _write_head(self, head: Head) -> None:
        put_file((self.folder / HEAD), (json.dumps(head._asdict()) + "\n").encode())


def _head_of(segments: Sequence[File]) -> Head:
    if not segments:
        return Head(0, GENESIS)
    last = summary(segments[-1])
    return Head(last.last, last.hash)


def _hash_in(segments: Sequence[File], sequence: int) -> str | None:
    """Return the hash of a record of some segments; zeros for 0, None where there is no such record."""
    if sequence == 0:
        return GENESIS
    for segment in reversed(segments):
        about = summary(segment)
        if about.first <= sequence <= about.last:
            records = read_segment(segment, ["sequence", "hash"])
            for found in records.filter(pc.equal(records["sequence"], sequence))["hash"].to_pylist():
                return str(found)
    return None


def _with_kind(columns: Sequence[str]) -> list[str]:
    return [*columns, *(name for name in ("batch", "purpose") if name not in columns)]


def _of_kinds(records: pa.Table, batch: str | None, purposes: Sequence[str]) -> pa.Table:
    mask = pc.is_in(records["purpose"], value_set=pa.array(purposes, pa.string()))
    if batch is not None:
        mask = pc.and_(mask, pc.equal(records["batch"], batch))
    return records.filter(mask)
