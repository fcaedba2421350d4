"""Verifying the answers log: the whole chain recomputed, or, of segments whose bytes were verified before, their bytes.

What was verified is remembered in `verified.json` beside the segments. It is derived: without it, or
where it cannot be read, everything is recomputed; where a file's bytes differ from it, the file is, and refused: a
segment never changes.
"""

import hashlib
import json
import os
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from cupel.answers.chain import GENESIS, contents, link
from cupel.answers.segments import SUMMARIES_HELD, File, readable, segment_files, segment_pieces
from cupel.errors import AnswerError
from cupel.store.files import put_file

VERIFIED = "verified.json"

# What tells the files of a log from those of another time: name, inode, size and time of change of each.
FileStates = tuple[tuple[str, int, int, int], ...]


class Verified(NamedTuple):
    """A segment that was verified: its bytes' hash, where it begins (number, hash before) and where it ends."""

    sha256: str
    first: int
    before: str
    last: int
    hash: str


class VerifiedLog(NamedTuple):
    """The segments that were verified, oldest first, and the last record's number and hash; 0 and zeros for none."""

    segments: list[File]
    sequence: int
    hash: str


def file_states(folder: Path, *names: str) -> FileStates:
    """Return the states of a log's segments and of files beside them, as far as they are there."""
    try:
        with os.scandir(folder) as entries:
            found = [entry for entry in entries if entry.name.startswith("segment-") or entry.name in names]
            about = [(entry.name, entry.stat()) for entry in found]
    except FileNotFoundError:
        return ()
    return tuple(sorted((name, stat.st_ino, stat.st_size, stat.st_mtime_ns) for name, stat in about))


def verify_segments(folder: File, *, is_afresh: bool = False) -> VerifiedLog:
    """Verify all segments of a log.

    Args:
        folder: The log's folder.
        is_afresh: Recompute every hash, whatever was verified before.

    Raises:
        AnswerError: Names the first record that is altered, missing or out of place, and its file.
    """
    if is_afresh:
        _sha256.cache_clear()
    known = _remembered(folder)
    found: dict[str, Verified] = {}
    sequence, previous = 0, GENESIS
    segments = segment_files(folder)
    for path in segments:
        with readable(path):
            state = os.stat(str(path))
            sha256 = _sha256(path, state.st_ino, state.st_size, state.st_mtime_ns)
        before = known.get(path.name)
        if is_afresh or before is None or before[:3] != (sha256, sequence + 1, previous):
            verified = Verified(sha256, sequence + 1, previous, *_recomputed(path, sequence, previous))
            if before is not None and before[1:] == verified[1:] and before.sha256 != sha256:
                raise AnswerError(
                    f"{path}: its bytes are not those that were verified, though its records are the same; restore it "
                    f"from a copy, or, to go on with it as it is, remove {folder / VERIFIED}"
                )
            before = verified
        found[path.name] = before
        sequence, previous = before.last, before.hash
    if gone := sorted(set(known) - set(found)):
        raise AnswerError(
            f"{folder / gone[0]}: the segment is gone; it held the answers from {known[gone[0]].first} "
            f"to {known[gone[0]].last}; restore it from a copy"
        )
    if found != known:
        _remember(folder, found)
    return VerifiedLog(segments, sequence, previous)


def known_segments(folder: Path) -> list[str]:
    """Return the names of the segments that were verified before, whether they are there or not."""
    return sorted(_remembered(folder))


@lru_cache(maxsize=SUMMARIES_HELD)
def _sha256(path: File, inode: int, size: int, changed_ns: int) -> str:
    """Return the hash of a segment's bytes; read once a process, until the file changes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _recomputed(path: File, sequence: int, previous: str) -> tuple[int, str]:
    """Recompute a segment's hashes from the record and hash before it; return its last."""
    pieces = segment_pieces(path)
    while True:
        try:
            piece = next(pieces, None)
        except AnswerError as error:
            raise AnswerError(f"{error}; no answer from {sequence + 1} on can be trusted") from error
        if piece is None:
            return sequence, previous
        for number, content, hash_ in _rows(piece):
            if number != sequence + 1:
                raise AnswerError(f"{path}: expected answer {sequence + 1}, found {number}; {_place(number, sequence)}")
            previous, sequence = link(previous, number, content), number
            if previous != hash_:
                raise AnswerError(f"{path}: answer {number} was altered; restore the file from a copy")


def _rows(piece: pa.Table) -> list[tuple[int, str, str]]:
    """Return number, content and hash of records; nothing of one whose bytes are no text, so that it is found."""
    try:
        return list(zip(piece["sequence"].to_pylist(), contents(piece), piece["hash"].to_pylist(), strict=True))
    except (ValueError, TypeError, ArithmeticError) as error:
        if piece.num_rows > 1:
            return [row for place in range(piece.num_rows) for row in _rows(piece.slice(place, 1))]
        return [(piece["sequence"][0].as_py(), f"{error}", "")]


def _place(number: int, sequence: int) -> str:
    if number > sequence:
        return "a segment is missing or out of place; restore it from a copy"
    return "two segments hold the same numbers; take out the one that does not belong here"


def _remembered(folder: File) -> dict[str, Verified]:
    with suppress(OSError, ValueError, TypeError, AttributeError):
        content = json.loads((folder / VERIFIED).read_text(encoding="utf-8"))
        return {str(name): Verified(**about) for name, about in content.items()}
    return {}


def _remember(folder: File, found: dict[str, Verified]) -> None:
    content = {name: about._asdict() for name, about in found.items()}
    # Who may read a log but not write to it may verify it all the same.
    with suppress(OSError):
        put_file((folder / VERIFIED), (json.dumps(content, indent=1) + "\n").encode())
