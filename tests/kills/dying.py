"""A process that can be killed at a change of the disk or at any time, and what is known of where it was then."""

import mmap
import os
import random
import select
import signal
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from cupel.contract.stages import stage_of
from cupel.contract.tables import TABLES
from cupel.errors import CupelError, disk_trouble

CHANGES = ("replace", "link", "rename", "fsync", "unlink", "rmdir", "mkdir")
STAGES = tuple(dict.fromkeys(stage_of(table).name for table in TABLES))
BESIDE = ("locks", "run.lock", "answers", "answer_files", "deliveries", "register", "proposals", "releases", "reports")
PLACES = (*STAGES, *BESIDE, "run.json", "elsewhere")
FINISHED, BROKEN, REFUSED = 0, 3, 4
SECONDS_BETWEEN_LOOKS = 0.002
FIRST = 6  # changes of the disk that one table's write takes: a folder, a part, a commit


class Ended(NamedTuple):
    """How a child ended: its exit code or minus a signal's number, and the place and change of the disk it was last at.

    `counts` are the changes in each place, in the order in which it came to them; `seconds` are of processor time.
    """

    code: int
    place: str
    change: str
    counts: dict[str, int]
    seconds: float


class Aim(NamedTuple):
    """Where to die: at a change of a place, counted from 1, or at the first of a place that a run comes to later."""

    place: str
    change: int
    later: Sequence[str]
    is_after: bool


class Note:
    """Memory that a child shares with its parent, who reads there, after a kill, how far the child had come."""

    def __init__(self) -> None:
        self._slots = memoryview(mmap.mmap(-1, 4 * 2 * (1 + len(PLACES)))).cast("I")

    def write(self, place: str, change: str) -> int:
        """Note a change of the disk; return how many there were in this place."""
        number = 1 + PLACES.index(place)
        count, come = 2 * number, 2 * number + 1
        if not self._slots[count]:
            self._slots[come] = sum(self._slots[2::2])  # changes before the first in this place: its turn
        self._slots[count] += 1
        self._slots[0], self._slots[1] = number, 1 + CHANGES.index(change)
        return int(self._slots[count])

    def read(self, code: int, seconds: float) -> Ended:
        """Return what was noted, with a child's exit code and seconds."""
        number, change = self._slots[0], self._slots[1]
        come = [(self._slots[2 * n + 1], name, int(self._slots[2 * n])) for n, name in enumerate(PLACES, 1)]
        counts = {name: count for _, name, count in sorted(come) if count}
        last = PLACES[number - 1] if number else "start", CHANGES[change - 1] if change else "none"
        return Ended(code, *last, counts, seconds)


def in_child(work: Callable[[], int]) -> int:
    """Run something in a fork; return its exit code, or minus the number of the signal that killed it."""
    return _in_child(work, None)[0]


def _in_child(work: Callable[[], int], seconds: float | None) -> tuple[int, float]:
    """Run something in a fork, killed after so many seconds of processor time: how busy the machine is does not count.

    Returns:
        Its exit code or minus the signal's number, and its seconds of processor time.
    """
    child = os.fork()
    if child == 0:
        code = BROKEN
        try:
            code = work()
        except CupelError as error:
            os.write(2, f"{error}\n".encode())
            code = REFUSED
        except OSError as error:
            os.write(2, f"{disk_trouble(error)}\n".encode())
        except BaseException as error:
            os.write(2, f"{type(error).__name__}: {error}\n".encode())
        finally:
            os._exit(code)
    if seconds is not None:
        clock, end = (~child << 3) | 2, os.pidfd_open(child)  # Linux: the clock of a process's processor time
        while time.clock_gettime(clock) < seconds and not select.select([end], [], [], SECONDS_BETWEEN_LOOKS)[0]:
            pass
        os.kill(child, signal.SIGKILL)  # nothing, if it has ended: nobody has waited for it yet
        os.close(end)
    _, status, used = os.wait4(child, 0)
    return os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime


def watched(work: Callable[[], int], lake: str, aim: Aim | None = None, seconds: float | None = None) -> Ended:
    """Run something in a fork that dies where it is aimed at, or after so many seconds; tell how it ended."""
    note = Note()

    def watching() -> int:
        for name in CHANGES:
            setattr(os, name, _counted(name, getattr(os, name), lake, note, aim))
        return work()

    return note.read(*_in_child(watching, seconds))


def aims(found: dict[str, int], rng: random.Random) -> list[Aim]:
    """Return one aim in each place that a run comes to, in its order: mostly at the first that it writes there.

    Further in, a run may have come to the next place before, and dies there.
    """
    order = list(found)
    most = {name: max(count // 3, 1) if rng.random() < 0.25 else min(FIRST, count) for name, count in found.items()}
    return [
        Aim(name, rng.randint(1, most[name]), order[number + 1 :], rng.random() < 0.5)
        for number, name in enumerate(order)
    ]


def place(path: str) -> str:
    """Return which part of the lake a path is in: a stage, or a folder or file beside the tables."""
    inside = path.split("/lake/small/")[-1].split("/")
    if inside[0] == "tables" and len(inside) > 1 and inside[1] in TABLES:
        return stage_of(inside[1]).name
    return inside[0] if inside[0] in PLACES else "elsewhere"


def _counted(name: str, change: Callable[..., Any], lake: str, note: Note, aim: Aim | None) -> Callable[..., Any]:
    def counted(*arguments: Any, **named: Any) -> Any:
        path = next((str(a) for a in reversed(arguments) if isinstance(a, str | os.PathLike)), "")
        path = os.readlink(f"/proc/self/fd/{arguments[0]}") if name == "fsync" else path
        if lake not in path:
            return change(*arguments, **named)
        where = place(path)
        count = note.write(where, name)
        is_last = aim is not None and ((where, count) == aim[:2] or where in aim.later)
        if is_last and aim is not None and not aim.is_after:
            os.kill(os.getpid(), signal.SIGKILL)
        try:
            return change(*arguments, **named)
        finally:
            if is_last:
                os.kill(os.getpid(), signal.SIGKILL)

    return counted
