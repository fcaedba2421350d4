"""The operator's walk: page and daemon are started, a delivery arrives, a run breaks, and all of it is on the page."""

import json
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from assets.page_links import report_link
from assets.run_outcome import OUTCOME, REFUSED, REPORT, WHY
from docs.chromium import PROGRAMS, open_browser
from served_project import ServedProject, wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [
    pytest.mark.walks,
    pytest.mark.skipif(not any(map(shutil.which, PROGRAMS)), reason=f"no browser here: none of {', '.join(PROGRAMS)}"),
]
PARTITION, PARENT = "dagster/partition", "dagster/parent_run_id"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedProject]:
    """A crew that is wrong in four answers of ten: the first release is refused."""
    found = ServedProject(
        tmp_path_factory.mktemp("operator") / "there", items=200, crew_error=0.4,
        raw={"inbox": {"licence": "CC0-1.0"}},
        release={"error_budget": 0.02, "max_experts_seen_share": 0.5, "certificate": {"audit_anyway": True}},
        thresholds={"agreement": {"value": -1.0, "reason": "the audit shall judge"}},
    )  # fmt: skip
    yield found
    found.make("down")


@pytest.fixture(scope="module")
def browser(project: ServedProject) -> "Iterator[Page]":
    with open_browser((1400, 900)) as page:
        page.set_default_timeout(90_000)
        yield page


def go(browser: "Page", project: ServedProject, address: str) -> None:
    browser.goto(f"http://127.0.0.1:{project.port}{address}")


def read_alerts(project: ServedProject) -> list[dict[str, str]]:
    alerts = project.lake / "alerts.jsonl"
    return [json.loads(line) for line in alerts.read_text().splitlines()] if alerts.exists() else []


def test_up_shows_what_was_refused_and_why_on_the_first_page(project: ServedProject, browser: "Page") -> None:
    assert "REFUSED" in project.make_run()
    assert f"page    http://127.0.0.1:{project.port}" in project.make("up")
    go(browser, project, "/")
    verdict = browser.get_by_text("one-r1: REFUSED")
    box = verdict.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] < 900
    browser.get_by_role("link", name="The report of one-r1").click()
    assert browser.locator(".banner .verdict").inner_text().startswith("REFUSED")


def test_the_run_says_refused_with_value_threshold_and_report(project: ServedProject, browser: "Page") -> None:
    run = project.wait_for_run(lambda run: run["tags"].get(OUTCOME) == REFUSED)
    assert run["status"] == "SUCCESS"
    assert "allowed at most 0.02" in run["tags"][WHY]
    assert run["tags"][REPORT] == report_link("small", "one-r1")
    go(browser, project, "/runs")
    browser.get_by_text(f"{OUTCOME}: {REFUSED}").first.wait_for()
    go(browser, project, f"/runs/{run['runId']}")
    browser.get_by_text(run["tags"][WHY][:30]).first.wait_for()


def test_a_run_is_executed_again_from_its_page(project: ServedProject, browser: "Page") -> None:
    run = project.wait_for_run(lambda run: run["tags"].get(OUTCOME) == REFUSED)
    go(browser, project, f"/runs/{run['runId']}")
    browser.get_by_role("button", name="Re-execute all").first.click()
    again = project.wait_for_run(
        lambda one: one["tags"].get(PARENT) == run["runId"] and one["status"] in ("SUCCESS", "FAILURE")
    )
    assert again["status"] == "SUCCESS"


def test_a_delivery_in_the_inbox_becomes_a_run_and_questions(project: ServedProject, browser: "Page") -> None:
    project.drop_delivery("two", items=40)
    project.wait_for_run(lambda run: run["tags"].get(PARTITION) == "two" and run["status"] == "SUCCESS")
    assert not list(project.inbox.glob("two.jsonl"))
    said = wait_until(lambda: found if "without an answer" in (found := project.cupel("summary", "small")) else None)
    assert "drop a file of answers in inbox/small/answers/" in " ".join(said.split())
    go(browser, project, "/")
    browser.get_by_text("questions to annotators without an answer").wait_for()


def test_a_run_that_breaks_is_an_alert_and_goes_on_from_its_failure(project: ServedProject, browser: "Page") -> None:
    answers = project.deployment.data / "small" / "answers.csv"
    sound = answers.read_text()
    answers.write_text(sound.replace("batch,item_id,", "batch,thing,", 1))
    broken = project.wait_for_run(lambda run: run["status"] == "FAILURE")
    told = wait_until(lambda: [row for row in read_alerts(project) if row["kind"] == "broken"])
    assert "answers.csv" in told[-1]["why"]
    answers.write_text(sound)
    go(browser, project, f"/runs/{broken['runId']}")
    browser.get_by_role("button", name="Re-execute all").locator("xpath=following::button[1]").click()
    browser.get_by_role("menuitem", name="From failure").click()
    again = project.wait_for_run(lambda run: run["tags"].get(PARENT) == broken["runId"] and run["status"] == "SUCCESS")
    assert again["tags"].get("dagster/is_resume_retry") == "true"


def test_down_ends_both(project: ServedProject) -> None:
    assert project.make("down") == "daemon: stopped\npage: stopped\n"
