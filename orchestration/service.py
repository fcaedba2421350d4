"""`make up` and `make down`: page and daemon as two processes in the background, their logs in one place."""

import contextlib
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from orchestration.dagster_storage import prepare_storage
from orchestration.deployment import REPOSITORY

SECONDS_TO_START = 120
SECONDS_TO_STOP = 60
SECONDS_BETWEEN_LOOKS = 0.5


def commands(port: int) -> dict[str, list[str]]:
    """Return what is started, by name: the page, on this machine only, and the daemon."""
    tools, workspace = Path(sys.executable).parent, str(REPOSITORY / "workspace.yaml")
    return {
        "page": [str(tools / "dagster-webserver"), "-h", "127.0.0.1", "-p", str(port), "-w", workspace],
        "daemon": [str(tools / "dagster-daemon"), "run", "-w", workspace],
    }


def up(home: Path, port: int, console: Console) -> int:
    """Start what is not running yet, and wait for the page to answer; 0 when it does."""
    logs = home / "service"
    logs.mkdir(parents=True, exist_ok=True)
    prepare_storage(home, lambda words: console.print(words, style="yellow", markup=False))
    started = datetime.now(UTC).isoformat(timespec="seconds")
    for name, command in commands(port).items():
        if running(home, name) is not None:
            console.print(f"{name}: runs already", markup=False)
            continue
        with (logs / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True,
                env={**os.environ, "CUPEL_STARTED": started},
            )  # fmt: skip
        (home / "service" / f"{name}.pid").write_text(f"{process.pid}\n", encoding="utf-8")
    with console.status("waiting for the page"):
        is_up = _answers(f"http://127.0.0.1:{port}/server_info", home)
    if not is_up:
        console.print(f"The page does not answer; read {logs}/page.log", style="red", markup=False)
        return 1
    console.print(f"page    http://127.0.0.1:{port}\nlogs    {os.path.relpath(logs)}\nstop    make down", markup=False)
    return 0


def down(home: Path, console: Console) -> int:
    """Stop page and daemon; runs that are going on are ended, and the next start takes up what they left."""
    for name in ("daemon", "page"):
        process = running(home, name)
        if process is None:
            console.print(f"{name}: does not run", markup=False)
        else:
            _stop(process)
            console.print(f"{name}: stopped", markup=False)
        (home / "service" / f"{name}.pid").unlink(missing_ok=True)
    return 0


def running(home: Path, name: str) -> int | None:
    """Return the process that was started under a name, if it is still that program; None if it is not running."""
    path = home / "service" / f"{name}.pid"
    try:
        process = int(path.read_text(encoding="utf-8"))
        words = Path(f"/proc/{process}/cmdline").read_bytes() if Path("/proc/self").exists() else b"dagster"
        os.kill(process, 0)
    except (OSError, ValueError):
        return None
    return process if b"dagster" in words else None  # another program may have got the number since


def _answers(url: str, home: Path) -> bool:
    end = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < end and running(home, "page") is not None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return True
        except (urllib.error.URLError, OSError):
            time.sleep(SECONDS_BETWEEN_LOOKS)
    return False


def _stop(process: int) -> None:
    """End a process and all that it started: it leads a session of its own."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process, sign)
        except ProcessLookupError:
            return
        end = time.monotonic() + SECONDS_TO_STOP
        while time.monotonic() < end:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(process, os.WNOHANG)
            try:
                os.killpg(process, 0)
            except ProcessLookupError:
                return
            time.sleep(SECONDS_BETWEEN_LOOKS)


def main() -> int:
    """Run `up` or `down`, as the command line says; DAGSTER_HOME and PORT are taken from the environment."""
    home, console = Path(os.environ["DAGSTER_HOME"]), Console()
    if sys.argv[1:] == ["up"]:
        return up(home, int(os.environ.get("PORT", "3000")), console)
    if sys.argv[1:] == ["down"]:
        return down(home, console)
    console.print("usage: python -m orchestration.service up|down", markup=False)
    return 2


if __name__ == "__main__":
    sys.exit(main())
