"""A server on this machine that speaks OpenAI's chat protocol, and misbehaves on demand."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class Said(NamedTuple):
    """What the server answers: status, body, headers; it waits before, and drips if `drip` is set."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = {}
    wait_seconds: float = 0.0
    drip: bool = False


class Heard(NamedTuple):
    """One request: its path, headers and body, and when it came."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    at: float


Behaviour = Callable[[int, str], Said]


def reply(content: str | None, logprobs: object = None, tokens: tuple[int, int] | None = (10, 1)) -> Said:
    """Return a whole reply; NaN as a log-probability is written as such, which is no JSON but is met."""
    choice: dict[str, Any] = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": "stop"}
    if logprobs is not None:
        choice["logprobs"] = {"content": [{"token": "x", "logprob": value} for value in logprobs]}  # type: ignore[attr-defined]
    whole: dict[str, Any] = {"id": "1", "object": "chat.completion", "model": "tiny", "choices": [choice]}
    if tokens is not None:
        whole["usage"] = {"prompt_tokens": tokens[0], "completion_tokens": tokens[1]}
    return Said(body=json.dumps(whole).encode())


class ChatServer:
    """The server; `behaviour` is given the number of the request (the first is 1) and its prompt."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        self.heard: list[Heard] = []
        self.under_way = self.most_under_way = 0
        self.lock = threading.Lock()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"

    def prompts(self) -> list[str]:
        return [str(one.body["messages"][0]["content"]) for one in self.heard]


@contextmanager
def served(behaviour: Behaviour) -> Iterator[ChatServer]:
    server = ChatServer(behaviour)
    thread = threading.Thread(target=server.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.server.shutdown()
        server.server.server_close()


def _handler(server: ChatServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with server.lock:
                server.heard.append(Heard(self.path, dict(self.headers), body, time.monotonic()))
                number = len(server.heard)
                server.under_way += 1
                server.most_under_way = max(server.most_under_way, server.under_way)
            try:
                said = server.behaviour(number, body["messages"][0]["content"])
                time.sleep(said.wait_seconds)
            finally:
                with server.lock:  # before it answers: who has the answer may ask again at once
                    server.under_way -= 1
            self._say(said)

        def _say(self, said: Said) -> None:
            try:
                self.send_response(said.status)
                for name, value in ({"Content-Length": str(len(said.body))} | said.headers).items():
                    self.send_header(name, value)
                self.end_headers()
                for place in range(len(said.body)) if said.drip else []:
                    self.wfile.write(said.body[place : place + 1])
                    self.wfile.flush()
                    time.sleep(0.02)
                if not said.drip:
                    self.wfile.write(said.body)
            except OSError:
                pass  # the client has gone

        def log_message(self, *_: object) -> None:
            pass

    return Handler
