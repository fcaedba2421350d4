"""Commands on rework: items that are sent back to annotators, and what came of it."""

from dataclasses import replace
from pathlib import Path

import click

from cupel.commands.options import DATA, FILE, LAKE, PROJECTS
from cupel.errors import CupelError


@click.command("send-back")
@click.argument("project")
@click.argument("batch")
@click.option("--items", type=FILE, help="CSV or Parquet that names them in its column item_id.")
@click.option("--release", metavar="NAME", help="Those that the report of this release lists, the worst first.")
@click.option("--first", type=click.IntRange(min=1), metavar="N", help="Of these the first so many.  [default: all]")
@click.option("--reason", required=True, help="What annotators read beside the task; never what experts said.")
@click.option("--of", "annotators", multiple=True, metavar="NAME", help="Whose answers (or vendor's). Repeatable.")
@click.option("--to", multiple=True, metavar="NAME", help="Who is to answer (or which vendor). Repeatable.")
@click.option("--by", default="cupel send-back", show_default=True, help="Who sends them back; kept with the event.")
@PROJECTS
@DATA
@LAKE
def send_items_back(
    project: str, batch: str, items: Path | None, release: str | None, first: int | None, reason: str,
    annotators: tuple[str, ...], to: tuple[str, ...], by: str, projects: Path, data: Path, lake: Path,
) -> None:  # fmt: skip
    """Send items of a BATCH of a PROJECT back to annotators, who see the reason and answer anew.

    An event in the lake, never changed. What was answered until then does not count any more and is kept, as rejected
    with the reason; the next run asks as many answers as the overlap needs. Exit codes: 0 sent back or nothing left
    to send, 1 error.
    """
    from cupel.intake.collect_inputs import current_project
    from cupel.lake.lake import Lake
    from cupel.printable import printable
    from cupel.release.items_to_send_back import read_item_file, read_release_items
    from cupel.release.send_back import SendBackRequest, send_back
    from cupel.show.send_back_lines import send_back_lines

    if (items is None) == (release is None):
        raise click.UsageError("name the items by --items FILE or by --release NAME, one of the two")
    there = Lake(lake, project)
    current = current_project(projects, there)
    if items is not None:
        named = read_item_file(items, batch, first)
    else:
        named = read_release_items(there, str(release), batch, first)
    result = send_back(there, current, data, batch, SendBackRequest(named, reason, by, annotators, to))
    for line in send_back_lines(result, project, batch):
        click.echo(printable(line))


@click.command()
@click.argument("project")
@click.argument("batches", metavar="[BATCH]...", nargs=-1)
@click.option("--csv", "csv_file", type=FILE, help="Write it there as CSV, shares as numbers from 0 to 1.")
@PROJECTS
@LAKE
def rework(project: str, batches: tuple[str, ...], csv_file: Path | None, projects: Path, lake: Path) -> None:
    """Show by annotator and vendor what was sent back, what came of it, and what experts accepted at first.

    Of the BATCHes of a PROJECT, by default all that were labelled. Exit codes: 0 shown, 1 error.
    """
    from rich.console import Console

    from cupel.intake.collect_inputs import current_project
    from cupel.lake.lake import Lake
    from cupel.release.facts import batch_facts
    from cupel.release.rework import count_rework
    from cupel.show.rework_table import CSV_HEADS, rework_csv, show_rework
    from cupel.store.outputs import Output, check_outputs, is_table, write_output

    if csv_file is not None:
        check_outputs([Output("--csv", csv_file, is_table(CSV_HEADS))], [projects / f"{project}.yaml"])
    there = Lake(lake, project)
    current, labelled = current_project(projects, there), there.partitions("annotations")
    if unknown := [batch for batch in batches if batch not in labelled]:
        raise CupelError(f"batch {unknown[0]!r}: not labelled in project {project}; there is {', '.join(labelled)}")
    found = {batch: count_rework(there, current, batch) for batch in batches or labelled}
    console = Console(highlight=False)
    for batch, counts in found.items():
        show_rework(console, replace(batch_facts(there, batch), rework=counts))
    if csv_file is not None:
        write_output("--csv", csv_file, rework_csv(found))
