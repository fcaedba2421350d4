"""What holds for every test of the wiring."""

from collections.abc import Iterator

import pytest
from dagster._core.storage.defs_state.base import DefsStateStorage


@pytest.fixture(autouse=True)
def no_instance_left_open() -> Iterator[None]:
    """Refuse a test that leaves an instance of Dagster open: all tests after it would read from it, and fail."""
    before = DefsStateStorage.get()
    yield
    assert DefsStateStorage.get() is before, "an instance of Dagster was left open: use it, and contexts, by `with`"
