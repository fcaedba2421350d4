"""`cupel prune`: says what pruning would remove, and removes it."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cupel.config.project import Project
from cupel.kinds.projects import load_project, load_projects
from cupel.lake.sizes import format_bytes
from cupel.printable import printable
from cupel.store.files import is_file, is_folder
from cupel.store.outputs import Output, check_outputs, is_json_object, write_output
from orchestration.dagster_storage import open_instance
from orchestration.prune import Pruned, plan_prune, prune

if TYPE_CHECKING:
    import dagster as dg

LEFT = 1


def prune_projects(
    project: str | None, projects: Path, lake: Path, home: Path, is_only_told: bool, json_file: Path | None
) -> int:
    """Prune, or say what there is to prune; return the exit code of `cupel prune`.

    Args:
        project: The project; None for all.
        projects: Folder of the project files.
        lake: The deployment's lake.
        home: DAGSTER_HOME; where there is none, only the lake is pruned.
        is_only_told: Change nothing.
        json_file: Where it is written for machines.
    """
    if json_file is not None:
        check_outputs([Output("--json", json_file, is_json_object(*Pruned._fields))], [])
    named = None if project is None else load_project(projects / f"{project}.yaml").project
    there = load_projects(projects)
    chosen = [one for one in there if named in (None, one.project) and is_folder(lake / one.project)]
    with _record(home) as instance:
        others = [one for one in there if one not in chosen]
        found = (plan_prune if is_only_told else prune)(chosen, lake, instance, home, others)
    for line in prune_lines(found, chosen, is_only_told=is_only_told):
        click.echo(printable(line))
    if is_only_told and found.is_anything:
        click.echo(f"Nothing was removed. `{' '.join(['cupel prune', *filter(None, [project])])} --yes` does it.")
    if json_file is not None:
        write_output("--json", json_file, (json.dumps(found._asdict(), indent=1) + "\n").encode())
    return LEFT if found.notes else 0


def prune_lines(found: Pruned, projects: list[Project], *, is_only_told: bool = False) -> list[str]:
    """Return what there is to remove, or was removed, in words."""
    verb = "to remove" if is_only_told else "removed"
    lines = []
    for project in projects:
        name = project.project
        size = format_bytes(found.part_bytes[name])
        lines.append(f"{name}: {found.parts[name]:,} superseded parts of tables {verb}, {size}")
    lines.append(f"Dagster's record: {found.runs:,} runs {verb}, {format_bytes(found.run_bytes)} of their own files")
    lines.append(f"  {found.ticks:,} ticks of schedules and sensors, {found.events:,} events outside runs {verb}")
    lines.append(f"logs of page and daemon: {format_bytes(found.log_bytes)} {'to cut' if is_only_told else 'cut'}")
    return [*lines, *(f"left: {note}" for note in found.notes)]


@contextmanager
def _record(home: Path) -> "Iterator[dg.DagsterInstance | None]":
    if not is_file(home / "dagster.yaml"):
        yield None
        return
    os.environ["DAGSTER_HOME"] = str(home.resolve())
    with open_instance(lambda words: click.echo(printable(words), err=True)) as instance:
        yield instance
