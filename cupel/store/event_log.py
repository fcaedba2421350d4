"""An event log: events appended once, chained by hashes, never changed.

Events lie in segments, contents of a store that are created only where none of their name is. The hash of an event
covers it, its number and the hash before it; `head.json` remembers the last, so that a log cut short is seen.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from cupel.store.store import Store, StoreError, TakenError, update

GENESIS = "0" * 64
HEAD = "head.json"
ENDING = ".jsonl"
MOST_TRIES = 100
_SEGMENT = re.compile(rf"/\d{{12}}{re.escape(ENDING)}$")

Event = Mapping[str, Any]


class BrokenLogError(StoreError):
    """A log that was altered, cut short, or holds what no log holds."""


class LogHead(NamedTuple):
    """The end of a log: the last event's number and hash; 0 and zeros for an empty one."""

    sequence: int
    hash: str


class _Verified(NamedTuple):
    """What was read of a log and verified: events, the hash of each, and the version of each segment by its name."""

    events: list[Event]
    hashes: list[str]
    versions: dict[str, str]

    @property
    def head(self) -> LogHead:
        return LogHead(len(self.hashes), self.hashes[-1] if self.hashes else GENESIS)


class EventLog:
    """A log of events, each a mapping that JSON can hold.

    A segment is named after its first event, so that a reader finds the next one by its name: a list that is old hides
    nothing. What this process has verified it verifies again only where a segment is another.

    Args:
        store: Where it lies.
        folder: In which folder there.
    """

    def __init__(self, store: Store, folder: str) -> None:
        self._store, self._folder = store, folder
        self._verified = _Verified([], [], {})

    def read(self) -> list[Event]:
        """Return all events, the earliest first, verified.

        Raises:
            BrokenLogError: Names the first event that is altered, missing or out of place, and its segment.
        """
        return list(self._read().events)

    def head(self) -> LogHead:
        """Return the end of the log, verified; see `read`."""
        return self._read().head

    def holds(self, head: LogHead) -> bool:
        """Tell whether the log holds an event under this number and hash, and so all before it as they were then."""
        hashes = self._read().hashes
        return head.hash == ([GENESIS, *hashes][head.sequence] if head.sequence <= len(hashes) else None)

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
            found = self._read()
            new = list(decide(list(found.events)))
            self._remember(found.head)  # a writer may have been killed before it did
            if not new:
                return []
            content, hashes = _encoded(new, found.head)
            try:
                self._store.put_if_absent(self._name(found.head.sequence + 1), content)
            except TakenError:
                continue
            self._remember(LogHead(found.head.sequence + len(new), hashes[-1]))
            return new
        raise StoreError(f"{self._folder}: others were faster {MOST_TRIES} times; run again")

    def _name(self, first: int) -> str:
        return f"{self._folder}/{first:012d}{ENDING}"

    def _read(self) -> _Verified:
        """Read what came behind what is verified, hold it against the head that is remembered, and keep it."""
        found = self._still_verified()
        remembered = self._remembered()  # before the segments: what another writer appends meanwhile is not yet in it
        while True:
            while (stat := self._store.stat(name := self._name(found.head.sequence + 1))) is not None:
                events, hashes = _decoded(self._store.read(name), found.head, name)
                found.events.extend(events)
                found.hashes.extend(hashes)
                found.versions[name] = stat.version
            stray = self._stray(found)
            if stray is None:
                break
            if self._store.stat(name) is None:  # else a writer was just at work, and there is more to read
                raise BrokenLogError(
                    f"{stray}: does not follow the events before it, which end at {found.head.sequence}; a segment "
                    "is missing or does not belong here; restore the log from a copy"
                )
        self._check_head(found, remembered)
        self._verified = found
        return found

    def _still_verified(self) -> _Verified:
        """Return what was verified, where every segment of it is as it was; nothing otherwise."""
        known = self._verified
        stats = {name: self._store.stat(name) for name in known.versions}
        if all(stat is not None and stat.version == known.versions[name] for name, stat in stats.items()):
            return _Verified(list(known.events), list(known.hashes), dict(known.versions))
        return _Verified([], [], {})

    def _stray(self, found: _Verified) -> str | None:
        """Return the first segment that lies there and was not read, None where all were."""
        listed = (one.name for one in self._store.list(self._folder) if is_segment(one.name))
        return next(
            (name for name in listed if name not in found.versions and self._store.stat(name) is not None), None
        )  # fmt: skip

    def _remembered(self) -> LogHead | None:
        name = f"{self._folder}/{HEAD}"
        return None if self._store.stat(name) is None else _parse_head(self._store.read(name), name)

    def _check_head(self, found: _Verified, remembered: LogHead | None) -> None:
        name = f"{self._folder}/{HEAD}"
        if remembered is None:
            # The very first append may have been killed before it wrote one.
            if len(found.versions) > 1 and self._remembered() is None:
                raise BrokenLogError(
                    f"{name}: gone, so that nobody can tell whether the log was cut off behind event "
                    f"{found.head.sequence}; restore it from a copy"
                )
            return
        if remembered.sequence > found.head.sequence:
            raise BrokenLogError(
                f"{self._folder}: the log ends at event {found.head.sequence}, but {remembered.sequence} were "
                "written; restore those that were cut off from a copy"
            )
        if [GENESIS, *found.hashes][remembered.sequence] != remembered.hash:
            raise BrokenLogError(
                f"{name}: event {remembered.sequence} has another hash in the log than here; restore both from a copy"
            )

    def _remember(self, head: LogHead) -> None:
        """Write how far the log reaches, where that is not known yet; never less than another writer did."""
        name = f"{self._folder}/{HEAD}"
        if head.sequence <= (
            0 if self._store.stat(name) is None else _parse_head(self._store.read(name), name).sequence
        ):
            return

        def further(before: bytes | None) -> bytes:
            known = LogHead(0, GENESIS) if before is None else _parse_head(before, name)
            return (json.dumps(max(head, known)._asdict()) + "\n").encode()

        update(self._store, name, further)


