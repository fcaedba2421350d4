"""The answers log: every answer as it arrived, appended once, chained by hashes, never changed."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cupel.contract.format_numbers import ANSWERS_LOG
from cupel.contract.tables.answers import ANSWERS
from cupel.errors import AnswerError
from cupel.lake.answer_chain import PIECE_RECORDS, contents, links
from cupel.lake.answer_segments import SEGMENT_RECORDS, File, encode_segment, has_hash, hash_in, read_segment, summary
from cupel.lake.formats import read_number, write_number
from cupel.lake.incoming_answers import PURPOSES, fresh_rows, typed
from cupel.lake.merged_segments import merge, pieces
from cupel.lake.verified_segments import AnswerSegments
from cupel.store.event_log import GENESIS, HEAD, MOST_TRIES, START, LogHead, Segment, SegmentLog, end_of, format_head
from cupel.store.store import Store, describe_place


class Appended(NamedTuple):
    """What an append did: answers written, and answers that the log had already."""

    written: int
    known: int


class AnswersLog:
    """An append-only log in immutable Parquet segments; see `cupel.store.event_log`.

    Of two writers one wins, and the other asks again which of its answers are new. Whatever is asked of the log, the
    whole of it is verified first: once a process, until one of its files changes.

    Args:
        store: Where it lies.
        folder: The folder of the segments there.
        is_tolerant: Read what is left of a log, whatever was done to it: only for what tells the damage itself.

    Attributes:
        folder: Where people find it; for messages.
    """

    def __init__(self, store: Store, folder: str = "answers", *, is_tolerant: bool = False) -> None:
        self._store, self._folder = store, folder
        self.folder = Path(describe_place(store, folder))
        self._log = SegmentLog(store, folder, AnswerSegments())
        self._is_tolerant = is_tolerant
        self._can_be_read = False

    def segments(self) -> list[File]:
        """Return the segment files, oldest first, verified.

        Raises:
            FormatError: A newer version of Cupel wrote the log.
            AnswerError: The log is altered or cut short; see `verify`.
        """
        if self._is_tolerant:
            self._check_readable()
            return self.segments_there()
        return [File(self._store, segment.name) for segment in self._verified()]

    def segments_there(self) -> list[File]:
        """Return the segment files that are there, oldest first, whatever was done to the log."""
        return [File(self._store, stat.name) for stat in self._log.list_segments()]

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
        for segment in self._pieces():
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
        for segment in self._pieces():
            kinds = summary(segment).kinds
            found = [kinds[batch, purpose] for purpose in purposes if (batch, purpose) in kinds]
            records += sum(kind.records for kind in found)
            if found:
                hash_ = max(found, key=lambda kind: kind.row).hash
        return f"{records}:{hash_}"

    def head(self) -> LogHead:
        """Return the last record's sequence number and hash; 0 and zeros for an empty log."""
        if self._is_tolerant:
            about = [summary(segment) for segment in self.segments()[-1:]]
            return LogHead(about[0].last, about[0].hash) if about else START
        return end_of(self._verified())

    def hash_at(self, sequence: int) -> str:
        """Return the hash of a record, which fixes it and all before it; zeros for 0.

        Raises:
            AnswerError: The log has no such record.
        """
        if self._is_tolerant:
            hashes = (hash_in(segment, sequence) for segment in reversed(self.segments()))
            found = GENESIS if sequence == 0 else next((hash_ for hash_ in hashes if hash_ is not None), None)
        else:
            found = self._log.hash_at(self._verified(), sequence)
        if found is None:
            raise AnswerError(f"{self.folder}: no answer {sequence}; the log ends at {self.head().sequence}")
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
                content, or other writers were faster each time. Only in the last case may anything be written.
        """
        given, written = typed(answers), 0
        for _ in range(MOST_TRIES):
            segments = self._verified()
            fresh = fresh_rows(given, pieces(self._store, self._folder, segments))
            if not len(fresh):
                return Appended(written, given.num_rows - written)
            write_number(self._store, self._folder, ANSWERS_LOG)
            for first in range(0, len(fresh), SEGMENT_RECORDS):
                rows = fresh[first : first + SEGMENT_RECORDS]
                if not self._append_segment(segments, given.take(pa.array(rows))):
                    break  # which of them are new is asked again
                written += len(rows)
                segments = self._verified()
            else:
                merge(self._store, self._folder, segments)
                return Appended(written, given.num_rows - written)
        raise AnswerError(f"{self.folder}: other processes appended at the same time; run again")

    def verify(self, *, is_afresh: bool = False) -> LogHead:
        """Verify the whole chain; of segments that were verified before, that their bytes are the same.

        Args:
            is_afresh: Recompute every hash, whatever was verified before.

        Returns:
            The head, when every record is as it was written and none is missing.

        Raises:
            AnswerError: Names the first record that is altered, missing or out of place, and its file.
        """
        # Of a newer format, it is refused as such, not as altered.
        read_number(self._store, self._folder, ANSWERS_LOG)
        return end_of(self._log.verify(is_afresh=is_afresh))

    def advance_head(self) -> None:
        """Write the head where it is behind the log: a writer was killed before it did, or an older one lies there."""
        self._log.remember_head(self.head())

    def restore_head(self) -> LogHead:
        """Write the head again, where what was verified before says that nothing was cut off behind it.

        Raises:
            AnswerError: A segment is altered or gone, or nobody remembers how far the log reached.
        """
        known, name = self._log.known_segments(), f"{self._folder}/{HEAD}"
        found = self._log.verify_segments()
        if not known or known != [segment.name for segment in found]:
            place = describe_place(self._store, name)
            raise AnswerError(f"{place}: nobody remembers how far the log reached; restore it from a copy")
        self._store.put(name, format_head(end_of(found)))
        return end_of(found)

    def has_known_segments(self) -> bool:
        """Tell whether it is remembered which segments were verified, so that the head can be written again."""
        return bool(self._log.known_segments())

    def _check_readable(self) -> None:
        if not self._can_be_read:
            read_number(self._store, self._folder, ANSWERS_LOG)
            self._can_be_read = True

    def _verified(self) -> list[Segment]:
        self._check_readable()
        return self._log.segments()

    def _pieces(self) -> list[File]:
        """Return files that hold all records, as few as may be."""
        return self.segments() if self._is_tolerant else pieces(self._store, self._folder, self._verified())

    def _append_segment(self, segments: Sequence[Segment], records: pa.Table) -> bool:
        """Write one segment behind others; tell whether it is there, or another writer was faster."""
        before = end_of(segments)
        hashes, previous = [], before.hash
        for first in range(0, records.num_rows, PIECE_RECORDS):
            piece = links(previous, before.sequence + 1 + first, contents(records.slice(first, PIECE_RECORDS)))
            hashes.append(pa.array(piece, pa.string()))
            previous = piece[-1]
        end = LogHead(before.sequence + records.num_rows, previous)
        numbers = pa.array(np.arange(before.sequence + 1, end.sequence + 1))
        table = records.append_column("sequence", numbers).append_column("hash", pa.chunked_array(hashes))
        return self._log.create_segment(segments, end, encode_segment(table))


def _with_kind(columns: Sequence[str]) -> list[str]:
    return [*columns, *(name for name in ("batch", "purpose") if name not in columns)]


def _of_kinds(records: pa.Table, batch: str | None, purposes: Sequence[str]) -> pa.Table:
    mask = pc.is_in(records["purpose"], value_set=pa.array(purposes, pa.string()))
    if batch is not None:
        mask = pc.and_(mask, pc.equal(records["batch"], batch))
    return records.filter(mask)
