"""Commands on a witness of draws."""

import sys
from pathlib import Path

import click

from cupel.commands.options import FILE, FILE_OR_FOLDER, LAKE


@click.group()
def witness() -> None:
    """Hold what a witness of draws has seen against the logs."""


@witness.command("check")
@click.argument("receipts", type=FILE_OR_FOLDER)
@LAKE
@click.option("--project", "projects", multiple=True, metavar="NAME", help="Only these projects.  [default: all]")
@click.option("--witness", "roots", type=FILE, help="Check signatures, too, by root certificates (PEM).")
def check_witness(receipts: Path, lake: Path, projects: tuple[str, ...], roots: Path | None) -> None:
    """Check that each freeze that a witness has seen is in the logs of draws, in order.

    RECEIPTS is what the witness issued to this operator: a folder of files, or one file, a receipt each (NAME.tsr is a
    time stamp), or JSON Lines of {"receipt": base64, "hash": what it was given for}. Get them from the witness, not
    from the operator. Exit codes: 0 all are there, 1 error, or something does not fit.
    """
    from cupel.printable import printable
    from cupel.release.receipt_check import UNSEEN, check_issued_receipts, find_draw_logs
    from cupel.witness.receipt_files import read_receipts
    from cupel.witness.timestamps import read_roots

    trusted = None if roots is None else read_roots(roots)
    issued, logs = read_receipts(receipts), find_draw_logs(lake, projects)
    found = check_issued_receipts(issued, logs, trusted)
    for line in found.fitting:
        click.echo(printable(f"in the log  {line}"))
    for line in found.problems:
        click.echo(printable(f"DOES NOT FIT  {line}"))
    counted = f"{len(issued):,} receipts, {len(found.fitting):,} of them drew; {len(found.problems):,} do not fit"
    click.echo(f"{counted}; logs of {', '.join(logs)}")
    if trusted is None:
        click.echo("Signatures were not checked: give the authority's root certificates with --witness.")
    click.echo(UNSEEN)
    sys.exit(1 if found.problems else 0)
