"""The client: one request to a Label Studio server, put until it is answered, refused or given up."""

import json
import os
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import httpx

from cupel.config.label_studio import LabelStudio
from cupel.errors import WorkforceError

MAX_REPLY_BYTES = 1 << 28
SHOWN_CHARACTERS = 200
# Waiting between tries doubles from the first to the last of these.
FIRST_WAIT_SECONDS = 1.0
LAST_WAIT_SECONDS = 30.0
AGAIN = frozenset({408, 425, 429})


class InDoubtError(WorkforceError):
    """A request that may or may not have been obeyed: the server has to be looked at."""


class MissingError(WorkforceError):
    """What was asked for is not on the server (any more)."""


class Reply(NamedTuple):
    """What came of one try: status and content, or what is wrong; `is_sent` where the server may have obeyed."""

    status: int
    content: Any
    problem: str | None = None
    is_sent: bool = True


class Client:
    """A Label Studio server. The token goes into the request's header and nowhere else.

    Args:
        settings: Where it is, and how patiently it is asked.
        environment: Holds the token.
        sleep: How waiting is done.

    Raises:
        WorkforceError: The token is not set, or cannot be a token.
    """

    def __init__(
        self,
        settings: LabelStudio,
        environment: Mapping[str, str] = os.environ,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._settings = settings
        self._sleep = sleep
        self._token = _token(settings, environment)
        # A personal token is a refresh token (a JWT, in three parts): it buys access tokens that live some minutes.
        self._is_personal = self._token.count(".") == 2
        self._access: str | None = None
        self._http = httpx.Client(timeout=httpx.Timeout(settings.timeout_seconds))

    def get(self, path: str, **query: str | int) -> Any:
        """Return what lies under a path of the API.

        Raises:
            WorkforceError: The server cannot be reached, refuses, or has no such thing.
        """
        return self._until_answered("GET", path, query=query)

    def patch(self, path: str, body: Mapping[str, Any]) -> Any:
        """Change fields of something; twice is once. Raises as `get`."""
        return self._until_answered("PATCH", path, body=body)

    def post_once(self, path: str, body: Any, **query: str | int) -> Any:
        """Create something; never put again where the server may have obeyed already.

        Raises:
            InDoubtError: It may or may not have been created.
            WorkforceError: It was not.
        """
        reply = self._tried("POST", path, query, body)
        if reply.problem is None:
            return reply.content
        kind = InDoubtError if reply.is_sent else WorkforceError
        raise kind(f"{self._settings.url}{path}: {reply.problem}; run again")

    def _until_answered(self, method: str, path: str, *, query: Mapping[str, Any] = {}, body: Any = None) -> Any:
        problem = None
        for number in range(self._settings.retries + 1):
            if number:
                self._sleep(min(FIRST_WAIT_SECONDS * 2 ** (number - 1), LAST_WAIT_SECONDS))
            reply = self._tried(method, path, query, body)
            if reply.problem is None:
                return reply.content
            problem = reply.problem
        raise WorkforceError(
            f"{self._settings.url}{path}: {problem}, {self._settings.retries + 1} times; nothing is lost: "
            "look at the server and label_studio.url, then run again"
        )

    def _tried(self, method: str, path: str, query: Mapping[str, Any], body: Any) -> Reply:
        """Put a request once; with a personal token a second time where the access token has run out."""
        reply = self._authorized(method, path, query, body)
        if reply.status == 401 and self._is_personal and self._access is not None:
            self._access = None
            reply = self._authorized(method, path, query, body)
        if reply.problem is None and reply.status >= 400:
            kind = MissingError if reply.status == 404 else WorkforceError
            raise kind(self._refusal(path, reply))
        return reply

    def _authorized(self, method: str, path: str, query: Mapping[str, Any], body: Any) -> Reply:
        if not self._is_personal:
            return self._put(method, path, query, body, f"Token {self._token}")
        if self._access is None:
            bought = self._put("POST", "/api/token/refresh/", {}, {"refresh": self._token}, None)
            if bought.problem is not None or bought.status >= 400:
                return bought._replace(is_sent=False)
            access = bought.content.get("access") if isinstance(bought.content, dict) else None
            if not isinstance(access, str) or not (access.isascii() and access.isprintable()):
                return Reply(0, None, "the server gave no access token for the personal one", is_sent=False)
            self._access = access
        return self._put(method, path, query, body, f"Bearer {self._access}")

    def _put(self, method: str, path: str, query: Mapping[str, Any], body: Any, authorization: str | None) -> Reply:
        ends_at = time.monotonic() + self._settings.timeout_seconds
        headers = {} if authorization is None else {"Authorization": authorization}
        url = self._settings.url.rstrip("/") + path
        try:
            with self._http.stream(method, url, params=dict(query), json=body, headers=headers) as response:
                content = bytearray()
                for part in response.iter_bytes():
                    content += part
                    # A reply that drips in keeps every single wait short.
                    if time.monotonic() > ends_at:
                        return Reply(0, None, "the server did not answer in time")
                    if len(content) > MAX_REPLY_BYTES:
                        return Reply(0, None, f"the reply is longer than {MAX_REPLY_BYTES:,} bytes")
                return _read(response.status_code, bytes(content))
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
            return Reply(0, None, "the server cannot be reached", is_sent=False)
        except httpx.TimeoutException:
            return Reply(0, None, "the server did not answer in time")
        except (httpx.TransportError, httpx.DecodingError):
            return Reply(0, None, "the server hung up")

    def _refusal(self, path: str, reply: Reply) -> str:
        settings = self._settings
        where = f"{settings.url}{path}"
        if reply.status in (401, 403):
            return (
                f"{where}: refused with status {reply.status}: the token in {settings.token_env} is wrong, has run "
                "out, or is none of an administrator; a legacy token must be allowed in the organization's settings"
            )
        if reply.status == 404:
            return f"{where}: not there (status 404); look at label_studio.url, and whether it was deleted there"
        said = json.dumps(reply.content, ensure_ascii=True)
        for secret in filter(None, (self._token, self._access)):
            said = said.replace(secret, "***")
        return f"{where}: refused with status {reply.status}: {said[:SHOWN_CHARACTERS]}"


def _read(status: int, content: bytes) -> Reply:
    if status in AGAIN or status >= 500:
        return Reply(status, None, f"the server failed with status {status}")
    if 300 <= status < 400:
        raise WorkforceError(
            f"the server answers with status {status}, elsewhere; give its own address in label_studio.url"
        )
    try:
        return Reply(status, json.loads(content) if content else None)
    except (ValueError, RecursionError):
        if status >= 400:
            return Reply(status, None)
        return Reply(status, None, "the reply is not JSON, or was cut off")


def _token(settings: LabelStudio, environment: Mapping[str, str]) -> str:
    token = environment.get(settings.token_env, "").strip()
    if not token:
        raise WorkforceError(
            f"environment variable {settings.token_env}: not set; it must hold a token of {settings.url}, "
            "from Account & Settings there"
        )
    if not (token.isascii() and token.isprintable() and " " not in token):
        raise WorkforceError(
            f"environment variable {settings.token_env}: holds characters that no token has; set it anew"
        )
    return token
