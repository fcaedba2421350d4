"""A file is there whole or not at all, and what a killed writer began does not stay for ever."""

import errno
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from cupel.store.files import move, new_file, new_path, put_file, remove_left_behind
from cupel.store.local import SECONDS_UNTOUCHED, begin


def test_a_file_that_cannot_be_written_leaves_the_old_one_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    put_file(path, b"old")

    def fill_the_disk() -> None:
        with new_file(path) as file:
            file.write(b"half")
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match=r"No space left on device: '.*run\.json'"):
        fill_the_disk()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_library_writes_by_itself_is_in_place_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "catalog.duckdb"
    put_file(path, b"old")
    with new_path(path) as begun:
        begun.write_bytes(b"new")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"
    with suppress(ZeroDivisionError), new_path(path) as begun:
        begun.write_bytes(b"half")
        _ = 1 / 0
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_of_two_writers_one_wins(tmp_path: Path) -> None:
    path = tmp_path / "000001.json"
    with new_file(path, is_only=True) as file:
        file.write(b"first")
    with pytest.raises(FileExistsError), new_file(path, is_only=True) as file:
        file.write(b"second")
    assert path.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_writer_began_is_removed_after_an_hour(tmp_path: Path) -> None:
    files = [begin(tmp_path).with_suffix(".duckdb"), begin(tmp_path).with_suffix(".wal"), begin(tmp_path / "answers")]
    release = begin(tmp_path / "releases")
    kept = [tmp_path / ".hidden", tmp_path / "answers" / "segment-1.parquet"]
    for path in (*files, *kept, release / "card.md"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    remove_left_behind(tmp_path)
    assert all(path.exists() for path in (*files, *kept, release))
    long_ago = time.time() - SECONDS_UNTOUCHED - 1
    for path in (*files, *kept, release / "card.md", release):
        os.utime(path, (long_ago, long_ago))
    os.utime(release / "card.md")
    remove_left_behind(tmp_path)
    assert [path.exists() for path in files] == [False, False, False]
    assert release.exists()  # something in it was written just now
    os.utime(release / "card.md", (long_ago, long_ago))
    remove_left_behind(tmp_path)
    assert not release.exists()
    assert all(path.exists() for path in kept)


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_is_moved_from_another_disk_lasts_before_it_is_removed_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    path, target = tmp_path / "inbox" / "one", tmp_path / "lake" / "deliveries" / "one"
    (path if kind == "folder" else path.parent).mkdir(parents=True)
    (path / "texts.jsonl" if kind == "folder" else path).write_bytes(b"text")
    rename, fsync, unlink = os.rename, os.fsync, os.unlink
    lasting: set[int] = set()

    def rename_on_one_disk(source: Path, name: Path) -> None:
        if source == path:
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        rename(source, name)

    def remember(descriptor: int) -> None:
        lasting.add(os.fstat(descriptor).st_ino)
        fsync(descriptor)

    def check(*arguments: Any, **named: Any) -> None:
        there = [target, *target.rglob("*"), target.parent, target.parent.parent]
        assert {one.stat().st_ino for one in there} <= lasting
        unlink(*arguments, **named)

    for name, change in (("rename", rename_on_one_disk), ("fsync", remember), ("unlink", check)):
        monkeypatch.setattr(os, name, change)
    move(path, target, target.with_name("staged"))
    assert not path.exists()
    assert [one.read_bytes() for one in (target, *target.rglob("*")) if one.is_file()] == [b"text"]
