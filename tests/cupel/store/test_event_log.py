"""An event log keeps every event once, in one order, whatever breaks in between, and tells what was done to it."""

import json
import random
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from cupel.store.event_log import HEAD, BrokenLogError, Event, EventLog, LogHead
from cupel.store.local import LocalStore
from cupel.store.memory import MemoryStore
from cupel.store.store import Store, describe_place
from faulty_store import FaultyStore, LostError


@pytest.fixture(params=["local", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return LocalStore(tmp_path / "store") if request.param == "local" else MemoryStore()


def write(log: EventLog, *names: str) -> None:
    """Append events of these names, those that are not there yet."""

    def decide(known: list[Event]) -> list[Event]:
        there = {event["name"] for event in known}
        return [{"name": name} for name in names if name not in there]

    log.append(decide)


def names(log: EventLog) -> list[str]:
    return [event["name"] for event in log.read()]


def filled(store: Store) -> EventLog:
    log = EventLog(store, "log")
    for number in range(4):
        write(log, f"{number}a", f"{number}b")
    return log


def test_events_are_read_in_the_order_in_which_they_came(store: Store) -> None:
    log = filled(store)
    expected = ["0a", "0b", "1a", "1b", "2a", "2b", "3a", "3b"]
    assert names(log) == expected
    assert names(EventLog(store, "log")) == expected
    assert EventLog(store, "log").head() == log.head()
    assert log.head().sequence == 8
    write(log, "3a")
    assert names(log) == expected
    assert [one.name for one in store.list("log")] == [
        *(f"log/{first:012d}.jsonl" for first in (1, 3, 5, 7)), "log/head.json"
    ]  # fmt: skip


def test_what_one_process_verified_another_one_appends_to(store: Store) -> None:
    mine, theirs = filled(store), EventLog(store, "log")
    write(theirs, "new")
    assert names(mine)[-1] == "new"
    write(mine, "newer")
    assert names(theirs)[-2:] == ["new", "newer"]


def test_an_earlier_end_is_held_and_another_one_is_not(store: Store) -> None:
    log = filled(store)
    before = log.head()
    write(log, "more")
    assert log.holds(before)
    assert log.holds(LogHead(0, "0" * 64))
    assert not log.holds(LogHead(before.sequence - 1, before.hash))
    assert not log.holds(LogHead(before.sequence + 5, before.hash))


@pytest.mark.parametrize("is_known", [True, False])
@pytest.mark.parametrize("damage", ["deleted", "emptied", "cut", "flipped", "out_of_place", "head_other", "head_cut"])
def test_whatever_is_done_to_a_log_is_told_and_nothing_is_appended(store: Store, damage: str, is_known: bool) -> None:
    log = filled(store)
    second, last, head = f"log/{3:012d}.jsonl", f"log/{7:012d}.jsonl", f"log/{HEAD}"
    content = store.read(second)
    if damage == "deleted":
        store.delete(second)
    elif damage == "emptied":
        store.put(second, b"")
    elif damage == "cut":
        store.put(last, store.read(last).splitlines(keepends=True)[0])
    elif damage == "flipped":
        store.put(second, content.replace(b"1b", b"1c"))
    elif damage == "out_of_place":
        store.put(f"log/{4:012d}.jsonl", content)
    elif damage == "head_other":
        store.put(head, json.dumps({"sequence": 8, "hash": "f" * 64}).encode())
    else:
        store.put(head, b"{")
    reader = log if is_known else EventLog(store, "log")
    with pytest.raises(BrokenLogError, match="restore") as error:
        reader.read()
    assert str(error.value).startswith(f"{describe_place(store, 'log')}")
    before = {one.name: one.version for one in store.list()}
    with pytest.raises(BrokenLogError):
        write(reader, "more")
    assert {one.name: one.version for one in store.list()} == before


def test_a_log_whose_last_segment_is_gone_is_cut_short_and_one_whose_head_is_gone_is_in_doubt(store: Store) -> None:
    filled(store)
    kept = store.read(f"log/{7:012d}.jsonl")
    store.delete(f"log/{7:012d}.jsonl")
    with pytest.raises(BrokenLogError, match="ends at event 6, but 8 were written"):
        EventLog(store, "log").read()
    store.put(f"log/{7:012d}.jsonl", kept)
    store.delete(f"log/{HEAD}")
    with pytest.raises(BrokenLogError, match="nobody can tell"):
        EventLog(store, "log").read()


def test_a_writer_killed_before_it_wrote_the_head_leaves_a_log_that_goes_on(store: Store) -> None:
    log = filled(store)
    behind = store.read(f"log/{HEAD}")
    write(log, "last")
    store.put(f"log/{HEAD}", behind)
    assert names(EventLog(store, "log"))[-1] == "last"
    write(EventLog(store, "log"), "more")
    assert json.loads(store.read(f"log/{HEAD}"))["sequence"] == 10


@pytest.mark.parametrize("seed", range(6))
def test_writers_between_whom_and_the_store_all_breaks_write_every_event_once(store: Store, seed: int) -> None:
    rng = random.Random(seed)
    wanted = {who: [f"{who}{number}" for number in range(8)] for who in "abc"}
    troubles: list[BaseException] = []

    def be(who: str) -> None:
        log = EventLog(FaultyStore(store, random.Random(rng.random()), 0.3), "log")
        try:
            for name in wanted[who]:
                is_done = False
                while not is_done:
                    with suppress(LostError):
                        write(log, name)
                        is_done = True
        except BaseException as error:
            troubles.append(error)

    threads = [threading.Thread(target=be, args=(who,)) for who in wanted]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert troubles == []
    found = names(EventLog(store, "log"))
    assert sorted(found) == sorted(name for own in wanted.values() for name in own)
    for own in wanted.values():
        assert [name for name in found if name in own] == own


def test_an_append_of_nothing_completes_the_head_that_a_killed_writer_left_behind(store: Store) -> None:
    write(EventLog(store, "log"), "a")
    head = store.read(f"log/{HEAD}")
    write(EventLog(store, "log"), "b")
    whole = store.read(f"log/{HEAD}")
    store.put(f"log/{HEAD}", head)
    write(EventLog(store, "log"), "b")
    assert store.read(f"log/{HEAD}") == whole


def test_what_lies_in_its_folder_and_is_no_segment_is_none_of_its_events(store: Store) -> None:
    write(EventLog(store, "log"), "a")
    for name in ("log/000001.jsonl", "log/waiting/a.json", "log/000000000009.json"):
        store.put(name, b"{}\n")
    assert names(EventLog(store, "log")) == ["a"]
