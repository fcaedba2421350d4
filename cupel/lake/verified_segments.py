"""The answers log's segments as its chain sees them: what is computed of one, and what is wrong with one."""

import pyarrow as pa

from cupel.errors import AnswerError, CupelError
from cupel.lake.answer_chain import contents
from cupel.lake.answer_segments import File, hash_in, read_segment, readable, segment_pieces
from cupel.store.event_log import Event, LogHead, Segment, link
from cupel.store.store import Store, describe_place, hash_content


class AnswerSegments:
    """Segments of Parquet files, of which no answers are held; see `cupel.store.event_log.SegmentFormat`."""

    prefix, ending, event = "segment-", ".parquet", "answer"
    error: type[CupelError] = AnswerError
    is_remembered = True

    def verify(self, store: Store, name: str, before: LogHead) -> tuple[LogHead, tuple[tuple[Event, str], ...]]:
        """Compute the hashes of a segment's answers, a piece at a time; return its end.

        Raises:
            AnswerError: It cannot be read; or names the first answer that is altered or out of place.
        """
        path, pieces = File(store, name), segment_pieces(File(store, name))
        sequence, previous = before
        while True:
            try:
                piece = next(pieces, None)
            except AnswerError as error:
                raise AnswerError(f"{error}; no answer from {sequence + 1} on can be trusted") from error
            if piece is None:
                break
            for number, content, hash_ in _rows(piece):
                if number != sequence + 1:
                    raise AnswerError(f"{path}: {_explain(number, sequence)}")
                previous, sequence = link(previous, number, content), number
                if previous != hash_:
                    raise AnswerError(f"{path}: answer {number} was altered; restore the file from a copy")
        if sequence == before.sequence:
            raise AnswerError(f"{path}: holds no answer; restore it from a copy")
        return LogHead(sequence, previous), ()

    def hash_bytes(self, store: Store, name: str) -> str:
        """Return the SHA-256 of a segment's bytes."""
        with readable(File(store, name)):
            return hash_content(store, name)

    def hash_at(self, store: Store, segment: Segment, sequence: int) -> str:
        """Return the hash of an answer of a segment."""
        return str(hash_in(File(store, segment.name), sequence))

    def explain_stray(self, store: Store, name: str, before: LogHead) -> str:
        """Return what is wrong with a segment that does not follow a head; an unreadable one is told as such."""
        numbers = read_segment(File(store, name), ["sequence"])["sequence"]
        if len(numbers) and (number := numbers[0].as_py()) != before.sequence + 1:
            return _explain(number, before.sequence)
        return "is not named after its first answer; restore the log from a copy"

    def place(self, store: Store, name: str) -> str:
        """Return where a file of the log lies."""
        return describe_place(store, name)


def _rows(piece: pa.Table) -> list[tuple[int, str, str]]:
    """Return number, content and hash of records; nothing of one whose bytes are no text, so that it is found."""
    try:
        return list(zip(piece["sequence"].to_pylist(), contents(piece), piece["hash"].to_pylist(), strict=True))
    except (ValueError, TypeError, ArithmeticError) as error:
        if piece.num_rows > 1:
            return [row for place in range(piece.num_rows) for row in _rows(piece.slice(place, 1))]
        return [(piece["sequence"][0].as_py(), f"{error}", "")]


def _explain(number: int, sequence: int) -> str:
    what = f"expected answer {sequence + 1}, found {number}"
    if number > sequence:
        return f"{what}; a segment is missing or out of place; restore it from a copy"
    return f"{what}; two segments hold the same numbers; take out the one that does not belong here"
