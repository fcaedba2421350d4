"""Kills of a child between any two of its changes of the disk, for tests."""

import os
import signal
from collections.abc import Callable, Iterator
from typing import Any

CHANGES = ("fsync", "link", "mkdir", "replace", "truncate", "unlink")


def killed_at_each_change(work: Callable[[], object]) -> Iterator[int]:
    """Yield after each kill of a child that does some work: before its first change of the disk, its second, and on."""
    for number in range(1, 100):
        child = os.fork()
        if child == 0:
            left = [number]

            def counted(change: Callable[..., object], left: list[int] = left) -> Callable[..., object]:
                def do(*arguments: Any, **named: Any) -> object:
                    left[0] -= 1
                    if not left[0]:
                        os.kill(os.getpid(), signal.SIGKILL)
                    return change(*arguments, **named)

                return do

            for name in CHANGES:
                setattr(os, name, counted(getattr(os, name)))
            try:
                work()
            finally:
                os._exit(0)
        if os.waitpid(child, 0)[1] == 0:
            return
        yield number
