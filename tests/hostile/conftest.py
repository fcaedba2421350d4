"""Counting: a hostile test must have run as many cases as it declares."""

import functools
from collections.abc import Generator
from typing import Any

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """Count the cases that a test ran to their end."""
    test = getattr(item, "obj", None)
    declared = getattr(test, "cases", 0)
    if not declared:
        return (yield)
    handle = test.hypothesis  # type: ignore[union-attr]
    inner, done = handle.inner_test, [0]

    @functools.wraps(inner)
    def counted(*args: Any, **kwargs: Any) -> None:
        inner(*args, **kwargs)
        done[0] += 1

    handle.inner_test = counted
    try:
        result = yield
    finally:
        handle.inner_test = inner
    item.user_properties.append(("cases", done[0]))
    if done[0] < declared:
        pytest.fail(f"{done[0]} cases ran, {declared} are declared")
    return result
