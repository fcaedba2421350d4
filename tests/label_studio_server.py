"""A server on this machine that speaks the part of Label Studio's API that Cupel uses, and misbehaves on demand."""

import json
import operator
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

LEGACY = "0123456789abcdef0123456789abcdef01234567"
PERSONAL = "header.personal.signature"


class Heard(NamedTuple):
    """One request."""

    method: str
    path: str
    query: dict[str, str]
    body: Any


class Wrong(NamedTuple):
    """What goes wrong with one request: before it is obeyed (`is_obeyed` false) or only in its reply."""

    status: int = 500
    body: bytes | None = b"oops"
    is_obeyed: bool = False
    wait_seconds: float = 0.0


Misbehaviour = Callable[[Heard], Wrong | None]


class LabelStudioServer:
    """The server: projects, tasks and annotations in memory; its clock runs by `skew` off ours."""

    def __init__(self) -> None:
        self.projects: dict[int, dict[str, Any]] = {}
        self.tasks: dict[int, dict[str, Any]] = {}
        self.users = {1: "admin@x.org", 2: "ann@x.org", 3: "bob@x.org", 4: "cy@x.org", 5: "eve@x.org"}
        self.heard: list[Heard] = []
        self.misbehaviour: Misbehaviour = lambda heard: None
        self.tokens = {f"Token {LEGACY}"}
        self.access = 0
        self.skew = timedelta(0)
        self.lock = threading.RLock()
        self.last_id = 0
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def now(self) -> str:
        return (datetime.now(UTC) + self.skew).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def project(self, group: str) -> dict[str, Any]:
        """Return the only project whose title ends with a group's name."""
        (found,) = (one for one in self.projects.values() if one["title"].endswith(group))
        return found

    def shown(self, group: str) -> list[dict[str, Any]]:
        """Return a group's tasks that are still put to people."""
        project = self.project(group)["id"]
        return [task for task in self.tasks.values() if task["project"] == project and not task["is_labeled"]]

    def annotate(self, task: dict[str, Any], email: str, label: object, seconds: float = 3.5, **more: Any) -> int:
        """Annotate as a person would in the browser; None skips."""
        with self.lock:
            who = next(number for number, address in self.users.items() if address == email)
            now = self.now()
            result = [{"from_name": "label", "to_name": "text", "type": "choices", "value": {"choices": [label]}}]
            note = {
                "id": self._id(), "completed_by": who, "result": [] if label is None else result,
                "was_cancelled": label is None, "lead_time": seconds, "created_at": now, "updated_at": now,
                "ground_truth": False,
            } | more  # fmt: skip
            task["annotations"].append(note)
            self._touch(task)
            return int(note["id"])

    def edit(self, annotation_id: int, label: object) -> None:
        for task in self.tasks.values():
            for note in task["annotations"]:
                if note["id"] == annotation_id:
                    note["result"][0]["value"]["choices"] = [label]
                    note["updated_at"] = self.now()
                    self._touch(task)

    def rewrite(self, task: dict[str, Any], **data: str) -> None:
        """Change what a task shows, as anybody may through the API."""
        task["data"] = {**task["data"], **data}
        task["updated_at"] = self.now()

    def delete(self, email: str) -> int:
        """Delete all of a person's annotations, as any annotator may."""
        gone = 0
        for task in self.tasks.values():
            kept = [note for note in task["annotations"] if self.users[note["completed_by"]] != email]
            gone += len(task["annotations"]) - len(kept)
            task["annotations"][:] = kept
        return gone

    def _touch(self, task: dict[str, Any]) -> None:
        task["updated_at"] = self.now()
        people = {note["completed_by"] for note in task["annotations"] if not note["was_cancelled"]}
        task["is_labeled"] = len(people) >= task["overlap"]

    def _id(self) -> int:
        self.last_id += 1
        return self.last_id

    def obey(self, heard: Heard) -> tuple[int, Any]:
        with self.lock:
            return self._obey(heard)

    def _obey(self, heard: Heard) -> tuple[int, Any]:
        match [heard.method, *heard.path.strip("/").split("/")[1:]]:
            case ["GET", "users"]:
                return 200, [{"id": number, "email": address} for number, address in self.users.items()]
            case ["POST", "projects"]:
                project = {"id": self._id(), **heard.body}
                self.projects[project["id"]] = project
                return 201, project
            case ["GET", "projects"]:
                return 200, {"count": len(self.projects), "results": list(self.projects.values())}
            case ["GET" | "PATCH", "projects", number] if int(number) in self.projects:
                self.projects[int(number)].update(heard.body or {})
                return 200, self.projects[int(number)]
            case ["POST", "projects", number, "import"] if int(number) in self.projects:
                return 201, {"task_ids": [self._new_task(int(number), one) for one in heard.body]}
            case ["PATCH", "tasks", number] if int(number) in self.tasks:
                self.tasks[int(number)].update(heard.body, updated_at=self.now())
                return 200, self.tasks[int(number)]
            case ["GET", "tasks"] if int(heard.query["project"]) in self.projects:
                return 200, self._listed(heard.query)
        return 404, {"detail": "Not found."}

    def _new_task(self, project: int, imported: dict[str, Any]) -> int:
        number = self._id()
        self.tasks[number] = {
            "id": number, "project": project, "data": imported["data"], "annotations": [], "is_labeled": False,
            "overlap": self.projects[project]["maximum_annotations"], "updated_at": self.now(),
            "predictions": imported.get("predictions", []),
        }  # fmt: skip
        return number

    def _listed(self, query: dict[str, str]) -> dict[str, Any]:
        found = [task for task in self.tasks.values() if task["project"] == int(query["project"])]
        for item in json.loads(query["query"])["filters"]["items"]:
            name = item["filter"].removeprefix("filter:tasks:")
            holds = {"greater": operator.gt, "less_or_equal": operator.le}[item["operator"]]
            found = [task for task in found if holds(task[name], item["value"])]
        found.sort(key=lambda task: task["id"])
        answers = sum(not note["was_cancelled"] for task in found for note in task["annotations"])
        return {"total": len(found), "total_annotations": answers, "tasks": found[: int(query["page_size"])]}


