"""Logs as lakes up to format 3 have them: a file an entry, or lines. Nothing else knows what they look like.

They are read wherever a log is, until `cupel upgrade` has made event logs of them.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cupel.errors import LakeError
from cupel.store.event_log import GENESIS, Event, EventLog
from cupel.store.store import Store

LAST_FORMAT = 3
REPLIES = "replies"
# In the folders of two logs; the lake's number is that of its logs now.
NUMBER = "FORMAT"


class LakeLog(EventLog):
    """A log of a lake, read as an older version of Cupel wrote it where the lake was not upgraded.

    Args:
        store: The lake's contents.
        folder: The log's folder.
        is_earlier: Tells whether the lake may be of an older format; refuses one of a higher.
        check_writable: Refuses a lake that this version does not write to.
    """

    def __init__(
        self, store: Store, folder: str, is_earlier: Callable[[], bool], check_writable: Callable[[], None]
    ) -> None:
        super().__init__(store, folder)
        self._is_earlier, self._check_writable = is_earlier, check_writable

    def read(self) -> list[Event]:
        """Return all events, the earliest first; see `EventLog`.

        Raises:
            FormatError: A newer version of Cupel wrote the lake.
        """
        is_earlier = self._is_earlier()
        found = super().read()
        return read_earlier(self._log.store, self._log.folder) if is_earlier and not found else found

    def append(self, decide: Callable[[list[Event]], Iterable[Event]]) -> list[Event]:
        """Append what is decided in sight of all events; see `EventLog`.

        Raises:
            FormatError: The lake is of another format.
        """
        self._check_writable()
        return super().append(decide)


def earlier_logs(store: Store) -> list[str]:
    """Return the logs of a lake of which something lies there as older versions wrote it."""
    replies = {one.name.removesuffix(".jsonl") for one in store.list(REPLIES) if _REPLIES.fullmatch(one.name)}
    return [name for name in (*_SHAPES, *sorted(replies)) if earlier_files(store, name)]


def earlier_files(store: Store, log: str) -> list[str]:
    """Return the files of a log that older versions wrote, in the order of what is in them; its number is the first."""
    if log not in _SHAPES:
        return [f"{log}.jsonl"] if store.stat(f"{log}.jsonl") is not None else []
    number = f"{log}/{NUMBER}"
    there = [one.name for one in store.list(log) if _SHAPES[log][0].fullmatch(one.name.removeprefix(f"{log}/"))]
    return [number] * (store.stat(number) is not None) + sorted(there, key=_by_number)


def is_earlier_file(name: str) -> bool:
    """Tell whether a name in a lake is that of a log's file as older versions wrote it."""
    folder, _, file = name.rpartition("/")
    return bool(_REPLIES.fullmatch(name) or (folder in _SHAPES and _SHAPES[folder][0].fullmatch(file)))


def read_earlier(store: Store, log: str) -> list[Event]:
    """Return the events of a log as older versions wrote it, the earliest first.

    Raises:
        LakeError: An entry is missing, unreadable, or was altered after the next was written.
    """
    read = _SHAPES[log][1] if log in _SHAPES else _read_replies
    return list(read(store, [name for name in earlier_files(store, log) if not name.endswith(f"/{NUMBER}")]))


def convert_log(store: Store, log: str) -> None:
    """Make an event log of a log that an older version wrote, read it back, and only then remove what was there.

    All events are one segment, so that it is whole or not there. The last files go first: what a kill leaves is the
    beginning of what was written, and is held against it when this is done again.

    Raises:
        LakeError: It is damaged, or the event log that is there already is another.
    """
    files, events = earlier_files(store, log), read_earlier(store, log)
    EventLog(store, log).append(lambda there: [] if there else events)
    if EventLog(store, log).read()[: len(events)] != events:
        raise LakeError(f"{log}: an event log is there already, and holds other events; restore it from a copy")
    for name in reversed(files):
        store.delete(name)


