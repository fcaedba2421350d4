"""Commands of the chain, which the library does not know, and which may lack what it needs."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from cupel.commands.missing_libraries import name_extra
from cupel.commands.options import DATA, DRY_RUN, FILE, FOLDER, HOME, LAKE, PROJECTS
from cupel.errors import CupelError

# Of the repository; a package of Cupel may hold them or not.
_PACKAGES = ("orchestration", "assets", "expectations", "samples")
_IN_A_COPY = "run it in a copy of the repository, after `make setup`"


@click.command()
@click.argument("project", required=False)
@PROJECTS
@DATA
@LAKE
@HOME
@click.option("--repair", "is_repaired", is_flag=True, help="Make again what can be made, byte for byte.")
@click.option("--accept", "accepted", metavar="PATH", multiple=True, help="Go on with a file as it is, or without it.")
@click.option("--json", "json_file", type=FILE, help="Write what was found there for machines.")
def check(project: str | None, **options: Any) -> None:
    """Check the lake of a PROJECT, or of all, and Dagster's record: every file against its hash, and each other.

    Shows what is damaged and the one command that mends it. With --repair, what is damaged is moved to the folder
    `damaged` of the project, never removed, and made again; what cannot be is told. With --accept, a file that nobody
    can restore is taken as it is; that is kept as an event. Exit codes: 0 whole, 1 error or something is damaged, 2
    wrong usage.
    """
    sys.exit(_chain_command("check")(project, **options))


@click.command()
@click.argument("release")
@PROJECTS
@DATA
@click.option(
    "--lake", type=FOLDER, envvar="CUPEL_LAKE", default=Path("lake"), help="The deployment's lake, only read."
)
@click.option("--keep", type=FOLDER, metavar="FOLDER", help="Rebuild in a lake there, and keep it.")
@click.option("--all", "is_all_shown", is_flag=True, help="Show what is the same, too.")
@click.option("--json", "json_file", type=FILE, help="Write the comparison there for machines.")
def rebuild(release: str, **options: Any) -> None:
    """Make a RELEASE once more from its deliveries and answers, and compare it byte for byte.

    RELEASE is movies-r1, or sentiment/movies-r1 where several projects have one of that name. It is rebuilt in a lake
    of its own, in which the answers end where the release's did. Exit codes: 0 the same byte for byte, 1 error or
    something differs: then the first difference is shown, and its likely reason.
    """
    sys.exit(_chain_command("rebuild")(release, **options))


@click.command()
@click.argument("project", required=False)
@PROJECTS
@LAKE
@HOME
@DRY_RUN
@click.option("--json", "json_file", type=FILE, help="Write what was found or done there for machines.")
def prune(project: str | None, **options: Any) -> None:
    """Remove what nothing needs any more: superseded parts of tables, old runs and ticks, long logs.

    Of a PROJECT, or of all. No answer, delivery, release, report or alert is removed, and nothing that a rebuild or a
    trace needs; `operation.prune` of the project file says how long what stays. It says what it would do, and does it
    with --yes. Exit codes: 0 said or done, 1 error, or something had to be left.
    """
    sys.exit(_chain_command("prune")(project, **options))


@click.command("data-docs")
@click.argument("project", required=False)
@PROJECTS
@LAKE
def data_docs(project: str | None, **options: Any) -> None:
    """Write Data Docs: a page for each gate's latest outcome, of a PROJECT or of all, and an index of them.

    They are made of what gates said, in the folder `data_docs` of the project's lake; nothing is judged again. The
    pages need no network. Exit codes: 0 written, 1 error, or a project's file cannot be used.
    """
    sys.exit(_chain_command("data-docs")(project, **options))


def _chain_command(name: str) -> Callable[..., int]:
    """Return a command of the chain, which the package alone does not hold, and knows only by this name."""
    from importlib.metadata import entry_points

    for chain in entry_points(group="cupel.chain", name=name):
        try:
            command: Callable[..., int] = chain.load()
        except ModuleNotFoundError as error:
            message = None if error.name in _PACKAGES else name_extra(name, error)
            if message is None:
                raise CupelError(f"cupel {name}: the chain is not in this installation; {_IN_A_COPY}") from error
            raise CupelError(message) from error
        return command
    raise CupelError(f"cupel {name}: this installation knows no chain; {_IN_A_COPY}")
