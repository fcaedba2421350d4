"""Event logs: events appended once, chained by hashes, never changed.

Events lie in segments, contents of a store that are created only where none of their name is. The hash of an event
covers it, its number and the hash before it; `head.json` remembers the last, so that a log cut short is seen. What a
segment looks like its format says: lines of JSON for small logs, Parquet for the answers, which are millions.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple, Protocol

from cupel.errors import CupelError
from cupel.store.store import (
    MissingError,
    Stat,
    Store,
    StoreError,
    TakenError,
    describe_place,
    hash_content,
    update,
)

GENESIS = "0" * 64
HEAD = "head.json"
VERIFIED = "verified.json"
MOST_TRIES = 100

Event = Mapping[str, Any]


class BrokenLogError(StoreError):
    """A log that was altered, cut short, or holds what no log holds."""


class LogHead(NamedTuple):
    """The end of a log: the last event's number and hash; 0 and zeros for an empty one."""

    sequence: int
    hash: str


START = LogHead(0, GENESIS)


class ChainedEvent(NamedTuple):
    """An event and its place in the chain: its number, the hash before it, and its own."""

    event: Event
    sequence: int
    previous: str
    hash: str


class Segment(NamedTuple):
    """A segment that was verified.

    Attributes:
        name: Its name in the store.
        version: Its version there.
        sha256: The hash of its bytes; None where its format has none remembered.
        before: The end of the log before it.
        end: The end of the log with it.
        events: Its events, each with its hash; none where there are too many to hold.
    """

    name: str
    version: str
    sha256: str | None
    before: LogHead
    end: LogHead
    events: tuple[tuple[Event, str], ...]


class SegmentFormat(Protocol):
    """What a log's segments look like.

    Attributes:
        prefix: With which their names begin, before the number of their first event.
        ending: With which they end.
        event: What an event is called.
        error: What a broken log is told as.
        is_remembered: What was verified is remembered beside the segments, in `verified.json`: then the next process
            looks whether their bytes are the same, and computes no chain. The memory is derived: without it everything
            is computed; where a segment's bytes differ from it, it is refused, for a segment never changes.
    """

    prefix: str
    ending: str
    event: str
    error: type[CupelError]
    is_remembered: bool

    def verify(self, store: Store, name: str, before: LogHead) -> tuple[LogHead, tuple[tuple[Event, str], ...]]:
        """Compute the chain of a segment that follows a head; return its end, and the events to hold.

        Raises:
            CupelError: Of the format's kind; names the first event that is altered or out of place.
        """

    def hash_bytes(self, store: Store, name: str) -> str:
        """Return the SHA-256 of a segment's bytes."""

    def hash_at(self, store: Store, segment: Segment, sequence: int) -> str:
        """Return the hash of an event of a segment."""

    def explain_stray(self, store: Store, name: str, before: LogHead) -> str:
        """Return what is wrong with a segment that does not follow a head, which is the end of those before it."""

    def place(self, store: Store, name: str) -> str:
        """Return where people find a file of the log."""


class _Verified(NamedTuple):
    """A segment as `verified.json` remembers it: its bytes' hash, where it begins (number, hash before) and ends."""

    sha256: str
    first: int
    before: str
    last: int
    hash: str


# Of each log that this process verified: how its files looked then, and its segments.
_KNOWN: dict[tuple[Store, str], tuple[dict[str, Stat], list[Segment]]] = {}


