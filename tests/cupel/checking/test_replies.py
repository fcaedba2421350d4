"""The replies of a delivery: on the disk as soon as they are there, together where they come together."""

import threading
from pathlib import Path
from typing import Any

import pytest

from cupel.checking import replies
from cupel.checking.chat import Reply, Try
from cupel.checking.replies import RepliesLog
from cupel.errors import CheckerError
from cupel.store.event_log import BrokenLogError, EventLog
from cupel.store.local import LocalStore
from cupel.store.memory import MemoryStore
from cupel.store.store import Stat

GOOD = Try(Reply("good", -0.1, 9, 1), may_be_charged=True)
MOST = (10, 2)


class SlowStore(MemoryStore):
    """A store whose first put waits until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.is_put, self.go = threading.Event(), threading.Event()

    def put(self, name: str, content: bytes) -> Stat:
        self.is_put.set()
        assert self.go.wait(60)
        return super().put(name, content)


def waiting(store: Any) -> list[str]:
    return [one.name for one in store.list("replies/one/waiting")]


def test_replies_that_come_while_one_is_put_are_put_together() -> None:
    store = SlowStore()
    log = RepliesLog(store, "one")
    threads = [threading.Thread(target=log.add, args=(str(number), GOOD, MOST)) for number in range(9)]
    threads[0].start()
    assert store.is_put.wait(60)
    for thread in threads[1:]:
        thread.start()
    while len(log._came) < len(threads):
        pass
    store.go.set()
    for thread in threads:
        thread.join()
    assert len(waiting(store)) == 2
    assert len(RepliesLog(store, "one").replies) == 9
    log.append_waiting()
    assert waiting(store) == []
    assert len(EventLog(store, "replies/one").read()) == 9


def test_what_waits_becomes_a_segment_when_it_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replies, "MOST_WAITING", 4)
    store = LocalStore(tmp_path)
    log = RepliesLog(store, "one")
    for number in range(10):
        log.add(str(number), GOOD, MOST)
    assert len(waiting(store)) == 2
    assert len(EventLog(store, "replies/one").read()) == 8
    assert len(RepliesLog(store, "one").replies) == 10


def test_a_reply_of_which_nobody_knows_whether_it_was_put_is_an_error_and_the_next_one_takes_it_along() -> None:
    class FailingStore(MemoryStore):
        is_full = True

        def put(self, name: str, content: bytes) -> Stat:
            found = super().put(name, content)
            if self.is_full:
                raise OSError(28, "No space left on device")
            return found

    store = FailingStore()
    log = RepliesLog(store, "one")
    with pytest.raises(OSError, match="No space"):
        log.add("a", GOOD, MOST)
    store.is_full = False
    log.add("b", GOOD, MOST)
    assert set(RepliesLog(store, "one").replies) == {"a", "b"}
    log.append_waiting()
    assert [one["key"] for one in EventLog(store, "replies/one").read()] == ["a", "b"]


def test_what_was_altered_is_not_believed() -> None:
    store = MemoryStore()
    log = RepliesLog(store, "one")
    log.add("a", GOOD, MOST)
    (name,) = waiting(store)
    kept = store.read(name)
    store.put(name, kept[:20])
    with pytest.raises(CheckerError, match="not replies of a language model"):
        RepliesLog(store, "one")
    store.put(name, kept)
    log.append_waiting()
    segment = "replies/one/000000000001.jsonl"
    store.put(segment, store.read(segment).replace(b'"good"', b'"evil"'))
    with pytest.raises(BrokenLogError, match="altered"):
        RepliesLog(store, "one")
