"""Chromium without a window: for pictures of pages, and for tests of what people see."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

SECONDS = 240
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
SCREEN = (1200, 760)


class NoBrowserError(Exception):
    """There is no browser on this machine, or nothing that drives it."""


def find_chromium() -> str:
    """Return this machine's browser.

    Raises:
        NoBrowserError: There is none.
    """
    found = next((found for name in PROGRAMS if (found := shutil.which(name))), None)
    if found is None:
        raise NoBrowserError(f"no browser: none of {', '.join(PROGRAMS)}; `apt-get install chromium` as root")
    return found


@contextmanager
def open_browser(screen: tuple[int, int] = SCREEN) -> "Iterator[Page]":
    """Open a browser without a window, with a profile of its own.

    Args:
        screen: Its width and height in pixels.

    Raises:
        NoBrowserError: There is none, or playwright is not installed.
    """
    program = find_chromium()
    try:
        # Installed for tests in a browser and for pictures only.
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise NoBrowserError("playwright is not installed: `make .venv/.live` does it") from None
    with sync_playwright() as played:
        # For root, as in most containers, Chromium cannot set up its sandbox.
        options = ["--no-sandbox"] if os.geteuid() == 0 else []
        opened = played.chromium.launch(executable_path=program, args=options)
        page = opened.new_page(viewport={"width": screen[0], "height": screen[1]})
        page.set_default_timeout(SECONDS * 1000)
        yield page
        opened.close()
