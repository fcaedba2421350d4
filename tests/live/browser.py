"""Somebody who labels in a real browser: logs in, opens the label stream, clicks a choice and `Submit`."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from docs.chromium import PROGRAMS, open_browser
from people import Said

if TYPE_CHECKING:
    from playwright.sync_api import Page

__all__ = ["PROGRAMS", "Clicker", "browser"]

TEXT = ".lsf-richtext"
NOTHING_LEFT = re.compile("no more tasks|no tasks", re.IGNORECASE)
browser = open_browser


class Clicker:
    """A person in front of a page.

    Args:
        page: Of a browser of the person's own.
        url: The server.
        truth: Returns the label to click, of a text.
    """

    def __init__(self, page: "Page", url: str, truth: Callable[[str], str]) -> None:
        self._page, self._url, self._truth = page, url, truth
        self.said: list[Said] = []

    def log_in(self, email: str, password: str) -> None:
        """Fill in the form and click its button."""
        self._page.goto(f"{self._url}/user/login/")
        self._page.fill("input[name=email]", email)
        self._page.fill("input[name=password]", password)
        self._page.click("button[type=submit]")
        self._page.wait_for_url(f"{self._url}/")

    def work(self, project: int, most: int = 1_000_000) -> int:
        """Label what the page shows in the label stream, until it shows nothing; return how many."""
        self._page.goto(f"{self._url}/projects/{project}/data?labeling=1")
        for done in range(most):
            if not self._label_one():
                return done
        return most

    def _label_one(self) -> bool:
        text = self._page.locator(TEXT)
        text.or_(self._page.get_by_text(NOTHING_LEFT)).first.wait_for()
        if not text.is_visible():
            return False
        shown = text.inner_text().strip()
        label = self._truth(shown)
        self._page.locator(f'label:has(input[name="{label}"])').click()
        with self._page.expect_response(
            lambda reply: reply.request.method == "POST" and "/annotations" in reply.url
        ) as got:
            self._page.get_by_label("Submit current annotation").click()
        note = got.value.json()
        self.said.append(Said(note["id"], note["task"], shown, label))
        text.filter(has_text=shown).wait_for(state="detached")
        return True
