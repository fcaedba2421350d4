"""The server of the sample, with a program in place of Label Studio."""

import shutil
import socket
import sys
from pathlib import Path

import pytest

from samples.studio_server import StudioError, StudioServer, make_fresh, running, stop

# Answers as Label Studio does: `shell` reads a line, `start --port P` serves.
PROGRAM = f"""#!{sys.executable}
import os, sys
from http.server import BaseHTTPRequestHandler, HTTPServer
if sys.argv[1] == "shell":
    script = sys.stdin.readline().split(chr(39))[1]
    assert "create_user" in open(script).read()
    print("people", "made") if "broken" not in os.environ.get("CUPEL_PEOPLE", "") else print("no such table")
    sys.exit()
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
if os.path.exists(os.environ["LABEL_STUDIO_BASE_DATA_DIR"] + "/broken"):
    sys.exit("the database is broken")
HTTPServer(("127.0.0.1", int(sys.argv[sys.argv.index("--port") + 1])), Handler).serve_forever()
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "label-studio"
    path.write_text(PROGRAM)
    path.chmod(0o755)
    return path


@pytest.fixture
def fresh(tmp_path: Path, program: Path) -> Path:
    make_fresh(tmp_path / "fresh", program, ["admin", "ann"])
    return tmp_path / "fresh"


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def test_people_are_made_once_and_only_their_owner_reads_the_passwords(fresh: Path, program: Path) -> None:
    before = (fresh / "people.json").read_text()
    make_fresh(fresh, program, ["admin", "ann"])
    assert (fresh / "people.json").read_text() == before
    assert (fresh / "people.json").stat().st_mode & 0o077 == 0
    assert sorted(path.name for path in fresh.iterdir()) == ["data", "people.json"]
    people = StudioServer(fresh, program, 1).people
    assert list(people) == ["admin", "ann"]
    assert len({person.password for person in people.values()} | {person.token for person in people.values()}) == 4


def test_a_database_that_cannot_be_made_leaves_nothing_behind_and_says_what_was_said(
    tmp_path: Path, program: Path
) -> None:
    with pytest.raises(StudioError, match="no such table"):
        make_fresh(tmp_path / "fresh", program, ["broken"])
    with pytest.raises(StudioError, match="cannot be run"):
        make_fresh(tmp_path / "fresh", tmp_path / "nothing", ["admin"])
    assert [path.name for path in tmp_path.iterdir()] == ["label-studio"]


def test_starting_twice_is_starting_once_and_so_is_stopping(fresh: Path, program: Path) -> None:
    server = StudioServer(fresh, program, free_port())
    assert server.start()
    try:
        assert not server.start()
        found = running(fresh)
        assert found is not None
        assert found.port == server.port
        with pytest.raises(StudioError, match=f"runs already, on port {server.port}"):
            StudioServer(fresh, program, free_port()).start()
    finally:
        assert stop(fresh)
    assert not server.answers()
    assert not stop(fresh)


def test_a_port_that_is_taken_is_told(fresh: Path, program: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(StudioError, match="taken by another program"):
            StudioServer(fresh, program, other.getsockname()[1]).start()
    assert running(fresh) is None


def test_a_server_that_does_not_start_tells_its_log_and_what_that_says(fresh: Path, program: Path) -> None:
    (fresh / "data" / "broken").touch()
    with pytest.raises(StudioError, match=r"server\.log ends:\nthe database is broken"):
        StudioServer(fresh, program, free_port()).start()
    assert running(fresh) is None


def test_a_copy_is_a_server_of_its_own(fresh: Path, program: Path, tmp_path: Path) -> None:
    shutil.copytree(fresh, tmp_path / "copy")
    one, other = StudioServer(fresh, program, free_port()), StudioServer(tmp_path / "copy", program, free_port())
    try:
        assert one.start()
        assert other.start()
        assert stop(one.folder)
        assert other.answers()
    finally:
        stop(one.folder)
        stop(other.folder)
