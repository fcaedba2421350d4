"""The `cupel` command: options, exit codes, and one function per command. Everything else is imported when it runs."""

import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from cupel import __version__
from cupel.errors import CupelError


class _Commands(click.Group):
    """Prints what a person can put right as one message, not as a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except CupelError as error:
            click.echo(f"Error: {error}", err=True)
            ctx.exit(1)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="cupel")
def main() -> None:
    """Know how wrong your labels are before you pay for them or train on them."""


FILE = click.Path(path_type=Path, dir_okay=False)
FOLDER = click.Path(path_type=Path, file_okay=False)
FILE_OR_DASH = click.Path(path_type=Path, dir_okay=False, allow_dash=True)


@main.command()
@click.argument("delivery", type=FILE)
@click.option("--budget", metavar="SHARE", help="Most wrong labels allowed: 1% or 0.01. Needed at the first call.")
@click.option("--sheet", type=FILE, help="The filled sheet, if it is not the one in the audit's folder.")
@click.option("--vendor", help="Who delivered; keeps the vendor's score.")
@click.option("--label", metavar="COLUMN", help="Column of the label (Label Studio: name of the question).")
@click.option("--id", metavar="COLUMN", help="Column of the item's id; without one, the row's number.")
@click.option("--text", metavar="COLUMN", help="Column that shows the item: text, picture or link.")
@click.option("--annotator", metavar="COLUMN", help="Column of who gave the label.")
@click.option("--classes", metavar="A,B,...", help="Classes that the guideline knows; other labels are rejected.")
@click.option("--contested", type=click.Choice(["aside", "wrong"]), help="What undecided items are.  [default: aside]")
@click.option("--audit", type=click.IntRange(1), metavar="N", help="Labels to check at the first look.")
@click.option("--at-most", type=click.IntRange(1), metavar="N", help="Labels you would check at the very most.")
@click.option("--seed", type=click.IntRange(0, (1 << 53) - 1), help="Repeat a draw; fresh from the system without it.")
@click.option("--price", type=click.FloatRange(0), help="Price of a delivered label.")
@click.option("--expert-price", type=click.FloatRange(0), help="Price of a checked item.")
@click.option("--expert-seconds", type=click.FloatRange(0), default=30.0, show_default=True, help="Time of one check.")
@click.option("--currency", default="USD", show_default=True, help="Unit of the prices.")
@click.option("--scores", type=FILE, default=Path("vendor_scores.jsonl"), show_default=True, help="Vendors' scores.")
@click.option("--suspicious/--no-suspicious", default=True, help="Let a model suggest more suspicious labels.")
@click.option("--json", "json_file", type=FILE, help="Write the verdict there for machines.")
def accept(delivery: Path, budget: str | None, classes: str | None, **options: Any) -> None:
    """Accept or refuse labels that somebody delivered.

    The first call plans an audit and draws a blind sheet. When the sheet is filled in, the same command says
    ACCEPT, REFUSE or OPEN (how many more to check).

    Exit codes: 0 ACCEPT, 1 error, 2 wrong usage, 3 OPEN or sheet awaited, 4 REFUSE.
    """
    from rich.console import Console

    from cupel.accept.budget import share
    from cupel.accept.buyer import Request, accept_delivery
    from cupel.accept.judging import Prices

    prices = Prices(
        label=options.pop("price"),
        expert_answer=options.pop("expert_price"),
        expert_seconds=options.pop("expert_seconds"),
        currency=options.pop("currency"),
    )
    request = Request(
        delivery=delivery,
        budget=None if budget is None else share(budget),
        classes=tuple(name.strip() for name in classes.split(",") if name.strip()) if classes else (),
        prices=prices,
        is_suspicious_wanted=options.pop("suspicious"),
        **options,
    )
    sys.exit(accept_delivery(request, Console(highlight=False)))


@main.command("import")
@click.argument("files", type=FILE, nargs=-1, required=True)
@click.option("--batch", required=True, help="The delivery that the items are of.")
@click.option("--answers", type=FILE, required=True, help="File of answers to write, .parquet or .csv.")
@click.option("--items", type=FILE, help="Write the items there, too, as JSON Lines: a delivery for a project.")
@click.option("--tool", help="Who wrote the files; told from what they hold without it.")
@click.option("--purpose", type=click.Choice(["label", "expert"]), default="label", show_default=True, help="Whose.")
@click.option("--question", help="Question whose answer is the label; of a table, its column.")
@click.option("--id", "id_field", metavar="FIELD", help="Field of the item's id (Label Studio, tables).")
@click.option("--annotator", help="Of a table, the column of who answered; else who did, where a tool names nobody.")
def import_work(
    files: tuple[Path, ...], batch: str, answers: Path, items: Path | None, tool: str | None, purpose: str, **named: Any
) -> None:
    """Read finished work of labeling tools into a file of answers, which `labeling.answers` of a project names.

    FILES are exports of Label Studio (JSON), CVAT (XML), COCO, Labelbox, Scale, doccano, or tables (CSV, JSON Lines,
    Parquet) of item, annotator and label. What is not understood is told, and stands in a file beside the answers,
    NAME.left.jsonl. Files of an earlier import are replaced, others never. Exit codes: 0 written, 1 error.
    """
    from cupel.imports.answers import (
        MEANINGS,
        check_files,
        counts,
        gather,
        left_file,
        write_answers,
        write_items,
        write_left,
    )
    from cupel.imports.tools import Wanted, read_export
    from cupel.printable import printable

    exports = [read_export(path, tool, Wanted(**named)) for path in files]
    imported = gather(exports)
    check_files(imported, files, answers, items)
    left = left_file(answers)
    write_left(imported.left, left)
    write_answers(imported, batch, purpose, answers)
    for export in exports:
        click.echo(printable(f"{export.path}: {export.tool}"))
    annotators = {one.annotator for one in imported.annotations}
    written = write_items(imported, items) if items is not None else len({one.item_id for one in imported.annotations})
    click.echo(
        f"{answers}: {len(imported.annotations):,} answers on {written:,} items by {len(annotators):,} annotators"
    )
    if None in annotators:
        nameless = sum(one.annotator is None for one in imported.annotations)
        click.echo(f"{nameless:,} of them name no annotator: nothing can be told of who gave them")
    for reason, count in counts(imported.left):
        click.echo(f"  not imported: {count:,} {reason}: {MEANINGS[reason]}")
    if imported.left:
        click.echo(f"  all of them: {left}")


@main.command()
@click.argument("file", type=FILE)
@click.option("--against", type=FILE, metavar="FILE", help="Find the file's texts in this one; neither in itself.")
@click.option("--to", type=FILE, required=True, help="Parquet file that the pairs go to.")
@click.option("--text", default="text", show_default=True, metavar="COLUMN", help="Column of the texts.")
@click.option("--id", metavar="COLUMN", help="Column that names them; without one, rows are numbered from 0.")
@click.option(
    "--similarity",
    type=click.FloatRange(0, 1, min_open=True),
    default=0.7,
    show_default=True,
    help="Least Jaccard similarity.",
)
@click.option("--characters", type=click.IntRange(1), default=5, show_default=True, help="Characters in a shingle.")
@click.option("--words", type=click.IntRange(1), help="Words in a shingle, instead of characters.")
def duplicates(
    file: Path, against: Path | None, to: Path, text: str, id: str | None, similarity: float, characters: int,
    words: int | None,
) -> None:  # fmt: skip
    """Find near-duplicates in a Parquet file of texts, or its texts in another file.

    Writes a row a pair: id, like_id (an earlier row, or one of the other file), the exact similarity and, within a
    file, kept_id, the earliest of its cluster. Exit codes: 0 written, 1 error.
    """
    from cupel.cleaning.duplicates.file_search import PAIRS, SearchRequest, search_file, write_pairs
    from cupel.cleaning.duplicates.fingerprints import ShingleShape
    from cupel.outputs import Output, check_outputs, is_table

    check_outputs([Output("--to", to, is_table(*PAIRS))], [file] if against is None else [file, against])
    shape = ShingleShape(characters) if words is None else ShingleShape(words, of_words=True)
    found = search_file(SearchRequest(file, against, text, id, similarity, shape))
    write_pairs(found.pairs, to)
    where = f"are like an earlier one: {to}" if against is None else f"are in {against}: {to}"
    click.echo(f"{found.alike:,} of {found.documents:,} texts {where}, {found.pairs.num_rows:,} pairs")
    if found.not_compared:
        click.echo(f"In crowds of alike texts at most {found.not_compared:,} pairs were not compared.")


@main.command()
@click.argument("project", nargs=-1, required=True)
@click.option("--lake", type=FOLDER, default=Path("lake"), show_default=True, help="The deployment's lake.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option("--port", type=click.IntRange(0, 65535), default=3010, show_default=True, help="Port to listen at.")
def webhook(project: tuple[str, ...], lake: Path, host: str, port: int) -> None:
    """Hear a labeling tool say that something happened, so that answers of PROJECT are collected at once.

    Calls are POST /PROJECT with the header X-Cupel-Token, whose value is in the environment variable
    CUPEL_WEBHOOK_TOKEN. What they hold is not used. Runs until it is stopped. Exit code: 1 error.
    """
    from cupel.label_studio.hint import leave, receiver, secret
    from cupel.lake import Lake

    lakes = {name: Lake(str(lake), name) for name in project}
    if missing := [name for name, own in lakes.items() if not own.folder.is_dir()]:
        raise CupelError(f"project {missing[0]}: not in the lake {lake}; name those that `make up` works on")
    with receiver((host, port), secret(), lakes.keys(), lambda name: leave(lakes[name])) as server:
        click.echo(f"listening at http://{host}:{server.server_port}/{project[0]}")
        server.serve_forever()


@main.command()
@click.argument("release", type=click.Path(path_type=Path, file_okay=False))
def verify(release: Path) -> None:
    """Check a release against its own evidence: hashes, audit draw, certificate, labels, splits.

    Nothing but the release's folder is needed. Exit codes: 0 all is as it says, 1 something is not.
    """
    from rich.console import Console

    from cupel.contract.format_numbers import RELEASE
    from cupel.release.verify import verify_release

    console = Console(highlight=False)
    found = verify_release(release)
    for check in found.checks:
        sign = "[green]✔[/green]" if check.is_passed else "[red]✘[/red]"
        console.print(f"{sign} {check.name}")
        if not check.is_passed:
            console.print(f"  {check.problem}", style="red", markup=False)
    passed = sum(check.is_passed for check in found.checks)
    console.print(f"\n{found.release}: {passed} of {len(found.checks)} checks passed.", markup=False)
    if found.format < RELEASE:
        console.print(f"It is of format {found.format}, and was held to what that has; the present is {RELEASE}.")
    console.print(f"release_sha256 {found.release_sha256}", markup=False)
    console.print("Compare it with the one that you were given: that is what shows who wrote it.", markup=False)
    sys.exit(0 if found.is_passed else 1)


@main.command()
@click.argument("release", type=click.Path(path_type=Path, file_okay=False))
@click.option("--to", "folder", type=FOLDER, required=True, help="Folder that the files go to.")
def export(release: Path, folder: Path) -> None:
    """Write a release of comparisons as JSON Lines of prompt, chosen and rejected: what preference trainers read.

    Ties are left out and counted. Exit codes: 0 written, 1 error.
    """
    from cupel.preference.export import export_preferences

    for split in export_preferences(release, folder):
        click.echo(f"{split.file}: {split.pairs:,} pairs; {split.ties:,} ties left out")


@main.command()
@click.argument("project")
@click.argument("batch")
@click.option("--projects", type=FOLDER, envvar="CUPEL_PROJECTS", default=Path("projects"), help="Project files.")
@click.option("--lake", type=FOLDER, envvar="CUPEL_LAKE", default=Path("lake"), help="The deployment's lake.")
@click.option("--by", default="cupel release", show_default=True, help="Who asks; kept with the proposal.")
def release(project: str, batch: str, projects: Path, lake: Path, by: str) -> None:
    """Propose a new release of a BATCH of a PROJECT, or of `all`: a new audit, which spends a further attempt.

    The daemon takes it up within a minute, `make run` when it runs next. Exit codes: 0 proposed, 1 error.
    """
    from cupel.lake import Lake
    from cupel.release.proposals import propose
    from cupel.world import current_project

    there = Lake(lake, project)
    name = propose(there, current_project(projects, there), batch, by)
    click.echo(f"{name} is proposed; the daemon takes it up, or `make run PROJECT={project}`")


@main.command()
@click.argument("project")
@click.argument("batches", metavar="[BATCH]...", nargs=-1)
@click.option("--projects", type=FOLDER, envvar="CUPEL_PROJECTS", default=Path("projects"), help="Project files.")
@click.option("--lake", type=FOLDER, envvar="CUPEL_LAKE", default=Path("lake"), help="The deployment's lake.")
@click.option("--json", "json_file", type=FILE, help="Write thresholds and histograms there for machines.")
def signals(project: str, batches: tuple[str, ...], projects: Path, lake: Path, json_file: Path | None) -> None:
    """Show what each threshold of cleaning rejects, or would: the histogram of its signal, with the cut.

    Of the BATCHes of a PROJECT that were measured, by default all. Exit codes: 0 shown, 1 error.
    """
    from rich.console import Console

    from cupel.cleaning.cuts import Cut
    from cupel.cleaning.cuts_shown import cuts_of, show_cuts, write_cuts
    from cupel.lake import Lake
    from cupel.outputs import Output, check_outputs, is_json_list
    from cupel.world import current_project

    if json_file is not None:
        check_outputs([Output("--json", json_file, is_json_list(*Cut._fields))], [projects / f"{project}.yaml"])
    there = Lake(lake, project)
    chosen = batches or tuple(there.partitions("item_signals"))
    found = cuts_of(there, current_project(projects, there), chosen)
    show_cuts(Console(highlight=False), found, chosen)
    if json_file is not None:
        write_cuts(found, json_file)


@main.command()
@click.argument("project")
@click.argument("batch")
@click.argument("annotator")
@click.argument("deed", type=click.Choice(["remove", "restore"]))
@click.option("--why", required=True, help="The reason; kept with the action.")
@click.option("--by", required=True, help="Who decides; kept with the action.")
@click.option("--projects", type=FOLDER, envvar="CUPEL_PROJECTS", default=Path("projects"), help="Project files.")
@click.option("--lake", type=FOLDER, envvar="CUPEL_LAKE", default=Path("lake"), help="The deployment's lake.")
def annotator(
    project: str, batch: str, annotator: str, deed: str, why: str, by: str, projects: Path, lake: Path
) -> None:
    """Remove an ANNOTATOR of a BATCH of a PROJECT, or restore one whom a policy removed.

    An event in the lake, never changed; the next run puts the questions to others, or counts the answers again.
    Exit codes: 0 noted, 1 error.
    """
    from cupel.annotators.policies import act_by_hand
    from cupel.lake import Lake
    from cupel.world import current_project

    there = Lake(lake, project)
    act_by_hand(there, current_project(projects, there), batch, annotator, deed, why, by)
    click.echo(f"{annotator}: {deed}d in {batch}; the daemon takes it up, or `make run PROJECT={project}`")


@main.command()
@click.argument("project")
@click.option("--projects", type=FOLDER, envvar="CUPEL_PROJECTS", default=Path("projects"), help="Project files.")
@click.option("--data", type=FOLDER, envvar="CUPEL_DATA", default=Path("data"), help="The deliveries' files.")
@click.option("--lake", type=FOLDER, envvar="CUPEL_LAKE", default=Path("lake"), help="The deployment's lake.")
@click.option("--dry-run/--yes", "is_only_told", default=True, help="Say what would be done, or do it.  [default: say]")
def upgrade(project: str, projects: Path, data: Path, lake: Path, is_only_told: bool) -> None:
    """Take the lake of a PROJECT that an older version of Cupel wrote to the present format.

    It says what it would do, and does it with --yes. Exit codes: 0 said or done, 1 error.
    """
    from cupel.lake import Lake
    from cupel.upgrade import plan_upgrade, upgrade_lake, upgrade_lines
    from cupel.world import current_project

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


@main.command()
@click.argument("label_id")
@click.option("--release", metavar="NAME", help="Which of several releases; the latest that holds the item without it.")
@click.option("--lake", type=FOLDER, envvar="CUPEL_LAKE", default=Path("lake"), help="The deployment's lake.")
@click.option("--all-gates", is_flag=True, help="Show the checks that passed, too.")
@click.option("--json", "json_file", type=FILE_OR_DASH, help="Write it there for machines, texts in full; - to print.")
def trace(label_id: str, release: str | None, lake: Path, all_gates: bool, json_file: Path | None) -> None:
    """Show how a label came to be, from the row of the delivery to the file of the release.

    LABEL_ID is batch and item_id as a release has them, movies/17, or the release and the item_id, movies-r1/17;
    before it the project where several have such a batch: sentiment/movies/17. In place of the item's id also a row
    of the delivery, movies/FILE:LINE. Nothing but the lake is needed. Exit codes: 0 shown, 1 error.
    """
    from rich.console import Console

    from cupel.trace.machine import as_json, check_json, write_json
    from cupel.trace.terminal import show
    from cupel.trace.trace import trace as trace_label

    if json_file is not None and json_file != Path("-"):
        check_json(json_file)
    found = trace_label(lake, label_id, release)
    if json_file == Path("-"):
        click.echo(as_json(found), nl=False)
        return
    if json_file is not None:
        write_json(found, json_file)
    show(Console(highlight=False), found, all_gates)


@main.command()
@click.argument("project", required=False)
@click.option("--projects", type=FOLDER, envvar="CUPEL_PROJECTS", default=Path("projects"), help="Project files.")
@click.option("--data", type=FOLDER, envvar="CUPEL_DATA", default=Path("data"), help="The deliveries' files.")
@click.option("--lake", type=FOLDER, envvar="CUPEL_LAKE", default=Path("lake"), help="The deployment's lake.")
@click.option("--home", type=FOLDER, envvar="DAGSTER_HOME", default=Path(".dagster"), help="Dagster's record.")
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


@main.command()
@click.argument("release")
@click.option("--projects", type=FOLDER, envvar="CUPEL_PROJECTS", default=Path("projects"), help="Project files.")
@click.option("--data", type=FOLDER, envvar="CUPEL_DATA", default=Path("data"), help="The deliveries' files.")
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


@main.command()
@click.argument("project", required=False)
@click.option("--projects", type=FOLDER, envvar="CUPEL_PROJECTS", default=Path("projects"), help="Project files.")
@click.option("--lake", type=FOLDER, envvar="CUPEL_LAKE", default=Path("lake"), help="The deployment's lake.")
@click.option("--home", type=FOLDER, envvar="DAGSTER_HOME", default=Path(".dagster"), help="Dagster's record.")
@click.option("--dry-run/--yes", "is_only_told", default=True, help="Say what would be done, or do it.  [default: say]")
@click.option("--json", "json_file", type=FILE, help="Write what was found or done there for machines.")
def prune(project: str | None, **options: Any) -> None:
    """Remove what nothing needs any more: superseded parts of tables, old runs and ticks, long logs.

    Of a PROJECT, or of all. No answer, delivery, release, report or alert is removed, and nothing that a rebuild or a
    trace needs; `operation.prune` of the project file says how long what stays. It says what it would do, and does it
    with --yes. Exit codes: 0 said or done, 1 error, or something had to be left.
    """
    sys.exit(_chain_command("prune")(project, **options))


@main.command("summary")
@click.argument("project", required=False)
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="From this day on, UTC.  [default: the last look]")
@click.option("--projects", type=FOLDER, envvar="CUPEL_PROJECTS", default=Path("projects"), help="Project files.")
@click.option("--lake", type=FOLDER, envvar="CUPEL_LAKE", default=Path("lake"), help="The deployment's lake.")
@click.option("--inbox", type=FOLDER, envvar="CUPEL_INBOX", default=Path("inbox"), help="Where deliveries arrive.")
@click.option("--home", type=FOLDER, envvar="DAGSTER_HOME", default=Path(".dagster"), help="Dagster's record.")
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
    from cupel.release.overview_command import summarise_projects

    sys.exit(summarise_projects(project, since, projects, lake, inbox, home, html_file, json_file))


def _chain_command(name: str) -> Callable[..., int]:
    """Return a command of the chain, which the package alone does not hold, and knows only by this name."""
    from importlib.metadata import entry_points

    for chain in entry_points(group="cupel.chain", name=name):
        try:
            command: Callable[..., int] = chain.load()
        except ImportError as error:
            raise CupelError(
                f"cupel {name}: the chain is not in this installation ({error}); run it in a copy of the repository, "
                "after `make setup`"
            ) from error
        return command
    raise CupelError(f"cupel {name}: this installation knows no chain; run `make setup` in a copy of the repository")
