"""The page beside Dagster's own: what of a lake is served, and to whom nothing is."""

import asyncio
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import pytest

from assets.page_links import BASE_URL, data_docs_link, plot_link, report_link
from orchestration.dagster_page import HEADERS, answer_request, serve_lake
from orchestration.deployment import Deployment
from orchestration.service import commands

REPORT = b"<!doctype html><title>movies-r1</title>"


@pytest.fixture
def there(tmp_path: Path) -> Deployment:
    folder = tmp_path / "lake" / "sentiment"
    for name, content in {
        "reports/movies-r1/report.html": REPORT,
        "reports/movies-r1/relabel_next.csv": b"item_id\n",
        "reports/movies-r1/.made_from": b"x",
        "plots/annotators/movies/quality.svg": b"<svg/>",
        "data_docs/movies/raw.html": b"<html>",
        "summary.json": b"{}",
        "answers/head.json": b"{}",
        "reports/movies-r1/part.parquet": b"PAR1",
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (tmp_path / "projects").mkdir()
    return Deployment(tmp_path / "projects", tmp_path / "data", str(tmp_path / "lake"))


def ask(there: Deployment, path: str, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
    """Ask as a server does, with an application behind that answers everything else."""
    sent: list[MutableMapping[str, Any]] = []

    async def dagster(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"from", b"dagster")]})
        await send({"type": "http.response.body", "body": b"dagster"})

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    async def receive() -> MutableMapping[str, Any]:
        return {}

    scope = {"type": "http", "method": method, "path": path}
    asyncio.run(serve_lake(dagster, there)(scope, receive, send))
    start, body = sent
    return start["status"], {name.decode(): value.decode() for name, value in start["headers"]}, body["body"]


@pytest.mark.parametrize(
    ("link", "type"),
    [
        (report_link("sentiment", "movies-r1"), "text/html; charset=utf-8"),
        (plot_link("sentiment", "annotators", "movies", "quality"), "image/svg+xml"),
        (data_docs_link("sentiment", "movies", "raw"), "text/html; charset=utf-8"),
        ("/cupel/sentiment/reports/movies-r1/relabel_next.csv", "text/csv; charset=utf-8"),
    ],
)
def test_every_link_opens_with_the_type_of_its_file(there: Deployment, link: str, type: str) -> None:
    status, headers, body = ask(there, link)
    assert (status, headers["content-type"]) == (200, type)
    assert int(headers["content-length"]) == len(body) > 0


def test_a_report_is_served_whole_and_runs_no_script(there: Deployment) -> None:
    status, headers, body = ask(there, report_link("sentiment", "movies-r1"))
    assert (status, body) == (200, REPORT)
    assert HEADERS.items() <= headers.items()
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "script-src" not in headers["content-security-policy"]


@pytest.mark.parametrize(
    "path",
    [
        "/cupel/sentiment", "/cupel/sentiment/summary.json", "/cupel/sentiment/answers/head.json",
        "/cupel/sentiment/reports/../summary.json", "/cupel/sentiment/reports/movies-r1/../../summary.json",
        "/cupel/../sentiment/summary.json", "/cupel/sentiment/reports//movies-r1/report.html",
        "/cupel/sentiment/reports/movies-r1/.made_from", "/cupel/sentiment/reports/movies-r1/part.parquet",
        "/cupel/sentiment/reports/movies-r1/report.html\n", "/cupel/sentiment/reports/movies-r1/report.html\0.svg",
        "/cupel/sentiment/reports/movies-r2/report.html", "/cupel/other/reports/movies-r1/report.html",
        "/cupel/Sentiment/reports/movies-r1/report.html", "/cupel/sentiment\\reports\\movies-r1\\report.html",
        f"/cupel/sentiment/reports/{'a' * 5000}.html",
    ],
)  # fmt: skip
def test_nothing_else_of_a_lake_is_served(there: Deployment, path: str) -> None:
    status, _, body = ask(there, path)
    assert status == 404
    assert b"{}" not in body


def test_a_link_that_leads_out_of_the_lake_is_not_followed(there: Deployment, tmp_path: Path) -> None:
    (tmp_path / "secret.html").write_text("secret")
    (Path(there.lake) / "sentiment/reports/movies-r1/out.html").symlink_to(tmp_path / "secret.html")
    (Path(there.lake) / "sentiment/reports/up").symlink_to(tmp_path)
    for name in ("movies-r1/out.html", "up/secret.html"):
        assert ask(there, f"/cupel/sentiment/reports/{name}")[0] == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_nothing_can_be_changed(there: Deployment, method: str) -> None:
    assert ask(there, report_link("sentiment", "movies-r1"), method)[0] == 405


def test_who_asks_for_the_head_gets_no_body(there: Deployment) -> None:
    status, headers, body = ask(there, report_link("sentiment", "movies-r1"), "HEAD")
    assert (status, body, headers["content-length"]) == (200, b"", str(len(REPORT)))


@pytest.mark.parametrize("path", ["/overview", "/graphql", "/cupelled", "/assets/sentiment/report"])
def test_all_else_is_dagsters(there: Deployment, path: str) -> None:
    assert ask(there, path)[2] == b"dagster"


def test_another_page_may_serve_what_is_linked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(BASE_URL, "https://page.example/cupel/")
    assert report_link("sentiment", "movies-r1") == "https://page.example/cupel/sentiment/reports/movies-r1/report.html"


def test_what_is_not_there_says_that_it_may_come(there: Deployment) -> None:
    answer = answer_request(there, "GET", report_link("sentiment", "movies-r2"))
    assert b"it may not have been made yet" in answer.content


def test_up_starts_this_page_on_this_machine_alone() -> None:
    page = commands(3100)["page"]
    assert page[1:] == ["-m", "orchestration.dagster_page", *page[3:]]
    assert page[page.index("-h") + 1] == "127.0.0.1"


def test_the_root_leads_to_the_overview(there: Deployment) -> None:
    status, headers, body = ask(there, "/")
    assert (status, headers["location"], body) == (307, "/cupel", b"")
    for path in ("/cupel", "/cupel/"):
        status, headers, body = ask(there, path)
        assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert b"Nothing has been run yet" in body
