"""Commands of `cupel` that need the chain; Dagster is imported when one of them runs, not before."""

import json
import logging
import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cupel.errors import ReleaseError

if TYPE_CHECKING:
    from rich.console import Console

    from orchestration.compared import Comparison, Row

FILE = click.Path(path_type=Path, dir_okay=False)
FOLDER = click.Path(path_type=Path, file_okay=False)
HASH_SHOWN = 12
STYLES = {"same": "green", "went on": "yellow"}


@click.command()
@click.argument("release")
@click.option("--project", help="The project, if it does not stand before the release: sentiment/movies-r1.")
@click.option("--keep", type=FOLDER, metavar="FOLDER", help="Make the lake there, and keep it.")
@click.option("--json", "json_file", type=FILE, help="Write the comparison there for machines.")
def rebuild(release: str, project: str | None, keep: Path | None, json_file: Path | None) -> None:
    """Make a RELEASE once more from its deliveries and answers, and compare it byte for byte.

    The lake is only read: the release is rebuilt in a lake of its own. CUPEL_PROJECTS, CUPEL_DATA and CUPEL_LAKE
    name the places, as for `make`.

    Exit codes: 0 the same byte for byte, 1 error, or something differs.
    """
    from rich.console import Console

    from cupel.lake import replace_file
    from orchestration.deployment import Deployment
    from orchestration.rebuild import rebuild as make

    name, release = _named(release, project)
    logging.getLogger("dagster._core.execution.plan.active").setLevel(logging.ERROR)
    console, errors = Console(highlight=False), Console(highlight=False, stderr=True)

    def say(words: str) -> None:
        errors.print(words, markup=False, style="dim")

    with tempfile.TemporaryDirectory(prefix="cupel-lake-") if keep is None else nullcontext(str(keep)) as root:
        found = make(Deployment.from_environment(), name, release, Path(root), say)
    print_comparison(found, console)
    if json_file is not None:
        replace_file(json_file, (json.dumps(content(found), indent=1) + "\n").encode())
    sys.exit(0 if found.is_same else 1)


def content(found: "Comparison") -> dict[str, Any]:
    """Return a comparison as it is written for machines."""
    first = found.first_difference
    return {
        "project": found.project,
        "release": found.release,
        "is_same": found.is_same,
        "release_sha256": found.release_sha256,
        "rebuilt_sha256": found.rebuilt_sha256,
        "first_difference": None if first is None else first._asdict(),
        "notes": list(found.notes),
        "rows": [row._asdict() for row in found.rows],
    }


def print_comparison(found: "Comparison", console: "Console") -> None:
    """Print a comparison: a row a table and file, what the outcomes mean, and the first difference with its reason."""
    from rich.table import Table
    from rich.text import Text

    from orchestration.compared import MEANING, SAME

    shown = Table(box=None, pad_edge=False)
    for column in ("stage", "table or file", "of", "the release's", "rebuilt", "outcome"):
        shown.add_column(column, overflow="fold")
    for row in found.rows:
        hashes = (Text((value or "-")[:HASH_SHOWN]) for value in (row.recorded, row.rebuilt))
        names = (Text(row.stage), Text(row.name), Text(row.partition))
        shown.add_row(*names, *hashes, Text(row.outcome, STYLES.get(row.outcome, "red")))
    console.print(shown)
    for outcome in sorted({row.outcome for row in found.rows} - {SAME}):
        console.print(f"{outcome}: {MEANING[outcome]}.", markup=False)
    for note in found.notes:
        console.print(f"note: {note}.", markup=False)
    console.print()
    if found.first_difference is not None:
        _print_first(found.first_difference, console)
    console.print(_verdict(found), style="green" if found.is_same else "red", markup=False)


def _print_first(row: "Row", console: "Console") -> None:
    console.print(f"First difference: {row.stage}, {row.name} of {row.partition}: {row.outcome}.", markup=False)
    if row.reason:
        console.print(f"Likely reason: {row.reason}.", markup=False)


def _verdict(found: "Comparison") -> str:
    release = f"{found.project}/{found.release}"
    if not found.is_same:
        sums = f": release_sha256 {found.release_sha256}, rebuilt {found.rebuilt_sha256}"
        return f"{release}: not the same{sums if found.release_sha256 != found.rebuilt_sha256 else ''}"
    rows = [row for row in found.rows if row.outcome == "same"]
    if found.release_sha256 is None:
        return f"{release}: the same, {len(rows)} tables; it was refused, so there is no folder"
    return f"{release}: the same byte for byte, {len(rows)} tables and files; release_sha256 {found.release_sha256}"


def _named(release: str, project: str | None) -> tuple[str, str]:
    before, slash, name = release.partition("/")
    if slash and project in (None, before):
        return before, name
    if slash:
        raise ReleaseError(f"{release}: names the project {before!r}, but --project says {project!r}; name one")
    if project is None:
        raise ReleaseError(f"{release}: of which project? Write <project>/{release}, or give --project")
    return project, release
