"""Modules are read once and remembered by their source; a file that is broken costs time, never a wrong version."""

from pathlib import Path

import pytest

from cupel.versions import module_cache
from cupel.versions.module import Module, read_module
from cupel.versions.module_cache import ModuleCache

SOURCE = b"LIMIT = 3\n\ndef double(number):\n    return 2 * number + LIMIT\n"


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the modules that were taken apart."""
    names: list[str] = []

    def count(name: str, source: str, is_package: bool) -> Module:
        names.append(name)
        return read_module(name, source, is_package)

    monkeypatch.setattr(module_cache, "read_module", count)
    return names


def remembered(folder: Path) -> ModuleCache:
    first = ModuleCache(folder)
    first.read("one", SOURCE, False)
    first.save()
    return ModuleCache(folder)


def test_what_another_process_read_is_the_same_and_not_read_again(tmp_path: Path, read: list[str]) -> None:
    later = remembered(tmp_path / "new")
    assert later.read("one", SOURCE, False) == read_module("one", SOURCE.decode())
    assert read == ["one"]


@pytest.mark.parametrize(
    ("name", "source", "is_package"),
    [("one", SOURCE + b"x = 1\n", False), ("two", SOURCE, False), ("one", SOURCE, True)],
)
def test_another_source_name_or_kind_is_read(
    name: str, source: bytes, is_package: bool, tmp_path: Path, read: list[str]
) -> None:
    later = remembered(tmp_path)
    assert later.read(name, source, is_package) == read_module(name, source.decode(), is_package)
    assert len(read) == 2


@pytest.mark.parametrize("content", [b"", b"garbage", b"\x80\x04K\x01.", None])
def test_a_broken_file_is_made_anew(content: bytes | None, tmp_path: Path, read: list[str]) -> None:
    path = remembered(tmp_path).path
    path.write_bytes(path.read_bytes()[:-10] if content is None else content)
    broken = ModuleCache(tmp_path)
    assert broken.read("one", SOURCE, False) == read_module("one", SOURCE.decode())
    broken.save()
    ModuleCache(tmp_path).read("one", SOURCE, False)
    assert len(read) == 2


def test_of_sources_that_are_gone_not_all_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module_cache, "MOST_MODULES", 3)
    for number in range(5):
        cache = ModuleCache(tmp_path)
        cache.read("one", b"x = %d" % number, False)
        cache.save()
        assert len(ModuleCache(tmp_path)._known) <= 3


def test_where_nothing_may_be_written_modules_are_read_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    cache = ModuleCache(tmp_path / "file")
    assert cache.read("one", SOURCE, False) == read_module("one", SOURCE.decode())
    cache.save()
