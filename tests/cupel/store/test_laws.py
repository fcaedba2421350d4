"""The laws of a store, on each implementation: whole contents, one winner, and what was read stays what it was."""

import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kill_points import killed_at_each_change

from cupel.store.event_log import EventLog
from cupel.store.local import LocalStore
from cupel.store.memory import MemoryStore
from cupel.store.store import (
    ChangedError,
    MissingError,
    NoLocationError,
    Store,
    StoreError,
    TakenError,
    describe_place,
    put_once,
    update,
)
from faulty_store import FaultyStore, LostError

# A name that is a word of another one's way cannot be in a folder of a disk; nobody uses such.
FREE = ["x", "y/z", "y-z", "y/w/v", "b.json"]


@pytest.fixture(params=["local", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return LocalStore(tmp_path / "store") if request.param == "local" else MemoryStore()


def names(store: Store, folder: str = "") -> list[str]:
    return [one.name for one in store.list(folder)]


def test_what_is_put_is_read_whole_or_in_ranges(store: Store) -> None:
    store.put("a/b", b"0123456789")
    assert store.read("a/b") == b"0123456789"
    assert store.read("a/b", 3, 4) == b"3456"
    assert store.read("a/b", 8, 10) == b"89"
    assert store.read("a/b", 10) == b""
    with store.open("a/b") as file:
        assert (file.seek(4), file.read(2)) == (4, b"45")
    found = store.stat("a/b")
    assert found is not None
    assert (found.name, found.size) == ("a/b", 10)


def test_what_is_not_there_is_told_as_missing(store: Store) -> None:
    store.put("a", b"1")
    for name in ("b", "b/c", "a/b"):
        assert store.stat(name) is None
        for verb in (store.read, store.open):
            with pytest.raises(MissingError):
                verb(name)
        store.delete(name)
    assert list(store.list("nowhere")) == []
    assert names(store) == ["a"]


def test_a_folder_is_no_content(store: Store) -> None:
    store.put("a/b", b"1")
    assert store.stat("a") is None
    for verb in (store.read, store.open):
        with pytest.raises(MissingError):
            verb("a")
    store.delete("a")
    assert names(store) == ["a/b"]


def test_what_begins_with_a_dot_is_read_by_name_and_not_listed(store: Store) -> None:
    for name in ("a/.b", ".c", ".d/e", "f/.g/h", "i.j"):
        store.put(name, name.encode())
    assert store.read("f/.g/h") == b"f/.g/h"
    assert names(store) == ["i.j"]
    assert [*store.list_folders("f"), *names(store, "a")] == []
    assert names(store, ".d") == [".d/e"]
    assert names(store, "f/.g") == ["f/.g/h"]


def test_who_has_put_a_content_is_told_its_version_and_not_that_of_what_came_right_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, replace = LocalStore(tmp_path), os.replace

    def replace_and_be_replaced(source: Path, target: Path) -> None:
        replace(source, target)
        monkeypatch.undo()
        store.put("a", b"theirs")

    monkeypatch.setattr(os, "replace", replace_and_be_replaced)
    mine = store.put("a", b"mine")
    with pytest.raises(ChangedError):
        store.replace_if_unchanged("a", b"mine again", mine.version)
    assert store.read("a") == b"theirs"


def test_a_version_tells_the_very_moment_of_its_writing_where_the_clock_of_the_kernel_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, fsync = LocalStore(tmp_path), os.fsync

    def stamp_by_a_clock_that_stands(descriptor: int) -> None:
        # As kernels before 6.13 do for 4 ms; none stamps a file whose time was set.
        if os.fstat(descriptor).st_mtime_ns not in given:
            os.utime(descriptor, ns=(0, 0))
        fsync(descriptor)

    given = [1_000_000_000_000_000_000 + number for number in range(50)]
    clock = iter(given)
    monkeypatch.setattr("cupel.store.local.time.time_ns", lambda: next(clock))
    monkeypatch.setattr(os, "fsync", stamp_by_a_clock_that_stands)
    versions = [store.put("a", f"{number:02}".encode()).version for number in range(50)]
    assert len(set(versions)) == 50


def test_of_what_is_replaced_another_version_is_told_and_who_has_it_open_reads_on(store: Store) -> None:
    first = store.put("a", b"old bytes")
    with store.open("a") as file:
        second = store.put("a", b"new bytes")
        assert file.read() == b"old bytes"
    assert first.version != second.version
    assert store.stat("a") == second
    assert store.read("a") == b"new bytes"


def test_who_comes_second_is_told_that_a_name_is_taken(store: Store) -> None:
    store.put_if_absent("a/1", b"mine")
    with pytest.raises(TakenError):
        store.put_if_absent("a/1", b"theirs")
    assert store.read("a/1") == b"mine"
    assert put_once(store, "a/1", b"mine")
    assert not put_once(store, "a/1", b"theirs")
    with store.new("a") as new:
        new.file.write(b"theirs")
        with pytest.raises(TakenError):
            new.put_if_absent("a/1")
    assert names(store) == ["a/1"]


def test_only_what_was_read_is_replaced(store: Store) -> None:
    first = store.replace_if_unchanged("a", b"1", None)
    with pytest.raises(ChangedError):
        store.replace_if_unchanged("a", b"2", None)
    second = store.replace_if_unchanged("a", b"2", first.version)
    with pytest.raises(ChangedError):
        store.replace_if_unchanged("a", b"3", first.version)
    store.delete("a")
    with pytest.raises(ChangedError):
        store.replace_if_unchanged("a", b"3", second.version)
    assert store.stat("a") is None


def test_what_is_begun_is_seen_by_nobody_before_it_has_a_name(store: Store) -> None:
    with store.new("parts") as new:
        new.file.write(b"half")
        assert names(store) == []
        new.file.write(b" whole")
        new.put("parts/one")
        assert names(store, "parts") == ["parts/one"]
    with suppress(ZeroDivisionError), store.new("parts") as new:
        new.file.write(b"half")
        _ = 1 / 0
    with store.new("parts") as new:
        new.file.write(b"never named")
    assert [(one.name, one.size) for one in store.list()] == [("parts/one", 10)]


def test_lists_are_in_the_order_of_whole_names(store: Store) -> None:
    for name in ("a/b/c", "a-b", "a/a", "ab", "b"):
        store.put(name, b"")
    assert names(store) == ["a-b", "a/a", "a/b/c", "ab", "b"]
    assert names(store, "a") == ["a/a", "a/b/c"]


def test_folders_are_listed_without_what_is_in_them(store: Store) -> None:
    for name in ("a/b/c", "a/b/d", "a-b/a", "a/a", "b", "a/e/f/g"):
        store.put(name, b"")
    assert list(store.list_folders()) == ["a", "a-b"]
    assert list(store.list_folders("a")) == ["b", "e"]
    assert list(store.list_folders("b")) == list(store.list_folders("nowhere")) == []


@pytest.mark.parametrize("name", ["", "/a", "a/", "a//b", ".", "a/..", "../a", "a\0b"])
def test_what_is_no_name_is_refused(store: Store, name: str) -> None:
    for verb in (store.read, store.stat, store.delete, lambda name: store.put(name, b"")):
        with pytest.raises(StoreError, match="not a name"):
            verb(name)


def test_of_many_writers_one_wins_and_none_is_lost(store: Store) -> None:
    won: list[int] = []

    def claim(number: int) -> None:
        with suppress(TakenError):
            store.put_if_absent("claim", f"{number}".encode())
            won.append(number)
        for _ in range(20):
            update(store, "sum", lambda before: f"{int(before or b'0') + 1}".encode(), most_tries=10_000)

    at_once([partial(claim, number) for number in range(8)])
    assert len(won) == 1
    assert store.read("claim") == f"{won[0]}".encode()
    assert store.read("sum") == b"160"


def test_a_lock_is_held_by_one_at_a_time(store: Store) -> None:
    held, most = [0], [0]

    def hold() -> None:
        for _ in range(20):
            with store.lock("locks/one") as is_held:
                held[0] += is_held
                most[0] = max(most[0], held[0])
                held[0] -= 1

    at_once([hold] * 4)
    assert most == [1]
    with store.lock("locks/one"), store.lock("locks/two"), store.lock("locks/one", is_waiting=False) as is_held:
        assert not is_held
    with store.lock("locks/one", is_waiting=False) as is_held:
        assert is_held


def test_who_shares_a_lock_holds_it_with_others_who_do_and_nobody_holds_it_alone_meanwhile(store: Store) -> None:
    def is_free(*, is_shared: bool) -> bool:
        with store.lock("locks/one", is_waiting=False, is_shared=is_shared) as is_held:
            return is_held

    with store.lock("locks/one", is_shared=True), store.lock("locks/one", is_shared=True) as is_held:
        assert (is_held, is_free(is_shared=True), is_free(is_shared=False)) == (True, True, False)
    with store.lock("locks/one"):
        assert (is_free(is_shared=True), is_free(is_shared=False)) == (False, False)
    assert is_free(is_shared=False)


def test_a_lock_waits_until_all_who_share_it_have_ended(store: Store) -> None:
    is_held, is_over = threading.Event(), threading.Event()

    def hold() -> None:
        with store.lock("locks/one"):
            is_held.set()
        is_over.set()

    with store.lock("locks/one", is_shared=True):
        thread = threading.Thread(target=hold)
        thread.start()
        assert not is_held.wait(0.1)
    assert is_over.wait(10)
    thread.join()


def test_a_lock_says_who_holds_it_to_who_comes_second(store: Store) -> None:
    with store.lock("locks/one", holder="the first, who has a long name"):
        pass
    with store.lock("locks/one", holder="the second"):
        with store.lock("locks/one", is_waiting=False, holder="the third") as is_held:
            assert not is_held
        assert store.read("locks/one") == b"the second"


def test_a_store_that_others_can_read_says_where_a_content_lies(store: Store) -> None:
    store.put("a/b", b"1")
    try:
        assert Path(store.location("a/b")).read_bytes() == b"1"
        assert describe_place(store) == store.location()
    except NoLocationError:
        assert describe_place(store, "a/b") == "a/b"
        assert describe_place(store) == "the store"


def test_when_a_content_came_to_lie_under_its_name_is_known(store: Store) -> None:
    before = time.time()
    found = store.put("a", b"1")
    assert before - 1 < found.changed_at < time.time() + 1
    assert store.stat("a") == found
    assert list(store.list()) == [found]


@settings(deadline=None, max_examples=50)
@given(
    st.lists(
        st.tuples(st.sampled_from(["put", "put_if_absent", "replace", "delete"]), st.sampled_from(FREE), st.binary()),
        max_size=30,
    )
)
def test_any_order_of_verbs_leaves_what_a_dictionary_would(
    tmp_path_factory: pytest.TempPathFactory, deeds: list[tuple[str, str, bytes]]
) -> None:
    for store in (LocalStore(tmp_path_factory.mktemp("store")), MemoryStore()):
        expected: dict[str, bytes] = {}
        for verb, name, content in deeds:
            before = store.stat(name)
            if verb == "put":
                store.put(name, content)
            elif verb == "put_if_absent":
                with suppress(TakenError):
                    store.put_if_absent(name, content)
            elif verb == "replace":
                store.replace_if_unchanged(name, content, before.version if before else None)
            else:
                store.delete(name)
            if verb == "delete":
                expected.pop(name, None)
            elif verb != "put_if_absent" or name not in expected:
                expected[name] = content
        assert {one.name: store.read(one.name) for one in store.list()} == expected


@pytest.mark.parametrize("seed", range(5))
def test_a_count_is_right_whatever_breaks_where_who_counts_marks_what_it_counted(store: Store, seed: int) -> None:
    """A change that was stored and not acknowledged is found by the one who tries again: it says whose it is."""
    faulty = FaultyStore(store, random.Random(seed))

    def count(event: str) -> None:
        def with_event(before: bytes | None) -> bytes:
            counted = (before or b"").decode().split()
            return " ".join(counted if event in counted else [*counted, event]).encode()

        while True:
            with suppress(LostError):
                update(faulty, "counted", with_event, most_tries=10_000)
                return

    def be(who: str) -> None:
        for number in range(10):
            count(f"{who}.{number}")

    at_once([partial(be, who) for who in "abc"])
    assert sorted(store.read("counted").decode().split()) == [
        f"{who}.{number}" for who in "abc" for number in range(10)
    ]


def test_a_writer_that_is_killed_leaves_the_old_or_the_new_bytes_and_what_it_had_begun_is_removed(
    tmp_path: Path,
) -> None:
    store, rng = LocalStore(tmp_path), random.Random(1)
    store.put("a", b"0" * 1_000_000)
    for _ in range(30):
        child = os.fork()
        if child == 0:
            for number in range(1, 10):
                store.put("a", f"{number}".encode() * 1_000_000)
            os._exit(0)
        threading.Event().wait(rng.uniform(0, 0.03))
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        content = store.read("a")
        assert len(content) == 1_000_000
        assert len(set(content)) == 1
        assert names(store) == ["a"]
    for path in tmp_path.glob(".cupel-*"):
        os.utime(path, (0, 0))
    store.remove_left_behind()
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("verb", ["put", "put_if_absent", "replace_if_unchanged", "new"])
def test_a_writer_killed_at_any_change_of_the_disk_leaves_the_old_or_the_new(tmp_path: Path, verb: str) -> None:
    store = LocalStore(tmp_path / "store")
    expected: dict[str, set[bytes | None]] = {"x/a": {b"old", b"new"}, "x/b/c": {None, b"new"}}
    old = store.put("x/a", b"old").version

    def work() -> None:
        if verb == "put":
            store.put("x/a", b"new")
            store.put("x/b/c", b"new")
        elif verb == "put_if_absent":
            store.put_if_absent("x/b/c", b"new")
        elif verb == "replace_if_unchanged":
            store.replace_if_unchanged("x/a", b"new", old)
            store.replace_if_unchanged("x/b/c", b"new", None)
        else:
            with store.new("x/b") as new:
                new.file.write(b"new")
                new.put("x/b/c")

    kills = 0
    for _ in killed_at_each_change(work):
        kills += 1
        found = {one.name: store.read(one.name) for one in store.list()}
        assert set(found) <= set(expected)
        assert all(found.get(name) in contents for name, contents in expected.items())
        store.delete("x/b/c")
        old = store.put("x/a", b"old").version
    assert kills >= 3
    assert store.read("x/a") == (b"new" if verb in ("put", "replace_if_unchanged") else b"old")
    assert store.read("x/b/c") == b"new"


def test_an_append_killed_at_any_change_of_the_disk_leaves_a_log_that_goes_on(tmp_path: Path) -> None:
    store, numbers = LocalStore(tmp_path / "store"), list[int]()

    def append() -> None:
        EventLog(store, "log").append(lambda known: [{"number": len(known) + 1}, {"number": len(known) + 2}])

    kills = 0
    for _ in killed_at_each_change(append):
        kills += 1
        found = [event["number"] for event in EventLog(store, "log").read()]
        assert found[: len(numbers)] == numbers
        assert len(found) - len(numbers) in (0, 2)
        append()
        numbers = [event["number"] for event in EventLog(store, "log").read()]
        assert numbers == list(range(1, len(found) + 3))
    assert kills >= 5


def test_two_processes_that_change_one_content_lose_nothing(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    children = []
    for _ in range(3):
        child = os.fork()
        if child == 0:
            for _ in range(30):
                update(store, "sum", lambda before: f"{int(before or b'0') + 1}".encode(), most_tries=10_000)
            sys.stdout.flush()
            os._exit(0)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0, 0]
    assert store.read("sum") == b"90"


def at_once(deeds: list[Callable[[], object]]) -> None:
    """Let each be done by a thread of its own; the first trouble is raised."""
    troubles: list[BaseException] = []

    def do(deed: Callable[[], object]) -> None:
        try:
            deed()
        except BaseException as error:
            troubles.append(error)

    threads = [threading.Thread(target=do, args=(deed,)) for deed in deeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for trouble in troubles:
        raise trouble
