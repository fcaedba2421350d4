"""How the overview of a project is shown: in plain lines on the terminal, and as a page that stands alone."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cupel.figures import UNKNOWN, count, plural
from cupel.lake.lake import Lake
from cupel.printable import printable
from cupel.show.overview import Overview, ReleaseNews
from cupel.show.phone_tables import fit_phone
from cupel.show.templating import environment
from cupel.store.files import read_text
from cupel.store.store import MissingError

LAST_LOOK = "last_look.json"
DAYS = 30
# So many of each are shown; the page has all.
MOST_SHOWN = 12
STYLES = {"certified": "green", "refused": "red", "open": "yellow"}
BANNERS = {"certified": "PASS", "refused": "REFUSED", "open": "OPEN"}
RELEASES = "Releases"


class ProjectSummary(NamedTuple):
    """The summary of a project: what happened, and in words how large its lake is."""

    overview: Overview
    sizes: list[str]


class PageLinks(NamedTuple):
    """What a served overview leads to: the report of a project's release, and other pages by what they are called."""

    report: Callable[[str, str], str]
    pages: Sequence[tuple[str, str]]


def last_look(lake: Lake) -> datetime:
    """Return when somebody last looked; 30 days ago where nobody ever did, or where that is not known."""
    try:
        content = json.loads(lake.store.read(LAST_LOOK))
        return datetime.fromisoformat(content["at"]).astimezone(UTC)
    except (MissingError, OSError, ValueError, KeyError, TypeError):
        return datetime.now(UTC) - timedelta(days=DAYS)


def remember_look(lake: Lake) -> None:
    """Remember that somebody looked now."""
    content = json.dumps({"at": datetime.now(UTC).isoformat(timespec="seconds")}) + "\n"
    lake.store.put(LAST_LOOK, content.encode())


def lead(found: Overview) -> str:
    """Return what happened in one sentence."""
    taken = sum(not one.state.startswith("refused: ") for one in found.deliveries)
    verdicts = [one.verdict for one in found.releases]
    said = [f"{verdicts.count(name)} {name}" for name in ("certified", "refused", "open") if name in verdicts]
    broken = sum(not one.is_over for one in found.troubles)
    words = [
        plural(taken, "delivery", "deliveries"),
        plural(found.answers, "new answer"),
        f"{plural(len(verdicts), 'release')}{' (' + ', '.join(said) + ')' if said else ''}",
        f"{plural(len(found.troubles), 'trouble')}{f' ({broken} not over)' if found.troubles else ''}",
    ]
    wait = f"{plural(len(found.to_do), 'thing awaits', 'things await')} you" if found.to_do else "nothing awaits you"
    return f"Since {found.since}: {', '.join(words)}; {wait}."


def sections(found: Overview) -> list[dict[str, Any]]:
    """Return the tables of an overview: title, columns and rows; those without rows are left out."""
    deliveries = [
        [one.name, one.at, count(one.rows), count(one.rejected), one.state] for one in found.deliveries
    ]  # fmt: skip
    releases = [[one.name, one.at, one.verdict, one.bound, one.reason, one.report] for one in found.releases]
    troubles = [
        [one.partition or UNKNOWN, one.at, f"{one.times} times" if one.times > 1 else "once",
         "over" if one.is_over else "stands still", one.happened, one.to_do]
        for one in found.troubles
    ]  # fmt: skip
    tables = [
        ("What awaits you", ["what", "what to do"], [[one.what, one.command] for one in found.to_do]),
        (RELEASES, ["release", "on", "is", "bound, of budget", "why", "report"], releases),
        ("Deliveries", ["delivery", "on", "rows", "rejected", "is"], deliveries),
        ("What broke", ["batch or release", "last on", "told", "is", "what", "what to do"], troubles),
        ("What was done about annotators", ["action"], [[line] for line in found.actions]),
        ("Damage", ["what"], [[line] for line in found.damage]),
    ]
    return [{"title": title, "columns": names, "rows": rows} for title, names, rows in tables if rows]


