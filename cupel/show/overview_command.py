"""`cupel summary`: tells what happened in one project or in all of a deployment, on the terminal and as one page."""

import json
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console

from cupel.errors import CupelError
from cupel.intake.collect_inputs import current_project
from cupel.lake.lake import Lake
from cupel.lake.sizes import record_line, size_lines
from cupel.lake.superseded_parts import superseded_bytes
from cupel.printable import printable
from cupel.show.overview import gather_overview
from cupel.show.overview_pages import (
    ProjectSummary,
    last_look,
    overview_json,
    overview_page,
    print_overview,
    remember_look,
)
from cupel.store.files import find_files, is_folder, list_folder
from cupel.store.outputs import Output, check_outputs, is_json_object, is_marked, write_output

UNREADABLE = 1


def summarise_projects(
    name: str | None, since: datetime | None, projects: Path, lake: Path, inbox: Path, home: Path,
    html_file: Path | None, json_file: Path | None,
) -> int:  # fmt: skip
    """Tell what happened; return the exit code of `cupel summary`.

    A project that cannot be told of does not hide the others: where all are asked for, it is told why.

    Args:
        name: The project; None for all.
        since: From when on; None: since somebody last looked, for each project by itself.
        projects: Folder of the project files.
        lake: The deployment's lake.
        inbox: Where deliveries arrive, a folder a project.
        home: Dagster's record.
        html_file: Where the page is written.
        json_file: Where it is written for machines.
    """
    names = {path.stem for path in find_files(projects, "*.yaml")}
    outputs = [Output("--html", html_file, is_marked("<!DOCTYPE html>"))] if html_file is not None else []
    outputs += [Output("--json", json_file, is_json_object("projects", "unread"))] if json_file is not None else []
    check_outputs(outputs, [projects / f"{one}.yaml" for one in names])
    summaries, unread = [], []
    for one in sorted(names) if name is None else [name]:
        try:
            summaries.append(_summarise(one, since, projects, lake, inbox, has_heading=name is None))
        except CupelError as error:
            if name is not None:
                raise
            unread.append(f"{one}: {error}")
    if name is None:
        unread += [f"{one}: in the lake, and of no file in {projects}" for one in _lakes(lake) if one not in names]
    record = record_line(home) if is_folder(home) else ""
    for line in [*([record] if record else []), *unread]:
        click.echo(printable(line))
    if html_file is not None:
        write_output("--html", html_file, overview_page(summaries, record, unread).encode())
    if json_file is not None:
        write_output("--json", json_file, (json.dumps(overview_json(summaries, unread), indent=1) + "\n").encode())
    for shown in summaries if since is None else ():
        there = Lake(lake, shown.overview.project)
        if is_folder(there.folder):
            remember_look(there)
    return UNREADABLE if unread else 0


def _summarise(
    name: str, since: datetime | None, projects: Path, lake: Path, inbox: Path, *, has_heading: bool
) -> ProjectSummary:
    there = Lake(lake, name)
    project = current_project(projects, there)
    begin = last_look(there) if since is None else since.replace(tzinfo=UTC)
    superseded = superseded_bytes(there, project.operation.prune.parts_hours)
    summary = ProjectSummary(
        gather_overview(there, project, begin, inbox / name), size_lines(there.folder, None, superseded)
    )  # fmt: skip
    print_overview(summary, Console(highlight=False), has_rule=has_heading)
    return summary


def _lakes(lake: Path) -> list[str]:
    return [path.name for path in list_folder(lake) if is_folder(path / "tables")]
