"""The reader's walk: a report on a phone and on a desk says verdict, bound and why before anybody scrolls."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cupel.show.report import render_report
from cupel.show.report_facts import report_facts
from docs.chromium import PROGRAMS, open_browser
from made_releases import certified, refused

if TYPE_CHECKING:
    from playwright.sync_api import Page

__all__ = ["certified", "refused"]

pytestmark = [
    pytest.mark.walks,
    pytest.mark.skipif(not any(map(shutil.which, PROGRAMS)), reason=f"no browser here: none of {', '.join(PROGRAMS)}"),
]
PHONE, DESK = (390, 844), (1280, 900)
SCREENS = pytest.mark.parametrize("screen", [PHONE, DESK], ids=["phone", "desk"])
REPORTS = pytest.mark.parametrize("name", ["certified", "refused"])


class Reader:
    """Somebody with a browser who was sent a report as a file, and what the browser asked for."""

    def __init__(self, page: "Page", files: dict[str, Path]) -> None:
        self.page, self.files = page, files
        self.asked: list[str] = []
        page.on("request", lambda request: self.asked.append(request.url))

    def open(self, name: str, screen: tuple[int, int]) -> None:
        self.asked.clear()
        self.page.set_viewport_size({"width": screen[0], "height": screen[1]})
        self.page.goto(self.files[name].as_uri())
        self.page.wait_for_load_state("networkidle")

    def sees_at_once(self, place: str) -> str:
        """Return what a place of the page says, if the first screen shows all of it."""
        found = self.page.locator(place).first
        box, screen = found.bounding_box(), self.page.viewport_size
        assert box is not None, place
        assert screen is not None
        assert box["x"] >= 0, place
        assert box["x"] + box["width"] <= screen["width"], place
        assert box["y"] + box["height"] <= screen["height"], place
        return found.inner_text()


@pytest.fixture(scope="module")
def reader(certified: Any, refused: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    files = {name: tmp_path_factory.mktemp(name) / "report.html" for name in ("certified", "refused")}
    for name, release in (("certified", certified), ("refused", refused)):
        files[name].write_text(render_report(release.facts, report_facts(release.lake, release.facts)))
    with open_browser() as page:
        yield Reader(page, files)


@SCREENS
@REPORTS
def test_the_first_screen_says_verdict_bound_and_why(
    reader: Reader, name: str, screen: tuple[int, int], certified: Any, refused: Any
) -> None:
    facts = {"certified": certified, "refused": refused}[name].facts
    reader.open(name, screen)
    assert reader.sees_at_once(".banner .verdict").startswith(f"{facts.verdict}: ")
    # A sentence on the page, a clause on the terminal.
    assert reader.sees_at_once(".banner p:last-child").rstrip(".").lower() == facts.reason.lower()
    assert "%" in reader.sees_at_once(".figures .value")


@SCREENS
@REPORTS
def test_nothing_has_to_be_moved_sideways(reader: Reader, name: str, screen: tuple[int, int]) -> None:
    reader.open(name, screen)
    assert reader.page.evaluate("document.documentElement.scrollWidth") == screen[0]


@REPORTS
def test_the_file_is_all_that_is_loaded(reader: Reader, name: str) -> None:
    reader.open(name, DESK)
    reader.page.mouse.wheel(0, 20_000)
    reader.page.wait_for_load_state("networkidle")
    assert [url for url in reader.asked if not url.startswith("data:")] == [reader.files[name].as_uri()]


def test_who_was_refused_reads_what_would_be_needed_and_what_to_relabel(reader: Reader) -> None:
    reader.open("refused", DESK)
    assert reader.page.get_by_role("heading", name="What would be needed").is_visible()
    assert reader.page.get_by_role("heading", name="What to relabel next").is_visible()