def print_overview(summary: ProjectSummary, console: Console, *, has_rule: bool = False) -> None:
    """Print an overview, on one screen where that can be; with a rule above it where it is one of several."""
    found = summary.overview
    if has_rule:
        console.rule(style="dim")
    console.print(Text(printable(f"{found.title} ({found.project})"), style="bold"))
    console.print(printable(lead(found)), markup=False)
    for section in sections(found):
        rows = section["rows"]
        table = Table(box=SIMPLE_HEAD, pad_edge=False, title=section["title"], title_justify="left", title_style="bold")
        for name in section["columns"]:
            table.add_column(name, overflow="fold")
        for row in rows[:MOST_SHOWN]:
            table.add_row(*(Text(printable(str(cell)), style=STYLES.get(str(cell), "")) for cell in row))
        console.print(table)
        if len(rows) > MOST_SHOWN:
            console.print(f"... and {len(rows) - MOST_SHOWN:,} more; --html shows all", style="dim", markup=False)
    for line in summary.sizes:
        console.print(printable(line), markup=False, highlight=False, soft_wrap=True)


def overview_page(
    projects: Sequence[ProjectSummary], record: str = "", unread: Sequence[str] = (), links: PageLinks | None = None
) -> str:
    """Return overviews as one page of HTML that needs nothing beside it; verdicts are what it says first.

    Args:
        projects: The summary of each project.
        record: The size of Dagster's record in words.
        unread: Projects that nothing can be told of, and why.
        links: What it leads to where it is served; None: reports are named by their files.
    """
    css = read_text(Path(__file__).parent / "templates" / "report.css")
    shown = [
        {
            "title": found.title, "project": found.project, "since": found.since, "until": found.until,
            "lead": lead(found),
            "verdicts": _refused_deliveries(found) + [_verdict(one, found.project, links) for one in found.releases],
            "sections": [one for one in sections(found) if one["title"] != RELEASES], "sizes": sizes,
            "answers": found.answers + found.answers_before,
        }
        for found, sizes in projects
    ]  # fmt: skip
    template = environment().get_template("overview.html.j2")
    pages = [] if links is None else links.pages
    return fit_phone(template.render(css=css, projects=shown, record=record, unread=unread, pages=pages))


def _refused_deliveries(found: Overview) -> list[dict[str, Any]]:
    """Return what banners say of deliveries that a gate refused before there was a release of them."""
    reasons = {one.what.partition(": ")[0]: one.what.partition(": ")[2] for one in found.to_do}
    refused = {one.name: reasons.get(f"delivery {one.name}", "") for one in found.deliveries if one.state == "refused"}
    return [
        {
            "banner": "REFUSED",
            "name": name,
            "verdict": "refused",
            "reason": why,
            "allowed": "",
            "report": "",
            "link": None,
        }
        for name, why in refused.items()
    ]


def _verdict(release: ReleaseNews, project: str, links: PageLinks | None) -> dict[str, Any]:
    """Return what a banner says of a release; `link` where its report can be opened."""
    at_most, _, allowed = release.bound.partition(" of ")
    link = links.report(project, release.name) if links is not None and release.report else None
    return {
        "banner": BANNERS[release.verdict],
        "at_most": at_most,
        "allowed": allowed,
        "link": link,
        **release._asdict(),
    }


def overview_json(projects: Sequence[ProjectSummary], unread: Sequence[str] = ()) -> dict[str, Any]:
    """Return overviews for machines."""

    def plain(value: object) -> object:
        return (
            [one._asdict() if hasattr(one, "_asdict") else one for one in value] if isinstance(value, list) else value
        )

    shown = [{name: plain(value) for name, value in summary.overview._asdict().items()} for summary in projects]
    return {"projects": shown, "unread": list(unread)}
