import os
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from cupel.modalities.image.contents import read_content
from cupel.modalities.image.downloads import DownloadLimits
from cupel.modalities.image.problems import REASONS, ImageProblem, explain_problem
from pictures import encoded, picture

PNG = encoded(picture())
LOCAL = DownloadLimits(hosts=("127.0.0.1",), seconds=5, idle_seconds=2, max_bytes=100_000)


def reason(folder: Path, location: str, limits: DownloadLimits = LOCAL) -> str | None:
    found = read_content(folder, location, limits)
    return found.reason if isinstance(found, ImageProblem) else None


def test_a_file_is_read_by_its_path(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "1.PNG").write_bytes(PNG)
    assert read_content(tmp_path, "a/1.PNG", LOCAL) == PNG
    assert reason(tmp_path, "a/1.png") == "missing_file"


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("", "no_location"), (" ", "no_location"), (".", "no_location"), ("a\nb.png", "no_location"),
        ("a\0.png", "no_location"), ("x" * 5_000, "no_location"),
        ("../secret.png", "outside_folder"), ("a/../../secret.png", "outside_folder"),
        ("/etc/hostname", "outside_folder"),
        ("a\\..\\secret.png", "outside_folder"), ("C:\\secret.png", "outside_folder"),
        ("C:/secret.png", "outside_folder"),
        ("file:///etc/hostname", "bad_address"), ("ftp://127.0.0.1/a.png", "bad_address"),
        ("data:image/png,x", "bad_address"),
        ("http:///a.png", "bad_address"), ("http://u:p@127.0.0.1/a.png", "bad_address"),
        ("http://[::1/a", "bad_address"),
        ("http://127.0.0.1:99999/a", "bad_address"),
        ("nothing.png", "missing_file"), ("y" * 300, "missing_file"), ("1.png/2.png", "missing_file"),
        ("folder", "no_regular_file"), ("pipe", "no_regular_file"), ("empty.png", "empty_file"),
        ("link.png", "is_link"), ("linked/1.png", "is_link"), ("big.png", "too_many_bytes"),
    ],
)  # fmt: skip
def test_what_may_not_or_cannot_be_read_has_its_reason(tmp_path: Path, location: str, expected: str) -> None:
    outside, root = tmp_path / "outside", tmp_path / "delivery"
    for folder in (outside, root / "folder"):
        folder.mkdir(parents=True)
    for path in (tmp_path / "secret.png", outside / "1.png", root / "1.png"):
        path.write_bytes(PNG)
    (root / "link.png").symlink_to(tmp_path / "secret.png")
    (root / "linked").symlink_to(outside)
    (root / "empty.png").touch()
    (root / "big.png").write_bytes(bytes(100_001))
    os.mkfifo(root / "pipe")
    assert reason(root, location) == expected


def test_two_items_may_name_one_file(tmp_path: Path) -> None:
    (tmp_path / "1.png").write_bytes(PNG)
    assert read_content(tmp_path, "1.png", LOCAL) == read_content(tmp_path, "./1.png", LOCAL) == PNG


def test_every_reason_says_what_is_the_case_and_what_to_do() -> None:
    for name, (what, remedy) in REASONS.items():
        assert explain_problem("a.png", ImageProblem(name, "x")) == f"a.png: {what} (x); {remedy}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        return

    def do_GET(self) -> None:
        ways = {
            "/ok": self.ok, "/hang": self.hang, "/drip": self.drip, "/drip-head": self.drip_head, "/big": self.big,
            "/short": self.short,
        }  # fmt: skip
        if self.path in ways:
            ways[self.path]()
        elif self.path.startswith("/to/"):
            self.send_response(302)
            self.send_header("Location", self.path[4:])
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            self.send_error(404)

    def ok(self) -> None:
        self.begin(len(PNG))
        self.wfile.write(PNG)

    def begin(self, size: int) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(size))
        self.end_headers()

    def hang(self) -> None:
        self.server.stopped.wait(30)  # type: ignore[attr-defined]

    def drip(self) -> None:
        self.begin(10_000)
        self.slowly(b"x")

    def drip_head(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\n")
        self.slowly(b"X-More: yes\r\n")

    def slowly(self, piece: bytes) -> None:
        for _ in range(300):
            if self.server.stopped.wait(0.05):  # type: ignore[attr-defined]
                return
            try:
                self.wfile.write(piece)
                self.wfile.flush()
            except OSError:
                return

    def big(self) -> None:
        self.send_response(200)
        self.send_header("Connection", "close")
        self.end_headers()
        try:
            for _ in range(2_000):
                self.wfile.write(bytes(10_000))
        except OSError:
            return

    def short(self) -> None:
        self.begin(len(PNG) + 10)
        self.wfile.write(PNG)
        self.close_connection = True


@pytest.fixture
def server() -> Iterator[str]:
    found = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.daemon_threads = True
    found.stopped = threading.Event()  # type: ignore[attr-defined]
    threading.Thread(target=found.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{found.server_address[1]}"
    found.stopped.set()  # type: ignore[attr-defined]
    found.shutdown()
    found.server_close()


def test_an_image_is_fetched_from_a_host_that_is_allowed(server: str, tmp_path: Path) -> None:
    assert read_content(tmp_path, f"{server}/ok", LOCAL) == PNG
    assert read_content(tmp_path, f"{server}/to//ok", LOCAL) == PNG


def test_without_hosts_the_network_is_not_used(server: str, tmp_path: Path) -> None:
    assert reason(tmp_path, f"{server}/ok", LOCAL._replace(hosts=())) == "network_forbidden"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/nothing", "no_answer"), ("/short", "no_answer"), ("/big", "too_many_bytes"),
        ("/to/file:///etc/hostname", "bad_address"), ("/to/http://localhost/ok", "network_forbidden"),
        ("/to//to//to//to//to//to//to//ok", "no_answer"),
    ],
)  # fmt: skip
def test_what_a_server_may_not_do(server: str, tmp_path: Path, path: str, expected: str) -> None:
    assert reason(tmp_path, server + path) == expected


@pytest.mark.parametrize("path", ["/hang", "/drip", "/drip-head"])
def test_a_server_that_hangs_or_drips_is_left_in_time(server: str, tmp_path: Path, path: str) -> None:
    began = time.monotonic()
    limits = LOCAL._replace(seconds=1.0, idle_seconds=0.5)
    assert reason(tmp_path, server + path, limits) == "too_slow"
    assert time.monotonic() - began < 4


def test_a_server_that_is_not_there_is_no_answer(tmp_path: Path) -> None:
    assert reason(tmp_path, "http://127.0.0.1:9/a.png") == "no_answer"


def test_folders_that_items_name_are_not_left_open(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        assert reason(tmp_path, "folder") == "no_regular_file"
    assert len(os.listdir("/proc/self/fd")) == before
