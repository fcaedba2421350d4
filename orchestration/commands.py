"""Commands of `cupel` that need the chain; `cupel.cli` declares them and finds them by their entry points."""

import json
import logging
from collections import Counter
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from cupel.errors import ReleaseError
from cupel.lake.lake import Lake
from cupel.printable import printable
from cupel.store.files import is_folder, list_folder, temporary_folder
from cupel.store.outputs import Output, check_outputs, is_json_object, write_output
from orchestration.compared import MEANING, SAME, WENT_ON, Comparison, Row
from orchestration.dagster_internals import LOGGER_OF_SKIPPED_STEPS
from orchestration.deployment import Deployment
from orchestration.rebuild import rebuild as make

HASH_SHOWN = 12
STYLES = {SAME: "green", WENT_ON: "yellow"}


def rebuild(
    release: str, projects: Path, data: Path, lake: Path, keep: Path | None, is_all_shown: bool, json_file: Path | None
) -> int:
    """Rebuild a release, show how it compares, and return the exit code of `cupel rebuild`.

    Args:
        release: The release; its project stands before it where several have one of that name.
        projects: Folder of the project files.
        data: Folder of the deliveries' files.
        lake: The deployment's lake, which is only read.
        keep: Folder of the lake that it is rebuilt in; None for one that is removed.
        is_all_shown: Also show what is the same.
        json_file: Where the comparison is written for machines.
    """
    logging.getLogger(LOGGER_OF_SKIPPED_STEPS).setLevel(logging.ERROR)
    console, errors = Console(highlight=False), Console(highlight=False, stderr=True)

    def say(words: str) -> None:
        errors.print(words, markup=False, style="dim")

    if json_file is not None:
        keys = ("project", "release", "is_same", "release_sha256", "rebuilt_sha256", "first_difference")
        check_outputs([Output("--json", json_file, is_json_object(*keys))], [])
    project, name = named(lake, release)
    with temporary_folder("cupel-lake-") if keep is None else nullcontext(keep) as root:
        found = make(Deployment(projects, data, str(lake)), project, name, root, say)
    print_comparison(found, console, is_all_shown)
    if json_file is not None:
        write_output("--json", json_file, (json.dumps(content(found), indent=1) + "\n").encode())
    return 0 if found.is_same else 1


def named(lake: Path, release: str) -> tuple[str, str]:
    """Return the project and the name of a release, given as `release` or `project/release`.

    Raises:
        ReleaseError: There is none of that name, or several projects have one.
    """
    project, _, name = release.rpartition("/")
    names = [path.name for path in list_folder(lake) if is_folder(path / "tables")]
    if project in names:
        return project, name
    planned = {each: Lake(lake, each).partitions("release_plan") for each in names}
    holding = [each for each in names if name in planned[each]]
    if project or not holding:
        there = ", ".join(f"{each}/{one}" for each in names for one in planned[each])
        raise ReleaseError(f"release {release!r}: not in the lake {lake}; it holds {there or 'no release'}")
    if len(holding) > 1:
        raise ReleaseError(f"release {name}: in several projects; name {' or '.join(f'{p}/{name}' for p in holding)}")
    return holding[0], name


def content(found: Comparison) -> dict[str, Any]:
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


def print_comparison(found: Comparison, console: Console, is_all_shown: bool = False) -> None:
    """Print how many tables and files of each stage are the same, what is not, and the first difference's reason."""
    by_stage: dict[str, list[Row]] = {}
    for row in found.rows:
        by_stage.setdefault(row.stage, []).append(row)
    for stage, rows in by_stage.items():
        outcomes = Counter(row.outcome for row in rows)
        words = ", ".join(f"{outcomes[outcome]} {outcome}" for outcome in MEANING if outcomes[outcome])
        _print(console, f"{stage:<10}{words}", "green" if set(outcomes) == {SAME} else "")
        for row in rows:
            if is_all_shown or row.outcome != SAME:
                hashes = " -> ".join((value or "-")[:HASH_SHOWN] for value in (row.recorded, row.rebuilt))
                words = f"  {row.outcome:<10}{row.name} of {row.partition}  {hashes}"
                _print(console, words, STYLES.get(row.outcome, "red"))
    for outcome in sorted({row.outcome for row in found.rows} - {SAME}):
        _print(console, f"{outcome}: {MEANING[outcome]}.")
    for note in found.notes:
        _print(console, f"note: {note}.")
    first = found.first_difference
    if first is not None:
        _print(console, f"\nFirst difference: {first.stage}, {first.name} of {first.partition}: {first.outcome}.")
        _print(console, f"Likely reason: {first.reason or 'what it is made from differs, see above'}.")
    _print(console, f"\n{_verdict(found)}", "green" if found.is_same else "red")


def _verdict(found: Comparison) -> str:
    release = f"{found.project}/{found.release}"
    if not found.is_same:
        sums = f"\nrelease_sha256 {found.release_sha256}\nrebuilt        {found.rebuilt_sha256}"
        return f"{release}: NOT the same.{sums if found.release_sha256 != found.rebuilt_sha256 else ''}"
    rows = [row for row in found.rows if row.outcome == SAME]
    if found.release_sha256 is None:
        return f"{release}: the same, {len(rows)} tables; it was refused, so there is no folder."
    return f"{release}: the same byte for byte, {len(rows)} tables and files.\nrelease_sha256 {found.release_sha256}"


def _print(console: Console, words: str, style: str = "") -> None:
    console.print(Text(printable(words), style=style))
