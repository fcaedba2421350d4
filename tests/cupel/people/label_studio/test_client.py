import json
from pathlib import Path

import pytest

from cupel.errors import WorkforceError
from cupel.lake.lake import Lake
from cupel.people.label_studio.client import Client
from label_studio_server import LEGACY, PERSONAL, LabelStudioServer, Wrong, times
from live_lake import gather, project

TASKS = "/api/tasks/"


def client(url: str, token: str = LEGACY, waits: list[float] | None = None, **settings: object) -> Client:
    named = project(url, **settings).label_studio
    assert named is not None
    kept: list[float] = [] if waits is None else waits
    return Client(named, {"CUPEL_LABEL_STUDIO_TOKEN": token}, kept.append)


@pytest.mark.parametrize(
    "wrong", [Wrong(503), Wrong(429), Wrong(200, b'{"results": [{"id'), Wrong(200, b"<html>"), Wrong(wait_seconds=2)]
)
def test_a_request_is_put_again_after_a_failure_that_passes(server: LabelStudioServer, wrong: Wrong) -> None:
    server.misbehaviour = times(2, "GET", "/api/users/", wrong)
    waits: list[float] = []
    assert len(client(server.url, waits=waits, timeout_seconds=1).get("/api/users/")) == 5
    assert waits == [1.0, 2.0]


def test_a_refusal_is_put_once_and_says_what_the_server_said(server: LabelStudioServer) -> None:
    server.misbehaviour = times(9, "GET", "/api/users/", Wrong(400, b'{"detail": "no such field"}'))
    with pytest.raises(WorkforceError, match=r"refused with status 400.*no such field"):
        client(server.url).get("/api/users/")
    assert len(server.heard) == 1


def test_a_server_that_is_down_is_given_up_and_named(server: LabelStudioServer) -> None:
    waits: list[float] = []
    with pytest.raises(WorkforceError, match=r"127.0.0.1:9/api/users/: the server cannot be reached, 3 times"):
        client("http://127.0.0.1:9", waits=waits, retries=2).get("/api/users/")
    assert waits == [1.0, 2.0]


def test_a_wrong_token_is_told_by_its_variable_and_never_by_itself(server: LabelStudioServer, lake: Lake) -> None:
    wrong = "f00dfeed" * 5
    with pytest.raises(WorkforceError, match="the token in CUPEL_LABEL_STUDIO_TOKEN is wrong") as told:
        gather(lake, server, token=wrong)
    assert wrong not in str(told.value)
    with pytest.raises(WorkforceError, match="environment variable CUPEL_LABEL_STUDIO_TOKEN: not set"):
        gather(lake, server, token="")


def test_a_personal_token_buys_access_anew_when_it_runs_out(server: LabelStudioServer) -> None:
    asking = client(server.url, PERSONAL)
    assert len(asking.get("/api/users/")) == 5
    server.tokens = set()  # the access token has run out
    assert len(asking.get("/api/users/")) == 5
    assert server.access == 2
    with pytest.raises(WorkforceError, match="is wrong, has run out"):
        client(server.url, "a.b.c").get("/api/users/")


def test_the_token_is_in_no_file_no_error_and_no_repr(server: LabelStudioServer, lake: Lake, tmp_path: Path) -> None:
    gather(lake, server)
    server.misbehaviour = times(1, "GET", "/api/users/", Wrong(400, json.dumps({"you sent": LEGACY}).encode()))
    with pytest.raises(WorkforceError) as told:
        gather(lake, server)
    assert LEGACY not in str(told.value)
    assert LEGACY not in repr(client(server.url)) + repr(vars(client(server.url))["_http"].headers)
    assert not any(LEGACY.encode() in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
