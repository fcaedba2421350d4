"""Chat: one question put to an endpoint that speaks OpenAI's chat protocol, until it is answered or given up."""

import json
import math
import os
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, NoReturn

import httpx

from cupel.config.checking import LlmChecker
from cupel.errors import CheckerError

MAX_REPLY_BYTES = 1 << 20
MAX_ANSWER_CHARACTERS = 1_000
# Waiting between tries doubles from the first to the last of these.
FIRST_WAIT_SECONDS = 1.0
LAST_WAIT_SECONDS = 60.0
AGAIN = frozenset({408, 425, 429})
# What is wrong with every question is no matter of this one: key, address or model.
HOPELESS = frozenset({301, 302, 303, 307, 308, 401, 403, 404, 405})

TOO_LATE = "the endpoint did not answer in time"
NO_CONNECTION = "the endpoint cannot be reached, or hung up"
UNREADABLE = "the endpoint's reply is not what its protocol promises"


class Reply(NamedTuple):
    """What a model said: the answer, the log-probability of its tokens, and what it took; None where it is not told."""

    answer: str
    log_probability: float | None
    input_tokens: int | None
    output_tokens: int | None


class Try(NamedTuple):
    """One try at a question: a reply, or why there is none; whether it may be charged, and if to try again, when."""

    reply: Reply | None
    problem: str | None = None
    may_be_charged: bool = False
    is_worth_another: bool = False
    wait_seconds: float = 0.0


class Endpoint:
    """An endpoint, asked by many threads at once.

    Args:
        settings: Where it is, how patiently and how fast it is asked.
        environment: Holds the key; it goes into the request's header and nowhere else.
        sleep: How waiting is done.

    Raises:
        CheckerError: The key is not set, or cannot be a key.
    """

    def __init__(
        self,
        settings: LlmChecker,
        environment: Mapping[str, str] = os.environ,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._settings = settings
        self._sleep = sleep
        self._gate = threading.Lock()
        self._next_at = 0.0
        timeout = httpx.Timeout(settings.timeout_seconds)
        limits = httpx.Limits(max_connections=settings.concurrency)
        self._client = httpx.Client(headers=_headers(settings, environment), timeout=timeout, limits=limits)

    def __enter__(self) -> "Endpoint":
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def ask(self, body: Mapping[str, Any], may_try: Callable[[], bool], tried: Callable[[Try], None]) -> Try | None:
        """Put a question until it is answered, or worth no other try.

        Args:
            body: The request.
            may_try: Asked before every try; false ends it.
            tried: Told of every try.

        Returns:
            The last try; None where none was allowed.

        Raises:
            CheckerError: Key, address or model are refused.
        """
        found = None
        for number in range(self._settings.retries + 1):
            if found is not None:
                doubled = min(FIRST_WAIT_SECONDS * 2 ** (number - 1), LAST_WAIT_SECONDS)
                self._sleep(max(doubled, found.wait_seconds))
            if not may_try():
                return found
            self._keep_pace()
            found = self._try(body)
            tried(found)
            if not found.is_worth_another:
                return found
        return found

    def _keep_pace(self) -> None:
        """Wait until the next request may start."""
        if self._settings.requests_per_minute is None:
            return
        with self._gate:
            now = time.monotonic()
            start = max(now, self._next_at)
            self._next_at = start + 60.0 / self._settings.requests_per_minute
        self._sleep(start - now)

    def _try(self, body: Mapping[str, Any]) -> Try:
        ends_at = time.monotonic() + self._settings.timeout_seconds
        url = f"{self._settings.url.rstrip('/')}/chat/completions"
        try:
            with self._client.stream("POST", url, json=body) as response:
                content = b""
                for part in response.iter_bytes():
                    content += part
                    # A reply that drips in keeps every single wait short.
                    if time.monotonic() > ends_at:
                        return Try(None, TOO_LATE, may_be_charged=True, is_worth_another=True)
                    if len(content) > MAX_REPLY_BYTES:
                        return Try(None, UNREADABLE, may_be_charged=True)
                return self._judged(response, content)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
            return Try(None, NO_CONNECTION, is_worth_another=True)
        except httpx.TimeoutException:
            return Try(None, TOO_LATE, may_be_charged=True, is_worth_another=True)
        except (httpx.TransportError, httpx.DecodingError):
            return Try(None, NO_CONNECTION, may_be_charged=True, is_worth_another=True)

    def _judged(self, response: httpx.Response, content: bytes) -> Try:
        status = response.status_code
        if status in HOPELESS:
            self._refuse(status)
        if status in AGAIN or status >= 500:
            wait = _seconds(response.headers.get("retry-after"))
            return Try(None, f"the endpoint failed: status {status}", is_worth_another=True, wait_seconds=wait)
        if status != 200:
            return Try(None, f"the endpoint refused the question: status {status}")
        reply = read_reply(content)
        if reply is None:
            return Try(None, UNREADABLE, may_be_charged=True, is_worth_another=True)
        return Try(reply, may_be_charged=True)

    def _refuse(self, status: int) -> NoReturn:
        key = f"the key in {self._settings.key_env}" if self._settings.key_env else "whether it wants a key (key_env)"
        raise CheckerError(
            f"{self._settings.url}: refused with status {status}; look at checking.llm.url, the model "
            f"{self._settings.model!r} and {key}"
        )


def read_reply(content: bytes) -> Reply | None:
    """Return what the body of a reply says; None where it is not what the protocol promises.

    >>> read_reply(b'{"choices": [{"message": {"content": "good"}}]}')
    Reply(answer='good', log_probability=None, input_tokens=None, output_tokens=None)
    >>> read_reply(b'{"choices": [{"mess') is None
    True
    """
    try:
        whole = json.loads(content)
        choice = whole["choices"][0]
        answer = choice["message"]["content"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
    if answer is not None and not isinstance(answer, str):
        return None
    used = whole.get("usage") if isinstance(whole.get("usage"), dict) else {}
    counts = [_count(used.get(name)) for name in ("prompt_tokens", "completion_tokens")]
    # Halves of characters, which JSON may hold, fit into no table.
    text = (answer or "")[:MAX_ANSWER_CHARACTERS].encode("utf-8", "replace").decode()
    return Reply(text, _log_probability(choice), *counts)


def _log_probability(choice: Mapping[str, Any]) -> float | None:
    """Return the sum over the answer's tokens; None where it is not told, or is no logarithm of a probability."""
    try:
        total = math.fsum(float(token["logprob"]) for token in choice["logprobs"]["content"])
        is_told = len(choice["logprobs"]["content"]) > 0
    except (LookupError, TypeError, ValueError, OverflowError):
        return None
    return min(total, 0.0) if is_told and math.isfinite(total) and total < 1e-3 else None


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 40 else None


def _seconds(value: str | None) -> float:
    """Return how long an endpoint wants to be left alone; 0 where it does not say, never more than a minute."""
    try:
        seconds = float(value or 0)
    except ValueError:
        return 0.0
    return min(max(seconds, 0.0), LAST_WAIT_SECONDS) if math.isfinite(seconds) else 0.0


def _headers(settings: LlmChecker, environment: Mapping[str, str]) -> dict[str, str]:
    if settings.key_env is None:
        return {}
    key = environment.get(settings.key_env, "").strip()
    if not key:
        raise CheckerError(f"environment variable {settings.key_env}: not set; it must hold the key of {settings.url}")
    if not (key.isascii() and key.isprintable() and " " not in key):
        raise CheckerError(f"environment variable {settings.key_env}: holds characters that no key has; set it anew")
    return {"Authorization": f"Bearer {key}"}