class SegmentLog:
    """The chain of a log, whatever its segments look like.

    A segment is named after its first event, so that a reader finds the next one by its name: a list that is old hides
    nothing. What this process has verified it verifies again only where a segment is another.

    Args:
        store: Where it lies.
        folder: In which folder there.
        kind: What its segments look like.
    """

    def __init__(self, store: Store, folder: str, kind: SegmentFormat) -> None:
        self.store, self.folder = store, folder
        self._kind = kind
        self._head = f"{folder}/{HEAD}"

    def segments(self) -> list[Segment]:
        """Return the segments, the earliest first, verified: once a process, until a file of the log changes.

        Raises:
            CupelError: Of the format's kind; names the first event that is altered, missing or out of place.
        """
        states, known = self._states(), _KNOWN.get((self.store, self.folder))
        if known is None or known[0] != states or self.store.stat(self._name(end_of(known[1]).sequence + 1)):
            return self.verify()
        return list(known[1])

    def verify(self, *, is_afresh: bool = False) -> list[Segment]:
        """Return the segments, having verified those that are not as they were when they were verified last.

        Args:
            is_afresh: Compute every hash, whatever was verified before.

        Raises:
            CupelError: See `segments`.
        """
        states = self._states()  # first: what is appended meanwhile is looked at again
        remembered = self._read_head()  # before the segments: what is appended meanwhile is not yet in it
        found = self.verify_segments(is_afresh=is_afresh)
        self._check_head(remembered, found)
        self._remember(found)  # not before: of a log whose head is lost nobody knows that it is whole
        _KNOWN[self.store, self.folder] = (states, found)
        return list(found)

    def verify_segments(self, *, is_afresh: bool = False) -> list[Segment]:
        """Return the segments, verified by themselves: nobody asked the head whether any were cut off."""
        remembered = self._read_memory()
        known = {} if is_afresh else {one.name: one for one in _KNOWN.get((self.store, self.folder), ({}, []))[1]}
        listed = {stat.name: stat for stat in self.list_segments()}
        found: dict[str, Segment] = {}
        end = START
        while True:
            while stat := listed.get(name := self._name(end.sequence + 1)) or self.store.stat(name):
                segment = known.get(name)
                if segment is None or (segment.version, segment.before) != (stat.version, end):
                    segment = self._verify_segment(stat, end, remembered.get(self._file(name)), is_afresh=is_afresh)
                found[name], end = segment, segment.end
            strays = (one for one in listed if one not in found and self.store.stat(one))
            if (stray := next(strays, None)) is None:
                break
            if self.store.stat(name) is None:  # else a writer was just at work, and there is more to read
                before = end_of([segment for one, segment in found.items() if one < stray])
                raise self._error(stray, self._kind.explain_stray(self.store, stray, before))
        if gone := sorted(set(remembered) - {self._file(one) for one in found}):
            about = remembered[gone[0]]
            what = f"it held the {self._kind.event}s from {about.first} to {about.last}; restore it from a copy"
            raise self._error(f"{self.folder}/{gone[0]}", f"the segment is gone; {what}")
        return list(found.values())

    def hash_at(self, segments: Sequence[Segment], sequence: int) -> str | None:
        """Return the hash of an event, which fixes it and all before it; zeros for 0, None where there is none."""
        if sequence == 0:
            return GENESIS
        for segment in reversed(segments):
            if sequence == segment.end.sequence:
                return segment.end.hash
            if segment.before.sequence < sequence < segment.end.sequence:
                return self._kind.hash_at(self.store, segment, sequence)
        return None

    def create_segment(self, segments: Sequence[Segment], end: LogHead, content: bytes) -> bool:
        """Create a segment behind others; tell whether it is there now, or another writer was faster.

        Args:
            segments: All that are there, verified.
            end: The end of the log with it.
            content: Its bytes.
        """
        before = end_of(segments)
        self.remember_head(before)  # a writer may have been killed before it did
        try:
            self.store.put_if_absent(self._name(before.sequence + 1), content)
        except TakenError:
            return False
        self.remember_head(end)
        return True

    def list_segments(self) -> list[Stat]:
        """Return how the segments look, in order, whatever was done to the log."""
        return [stat for stat in self.store.list(self.folder) if self._is_segment(stat.name)]

    def known_segments(self) -> list[str]:
        """Return the names of the segments that are remembered as verified, whether they are there or not."""
        return sorted(f"{self.folder}/{name}" for name in self._read_memory())

    def remember_head(self, head: LogHead) -> None:
        """Write how far the log reaches, where that is not known yet; never less than another writer did."""
        if head.sequence <= (self._read_head() or START).sequence:
            return

        def further(before: bytes | None) -> bytes:
            return format_head(max(head, START if before is None else self._parse_head(before)))

        update(self.store, self._head, further)

    def _name(self, first: int) -> str:
        return f"{self.folder}/{self._kind.prefix}{first:012d}{self._kind.ending}"

    def _file(self, name: str) -> str:
        return name.removeprefix(f"{self.folder}/")

    def _is_segment(self, name: str) -> bool:
        place = re.escape(f"{self.folder}/{self._kind.prefix}")
        return re.fullmatch(rf"{place}\d{{12}}{re.escape(self._kind.ending)}", name) is not None

    def _states(self) -> dict[str, Stat]:
        """Return how the segments and the head look."""
        listed = self.store.list(self.folder)
        return {stat.name: stat for stat in listed if stat.name == self._head or self._is_segment(stat.name)}

    def _verify_segment(self, stat: Stat, before: LogHead, remembered: _Verified | None, *, is_afresh: bool) -> Segment:
        name, first = stat.name, before.sequence + 1
        sha256 = self._kind.hash_bytes(self.store, name) if self._kind.is_remembered else None
        if not is_afresh and remembered is not None and remembered[:3] == (sha256, first, before.hash):
            return Segment(name, stat.version, sha256, before, LogHead(*remembered[3:]), ())
        end, events = self._kind.verify(self.store, name, before)
        if remembered is not None and remembered.sha256 != sha256 and remembered[1:] == (first, before.hash, *end):
            raise self._error(
                name,
                "its bytes are not those that were verified, though its records are the same; restore it from a copy, "
                f"or, to go on with it as it is, remove {self._place(VERIFIED)}",
            )
        return Segment(name, stat.version, sha256, before, end, events)

    def _read_memory(self) -> dict[str, _Verified]:
        """Return what is remembered of the segments that were verified, by their files' names."""
        if self._kind.is_remembered:
            with suppress(OSError, ValueError, TypeError, AttributeError, StoreError):
                content = json.loads(self.store.read(f"{self.folder}/{VERIFIED}"))
                return {str(name): _Verified(**about) for name, about in content.items()}
        return {}

    def _remember(self, segments: Sequence[Segment]) -> None:
        """Remember which segments were verified, where that is not known yet."""
        found = {
            self._file(one.name): _Verified(str(one.sha256), one.before.sequence + 1, one.before.hash, *one.end)
            for one in segments
        }
        if self._kind.is_remembered and found != self._read_memory():
            content = {name: about._asdict() for name, about in found.items()}
            # Who may read a log but not write to it may verify it all the same.
            with suppress(OSError):
                self.store.put(f"{self.folder}/{VERIFIED}", (json.dumps(content, indent=1) + "\n").encode())

    def _read_head(self) -> LogHead | None:
        try:
            return self._parse_head(self.store.read(self._head))
        except MissingError:
            return None

    def _parse_head(self, content: bytes) -> LogHead:
        try:
            found = json.loads(content)
            sequence, hash_ = found["sequence"], found["hash"]
            if type(sequence) is not int or sequence < 0 or not isinstance(hash_, str):
                raise ValueError(f"sequence {sequence!r:.60}; expected a number, 0 or more")
        except (ValueError, LookupError, TypeError, RecursionError) as error:
            raise self._error(self._head, f"not the head of a log: {error}; restore it from a copy") from error
        return LogHead(sequence, hash_)

    def _check_head(self, remembered: LogHead | None, segments: Sequence[Segment]) -> None:
        """Hold the log against the head that is remembered: a log cut short, or another one, is refused."""
        end, event = end_of(segments), self._kind.event
        if remembered is None:
            # The very first append may have been killed before it wrote one.
            if len(segments) > 1 and self._read_head() is None:
                raise self._error(
                    self._head,
                    f"gone, so that nobody can tell whether the log was cut off behind {event} {end.sequence}; restore "
                    f"it from a copy, or, if the log is surely whole, write {json.dumps(end._asdict())} into it",
                )
        elif remembered.sequence > end.sequence:
            raise self._error(
                self.folder,
                f"the log ends at {event} {end.sequence}, but {remembered.sequence} were written; {event}s from "
                f"{end.sequence + 1} on were cut off; restore them from a copy",
            )
        elif self.hash_at(segments, remembered.sequence) != remembered.hash:
            raise self._error(
                self._head,
                f"{event} {remembered.sequence} has another hash in the log than here; the log or its head was "
                "altered; restore both from a copy",
            )

    def _error(self, name: str, what: str) -> CupelError:
        return self._kind.error(f"{self._kind.place(self.store, name)}: {what}")

    def _place(self, file: str) -> str:
        return self._kind.place(self.store, f"{self.folder}/{file}")


