"""`make gate`: judge what is in the lake, all of it or what a change touches; for people and for CI."""

import logging
import os
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import click
import dagster as dg
from rich.console import Console

from cupel.config.project import Project
from cupel.contract.stages import project_steps, stage_of
from cupel.errors import CupelError
from cupel.intake.collect_inputs import current_project
from cupel.kinds.projects import load_project, load_projects
from cupel.lake.lake import Lake
from cupel.store.files import temporary_folder
from orchestration.changed_stages import ChangedFile, changed_stages, find_changes, partitioned_names
from orchestration.dagster_internals import LOGGER_OF_SKIPPED_STEPS
from orchestration.dagster_storage import describe_trouble, open_instance
from orchestration.deployment import Deployment
from orchestration.evidence import Place, broken, evidence_findings, is_in_a_release, no_delivery
from orchestration.findings import Finding, Word, print_findings, sum_up
from orchestration.judged_lake import judged_lake
from orchestration.judging import judge_partition, questions
from orchestration.junit import check_junit, write_junit
from orchestration.scope import Partition, ScopeError, check_named, partitions_of, selected_tables
from orchestration.wiring import deployment_definitions

WRONG_USAGE = 2
INTERRUPTED = 130
# What the command exits with: a refusal is an outcome of the data, what is broken is not. Open counts when asked.
EXIT_CODES: dict[Word, int] = {"PASSED": 0, "REFUSED": 1, "BROKEN": 3, "OPEN": 4}
CI_WIDTH = 180


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.argument("projects", nargs=-1, metavar="[PROJECT]...")
@click.option(
    "--select",
    "selection",
    default="*",
    metavar="SELECTION",
    help='Assets, in Dagster\'s syntax: group:cleaning, key:"sentiment/clean_items"+. Default: everything.',
)
@click.option(
    "--partition",
    "partitions",
    multiple=True,
    metavar="NAME",
    help="Batch or release, may be repeated; a batch's releases belong to it. Default: all.",
)
@click.option("--since", metavar="GIT_REF", help="Only what differs from where the change left this commit or branch.")
@click.option(
    "--junit", "junit", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write JUnit XML too."
)
@click.option("--all-releases", is_flag=True, help="Also releases that were followed by another one.")
@click.option("--strict", is_flag=True, help="Answers that are awaited close the gate too.")
def main(
    projects: tuple[str, ...], selection: str, partitions: tuple[str, ...], since: str | None, junit: Path | None,
    all_releases: bool, strict: bool,
) -> None:  # fmt: skip
    """Judge the tables in the lake, and say PASSED, REFUSED, OPEN or BROKEN.

    Exits with 0 when every critical check passes; with 1 when one does not: the data are refused; with 3 when something
    is broken: a check raised, or a table is missing or out of date; with 4 when answers are awaited and --strict is
    given; with 2 on wrong usage.
    """
    logging.getLogger(LOGGER_OF_SKIPPED_STEPS).setLevel(logging.ERROR)
    console, began = _console(), time.monotonic()
    try:
        if junit is not None:
            check_junit(junit)
        found = gate(Deployment.from_environment(), projects, selection, partitions, since, all_releases, console)
        if junit is not None:
            write_junit(found, junit, strict)
    except (CupelError, OSError) as error:
        console.print(str(error), style="red", markup=False)
        sys.exit(WRONG_USAGE)
    except Exception as error:  # Python would exit with 1, which says that data were refused
        console.print(describe_trouble(error) or traceback.format_exc(), style="red", markup=False)
        sys.exit(EXIT_CODES["BROKEN"])
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    if found:
        print_findings(found, console, time.monotonic() - began, strict)
    word = sum_up(found)
    sys.exit(0 if word == "OPEN" and not strict else EXIT_CODES[word])


