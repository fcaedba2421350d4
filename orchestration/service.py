"""`make up` and `make down`: page and daemon as two processes in the background, their logs in one place."""

import os
import re
import socket
import sys
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from cupel.errors import CupelError, disk_trouble
from cupel.printable import printable
from cupel.store.files import delete_file, open_file, stat_file, turn
from orchestration.background import Background, find, start
from orchestration.dagster_storage import prepare_storage
from orchestration.deployment import REPOSITORY
from orchestration.service_health import SECONDS_OF_SILENCE, Trouble, find_trouble
from orchestration.sizes import tell_sizes

SECONDS_TO_START = 180
SECONDS_BETWEEN_LOOKS = 0.5
LINES_SHOWN = 15
BYTES_SHOWN = 20_000
BROKEN = 1
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def commands(port: int) -> dict[str, list[str]]:
    """Return what is started, by name: the page, on this machine only, and the daemon."""
    workspace = str(REPOSITORY / "workspace.yaml")
    return {
        "page": [
            sys.executable, "-m", "orchestration.dagster_page", "-h", "127.0.0.1", "-p", str(port), "-w", workspace,
        ],
        "daemon": [sys.executable, "-m", "orchestration.dagster_daemon"],
    }  # fmt: skip


def up(home: Path, port: int, console: Console, seconds: float = SECONDS_TO_START) -> int:
    """Start what is not running yet; 0 when page, daemon and code location answer.

    Where one of them does not within so many seconds, say which and why, and stop what was begun.
    """
    with turn(home / "service" / "up.lock"):
        prepare_storage(home, lambda words: console.print(words, style="yellow", markup=False, soft_wrap=True))
        if reason := _why_not_on(home, port):
            console.print(reason, style="red", markup=False)
            return BROKEN
        since = time.time() - (SECONDS_OF_SILENCE if _find_running(home, "daemon") else 0)
        log_sizes = {name: _size(_log(home, name)) for name in commands(port)}
        begun: list[str] = []
        try:
            for name in _begin(home, port, console):
                begun.append(name)
            with console.status("waiting for page, daemon and code location"):
                troubles = _wait(home, port, since, seconds)
            _show(home, troubles, log_sizes, console)
        except BaseException:
            _stop(home, begun, console)
            raise
        if troubles:
            _stop(home, begun, console)
            return BROKEN
    logs = os.path.relpath(home / "service")
    console.print(f"page    http://127.0.0.1:{port}\nlogs    {logs}\nstop    make down", markup=False)
    tell_sizes(home, console)
    return 0


def down(home: Path, console: Console) -> int:
    """Stop page and daemon; runs that are going on are ended, and the next start takes up what they left."""
    for name in ("daemon", "page"):
        is_running = _find_running(home, name) is not None
        count = _end(home, name)
        said = "stopped" if is_running else _describe_remains(count) if count else "does not run"
        console.print(f"{name}: {said}", markup=False)
    return 0


def _why_not_on(home: Path, port: int) -> str | None:
    """Return why the page cannot listen on a port; None if it can, or does so already."""
    page = _find_running(home, "page")
    if page is not None and page.port not in (port, 0):
        return f"The page runs already, on port {page.port}: go on there, or `make down` first"
    if page is None and _is_taken(port):
        return f"Port {port} is taken by another program: end it, or take another one with `make up PORT={port + 1}`"
    return None


def _begin(home: Path, port: int, console: Console) -> Iterator[str]:
    """Start what does not run, and yield its name; what a dead one left is ended: the new one takes up its runs."""
    mark = datetime.now(UTC).isoformat(timespec="seconds")
    for name, command in commands(port).items():
        if _find_running(home, name) is not None:
            console.print(f"{name}: runs already", markup=False)
            continue
        if count := _end(home, name):
            console.print(f"{name}: {_describe_remains(count)}", markup=False)
        start(command, _log(home, name), _file(home, name), mark, port if name == "page" else 0)
        yield name


def _describe_remains(count: int) -> str:
    return f"had died; what it left was ended ({count} {'process' if count == 1 else 'processes'})"


def _wait(home: Path, port: int, since: float, seconds: float) -> list[Trouble]:
    """Return what does not answer in time, or never will; nothing as soon as all do."""
    end = time.monotonic() + seconds
    while True:
        gone = [name for name in ("page", "daemon") if _find_running(home, name) is None]
        if gone:
            return [Trouble(name, "it ended") for name in gone]
        troubles = find_trouble(port, since)
        if not troubles or any(trouble.is_final for trouble in troubles):
            return [trouble for trouble in troubles if trouble.is_final] or troubles
        if time.monotonic() > end:
            return [row._replace(why=f"{row.why}, and {seconds:.0f} s have passed") for row in troubles]
        time.sleep(SECONDS_BETWEEN_LOOKS)


def _show(home: Path, troubles: Iterable[Trouble], log_sizes: dict[str, int], console: Console) -> None:
    for trouble in troubles:
        words = f"The {trouble.part} does not work: {printable(trouble.why)}"
        console.print(words, style="red", markup=False, highlight=False, soft_wrap=True)
        name = trouble.part if trouble.part in log_sizes else "page"  # the page starts the code location
        log = _log(home, name)
        said = _read_end(log, log_sizes[name])
        words = f"{os.path.relpath(log)} ends:\n{said or '(it says nothing)'}"
        console.print(words, markup=False, highlight=False, soft_wrap=True)


def _read_end(log: Path, size_before: int) -> str:
    """Return the last lines that were written to a log since it was so long."""
    with open_file(log) as file:
        length = file.seek(0, os.SEEK_END)
        file.seek(max(size_before, length - BYTES_SHOWN))
        lines = COLOURS.sub("", file.read().decode(errors="replace")).splitlines()
    return printable("\n".join(lines[-LINES_SHOWN:]))


def _stop(home: Path, names: Iterable[str], console: Console) -> None:
    for name in reversed([*names]):
        _end(home, name)
        console.print(f"{name}: stopped", markup=False)


def _end(home: Path, name: str) -> int:
    """End what was started under a name, and what it left; return how many processes there were."""
    found = find(_file(home, name))
    count = 0 if found is None else found.stop()
    delete_file(_file(home, name))
    return count


def _find_running(home: Path, name: str) -> Background | None:
    found = find(_file(home, name))
    return found if found is not None and found.is_running() else None


def _file(home: Path, name: str) -> Path:
    return home / "service" / f"{name}.pid"


def _log(home: Path, name: str) -> Path:
    return home / "service" / f"{name}.log"


def _size(path: Path) -> int:
    stat = stat_file(path)
    return 0 if stat is None else stat.size


def _is_taken(port: int) -> bool:
    with socket.socket() as looking:
        return looking.connect_ex(("127.0.0.1", port)) == 0


def main() -> int:
    """Run `up` or `down`, as the command line says; DAGSTER_HOME and PORT are taken from the environment."""
    home, console = Path(os.environ["DAGSTER_HOME"]), Console()
    try:
        if sys.argv[1:] == ["up"]:
            return up(home, int(os.environ.get("PORT", "3000")), console)
        if sys.argv[1:] == ["down"]:
            return down(home, console)
    except (CupelError, OSError) as error:
        said = disk_trouble(error) if isinstance(error, OSError) else str(error)
        console.print(said, style="red", markup=False)
        return BROKEN
    console.print("usage: python -m orchestration.service up|down", markup=False)
    return 2


if __name__ == "__main__":
    sys.exit(main())
