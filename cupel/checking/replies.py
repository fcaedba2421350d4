"""Replies: the record of what a language model said and what it may have cost; they are added, never changed."""

import json
import threading
import uuid
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

    A reply is put in the store as soon as it is there, so that what was paid for survives a kill; those that come while
    one is put are put together. What waits so is appended to the delivery's event log, 256 replies a segment, and then
    removed. It holds no question and no key. Many threads may add.

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
        self._turn, self._is_putting = threading.Condition(), False
        self._tokens = [0, 0]
        self._came: list[Event] = []
        self._waiting: dict[str, list[Event]] = {}
        self.replies: dict[str, Reply] = {}
        logged = self._log.read()
        for one in list(store.list(self._place)):
            self._waiting[one.name] = _parse(store.read(one.name), one.name)
        for event in [*logged, *self._not_in(logged)]:
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
        with self._turn:
            self._came.append(event)
            self._turn.wait_for(lambda: not self._is_putting or event not in self._came)
            if event not in self._came:
                return  # another thread has put it with its own
            self._is_putting, came = True, list(self._came)
        try:
            self._put(came)
        finally:
            with self._turn:
                self._is_putting = False
                self._turn.notify_all()

    def append_waiting(self) -> None:
        """Append what waits to the log, when no thread adds any more."""
        if self._waiting:
            self._log.append(self._not_in)
            for name in self._waiting:
                self._store.delete(name)
            self._waiting = {}

    def cost(self, settings: LlmChecker) -> float:
        """Return what all of it may have cost, at these prices."""
        with self._turn:
            return price(settings, *self._tokens)

    def _put(self, came: list[Event]) -> None:
        name = f"{self._place}/{came[0]['reply_id']}.json"
        self._store.put(name, json.dumps(came, allow_nan=False).encode())  # again, where it was put and not told
        self._waiting[name] = came
        with self._turn:
            del self._came[: len(came)]
            for event in came:
                self._take(event)
        if sum(map(len, self._waiting.values())) >= MOST_WAITING:
            self.append_waiting()

    def _not_in(self, logged: list[Event]) -> list[Event]:
        """Return what waits and is not in the log: a kill may have come between the append and the removal."""
        known = {event.get("reply_id") for event in logged}
        return [event for events in self._waiting.values() for event in events if event["reply_id"] not in known]

    def _take(self, event: Event) -> None:
        self._tokens = [before + more for before, more in zip(self._tokens, event["charged"], strict=True)]
        if "answer" in event:
            self.replies[event["key"]] = _reply(event)


def price(settings: LlmChecker, input_tokens: int, output_tokens: int) -> float:
    """Return the price of some tokens."""
    return (
        input_tokens * settings.million_input_tokens_price + output_tokens * settings.million_output_tokens_price
    ) / MILLION


def _parse(content: bytes, name: str) -> list[Event]:
    try:
        found = json.loads(content)
        if not all(isinstance(one["reply_id"], str) and len(one["charged"]) == 2 for one in found):
            raise ValueError("one lacks its id or its tokens")
    except (ValueError, LookupError, TypeError) as error:
        raise CheckerError(f"{name}: not replies of a language model: {error}; restore it from a copy") from None
    return list(found)


def _reply(event: Event) -> Reply:
    return Reply(str(event["answer"]), event["log_probability"], event["input_tokens"], event["output_tokens"])
