"""Pages as people read them: on a phone nothing is cut off and the first screen says the verdict; so on a desk."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from browser import PROGRAMS, browser
from cupel.show.report import render_report
from cupel.show.report_facts import report_facts
from label_buyer import Buyer

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not any(map(shutil.which, PROGRAMS)), reason=f"no browser here: none of {', '.join(PROGRAMS)}"),
]

PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
# Three screens and a half to scroll with every section folded; before there were cards it was forty.
MOST_HEIGHT = 3000
SHUT, OPEN = "details => details.forEach(one => one.open = false)", "details => details.forEach(one => one.open = true)"
# What sticks out of the screen, but for what scrolls inside a box of its own.
CUT_OFF = """() => [...document.querySelectorAll("body *")].filter(one =>
    one.getBoundingClientRect().right > innerWidth + 1 && !one.closest("figure, .scroll") && one.checkVisibility()
).map(one => one.outerHTML.slice(0, 80))"""


@pytest.fixture(scope="module")
def tab() -> "Iterator[Page]":
    with browser() as page:
        yield page


@pytest.fixture(scope="module")
def reports(certified: Any, refused: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("reports")
    made = {}
    for name, release in (("certified", certified), ("refused", refused)):
        made[name] = folder / f"{name}.html"
        made[name].write_text(render_report(release.facts, report_facts(release.lake, release.facts)))
    return made


def show(tab: "Page", path: Path, screen: dict[str, int]) -> None:
    tab.set_viewport_size(screen)  # type: ignore[arg-type]
    tab.goto(path.as_uri())


def check_width(tab: "Page") -> None:
    for folds in (SHUT, OPEN):
        tab.locator("details").evaluate_all(folds)
        assert tab.evaluate("document.documentElement.scrollWidth === innerWidth")
        assert tab.evaluate(CUT_OFF) == []


@pytest.mark.parametrize("name", ["certified", "refused"])
@pytest.mark.parametrize("screen", [PHONE, DESK], ids=["phone", "desk"])
def test_no_part_of_a_report_is_cut_off(
    tab: "Page", reports: dict[str, Path], name: str, screen: dict[str, int]
) -> None:
    show(tab, reports[name], screen)
    check_width(tab)


@pytest.mark.parametrize("name", ["certified", "refused"])
def test_the_first_screen_of_a_phone_says_verdict_bound_and_why(
    tab: "Page", reports: dict[str, Path], name: str
) -> None:
    show(tab, reports[name], PHONE)
    assert tab.evaluate("document.documentElement.scrollHeight") < MOST_HEIGHT
    for place in (".verdict", ".banner p:last-child", ".figures .value >> nth=0"):
        found = tab.locator(place).bounding_box()
        assert found is not None, place
        assert found["y"] + found["height"] < PHONE["height"], place


def test_sections_are_folded_on_a_phone_alone(tab: "Page", reports: dict[str, Path]) -> None:
    cost = "section:has(h2:text('What it cost')) table"
    show(tab, reports["refused"], PHONE)
    assert not tab.locator(cost).is_visible()
    assert tab.get_by_text("To keep the budget of 5%, experts would have to see").is_visible()
    tab.get_by_role("heading", name="What it cost").click()
    assert tab.locator(cost).is_visible()
    show(tab, reports["refused"], DESK)
    assert tab.locator(cost).is_visible()
    tab.emulate_media(media="print")
    assert tab.locator(cost).is_visible()
    tab.emulate_media(media="screen")


def test_a_row_on_a_phone_is_a_card_that_names_its_figures(tab: "Page", reports: dict[str, Path]) -> None:
    show(tab, reports["refused"], PHONE)
    tab.get_by_role("heading", name="By class and slice").click()
    cell = tab.locator("section:has(h2:text('By class and slice')) tbody td >> nth=0")
    said = cell.evaluate("one => getComputedStyle(one, '::before').content")
    assert (said, cell.evaluate("one => getComputedStyle(one).display")) == ('"Items"', "flow-root")
    assert not tab.locator("section:has(h2:text('By class and slice')) thead").is_visible()


@pytest.mark.parametrize("screen", [PHONE, DESK], ids=["phone", "desk"])
def test_no_part_of_a_buyers_pages_is_cut_off(
    tab: "Page", make_buyer: Callable[..., Buyer], screen: dict[str, int]
) -> None:
    buyer = make_buyer(200)
    scores = buyer.delivery.parent / "scores.json"
    buyer.run(budget=0.03, by=("class:good:wrong=10%",), vendor="Acme", scores=scores)
    buyer.fill()
    buyer.run(vendor="Acme", scores=scores)
    pages = [*buyer.folder.glob("*.html"), *scores.parent.glob("*.html")]
    assert {page.name for page in pages} >= {"plan.html", "sheet.html", "verdict.html", "scores.html"}
    for page in pages:
        show(tab, page, screen)
        check_width(tab)
        tab.locator("details").evaluate_all(SHUT)
        assert screen == DESK or tab.evaluate("document.documentElement.scrollHeight") < MOST_HEIGHT
