import http.client
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from cupel.errors import WorkforceError
from cupel.lake.lake import Lake
from cupel.people.label_studio.hint import MOST_BYTES, leave, left, receiver, secret

TOKEN = "a-secret-of-many-characters"


@pytest.fixture
def heard() -> Iterator[tuple[str, list[str]]]:
    hints: list[str] = []
    server = receiver(("127.0.0.1", 0), TOKEN, ["movies"], hints.append)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", hints
    server.shutdown()
    server.server_close()


def test_a_call_with_the_token_leaves_a_hint_whatever_it_holds(heard: tuple[str, list[str]]) -> None:
    url, hints = heard
    body = {"action": "ANNOTATION_CREATED", "annotation": {"label": "forged"}}
    assert httpx.post(f"{url}/movies", json=body, headers={"X-Cupel-Token": TOKEN}).status_code == 204
    assert hints == ["movies"]


@pytest.mark.parametrize(("path", "token", "body", "status"), [
    ("/movies", None, b"{}", 401), ("/movies", TOKEN + "x", b"{}", 401), ("/movies", "\u00e9", b"{}", 401),
    ("/others", TOKEN, b"{}", 404), ("/movies?x=1", TOKEN, b"{}", 404),
    ("/movies", TOKEN, b"", 413),
    ("/movies", TOKEN, b"[]", 400), ("/movies", TOKEN, b"{", 400), ("/movies", TOKEN, b"[" * 100_000, 400),
])  # fmt: skip
def test_other_calls_are_refused_and_leave_none(
    heard: tuple[str, list[str]], path: str, token: str | None, body: bytes, status: int
) -> None:
    url, hints = heard
    headers = {} if token is None else {"X-Cupel-Token": token.encode()}
    assert httpx.post(url + path, content=body, headers=headers).status_code == status
    assert httpx.get(url + path).status_code == 501
    assert hints == []


def test_a_call_that_is_too_long_is_not_read(heard: tuple[str, list[str]]) -> None:
    host, port = heard[0].removeprefix("http://").split(":")
    call = http.client.HTTPConnection(host, int(port), timeout=5)
    call.putrequest("POST", "/movies")
    call.putheader("X-Cupel-Token", TOKEN)
    call.putheader("Content-Length", str(MOST_BYTES + 1))
    call.endheaders()
    assert call.getresponse().status == 413
    assert heard[1] == []


def test_a_hint_is_told_from_the_one_before_it(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake", "movies")
    seen = [left(lake)]
    for _ in range(3):
        leave(lake)
        seen.append(left(lake))
    assert seen[0] is None
    assert len(set(seen)) == 4


@pytest.mark.parametrize("found", [{}, {"CUPEL_WEBHOOK_TOKEN": "short"}, {"CUPEL_WEBHOOK_TOKEN": "\u00e9" * 20}])
def test_a_secret_that_can_be_guessed_is_refused_without_being_told(found: dict[str, str]) -> None:
    with pytest.raises(WorkforceError, match="CUPEL_WEBHOOK_TOKEN: holds no secret of 16") as told:
        secret(found)
    assert found.get("CUPEL_WEBHOOK_TOKEN", "nothing") not in str(told.value)
