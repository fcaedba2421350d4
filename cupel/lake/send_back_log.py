"""Send-backs: items of a batch that somebody sent back to annotators, an event each, appended and never changed."""

import hashlib
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from cupel.store.event_log import Event, EventLog

SEND_BACKS = "send_backs"
# The tables that are made anew where the first item of their batch is sent back: they read the log themselves.
READERS = ("annotations", "rejected_answers", "tasks")


class SendBack(NamedTuple):
    """Items of a batch that were sent back.

    Attributes:
        batch: The batch.
        item_ids: The items.
        reason: What the annotators read.
        sent_by: Who sent them back.
        source: What named the items: a file, or a release whose report did.
        annotators: Whose answers do not count any more; none: everybody's.
        to: Who is to answer; none: anybody of the crew.
        answers_until: The last answer in the log then: what came until then does not count any more.
        releases: The releases of the batch that were frozen then; what they hold stays as it is.
        at: When, in UTC, as ISO 8601.
    """

    batch: str
    item_ids: tuple[str, ...]
    reason: str
    sent_by: str
    source: str
    annotators: tuple[str, ...]
    to: tuple[str, ...]
    answers_until: int
    releases: tuple[str, ...]
    at: str

    @property
    def sent_at(self) -> datetime:
        """When it was sent back, in UTC."""
        return datetime.fromisoformat(self.at)


class SendBackLog:
    """The send-backs of a project.

    Args:
        log: Their events.
    """

    def __init__(self, log: EventLog) -> None:
        self._log = log

    def read(self, batch: str | None = None) -> list[SendBack]:
        """Return the send-backs, of one batch or of all, the earliest first.

        Raises:
            StoreError: The log was altered or cut short.
        """
        return [_parse(event) for event in self._log.read() if batch in (None, event["batch"])]

    def append(self, decide: Callable[[list[SendBack]], Sequence[SendBack]]) -> list[SendBack]:
        """Append what is decided on seeing all that is there; return it.

        Raises:
            StoreError: The log was altered or cut short.
        """
        added = self._log.append(lambda there: [_format(one) for one in decide([_parse(event) for event in there])])
        return [_parse(event) for event in added]

    def version(self, batch: str) -> str:
        """Return what names the send-backs of a batch: how many, and a hash of them."""
        return name_send_backs(self.read(batch))


def name_send_backs(send_backs: Sequence[SendBack]) -> str:
    """Return what names some send-backs: how many, and a hash of them."""
    digest = hashlib.sha256(json.dumps([_format(one) for one in send_backs], sort_keys=True).encode())
    return f"{len(send_backs)}:{digest.hexdigest()}"


def bring_send_backs(log: SendBackLog, send_backs: Sequence[SendBack]) -> None:
    """Bring send-backs of another lake into a log, those that it does not hold yet."""
    log.append(lambda there: [one for one in send_backs if one not in there])


def _parse(event: Event) -> SendBack:
    content: dict[str, Any] = {name: tuple(one) if isinstance(one, list) else one for name, one in event.items()}
    return SendBack(**content)


def _format(send_back: SendBack) -> Event:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in send_back._asdict().items()}