def is_segment(name: str) -> bool:
    """Tell whether a name is that of a segment of a log."""
    return _SEGMENT.search(name) is not None


def _encoded(events: Sequence[Event], before: LogHead) -> tuple[bytes, list[str]]:
    """Return a segment of events that follow a head, and the hash of each."""
    lines, hashes, previous = [], [], before.hash
    for sequence, event in enumerate(events, before.sequence + 1):
        content = json.dumps(event, sort_keys=True, separators=(",", ":"), allow_nan=False)
        previous = _link(previous, sequence, content)
        hashes.append(previous)
        lines.append(f'{{"sequence":{sequence},"hash":"{previous}","event":{content}}}\n')
    return "".join(lines).encode(), hashes


def _decoded(content: bytes, before: LogHead, name: str) -> tuple[list[Event], list[str]]:
    """Return the events of a segment that follows a head, and the hash of each.

    Raises:
        BrokenLogError: One is altered or out of place, or the segment is none.
    """
    events: list[Event] = []
    hashes: list[str] = []
    for line in content.decode(errors="replace").splitlines():
        sequence, previous = before.sequence + len(events) + 1, hashes[-1] if hashes else before.hash
        try:
            found = json.loads(line)
            event, number, hash_ = found["event"], found["sequence"], found["hash"]
        except (ValueError, LookupError, TypeError, RecursionError) as error:
            raise BrokenLogError(f"{name}: event {sequence} cannot be read: {error}; restore it from a copy") from None
        words = json.dumps(event, sort_keys=True, separators=(",", ":"))
        if (number, hash_) != (sequence, _link(previous, sequence, words)) or not isinstance(event, dict):
            raise BrokenLogError(f"{name}: event {sequence} was altered or is out of place; restore it from a copy")
        events.append(event)
        hashes.append(hash_)
    if not events:
        raise BrokenLogError(f"{name}: holds no event; restore it from a copy")
    return events, hashes


def _link(previous: str, sequence: int, content: str) -> str:
    return hashlib.sha256(f"{previous}{sequence}{content}".encode()).hexdigest()


def _parse_head(content: bytes, name: str) -> LogHead:
    try:
        found = json.loads(content)
        sequence, hash_ = found["sequence"], found["hash"]
        if type(sequence) is not int or sequence < 0 or not isinstance(hash_, str):
            raise ValueError(f"sequence {sequence!r}; expected a number, 0 or more")
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise BrokenLogError(f"{name}: not the head of a log: {error}; restore it from a copy") from None
    return LogHead(sequence, hash_)
