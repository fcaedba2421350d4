"""Replies: the record of what a language model said and what it may have cost; they are added, never changed."""

import json
import threading
import uuid
from collections.abc import Iterable
from typing import Any

from cupel.checking.chat import Reply, Try
from cupel.config.checking import LlmChecker
from cupel.errors import CheckerError
from cupel.store.event_log import Event, EventLog
from cupel.store.store import Store

MILLION = 1_000_000
REPLIES = "replies"
# So many replies become one segment of the log; until then each is a content of its own.
MOST_WAITING = 256


class RepliesLog:
    """The replies of one delivery, by the hash of the question.

    A reply is put in the store as soon as it is there, so that what was paid for survives a kill; those that wait are
    appended to the delivery's event log together, and then removed. It holds no question and no key. Many threads may
    add.

    Args:
        store: The project's store.
        batch: The delivery.

    Raises:
        StoreError: The log was altered or cut short.
        CheckerError: A reply that waits cannot be read.
    """

    def __init__(self, store: Store, batch: str) -> None:
        self._store, self._log = store, EventLog(store, f"{REPLIES}/{batch}")
        self._place = f"{REPLIES}/{batch}/waiting"
        self._lock = threading.Lock()
        self._tokens = [0, 0]
        self._waiting: dict[str, Event] = {}
        self.replies: dict[str, Reply] = {}
        known = set()
        for event in self._log.read():
            known.add(event.get("reply_id"))
            self._take(event)
        for name in [one.name for one in store.list(self._place)]:
            event = self._waiting[name] = _parse(store.read(name), name)
            if event.get("reply_id") not in known:
                self._take(event)

    def add(self, key: str, tried: Try, most: tuple[int, int]) -> None:
        """Keep a try that may be charged: with the tokens it took, or the most it can have taken where it is not told.

        Args:
            key: Hash of the question.
            tried: The try; one that is certainly free is left out.
            most: Tokens of question and answer, at most.
        """
        if not tried.may_be_charged:
            return
        event: dict[str, Any] = {"reply_id": uuid.uuid4().hex, "key": key}
        told: tuple[int | None, int | None] = (None, None)
        if tried.reply is not None:
            told = (tried.reply.input_tokens, tried.reply.output_tokens)
            event |= {"answer": tried.reply.answer, "log_probability": tried.reply.log_probability}
        else:
            event |= {"problem": tried.problem}
        event |= {
            "input_tokens": told[0], "output_tokens": told[1],
            "charged": [limit if tokens is None else tokens for tokens, limit in zip(told, most, strict=True)],
        }  # fmt: skip
        name = f"{self._place}/{event['reply_id']}.json"
        self._store.put_if_absent(name, json.dumps(event, allow_nan=False).encode())
        with self._lock:
            self._waiting[name] = event
            self._take(event)
            if len(self._waiting) >= MOST_WAITING:
                self._append()

    def append_waiting(self) -> None:
        """Append what waits to the log."""
        with self._lock:
            self._append()

    def cost(self, settings: LlmChecker) -> float:
        """Return what all of it may have cost, at these prices."""
        with self._lock:
            return price(settings, *self._tokens)

    def _append(self) -> None:
        waiting = self._waiting

        def decide(there: list[Event]) -> Iterable[Event]:
            known = {one.get("reply_id") for one in there}  # a kill may have come between the append and the removal
            return [event for event in waiting.values() if event["reply_id"] not in known]

        if waiting:
            self._log.append(decide)
            for name in waiting:
                self._store.delete(name)
            self._waiting = {}

    def _take(self, event: Event) -> None:
        self._tokens = [before + more for before, more in zip(self._tokens, event["charged"], strict=True)]
        if "answer" in event:
            self.replies[event["key"]] = _reply(event)


def price(settings: LlmChecker, input_tokens: int, output_tokens: int) -> float:
    """Return the price of some tokens."""
    return (
        input_tokens * settings.million_input_tokens_price + output_tokens * settings.million_output_tokens_price
    ) / MILLION


def _parse(content: bytes, name: str) -> Event:
    try:
        found = json.loads(content)
        if not isinstance(found["reply_id"], str) or len(found["charged"]) != 2:
            raise ValueError("it lacks its id or its tokens")
    except (ValueError, LookupError, TypeError) as error:
        raise CheckerError(f"{name}: not a reply of a language model: {error}; restore it from a copy") from None
    return dict(found)


def _reply(event: Event) -> Reply:
    return Reply(str(event["answer"]), event["log_probability"], event["input_tokens"], event["output_tokens"])
