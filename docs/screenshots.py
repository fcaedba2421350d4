"""Makes the pictures of docs/images that show the sample: `make screenshots`, after `make run`.

They are taken of the page and of reports as they are, in Chromium, and kept with few colours so that they stay small.
"""

import io
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from PIL import Image

from assets.page_links import report_link
from assets.run_outcome import OUTCOME, REFUSED
from docs.chromium import NoBrowserError, open_browser
from orchestration.deployment import REPOSITORY
from orchestration.service_health import ask_page

if TYPE_CHECKING:
    from playwright.sync_api import Page

IMAGES = Path(__file__).parent / "images"
SECONDS_TO_START = 180
MOST_BYTES = 250_000
SCREEN = (1400, 900)
COLOURS = (256, 128, 64, 32)
LOADED = "{ workspaceOrError { ... on Workspace { locationEntries { locationOrLoadError { __typename } } } } }"
# Which run came to a refused release.
RUNS = """{ runsOrError(filter: {tags: [{key: "%s", value: "%s"}]}) {
  ... on Runs { results { runId tags { key value } } } } }"""
NO_RUN = "the record has no run of newspaper-r1 that was refused: `make clean` and `make run` first"


class Picture(NamedTuple):
    """A picture: its name, which address, how large the screen is, and what must be seen before it is taken."""

    name: str
    address: str
    screen: tuple[int, int]
    shown: str


def list_pictures(refused_run: str, project: str, certified: str, refused: str) -> list[Picture]:
    """Return the pictures of a project that has one certified and one refused release.

    Args:
        refused_run: The run whose gate refused.
        project: The project.
        certified: The certified release.
        refused: The refused release.
    """
    return [
        Picture("page", "/", (1100, 760), f"{refused}: REFUSED"),
        Picture(
            "refused", f"/assets/{project}/certificate?view=checks&checkDetail=error_bound", SCREEN, f"{REFUSED}: "
        ),
        Picture("refused-run", f"/runs/{refused_run}", SCREEN, f"{REFUSED}: "),
        Picture("report", report_link(project, certified), (1100, 1250), "Certified"),
        Picture("report-phone", report_link(project, refused), (390, 844), "Refused"),
    ]


@contextmanager
def serve_page() -> Iterator[int]:
    """Serve the page of this environment on a free port until it has loaded the projects; yield the port.

    Raises:
        TimeoutError: It does not answer in three minutes.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    command = [sys.executable, "-m", "orchestration.dagster_page", "-h", "127.0.0.1", "-p", str(port)]
    page = subprocess.Popen([*command, "-w", str(REPOSITORY / "workspace.yaml")], cwd=REPOSITORY)
    try:
        end = time.monotonic() + SECONDS_TO_START
        while not _is_loaded(port):
            if page.poll() is not None or time.monotonic() > end:
                raise TimeoutError(f"the page on port {port} does not answer")
            time.sleep(0.5)
        yield port
    finally:
        page.terminate()
        page.wait()


def _is_loaded(port: int) -> bool:
    try:
        entries = ask_page(port, LOADED)["data"]["workspaceOrError"].get("locationEntries", [])
    except (OSError, ValueError):
        return False
    return any((one["locationOrLoadError"] or {}).get("__typename") == "RepositoryLocation" for one in entries)


def find_refused_run(port: int, partition: str) -> str | None:
    """Return the latest run of a release whose gate refused; None where there is none."""
    runs = ask_page(port, RUNS % (OUTCOME, REFUSED))["data"]["runsOrError"]["results"]
    for run in runs:
        if {"key": "dagster/partition", "value": partition} in run["tags"]:
            return str(run["runId"])
    return None


def take(browser: "Page", port: int, picture: Picture) -> bytes:
    """Open an address, wait until what it shows has come, and return a small PNG of it."""
    width, height = picture.screen
    browser.set_viewport_size({"width": width, "height": height})
    browser.goto(f"http://127.0.0.1:{port}{picture.address}")
    browser.get_by_text(picture.shown).first.wait_for()
    browser.wait_for_load_state("networkidle")
    browser.wait_for_timeout(1500)  # until what moves stands still
    return shrink(browser.screenshot())


def shrink(png: bytes) -> bytes:
    """Return a picture with as many colours as fit into 250 kB."""
    with Image.open(io.BytesIO(png)) as image:
        plain = image.convert("RGB")
    for colours in COLOURS:
        out = io.BytesIO()
        plain.quantize(colours, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
        if out.tell() < MOST_BYTES:
            break
    return out.getvalue()


def main() -> int:
    """Make the pictures; 1 where there is no browser, or no run to show."""
    try:
        with open_browser() as browser, serve_page() as port:
            run = find_refused_run(port, "newspaper-r1")
            if run is None:
                print(NO_RUN)
                return 1
            for picture in list_pictures(run, "sentiment", "movies-r1", "newspaper-r1"):
                content = take(browser, port, picture)
                (IMAGES / f"{picture.name}.png").write_bytes(content)
                print(f"docs/images/{picture.name}.png: {len(content) / 1000:.0f} kB")
    except (NoBrowserError, TimeoutError) as error:
        print(error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