class EventLog:
    """A log of events, each a mapping that JSON can hold.

    Args:
        store: Where it lies.
        folder: In which folder there.
    """

    def __init__(self, store: Store, folder: str) -> None:
        self._log = SegmentLog(store, folder, JsonLines())

    def read(self) -> list[Event]:
        """Return all events, the earliest first, verified.

        Raises:
            BrokenLogError: Names the first event that is altered, missing or out of place, and its segment.
        """
        return _events_of(self._log.segments())

    def head(self) -> LogHead:
        """Return the end of the log, verified; see `read`."""
        return end_of(self._log.segments())

    def holds(self, head: LogHead) -> bool:
        """Tell whether the log holds an event under this number and hash, and so all before it as they were then."""
        return self._log.hash_at(self._log.segments(), head.sequence) == head.hash

    def read_chain(self) -> list[ChainedEvent]:
        """Return all events, the earliest first, verified, each with its place in the chain; see `read`."""
        found, before = list[ChainedEvent](), GENESIS
        for segment in self._log.segments():
            for event, hash_ in segment.events:
                found.append(ChainedEvent(event, len(found) + 1, before, hash_))
                before = hash_
        return found

    def segment_names(self) -> list[str]:
        """Return the names of the segments, in order, whatever was done to the log."""
        return [stat.name for stat in self._log.list_segments()]

    def append(self, decide: Callable[[list[Event]], Iterable[Event]]) -> list[Event]:
        """Append what is decided in sight of all events that are there; return it.

        It is decided anew where another writer was faster: so what must be unique is. An append whose answer was lost
        may be done again, and is decided in sight of what it wrote.

        Args:
            decide: Gets the events, and returns those to append; none: nothing is written.

        Raises:
            BrokenLogError: The log is broken; nothing is written.
            StoreError: Others were faster each time.
        """
        for _ in range(MOST_TRIES):
            segments = self._log.segments()
            new = list(decide(_events_of(segments)))
            if not new:
                self._log.remember_head(end_of(segments))  # a writer may have been killed before it did
                return []
            content, end = _encoded(new, end_of(segments))
            if self._log.create_segment(segments, end, content):
                return new
        raise StoreError(f"{self._log.folder}: others were faster {MOST_TRIES} times; run again")


