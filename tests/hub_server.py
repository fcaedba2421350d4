"""A hub of data sets in memory: so much of the Hugging Face Hub's protocol as a push, a look and a load need.

Repositories are created, files go in by the commit API, large ones by Git LFS, each commit is a revision of its own,
and files are read back by revision. Whoever is not the owner of a private one is told that it is not there.
"""

import base64
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

TOKEN = "hf_made_up"


class Hub(ThreadingHTTPServer):
    """The hub: repositories by name, each with its commits, and the contents of large files by hash."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.commits: dict[str, list[dict[str, bytes]]] = {}
        self.is_private: dict[str, bool] = {}
        self.large: dict[str, bytes] = {}
        self.messages: list[str] = []
        self.asked: list[str] = []
        self.refuses_commits = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def revision(self, name: str) -> str:
        """Return the name of the last commit."""
        return _sha1(f"{name} {len(self.commits[name])}".encode())


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Hub

    def log_message(self, format: str, *args: Any) -> None:
        """Be silent."""

    def _answer(self, body: Any = None, status: int = 200, **headers: str) -> None:
        content = body if isinstance(body, bytes) else json.dumps({} if body is None else body).encode()
        self.send_response(status)
        headers.setdefault("Content-Type", "application/json")
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _refuse(self, status: int, why: str, code: str = "") -> None:
        self._answer({"error": why}, status, **({"X-Error-Code": code} if code else {}), X_Error_Message=why)

    def _read(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _serve(self) -> None:
        body = self._read()
        path = unquote(urlsplit(self.path).path)
        self.server.asked.append(f"{self.command} {path}")
        for method, pattern, act in _ROUTES:
            if self.command in method.split() and (found := re.fullmatch(pattern, path)):
                act(self, body, **found.groupdict())
                return
        self._refuse(404, f"no such address: {self.command} {path}")

    do_GET = do_HEAD = do_POST = do_PUT = _serve  # noqa: N815

    @property
    def _is_owner(self) -> bool:
        return self.headers.get("Authorization") == f"Bearer {TOKEN}"

    def _is_there(self, name: str) -> bool:
        hub = self.server
        if name in hub.commits and (self._is_owner or not hub.is_private[name]):
            return True
        self._refuse(404, "Repository Not Found", "RepoNotFound")
        return False

    def whoami(self, body: bytes) -> None:
        if self._is_owner:
            self._answer({"name": "owner", "type": "user", "auth": {"accessToken": {"role": "write"}}})
        else:
            self._refuse(401, "Invalid user token")

    def create(self, body: bytes) -> None:
        if not self._is_owner:
            return self._refuse(401, "Invalid user token")
        asked = json.loads(body)
        name = f"{asked['organization']}/{asked['name']}" if asked.get("organization") else asked["name"]
        assert asked["type"] == "dataset", asked
        is_new = name not in self.server.commits
        if is_new:
            self.server.commits[name] = [{".gitattributes": b"*.parquet filter=lfs\n"}]
            self.server.is_private[name] = bool(asked.get("private", asked.get("visibility") == "private"))
        self._answer({"url": f"{self.server.url}/datasets/{name}", "name": name}, 200 if is_new else 409)
        return None

    def validate(self, body: bytes) -> None:
        assert json.loads(body)["repoType"] == "dataset"
        self._answer({"errors": [], "warnings": []})

    def preupload(self, body: bytes, name: str, revision: str) -> None:
        if self._is_there(name):
            there = self.server.commits[name][-1]
            self._answer({"files": [
                {"path": file["path"], "shouldIgnore": False, "oid": _known(file["path"], there),
                 "uploadMode": "lfs" if file["path"].endswith(".parquet") else "regular"}
                for file in json.loads(body)["files"]
            ]})  # fmt: skip

    def batch(self, body: bytes, name: str) -> None:
        asked = json.loads(body)
        objects = []
        for one in asked["objects"]:
            href = f"{self.server.url}/large/{one['oid']}"
            actions = {} if one["oid"] in self.server.large else {"upload": {"href": href, "header": {}}}
            objects.append({"oid": one["oid"], "size": one["size"], **({"actions": actions} if actions else {})})
        self._answer({"transfer": "basic", "objects": objects})

    def put_large(self, body: bytes, oid: str) -> None:
        if hashlib.sha256(body).hexdigest() != oid:
            self._refuse(400, "not the content that was announced")
        else:
            self.server.large[oid] = body
            self._answer()

    def commit(self, body: bytes, name: str, revision: str) -> None:
        if not self._is_owner or self.server.refuses_commits:
            return self._refuse(403, "Forbidden: this token may not write")
        files = dict(self.server.commits[name][-1])
        for line in map(json.loads, body.splitlines()):
            value = line["value"]
            if line["key"] == "header":
                self.server.messages.append(value["summary"])
            elif line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                files[value["path"]] = self.server.large[value["oid"]]
            else:
                return self._refuse(400, f"no such operation here: {line['key']}")
        self.server.commits[name].append(files)
        oid = self.server.revision(name)
        self._answer(
            {"success": True, "commitOid": oid, "commitUrl": f"{self.server.url}/datasets/{name}/commit/{oid}"}
        )
        return None

    def about(self, body: bytes, name: str, revision: str | None = None) -> None:
        if self._is_there(name):
            files = self.server.commits[name][-1]
            self._answer({
                "id": name, "sha": self.server.revision(name), "private": self.server.is_private[name], "tags": [],
                "downloads": 0, "likes": 0, "siblings": [{"rfilename": path} for path in sorted(files)],
            })  # fmt: skip

    def tree(self, body: bytes, name: str, revision: str, folder: str | None = None) -> None:
        if not self._is_there(name):
            return
        files = self.server.commits[name][-1]
        inside = {path: content for path, content in files.items() if path.startswith(f"{folder}/") or not folder}
        folders = {parts[0] for path in inside if len(parts := path.split("/")) > 1 and not folder}
        is_deep = "recursive=true" in self.path.lower()
        found: list[dict[str, Any]] = [
            {"type": "directory", "oid": "0" * 40, "size": 0, "path": one} for one in folders
        ]
        found += [
            _entry(path, content) for path, content in sorted(inside.items()) if is_deep or folder or "/" not in path
        ]
        if found or not folder:
            self._answer(found)
        else:
            self._refuse(404, "Entry not found", "EntryNotFound")

    def paths(self, body: bytes, name: str, revision: str) -> None:
        if self._is_there(name):
            files = self.server.commits[name][-1]
            asked = json.loads(body)["paths"] if body.startswith(b"{") else []
            self._answer([_entry(path, files[path]) for path in asked if path in files])

    def resolve(self, body: bytes, name: str, revision: str, path: str) -> None:
        if not self._is_there(name):
            return None
        content = self.server.commits[name][-1].get(path)
        if content is None:
            return self._refuse(404, "Entry not found", "EntryNotFound")
        status, headers = 200, {"ETag": f'"{_etag(path, content)}"', "X-Repo-Commit": self.server.revision(name)}
        if (wanted := self.headers.get("Range")) and self.command == "GET":
            first, _, last = wanted.removeprefix("bytes=").partition("-")
            part = content[int(first) : int(last) + 1 if last else None]
            headers["Content-Range"] = f"bytes {first}-{int(first) + len(part) - 1}/{len(content)}"
            status, content = 206, part
        self._answer(content, status, Content_Type="application/octet-stream", Accept_Ranges="bytes", **headers)
        return None


def _sha1(content: bytes) -> str:
    return hashlib.sha1(content).hexdigest()


def _git_id(content: bytes | None) -> str | None:
    return None if content is None else _sha1(b"blob %d\0" % len(content) + content)


def _known(path: str, there: dict[str, bytes]) -> str | None:
    """Return what the hub knows a file by: a large one by its hash, another by that of its Git blob."""
    return _etag(path, there[path]) if path in there else None


def _entry(path: str, content: bytes) -> dict[str, Any]:
    about: dict[str, Any] = {"type": "file", "path": path, "size": len(content), "oid": _git_id(content)}
    if path.endswith(".parquet"):
        about["lfs"] = {"oid": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 100}
    return about


def _etag(path: str, content: bytes) -> str:
    return hashlib.sha256(content).hexdigest() if path.endswith(".parquet") else str(_git_id(content))


_NAME = r"(?P<name>[^/]+/[^/]+)"
_ROUTES = (
    ("GET", "/api/whoami-v2", _Handler.whoami),
    ("POST", "/api/repos/create", _Handler.create),
    ("POST", "/api/validate-yaml", _Handler.validate),
    ("POST", rf"/api/datasets/{_NAME}/preupload/(?P<revision>[^/]+)", _Handler.preupload),
    ("POST", rf"/datasets/{_NAME}\.git/info/lfs/objects/batch", _Handler.batch),
    ("PUT", r"/large/(?P<oid>[0-9a-f]{64})", _Handler.put_large),
    ("POST", rf"/api/datasets/{_NAME}/commit/(?P<revision>[^/]+)", _Handler.commit),
    ("GET", rf"/api/datasets/{_NAME}", _Handler.about),
    ("GET", rf"/api/datasets/{_NAME}/revision/(?P<revision>[^/]+)", _Handler.about),
    ("GET", rf"/api/datasets/{_NAME}/tree/(?P<revision>[^/]+)(?:/(?P<folder>.+))?", _Handler.tree),
    ("POST", rf"/api/datasets/{_NAME}/paths-info/(?P<revision>[^/]+)", _Handler.paths),
    ("GET HEAD", rf"/datasets/{_NAME}/resolve/(?P<revision>[^/]+)/(?P<path>.+)", _Handler.resolve),
)


@contextmanager
def running_hub() -> Iterator[Hub]:
    """Run a hub while the block lasts."""
    hub = Hub()
    threading.Thread(target=hub.serve_forever, daemon=True).start()
    try:
        yield hub
    finally:
        hub.shutdown()
        hub.server_close()
