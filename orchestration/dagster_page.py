"""The page: Dagster's own, and beside it what the lake holds for people: verdicts, reports, plots and Data Docs.

Dagster's web server is started with its own command line, so all of its options hold. What is added is read-only: named
kinds of files in three folders of a project's lake, by names without dots before or between slashes, and an overview,
which is the first page that somebody sees.
"""

import asyncio
import re
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from importlib import import_module
from typing import Any, NamedTuple, TypeAlias

from assets.page_links import DATA_DOCS, MOUNT, PLOTS, REPORTS
from cupel.errors import CupelError
from cupel.lake.lake import Lake
from orchestration.dagster_internals import run_webserver
from orchestration.deployment import Deployment

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

TYPES = {
    "html": "text/html; charset=utf-8", "css": "text/css; charset=utf-8", "svg": "image/svg+xml", "png": "image/png",
    "csv": "text/csv; charset=utf-8", "json": "application/json",
}  # fmt: skip
# What it reads tables with takes seconds to load; the page does not wait for it to be there.
OVERVIEW = "orchestration.lake_overview"
_WORD = "[A-Za-z0-9_][A-Za-z0-9_.-]*"
_NAME = re.compile(
    f"{MOUNT}/([a-z0-9][a-z0-9_-]*)/((?:{REPORTS}|{PLOTS}|{DATA_DOCS})/(?:{_WORD}/)*{_WORD}[.]({'|'.join(TYPES)}))"
)
# A report stands alone: no script runs, nothing is loaded from elsewhere, and no other site shows it in a frame.
HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",
    "cross-origin-resource-policy": "same-origin",
}


class PageAnswer(NamedTuple):
    """What is answered to a request: its status, the content with its type, and where it is instead, if so."""

    status: int
    content: bytes
    type: str = "text/plain; charset=utf-8"
    place: str | None = None


def serve_lake(app: App, deployment: Deployment) -> App:
    """Return an application that answers `/` and what lies under `/cupel` itself and hands on all else.

    Args:
        app: Dagster's.
        deployment: Where projects and lake are.
    """

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        is_ours = scope["type"] == "http" and (scope["path"] == "/" or f"{scope['path']}/".startswith(f"{MOUNT}/"))
        if not is_ours:
            await app(scope, receive, send)
            return
        answer = await asyncio.to_thread(answer_request, deployment, scope["method"], scope["path"])
        headers = {**HEADERS, "content-type": answer.type, "content-length": str(len(answer.content))}
        headers |= {} if answer.place is None else {"location": answer.place}
        pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": answer.status, "headers": pairs})
        body = b"" if scope["method"] == "HEAD" else answer.content
        await send({"type": "http.response.body", "body": body})

    return serve


def answer_request(deployment: Deployment, method: str, path: str) -> PageAnswer:
    """Return the overview or a file of the lake, or why there is none.

    Args:
        deployment: Where projects and lake are.
        method: GET or HEAD; nothing can be changed.
        path: The request's, its percent signs resolved.
    """
    if method not in ("GET", "HEAD"):
        return PageAnswer(405, b"Only GET and HEAD: nothing can be changed here.\n")
    if path == "/":
        return PageAnswer(307, b"", place=MOUNT)
    if path in (MOUNT, f"{MOUNT}/"):
        return PageAnswer(200, import_module(OVERVIEW).render_lake_overview(deployment), TYPES["html"])
    found = _NAME.fullmatch(path)
    if found is None:
        return PageAnswer(404, b"Only reports, plots and Data Docs of a project are shown here.\n")
    project, name, ending = found.groups()
    missing = PageAnswer(404, f"{project}: {name} is not there; it may not have been made yet.\n".encode())
    try:
        content = Lake(deployment.lake, project)
        # A link in the lake may lead out of it.
        if not (content.folder / name).resolve().is_relative_to(content.folder.resolve()):
            return missing
        return PageAnswer(200, content.store.read(name), TYPES[ending])
    except (CupelError, OSError):
        return missing


def main() -> None:
    """Run Dagster's web server with the lake's pages beside its own."""
    deployment = Deployment.from_environment()

    def wrap(app: App) -> App:
        threading.Thread(target=import_module, args=(OVERVIEW,), daemon=True).start()
        return serve_lake(app, deployment)

    run_webserver(wrap)


if __name__ == "__main__":
    main()