def _read_actions(store: Store, files: Sequence[str]) -> Iterator[Event]:
    """Yield actions with the time at which their file was written; each file names the hash of the one before."""
    previous = GENESIS
    for place, name in enumerate(files, 1):
        raw = store.read(name)
        content = _parse(raw, name, "an action")
        if (content.pop("sequence", None), content.pop("previous", None)) != (place, previous):
            raise LakeError(
                f"{name}: action {place} is missing, or one before it was altered; restore both from a copy"
            )
        stat = store.stat(name)
        at = None if stat is None else datetime.fromtimestamp(int(stat.changed_at), UTC).isoformat()
        yield content | {"at": at}
        previous = hashlib.sha256(raw).hexdigest()


def _read_register(store: Store, files: Sequence[str]) -> Iterator[Event]:
    for place, name in enumerate(files, 1):
        content = _parse(store.read(name), name, "an entry of the register")
        if content.pop("sequence", None) != place:
            raise LakeError(f"{name}: entry {place} is missing; restore it from a copy")
        yield content


def _read_proposals(store: Store, files: Sequence[str]) -> Iterator[Event]:
    for name in files:
        yield _parse(store.read(name), name, "a proposal") | {"release": Path(name).stem}


def _read_days(store: Store, files: Sequence[str]) -> Iterator[Event]:
    for name in files:
        content = _parse(store.read(name), name, "the day of a release")
        if content.get("release") != Path(name).stem or not _DAY.fullmatch(str(content.get("day"))):
            raise LakeError(f"{name}: it does not say the release's day; restore it from a copy")
        yield content


def _read_lines(store: Store, files: Sequence[str]) -> Iterator[Event]:
    for place, name in enumerate(files, 1):
        if Path(name).stem != f"{place:06d}":
            raise LakeError(f"{name}: file {place:06d}.jsonl is missing before it; restore it from a copy")
        for line in store.read(name).splitlines():
            yield _parse(line, name, "events")


def _read_replies(store: Store, files: Sequence[str]) -> Iterator[Event]:
    """Yield the replies of a delivery; a line that a kill cut short is left out, as it always was."""
    for name in files:
        for line in store.read(name).splitlines():
            with suppress(LakeError, LookupError, TypeError, ValueError):
                found = _parse(line, name, "a reply")
                is_reply = isinstance(found["key"], str) and len([int(tokens) for tokens in found["charged"]]) == 2
                if is_reply and ("answer" not in found or found.keys() >= _REPLY):
                    yield found


def _parse(content: bytes, name: str, what: str) -> dict[str, Any]:
    try:
        found = json.loads(content)
        if not isinstance(found, dict):
            raise ValueError(f"expected keys and values, found {type(found).__name__}")
    except (ValueError, RecursionError) as error:
        raise LakeError(f"{name}: not {what}: {error}; restore it from a copy") from None
    return found


def _by_number(name: str) -> tuple[str, int]:
    """Return what orders files: those of releases by number too, `one-r2` before `one-r10`."""
    stem = Path(name).stem
    before, _, number = stem.rpartition("-r")
    return (before, int(number)) if number.isdecimal() else (stem, 0)


_REPLY = {"log_probability", "input_tokens", "output_tokens"}
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_REPLIES = re.compile(rf"{REPLIES}/[^/]+\.jsonl")
_NUMBERED, _NAMED, _LINES = re.compile(r"\d+\.json"), re.compile(r"[^./][^/]*-r\d+\.json"), re.compile(r"\d{6}\.jsonl")
_SHAPES: Mapping[str, tuple[re.Pattern[str], Callable[[Store, Sequence[str]], Iterator[Event]]]] = {
    "annotator_actions": (_NUMBERED, _read_actions),
    "register": (_NUMBERED, _read_register),
    "proposals": (_NAMED, _read_proposals),
    "days": (_NAMED, _read_days),
    "label_studio/events": (_LINES, _read_lines),
}
