"""`make up` and `make down`, with programs that stand in for Dagster's: what is said, begun and ended."""

import io
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from dagster_programs import command, free_port
from orchestration import background, service

SECONDS = 1


def is_alive(process: int) -> bool:
    state = Path(f"/proc/{process}/stat")
    return state.exists() and state.read_text().rpartition(")")[2].split()[0] not in "ZX"


class Service:
    """A home, and what was said there."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.home, self.port = folder, folder / "dagster", free_port()
        self.home.mkdir()
        self.tell()
        monkeypatch.setattr(
            service, "commands", lambda port: {what: command(what, folder, port) for what in ("page", "daemon")}
        )
        monkeypatch.setattr(service, "prepare_storage", lambda home, say: None)

    def tell(self, **told: Any) -> None:
        """Say what the stand-ins answer: whether the daemon `beats`, `code` that fails, its `status`."""
        (self.folder / "told.json").write_text(json.dumps(told))

    def up(self, seconds: float = 30, port: int | None = None) -> tuple[int, str]:
        said = io.StringIO()
        return service.up(self.home, port or self.port, Console(file=said, width=200), seconds), said.getvalue()

    def down(self) -> str:
        said = io.StringIO()
        assert service.down(self.home, Console(file=said, width=200)) == 0
        return said.getvalue()

    def process(self, name: str) -> int:
        found = service._find_running(self.home, name)
        return 0 if found is None else found.number

    def kill(self, name: str) -> None:
        process = self.process(name)
        os.kill(process, signal.SIGKILL)
        while is_alive(process):
            time.sleep(0.01)

    def run(self) -> int:
        """The run process that the daemon has started."""
        return int((self.folder / "run").read_text())


@pytest.fixture
def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    found = Service(tmp_path, monkeypatch)
    yield found
    found.down()


def test_up_ends_when_all_answer_and_down_ends_all(started: Service) -> None:
    status, said = started.up()
    assert status == 0, said
    assert f"http://127.0.0.1:{started.port}" in said
    began = [started.process("page"), started.process("daemon"), started.run()]
    assert all(is_alive(process) for process in began)
    assert started.down() == "daemon: stopped\npage: stopped\n"
    assert not any(is_alive(process) for process in began)
    assert started.down() == "daemon: does not run\npage: does not run\n"


def test_a_program_whose_command_line_is_not_there_yet_has_not_ended(
    started: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, count = background._read, itertools.count()

    def late(process: int, file: str) -> bytes:
        return b"" if file == "cmdline" and next(count) < 3 else read(process, file)

    monkeypatch.setattr(background, "_read", late)
    status, said = started.up()
    assert status == 0, said


def test_a_second_up_starts_nothing(started: Service) -> None:
    started.up()
    processes = started.process("page"), started.process("daemon")
    status, said = started.up()
    assert status == 0
    assert "page: runs already\ndaemon: runs already" in said
    assert (started.process("page"), started.process("daemon")) == processes


@pytest.mark.parametrize("name", ["page", "daemon"])
def test_a_program_that_ends_is_named_with_the_end_of_its_log_and_nothing_is_left(started: Service, name: str) -> None:
    (started.folder / f"{name}.fails").touch()
    began = time.monotonic()
    status, said = started.up()
    assert status == 1
    assert time.monotonic() - began < 20
    assert f"The {name} does not work: it ended" in said
    assert f"{name}.log ends:\n{name}: out of luck" in said
    assert "daemon: stopped\npage: stopped" in said
    assert not started.process("page")
    assert not started.process("daemon")


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"beats": False}, "The daemon does not work: no heartbeat of SENSOR; the last one was "),
        ({"status": "LOADING"}, "The code location does not work: orchestration.definitions is not loaded yet"),
    ],
)
def test_what_does_not_answer_in_time_is_named(started: Service, told: dict[str, Any], words: str) -> None:
    started.up()  # so that the page is there, however busy the machine
    started.kill("daemon")
    started.tell(**told)
    status, said = started.up(SECONDS)
    assert status == 1
    assert words in said
    assert ".log ends:" in said
    assert said.endswith("daemon: stopped\n")
    assert not started.process("daemon")


def test_code_that_cannot_be_loaded_is_said_at_once_and_nothing_is_left(started: Service) -> None:
    started.tell(code="small.yaml: key colour")
    began = time.monotonic()
    status, said = started.up()
    assert status == 1
    assert time.monotonic() - began < 20
    assert "The code location does not work: small.yaml: key colour\n" in said
    assert not started.process("page")
    assert not started.process("daemon")


def test_the_log_is_shown_without_colours_and_without_earlier_starts(started: Service) -> None:
    (started.home / "service").mkdir()
    (started.home / "service" / "page.log").write_text("of yesterday\n")
    started.tell(code="no")
    _, said = started.up()
    assert "page.log ends:\nserving\n" in said
    assert "of yesterday" not in said


def test_what_ran_before_goes_on_where_a_start_fails(started: Service) -> None:
    started.up()
    page = started.process("page")
    started.kill("daemon")
    (started.folder / "daemon.fails").touch()
    status, said = started.up()
    assert status == 1
    assert "The daemon does not work" in said
    assert started.process("page") == page
    assert not started.process("daemon")


def test_a_port_that_is_taken_is_said_before_anything_is_begun(started: Service) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", started.port))
        other.listen()
        status, said = started.up()
    assert status == 1
    assert f"Port {started.port} is taken by another program" in said
    assert not started.process("daemon")


def test_a_page_that_runs_on_another_port_is_said(started: Service) -> None:
    started.up()
    status, said = started.up(port=free_port())
    assert status == 1
    assert f"The page runs already, on port {started.port}" in said


def test_down_ends_the_runs_of_a_daemon_that_was_killed(started: Service) -> None:
    started.up()
    started.kill("daemon")
    assert is_alive(started.run())
    assert "daemon: had died; what it left was ended (1 process)" in started.down()
    assert not is_alive(started.run())


def test_the_next_up_ends_them_too(started: Service) -> None:
    started.up()
    left = started.run()
    started.kill("daemon")
    status, said = started.up()
    assert status == 0
    assert "daemon: had died; what it left was ended (1 process)" in said
    assert not is_alive(left)
    assert is_alive(started.run())


def test_a_number_that_others_have_now_is_left_alone(started: Service) -> None:
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
    try:
        (started.home / "service").mkdir()
        (started.home / "service" / "daemon.pid").write_text(f"{other.pid} 2026-01-01T00:00:00+00:00 0\n")
        assert "daemon: does not run" in started.down()
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_a_file_of_an_earlier_version_is_understood(started: Service) -> None:
    started.up()
    for name in ("page", "daemon"):
        (started.home / "service" / f"{name}.pid").write_text(f"{started.process(name)}\n")
    assert started.up()[0] == 0
    assert started.down() == "daemon: stopped\npage: stopped\n"
    assert not is_alive(started.run())