def gate(
    deployment: Deployment,
    names: Sequence[str] = (),
    selection: str = "*",
    partitions: Sequence[str] = (),
    since: str | None = None,
    all_releases: bool = False,
    console: Console | None = None,
) -> list[Finding]:
    """Judge projects, and return what was found of each check and of the tables behind them.

    Args:
        deployment: Where projects, data and lake are; nothing in the lake is changed.
        names: Projects; none for all.
        selection: Which assets, in Dagster's syntax.
        partitions: Batches and releases; none for all.
        since: A git commit or branch: only what is touched since; None for everything.
        all_releases: Also releases that were followed by another one.
        console: Where to say what is touched and what is left out.

    Raises:
        CupelError: A project file is wrong, or there is no such project, selection, partition or commit.
    """
    console = console or Console(quiet=True)
    folder, known = deployment.projects, deployment.known
    files = [load_project(folder / f"{name}.yaml", known) for name in names] or load_projects(folder, known)
    if not files:
        raise ScopeError(f"{deployment.projects}: no project file is there")
    places = {file.project: Lake(deployment.lake, file.project) for file in files}
    current = [current_project(deployment.projects, places[file.project], deployment.known) for file in files]
    check_named(partitions, [(project, places[project.project]) for project in current])
    with temporary_folder("cupel-gate-") as folder:
        definitions = deployment_definitions(files, deployment._replace(lake=str(folder)))
        tables = selected_tables(definitions, selection)
        if since is not None:
            tables = _only_changed(tables, find_changes(files, deployment, since), console)
        found: list[Finding] = []
        with _instance(console) as instance:
            for project in (project for project in current if tables.get(project.project)):
                lake = places[project.project]
                place = Place(project, lake, judged_lake(lake, folder), deployment.data)
                parts = partitions_of(project, lake, partitions, all_releases)
                _say_left_out(project, parts.left_out, console)
                found += _judge_project(definitions, instance, place, parts.judged, tables[project.project])
    if not found:
        console.print("Nothing to judge." if since is None else "Nothing is touched: nothing to judge.")
    return found


def _judge_project(
    definitions: dg.Definitions,
    instance: dg.DagsterInstance,
    place: Place,
    parts: Sequence[Partition],
    tables: frozenset[str],
) -> list[Finding]:
    if not place.project.raw.deliveries:
        return [no_delivery(place.project)]
    found = [row for part in parts for row in _judge(definitions, instance, place, part, tables)]
    if any(stage_of(table).partition == "release" for table in tables):
        for batch in (part.name for part in parts if not part.is_release):
            holding = [part.name for part in parts if part.is_release and batch in part.batches]
            found.append(is_in_a_release(place, batch, holding))
    return found


def _judge(
    definitions: dg.Definitions, instance: dg.DagsterInstance, place: Place, part: Partition, tables: frozenset[str]
) -> list[Finding]:
    """Judge one batch or release: its checks first, because the evidence rests on what gates say now."""
    ours = frozenset(table for table in tables if (stage_of(table).partition == "release") == part.is_release)
    if not ours:
        return []
    try:
        asked = questions(place.project, part.name, ours)
        checks = judge_partition(definitions, instance, place.project, place.judged, part.name, asked)
        steps = project_steps(place.project, "release" if part.is_release else "batch")
        return evidence_findings(place, part.name, part.is_release, steps, ours) + checks
    except (CupelError, OSError) as error:
        return [broken(place, part, error)]


def _only_changed(
    tables: Mapping[str, frozenset[str]], changes: Sequence[ChangedFile], console: Console
) -> dict[str, frozenset[str]]:
    names = partitioned_names()
    for change in changes:
        stages = [stage for stage in names if stage in change.stages]
        span = "nothing" if not stages else "everything" if len(stages) == len(names) else ", ".join(stages)
        whose = f" of {change.project}" if change.project and stages else ""
        console.print(f"{change.path}: {span}{whose} ({change.why})", markup=False, highlight=False, soft_wrap=True)
    return {
        project: frozenset(name for name in asked if stage_of(name).name in changed_stages(changes, project))
        for project, asked in tables.items()
    }


def _say_left_out(project: Project, left_out: Sequence[str], console: Console) -> None:
    if left_out:
        words = f"{project.project}: not judged: {'; '.join(left_out)}"
        console.print(words, markup=False, highlight=False, soft_wrap=True)


def _instance(console: Console) -> AbstractContextManager[dg.DagsterInstance]:
    """Return Dagster's instance: that of DAGSTER_HOME, so that the page shows what was found, or one for now."""
    if not os.environ.get("DAGSTER_HOME"):
        return dg.DagsterInstance.ephemeral()
    return open_instance(lambda words: console.print(words, style="yellow", markup=False, soft_wrap=True))


def _console() -> Console:
    plain = Console()
    return plain if plain.is_terminal or "COLUMNS" in os.environ else Console(width=CI_WIDTH)


if __name__ == "__main__":
    main()
