"""The process of a run: how a run's tag names it, and whether it still runs."""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

from cupel.store.files import read_text

# The page hides tags of this prefix: they are for programs.
PROCESS = ".dagster/cupel/process"
KILLED = "cupel/killed"
_PROCESSES = Path("/proc")
SECONDS_BETWEEN_LOOKS = 0.1


def name_process(number: int) -> str:
    """Return a process's name, which holds also after its number was given to another one."""
    return f"{number} {_started_at(number)} {_boot()}"


def find_process(name: str) -> int | None:
    """Return the number of the process that was named so; None where it has ended."""
    number, started_at, boot = name.split(" ")
    is_same = boot == _boot() and started_at == _started_at(int(number))
    return int(number) if is_same and _is_alive(int(number)) else None


def end_process(name: str, seconds: float) -> None:
    """Wait until a process has ended; kill it where it has not after so many seconds."""
    end = time.monotonic() + seconds
    while (number := find_process(name)) is not None and number != os.getpid():
        if time.monotonic() > end:
            with suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
        time.sleep(SECONDS_BETWEEN_LOOKS)


def _is_alive(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return _words(number)[:1] not in (["Z"], ["X"])


def _started_at(number: int) -> str:
    words = _words(number)
    return words[19] if words else "?"


def _words(number: int) -> list[str]:
    """Return what the system says of a process behind its name, its state first; nothing where it does not."""
    try:
        return read_text(_PROCESSES / str(number) / "stat").rpartition(")")[2].split()
    except OSError:
        return []


def _boot() -> str:
    try:
        return read_text(_PROCESSES / "sys/kernel/random/boot_id").strip()
    except OSError:
        return "?"
