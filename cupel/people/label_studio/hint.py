"""The hint: a labeling tool says that something happened; nothing is read of it but that, the pull is the truth."""

import hmac
import json
import os
import time
from collections.abc import Callable, Collection, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cupel.errors import WorkforceError
from cupel.lake.lake import Lake
from cupel.people.label_studio.record import FOLDER
from cupel.store.store import MissingError

HINT = f"{FOLDER}/hint"
HEADER = "X-Cupel-Token"
SECRET = "CUPEL_WEBHOOK_TOKEN"
FEWEST_CHARACTERS = 16
MOST_BYTES = 1 << 20
SECONDS_FOR_A_CALL = 10.0


def leave(lake: Lake) -> None:
    """Leave a hint in a lake; a later one takes its place."""
    lake.store.put(HINT, f"{time.time_ns()}\n".encode())


def left(lake: Lake) -> str | None:
    """Return what tells the last hint from those before it; None where there was none."""
    try:
        return lake.store.read(HINT).decode("ascii", errors="replace").strip()
    except MissingError:
        return None


def secret(environment: Mapping[str, str] = os.environ) -> str:
    """Return what calls must carry.

    Raises:
        WorkforceError: It is not set, or so short that it can be guessed.
    """
    found = environment.get(SECRET, "").strip()
    if len(found) < FEWEST_CHARACTERS or not (found.isascii() and found.isprintable()):
        raise WorkforceError(
            f"environment variable {SECRET}: holds no secret of {FEWEST_CHARACTERS} characters or more; set it, and "
            f"let the labeling tool send it as the header {HEADER}"
        )
    return found


def receiver(
    address: tuple[str, int], token: str, projects: Collection[str], hint: Callable[[str], object]
) -> ThreadingHTTPServer:
    """Return the server that hears calls; `serve_forever` starts it.

    A call is `POST /<project>` with the token in its header and a JSON object of at most a megabyte. Its content is
    checked for being one and forgotten.

    Args:
        address: Host and port.
        token: What calls must carry.
        projects: Names that may be called for.
        hint: Gets the project's name.
    """

    class Handler(BaseHTTPRequestHandler):
        timeout = SECONDS_FOR_A_CALL

        def do_POST(self) -> None:
            status = self._status()
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.send_header("Connection", "close")
            self.end_headers()
            self.close_connection = True

        def _status(self) -> int:
            if not hmac.compare_digest(self.headers.get(HEADER, "").encode(), token.encode()):
                return 401
            name = self.path.removeprefix("/")
            if name not in projects:
                return 404
            size = self.headers.get("Content-Length", "")
            if not size.isdecimal() or not 0 < int(size) <= MOST_BYTES:
                return 413
            if not isinstance(_content(self.rfile.read(int(size))), dict):
                return 400
            hint(name)
            return 204

        def log_message(self, *_: object) -> None:
            """Say nothing: a request's line is of a stranger's making."""

    server = ThreadingHTTPServer(address, Handler)
    server.daemon_threads = True
    return server


def _content(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None
