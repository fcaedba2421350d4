"""How hostile cases are declared: how many a test makes, always the same ones; and what an error must say."""

import re
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, settings


def cases(count: int) -> Callable[[Any], Any]:
    """Return a decorator for a test with `@given`: it makes this many cases, and fails if it made fewer.

    Cases follow from the test alone, so every machine tries the same; what was found once stands in `@example`.
    """

    def declare(test: Any) -> Any:
        declared = settings(
            max_examples=count,
            derandomize=True,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )(test)
        declared.cases = count
        return declared

    return declare


def is_clear(error: Exception, *names: str) -> None:
    """Hold an error's message against what is promised: it names what is wrong, and no terminal obeys it."""
    message = str(error)
    assert all(name in message for name in names), message
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]", message), ascii(message)
    assert len(message) < 20_000