@contextmanager
def served() -> Iterator[LabelStudioServer]:
    server = LabelStudioServer()
    thread = threading.Thread(target=server.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.server.shutdown()
        server.server.server_close()


def times(count: int, method: str, path: str, wrong: Wrong) -> Misbehaviour:
    """Return a misbehaviour that goes wrong for the first so many requests to a path, and then no more."""
    left = [count]

    def misbehave(heard: Heard) -> Wrong | None:
        if left[0] and heard.method == method and re.fullmatch(path, heard.path):
            left[0] -= 1
            return wrong
        return None

    return misbehave


def _handler(server: LabelStudioServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _handle(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            raw = self.rfile.read(length)
            parts = urlsplit(self.path)
            body = json.loads(raw) if raw else None
            heard = Heard(self.command, parts.path, dict(parse_qsl(parts.query)), body)
            if heard.path == "/api/token/refresh/":
                return self._refresh(heard)
            if self.headers.get("Authorization") not in server.tokens:
                return self._say(401, json.dumps({"detail": "Invalid token."}).encode())
            server.heard.append(heard)
            wrong = server.misbehaviour(heard)
            if wrong is None:
                status, content = server.obey(heard)
                return self._say(status, json.dumps(content).encode())
            whole = json.dumps(server.obey(heard)[1]).encode() if wrong.is_obeyed else b""
            time.sleep(wrong.wait_seconds)
            return self._say(wrong.status, whole[: len(whole) // 2] if wrong.body is None else wrong.body)

        do_GET = do_POST = do_PATCH = _handle  # noqa: N815

        def _refresh(self, heard: Heard) -> None:
            if heard.body != {"refresh": PERSONAL}:
                return self._say(401, b'{"detail": "Token is invalid"}')
            server.access += 1
            server.tokens = {f"Bearer access-{server.access}"}
            return self._say(200, json.dumps({"access": f"access-{server.access}"}).encode())

        def _say(self, status: int, content: bytes) -> None:
            try:
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
            except OSError:
                pass  # the client has gone

        def log_message(self, *_: object) -> None:
            pass

    return Handler
