"""Loops compile also where nothing may be written."""

import pytest
from numba.core.caching import CacheImpl

from cupel.loops import compiled


def test_a_loop_compiles_where_no_folder_may_be_written_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CacheImpl, "_locator_classes", [])

    @compiled
    def double(value: int) -> int:
        return value * 2

    assert double(21) == 42


def test_a_loop_says_its_name() -> None:
    def double(value: int) -> int:
        return value * 2

    assert compiled(double).__name__ == "double"
