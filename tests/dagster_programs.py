"""Stand-ins for Dagster's page and daemon: they start in a moment, and answer as they are told."""

import json
import signal
import socket
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def command(what: str, folder: Path, port: int) -> list[str]:
    """Return how a stand-in is started; `folder` holds what it is told, and gets what it says."""
    # Dagster's programs are known by their name.
    return [sys.executable, __file__, "dagster", what, str(folder), str(port)]


def answer(folder: Path) -> dict[str, Any]:
    """Return what the page says of itself, the daemon and the code location."""
    beat, told = folder / "beat", json.loads((folder / "told.json").read_text())
    last = float(beat.read_text()) if beat.exists() else None
    row = {"daemonType": "SENSOR", "required": True, "lastHeartbeatTime": last}
    code = {"__typename": "RepositoryLocation"}
    if told.get("code"):
        causes = [{"className": "ProjectError", "message": told["code"]}]
        code = {"__typename": "PythonError", "message": "it cannot be loaded", "causes": causes}
    entry = {
        "name": "orchestration.definitions", "loadStatus": told.get("status", "LOADED"), "locationOrLoadError": code
    }  # fmt: skip
    workspace = {"__typename": "Workspace", "locationEntries": [entry]}
    return {"data": {"instance": {"daemonHealth": {"allDaemonStatuses": [row]}}, "workspaceOrError": workspace}}


def show_page(folder: Path, port: int) -> None:
    class Page(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = json.dumps(answer(folder)).encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(content)

    print("\x1b[32mserving\x1b[0m", flush=True)
    ThreadingHTTPServer(("127.0.0.1", port), Page).serve_forever()


def run_daemon(folder: Path) -> None:
    told = json.loads((folder / "told.json").read_text())
    run = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    (folder / "run").write_text(str(run.pid))
    while True:
        if told.get("beats", True):
            (folder / "beat.new").write_text(str(time.time()))
            (folder / "beat.new").rename(folder / "beat")
        time.sleep(0.1)


if __name__ == "__main__":
    _, _, what, place, number = sys.argv
    if (Path(place) / f"{what}.fails").exists():
        print(f"{what}: out of luck", flush=True)
        sys.exit(3)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    show_page(Path(place), int(number)) if what == "page" else run_daemon(Path(place))
