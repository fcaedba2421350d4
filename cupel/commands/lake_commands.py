"""Commands on the lake of a project: what they tell, ask for and decide."""

import sys
from datetime import datetime
from pathlib import Path

import click

from cupel.commands.options import DATA, DRY_RUN, FILE, FILE_OR_DASH, FOLDER, HOME, INBOX, LAKE, PROJECTS
from cupel.errors import CupelError


@click.command()
@click.argument("project", nargs=-1, required=True)
@click.option("--lake", type=FOLDER, default=Path("lake"), show_default=True, help="The deployment's lake.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option("--port", type=click.IntRange(0, 65535), default=3010, show_default=True, help="Port to listen at.")
def webhook(project: tuple[str, ...], lake: Path, host: str, port: int) -> None:
    """Hear a labeling tool say that something happened, so that answers of PROJECT are collected at once.

    Calls are POST /PROJECT with the header X-Cupel-Token, whose value is in the environment variable
    CUPEL_WEBHOOK_TOKEN. What they hold is not used. Runs until it is stopped. Exit code: 1 error.
    """
    from cupel.lake.lake import Lake
    from cupel.people.label_studio.hint import leave, receiver, secret
    from cupel.store.files import is_folder

    lakes = {name: Lake(str(lake), name) for name in project}
    if missing := [name for name, own in lakes.items() if not is_folder(own.folder)]:
        raise CupelError(f"project {missing[0]}: not in the lake {lake}; name those that `make up` works on")
    with receiver((host, port), secret(), lakes.keys(), lambda name: leave(lakes[name])) as server:
        click.echo(f"listening at http://{host}:{server.server_port}/{project[0]}")
        server.serve_forever()


@click.command()
@click.argument("project")
@click.argument("batch")
@PROJECTS
@LAKE
@click.option("--by", default="cupel release", show_default=True, help="Who asks; kept with the proposal.")
def release(project: str, batch: str, projects: Path, lake: Path, by: str) -> None:
    """Propose a new release of a BATCH of a PROJECT, or of `all`: a new audit, which spends a further attempt.

    The daemon takes it up within a minute, `make run` when it runs next. Exit codes: 0 proposed, 1 error.
    """
    from cupel.intake.collect_inputs import current_project
    from cupel.lake.lake import Lake
    from cupel.release.proposals import propose

    there = Lake(lake, project)
    name = propose(there, current_project(projects, there), batch, by)
    click.echo(f"{name} is proposed; the daemon takes it up, or `make run PROJECT={project}`")


@click.command()
@click.argument("project")
@click.argument("batches", metavar="[BATCH]...", nargs=-1)
@PROJECTS
@LAKE
@click.option("--json", "json_file", type=FILE, help="Write thresholds and histograms there for machines.")
def signals(project: str, batches: tuple[str, ...], projects: Path, lake: Path, json_file: Path | None) -> None:
    """Show what each threshold of cleaning rejects, or would: the histogram of its signal, with the cut.

    Of the BATCHes of a PROJECT that were measured, by default all. Exit codes: 0 shown, 1 error.
    """
    from rich.console import Console

    from cupel.cleaning.cuts import Cut
    from cupel.intake.collect_inputs import current_project
    from cupel.lake.lake import Lake
    from cupel.show.signal_histograms import cuts_of, show_cuts, write_cuts
    from cupel.store.outputs import Output, check_outputs, is_json_list

    if json_file is not None:
        check_outputs([Output("--json", json_file, is_json_list(*Cut._fields))], [projects / f"{project}.yaml"])
    there = Lake(lake, project)
    chosen = batches or tuple(there.partitions("item_signals"))
    found = cuts_of(there, current_project(projects, there), chosen)
    show_cuts(Console(highlight=False), found, chosen)
    if json_file is not None:
        write_cuts(found, json_file)


@click.command()
@click.argument("project")
@click.argument("batch")
@click.argument("annotator")
@click.argument("deed", type=click.Choice(["remove", "restore"]))
@click.option("--why", required=True, help="The reason; kept with the action.")
@click.option("--by", required=True, help="Who decides; kept with the action.")
@PROJECTS
@LAKE
def annotator(
    project: str, batch: str, annotator: str, deed: str, why: str, by: str, projects: Path, lake: Path
) -> None:
    """Remove an ANNOTATOR of a BATCH of a PROJECT, or restore one whom a policy removed.

    An event in the lake, never changed; the next run puts the questions to others, or counts the answers again.
    Exit codes: 0 noted, 1 error.
    """
    from cupel.intake.collect_inputs import current_project
    from cupel.lake.lake import Lake
    from cupel.people.annotators.policies import act_by_hand

    there = Lake(lake, project)
    act_by_hand(there, current_project(projects, there), batch, annotator, deed, why, by)
    click.echo(f"{annotator}: {deed}d in {batch}; the daemon takes it up, or `make run PROJECT={project}`")


@click.command()
@click.argument("project")
@PROJECTS
@DATA
@LAKE
@click.option("--text", "is_text", is_flag=True, help="Show the text of the version in force, and nothing else.")
def guideline(project: str, projects: Path, data: Path, lake: Path, is_text: bool) -> None:
    """Show the versions of the guideline of a PROJECT: what is in force, what led to it, which certificates lapsed.

    Exit codes: 0 shown, 1 error, or the guideline changed and no change is declared: then it says what to write.
    """
    from cupel.intake.collect_inputs import current_project
    from cupel.lake.guideline_log import GUIDELINES, read_versions
    from cupel.lake.lake import Lake
    from cupel.printable import printable
    from cupel.show.guideline_lines import guideline_lines

    there = Lake(lake, project)
    if is_text:
        for version in read_versions(there.log(GUIDELINES))[-1:]:
            click.echo(version.text or "", nl=False)
        return
    for line in guideline_lines(there, current_project(projects, there), data):
        click.echo(printable(line))


@click.command()
@click.argument("project")
@PROJECTS
@DATA
@LAKE
@DRY_RUN
def upgrade(project: str, projects: Path, data: Path, lake: Path, is_only_told: bool) -> None:
    """Take the lake of a PROJECT that an older version of Cupel wrote to the present format.

    It says what it would do, and does it with --yes. Exit codes: 0 said or done, 1 error.
    """
    from cupel.check.upgrade import plan_upgrade, upgrade_lake, upgrade_lines
    from cupel.intake.collect_inputs import current_project
    from cupel.lake.lake import Lake

    there = Lake(lake, project)
    current = current_project(projects, there)
    plan = plan_upgrade(there, current, data) if is_only_told else upgrade_lake(there, current, data)
    for line in upgrade_lines(plan):
        click.echo(line)
    if not plan.is_needed:
        return
    if is_only_told:
        click.echo(
            f"Nothing was changed. `cupel upgrade {project} --yes` does it. Keep a copy of the folder first, if you may"
        )
        click.echo("want to go back or to rebuild its releases: no older Cupel reads what this one writes.")
    else:
        click.echo(f"Done: go on with `make run PROJECT={project}`.")


@click.command()
@click.argument("label_id")
@click.option("--release", metavar="NAME", help="Which of several releases; the latest that holds the item without it.")
@LAKE
@click.option("--all-gates", is_flag=True, help="Show the checks that passed, too.")
@click.option("--json", "json_file", type=FILE_OR_DASH, help="Write it there for machines, texts in full; - to print.")
def trace(label_id: str, release: str | None, lake: Path, all_gates: bool, json_file: Path | None) -> None:
    """Show how a label came to be, from the row of the delivery to the file of the release.

    LABEL_ID is batch and item_id as a release has them, movies/17, or the release and the item_id, movies-r1/17;
    before it the project where several have such a batch: sentiment/movies/17. In place of the item's id also a row
    of the delivery, movies/FILE:LINE. Nothing but the lake is needed. Exit codes: 0 shown, 1 error.
    """
    from rich.console import Console

    from cupel.kinds import KINDS
    from cupel.trace.machine import as_json, check_json, write_json
    from cupel.trace.terminal import show
    from cupel.trace.trace import trace as trace_label

    if json_file is not None and json_file != Path("-"):
        check_json(json_file)
    found = trace_label(lake, label_id, release, KINDS)
    if json_file == Path("-"):
        click.echo(as_json(found), nl=False)
        return
    if json_file is not None:
        write_json(found, json_file)
    show(Console(highlight=False), found, all_gates)


@click.command("summary")
@click.argument("project", required=False)
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="From this day on, UTC.  [default: the last look]")
@PROJECTS
@LAKE
@INBOX
@HOME
@click.option("--html", "html_file", type=FILE, help="Write it there as a page that stands alone.")
@click.option("--json", "json_file", type=FILE, help="Write it there for machines.")
def summarise(
    project: str | None, since: datetime | None, projects: Path, lake: Path, inbox: Path, home: Path,
    html_file: Path | None, json_file: Path | None,
) -> None:  # fmt: skip
    """Tell what happened in a PROJECT, or in all: deliveries, releases, what broke, what awaits a person and how.

    Since a day, or since this was last asked without one (30 days, the first time). Exit codes: 0 told, 1 error, or
    a project that cannot be told of.
    """
    from cupel.show.overview_command import summarise_projects

    sys.exit(summarise_projects(project, since, projects, lake, inbox, home, html_file, json_file))


@click.command()
@click.argument("project")
@click.argument("release")
@click.option(
    "--format", "name", type=click.Choice(["cleanlab", "argilla", "fiftyone"]), required=True, help="For whom."
)
@click.option("--to", "folder", type=FOLDER, required=True, help="New folder that the files go to.")
@click.option("--most", type=click.IntRange(1), default=1_000, show_default=True, help="Items listed at most.")
@LAKE
def suspicious(project: str, release: str, name: str, folder: Path, most: int, lake: Path) -> None:
    """Write the suspicious items of a RELEASE of a PROJECT, certified or not, as files that other tools read.

    First the labels that experts found wrong, then those that nobody has settled, the riskiest first. A suggestion
    without proof. Exit codes: 0 written, 1 error.
    """
    from cupel.exchange.suspicious_items import FORMATS, find_suspicious
    from cupel.kinds import KINDS
    from cupel.lake.lake import Lake

    there = Lake(lake, project)
    done = FORMATS[name](find_suspicious(there, release, KINDS, most), there, folder)
    click.echo(f"{done.folder}: {done.items:,} items for {name}")
    if done.left_out:
        click.echo(f"  left out: {done.left_out:,} items, for {done.reason}")