class JsonLines:
    """Segments of small logs: a line of JSON an event; all are held."""

    prefix, ending, event = "", ".jsonl", "event"
    error: type[CupelError] = BrokenLogError
    is_remembered = False

    def verify(self, store: Store, name: str, before: LogHead) -> tuple[LogHead, tuple[tuple[Event, str], ...]]:
        """Read the events of a segment that follows a head; see `SegmentFormat`."""
        found: list[tuple[Event, str]] = []
        end = before
        for line in store.read(name).decode(errors="replace").splitlines():
            sequence = end.sequence + 1
            try:
                told = json.loads(line)
                event, number, hash_ = told["event"], told["sequence"], told["hash"]
            except (ValueError, LookupError, TypeError, RecursionError) as error:
                what = f"event {sequence} cannot be read: {error}; restore it from a copy"
                raise BrokenLogError(f"{self.place(store, name)}: {what}") from None
            words = json.dumps(event, sort_keys=True, separators=(",", ":"))
            end = LogHead(sequence, link(end.hash, sequence, words))
            if (number, hash_) != end or not isinstance(event, dict):
                what = f"event {sequence} was altered or is out of place; restore it from a copy"
                raise BrokenLogError(f"{self.place(store, name)}: {what}")
            found.append((event, hash_))
        if not found:
            raise BrokenLogError(f"{self.place(store, name)}: holds no event; restore it from a copy")
        return end, tuple(found)

    def hash_bytes(self, store: Store, name: str) -> str:
        """Return the SHA-256 of a segment's bytes."""
        return hash_content(store, name)

    def hash_at(self, store: Store, segment: Segment, sequence: int) -> str:
        """Return the hash of an event; see `SegmentFormat`."""
        return segment.events[sequence - segment.before.sequence - 1][1]

    def explain_stray(self, store: Store, name: str, before: LogHead) -> str:
        """Return what is wrong with a segment that does not follow a head; see `SegmentFormat`."""
        return (
            f"does not follow the events before it, which end at {before.sequence}; a segment is missing or does not "
            "belong here; restore the log from a copy"
        )

    def place(self, store: Store, name: str) -> str:
        """Return where a file of the log is found; see `SegmentFormat`."""
        return describe_place(store, name)


def link(previous: str, sequence: int, content: str) -> str:
    """Return the hash of an event: of the hash before it, its number and its content."""
    return hashlib.sha256(f"{previous}{sequence}{content}".encode()).hexdigest()


def hash_event(previous: str, sequence: int, event: Event) -> str:
    """Return the hash of an event of an event log, from the event and its place."""
    return link(previous, sequence, json.dumps(event, sort_keys=True, separators=(",", ":"), allow_nan=False))


def end_of(segments: Sequence[Segment]) -> LogHead:
    """Return the end of a log of these segments."""
    return segments[-1].end if segments else START


def format_head(head: LogHead) -> bytes:
    """Return what `head.json` holds."""
    return (json.dumps(head._asdict()) + "\n").encode()


def _events_of(segments: Sequence[Segment]) -> list[Event]:
    return [event for segment in segments for event, _ in segment.events]


def _encoded(events: Sequence[Event], before: LogHead) -> tuple[bytes, LogHead]:
    """Return a segment of events that follow a head, and its end."""
    lines, end = [], before
    for sequence, event in enumerate(events, before.sequence + 1):
        content = json.dumps(event, sort_keys=True, separators=(",", ":"), allow_nan=False)
        end = LogHead(sequence, link(end.hash, sequence, content))
        lines.append(f'{{"sequence":{sequence},"hash":"{end.hash}","event":{content}}}\n')
    return "".join(lines).encode(), end
