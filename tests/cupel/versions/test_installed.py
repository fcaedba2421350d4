"""Versions of installed packages stand in for the lock, which only the repository has."""

from importlib.metadata import version
from pathlib import Path

import pytest

from cupel.versions import code_version
from cupel.versions.code import Lock
from cupel.versions.installed import InstalledPackages


def test_a_package_is_told_with_all_that_it_needs() -> None:
    told = InstalledPackages().versions(["scikit-learn"])
    assert told["scikit-learn"] == version("scikit-learn")
    assert told["scipy"] == version("scipy")  # needed by it
    assert "pytest" not in told  # needed by its extra only


def test_what_is_installed_is_what_is_locked_here() -> None:
    names = ["scikit-learn", "duckdb", "ftfy"]
    lock = Lock(*(code_version.ROOT / name for name in code_version.LOCKS)).versions(names)
    told = InstalledPackages().versions(names)
    assert {name: told[name] for name in names} == {name: lock[name] for name in names}


def test_it_stands_in_where_no_lock_lies_beside_the_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert type(code_version._lock()) is Lock
    code_version._lock.cache_clear()
    monkeypatch.setattr(code_version, "ROOT", tmp_path)
    try:
        assert type(code_version._lock()) is InstalledPackages
    finally:
        code_version._lock.cache_clear()
