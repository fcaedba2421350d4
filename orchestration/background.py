"""Processes in the background: each leads a group of its own, is found again by a file, and ends with its group."""

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

from cupel.store.files import append_to, is_folder, list_folder, put_file, read_file, read_text

SECONDS_TO_STOP = 60
SECONDS_TO_SHOW = 10
SECONDS_BETWEEN_LOOKS = 0.1
MARK = "CUPEL_STARTED"
PROGRAM = b"dagster"
PROCESSES = Path("/proc")


class Background(NamedTuple):
    """A process that was started in the background.

    Args:
        number: Its number, and that of the group of all that it starts.
        mark: What its environment, and that of all that it starts, has in CUPEL_STARTED; "" where that is not known.
        port: Where it listens; 0 for nowhere, or where that is not known.
    """

    number: int
    mark: str = ""
    port: int = 0

    def is_running(self) -> bool:
        """Tell whether the process itself runs, and is the program that was started."""
        return self.number in _living(self.number) and PROGRAM in _read(self.number, "cmdline")

    def members(self) -> list[int]:
        """Return the processes of its group that run, also after it died itself; none if others have the number now."""
        members = _living(self.number)
        mark = f"{MARK}={self.mark}".encode()
        is_ours = self.is_running() or (
            self.mark and any(mark in _read(member, "environ").split(b"\0") for member in members)
        )
        return members if is_ours else []

    def stop(self) -> int:
        """End the group, politely at first; return how many processes there were."""
        count = len(self.members())
        for sign in (signal.SIGTERM, signal.SIGKILL) if count else ():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.number, sign)
            end = time.monotonic() + SECONDS_TO_STOP
            while time.monotonic() < end:
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(self.number, os.WNOHANG)
                if not _living(self.number):
                    return count
                time.sleep(SECONDS_BETWEEN_LOOKS)
        return count


def start(command: list[str], log: Path, file: Path, mark: str, port: int = 0) -> Background:
    """Start a command in the background.

    Args:
        command: The program and its arguments.
        log: Where what it says is added.
        file: Where `find` looks for it.
        mark: Tells this start from others.
        port: Where it listens.
    """
    with append_to(log) as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True,
            env={**os.environ, MARK: mark},
        )  # fmt: skip
    put_file(file, f"{process.pid} {mark} {port}\n".encode())
    started = Background(process.pid, mark, port)
    end = time.monotonic() + SECONDS_TO_SHOW
    # For a moment a new process has no command line: it must not be taken for one that has ended.
    while process.poll() is None and not started.is_running() and time.monotonic() < end:
        time.sleep(SECONDS_BETWEEN_LOOKS / 10)
    return started


def find(file: Path) -> Background | None:
    """Return what was started under a file, whether it still runs or not; None if there is no such file."""
    try:
        words = [*read_text(file).split(), "", ""]
        return Background(int(words[0]), words[1], int(words[2] or 0))
    except (OSError, ValueError):
        return None


def _living(group: int) -> list[int]:
    """Return the processes of a group that are not dead; where the system does not list them, the group's number."""
    if not is_folder(PROCESSES / "self"):
        try:
            os.killpg(group, 0)
        except (ProcessLookupError, PermissionError):
            return []
        return [group]
    found = []
    for folder in list_folder(PROCESSES):
        if folder.name.isdecimal():
            # Behind the command's name in brackets: state, parent, group.
            words = _read(int(folder.name), "stat").rpartition(b")")[2].split()
            if words and int(words[2]) == group and words[0] not in (b"Z", b"X"):
                found.append(int(folder.name))
    return found


def _read(process: int, file: str) -> bytes:
    if not is_folder(PROCESSES / "self"):
        return PROGRAM
    try:
        return read_file(PROCESSES / str(process) / file)
    except OSError:
        return b""
