"""A process that dies at one change of the disk, for tests: right before it, or right after."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from cupel.store.local import LocalStore

CHANGES = ("put", "put_if_absent", "replace_if_unchanged", "delete")


class KilledError(BaseException):
    """The process is dead; no handler of the program sees it as an error."""


class Kill:
    """What became of a kill."""

    is_done = False


@contextmanager
def kill_at_change(number: int) -> Iterator[Kill]:
    """Kill what runs in the block at a change of a local store: 0 before the first, 1 after it, 2 before the second.

    A dead process changes nothing any more, whatever its handlers try.
    """
    kill, count = Kill(), 0

    def dying(change: Any) -> Any:
        def wrapped(*args: Any, **keys: Any) -> Any:
            nonlocal count
            if kill.is_done:
                raise KilledError
            count += 1
            mine = count
            if mine == number // 2 + 1 and number % 2 == 0:
                kill.is_done = True
                raise KilledError
            found = change(*args, **keys)
            if mine == number // 2 + 1:
                kill.is_done = True
                raise KilledError
            return found

        return wrapped

    with pytest.MonkeyPatch.context() as patch:
        for name in CHANGES:
            patch.setattr(LocalStore, name, dying(getattr(LocalStore, name)))
        with suppress(KilledError):
            yield kill
