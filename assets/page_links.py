"""Links to what a lake holds for people: reports, plots and Data Docs, as Cupel's page serves them.

`orchestration/dagster_page.py` serves them beside Dagster's own page, on the same host and port. The links name
neither, so any port works. A page that serves them elsewhere is named in CUPEL_PAGE_URL.
"""

import os
from urllib.parse import quote

from cupel.release.layout import REPORT_FILE

MOUNT = "/cupel"
BASE_URL = "CUPEL_PAGE_URL"
REPORTS, PLOTS, DATA_DOCS = "reports", "plots", "data_docs"


def report_link(project: str, release: str) -> str:
    """Return the link to a release's report.

    >>> report_link("sentiment", "movies-r1")
    '/cupel/sentiment/reports/movies-r1/report.html'
    """
    return _link(project, REPORTS, release, REPORT_FILE)


def data_docs_link(project: str, partition: str, gate: str, check: str | None = None) -> str:
    """Return the link to what Data Docs say of a gate, or of one of its checks.

    >>> data_docs_link("sentiment", "movies", "raw", "items_read")
    '/cupel/sentiment/data_docs/movies/raw.html#items_read'
    """
    place = _link(project, DATA_DOCS, partition, f"{gate}.html")
    return place if check is None else f"{place}#{quote(check)}"


def plot_link(project: str, table: str, partition: str, name: str) -> str:
    """Return the link to a plot of a table's batch or release.

    >>> plot_link("sentiment", "annotators", "movies", "quality of annotators")
    '/cupel/sentiment/plots/annotators/movies/quality-of-annotators.svg'
    """
    return _link(project, plot_file(table, partition, name))


def plot_file(table: str, partition: str, name: str) -> str:
    """Return the name, in the lake's store, of a plot."""
    return f"{PLOTS}/{table}/{partition}/{name.lower().replace(' ', '-')}.svg"


def _link(*parts: str) -> str:
    base = os.environ.get(BASE_URL, "").rstrip("/") or MOUNT
    return "/".join((base, *(quote(part) for part in parts)))
