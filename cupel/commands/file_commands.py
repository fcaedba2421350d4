"""Commands on files that a person names: no lake, no project file."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cupel.commands.mark_commands import CUT_WITHIN, KNOWN, MARK_KINDS, RATE, UNIT, read_mark_exports
from cupel.commands.options import (
    FILE,
    FILE_OR_FOLDER,
    FOLDER,
    LIMITS,
    BatchType,
    FiniteRange,
    look_up_kind,
    split_names,
)

if TYPE_CHECKING:
    from cupel.exchange.imports.gate import Export


@click.command()
@click.argument("delivery", type=FILE)
@click.option("--budget", metavar="SHARE", help="Most wrong labels allowed: 1% or 0.01. Needed at the first call.")
@click.option("--sheet", type=FILE, help="The filled sheet, if it is not the one in the audit's folder.")
@click.option("--key", type=FILE, help="Who must have signed the sheet: a public key, or a trust file keys.json.")
@click.option("--vendor", help="Who delivered; keeps the vendor's score.")
@click.option("--label", metavar="COLUMN", help="Column of the label (Label Studio: name of the question).")
@click.option("--id", metavar="COLUMN", help="Column of the item's id; without one, the row's number.")
@click.option("--text", metavar="COLUMN", help="Column that shows the item: text, picture or link.")
@click.option("--annotator", metavar="COLUMN", help="Column of who gave the label.")
@click.option("--annotators", "annotator_columns", metavar="A,B,...", help="Columns of one annotator's answers each.")
@click.option("--classes", metavar="A,B,...", help="Classes that the guideline knows; other labels are rejected.")
@click.option("--kind", metavar="KIND", help="Label kind, as multilabel; it needs --classes.  [default: one class]")
@click.option(
    "--least-overlap", metavar="SHARE", help="Kinds of marks: overlap from which on two are the same.  [default: 0.5]"
)
@click.option(
    "--as-written", "is_as_written", is_flag=True, help="Keep classes apart that differ by case or form only."
)
@click.option("--contested", type=click.Choice(["aside", "wrong"]), help="What undecided items are.  [default: aside]")
@click.option("--max-undecided", metavar="SHARE", help="Most items that nobody can decide.  [default: 5%]")
@click.option(
    "--by",
    multiple=True,
    metavar="PART",
    help="Budget of a part: class:NAME:wrong=5%, class:NAME:missed=10%, COLUMN:VALUE:wrong=5%; COLUMN only bounds. "
    "Repeatable.",
)
@click.option("--anyway", "is_checked_anyway", is_flag=True, help="Draw an audit that no outcome of could accept, too.")
@click.option("--plan-only", "is_only_planned", is_flag=True, help="Show what the audit would cost; draw nothing.")
@click.option("--audit", type=click.IntRange(1), metavar="N", help="Labels to check at the first look.")
@click.option("--at-most", type=click.IntRange(1), metavar="N", help="Labels you would check at the very most.")
@click.option("--seed", type=click.IntRange(0, (1 << 53) - 1), help="Nonce chosen beforehand; else the system's.")
@click.option("--price", type=FiniteRange(0), help="Price of a delivered label.")
@click.option("--expert-price", type=FiniteRange(0), help="Price of a checked item.")
@click.option("--expert-seconds", type=FiniteRange(0), default=30.0, show_default=True, help="Time of one check.")
@click.option("--currency", default="USD", show_default=True, help="Unit of the prices.")
@click.option(
    "--scores", type=FILE_OR_FOLDER, default=Path("vendor_scores"), show_default=True, help="Folder of vendors' scores."
)
@click.option(
    "--record", type=FILE_OR_FOLDER, default=Path("audit_record"), show_default=True, help="Folder of audits so far."
)
@click.option("--suspicious/--no-suspicious", default=True, help="Let a model suggest more suspicious labels.")
@click.option("--json", "json_file", type=FILE, help="Write the verdict there for machines.")
@LIMITS
def accept(
    delivery: Path, budget: str | None, max_undecided: str | None, least_overlap: str | None, classes: str | None,
    limits: tuple[str, ...], annotator_columns: str | None, **options: Any,
) -> None:  # fmt: skip
    """Accept or refuse labels that somebody delivered.

    The first call plans an audit and draws a blind sheet. When the sheet is filled in, the same command says
    ACCEPT, REFUSE or OPEN (how many more to check).

    Exit codes: 0 ACCEPT, 1 error, 2 wrong usage, 3 OPEN or sheet awaited, 4 REFUSE.
    """
    from rich.console import Console

    from cupel.accept.budget import share
    from cupel.accept.judging import Prices
    from cupel.commands.accept_delivery import Request, accept_delivery
    from cupel.sources.input_limits import parse_limits

    prices = Prices(
        label=options.pop("price"),
        expert_answer=options.pop("expert_price"),
        expert_seconds=options.pop("expert_seconds"),
        currency=options.pop("currency"),
    )
    request = Request(
        delivery=delivery,
        budget=None if budget is None else share(budget),
        max_undecided=None if max_undecided is None else share(max_undecided, "--max-undecided"),
        least_overlap=None if least_overlap is None else share(least_overlap, "--least-overlap"),
        classes=split_names(classes),
        annotators=split_names(annotator_columns),
        prices=prices,
        is_suspicious_wanted=options.pop("suspicious"),
        limits=parse_limits(limits),
        **options,
    )
    sys.exit(accept_delivery(request, Console(highlight=False)))


@click.command("import")
@click.argument("files", type=FILE, nargs=-1, required=True)
@click.option("--batch", type=BatchType(), required=True, help="The delivery that the items are of.")
@click.option("--answers", type=FILE, required=True, help="File of answers to write, .parquet or .csv.")
@click.option("--items", type=FILE, help="Write the items there, too, as JSON Lines: a delivery for a project.")
@click.option("--tool", help="Who wrote the files; told from what they hold without it.")
@click.option("--purpose", type=click.Choice(["label", "expert"]), default="label", show_default=True, help="Whose.")
@click.option("--question", help="Question whose answer is the label; of a table, its column.")
@click.option("--id", "id_field", metavar="FIELD", help="Field of the item's id (Label Studio, tables).")
@click.option("--no-ids", "has_no_ids", is_flag=True, help="Every row of a table is an item of its own.")
@click.option("--annotator", help="Of a table, the column of who answered; else who did, where a tool names nobody.")
@click.option(
    "--annotators",
    "annotator_columns",
    metavar="A,B,...",
    help="Columns of a table that hold one annotator's answers each.",
)
@click.option("--text", metavar="FIELD", help="Of a table, the column that shows the item.")
@click.option(
    "--kind",
    metavar="KIND",
    help="Label kind: multilabel takes several choices of an answer as one label; boxes, spans, segments: marks.",
)
@click.option("--classes", metavar="A,B,...", help="The classes that the project knows; with them, others are told.")
@click.option("--separator", metavar="TEXT", help="With --kind, what stands between classes in one cell of a table.")
@click.option(
    "--as-written", "is_as_written", is_flag=True, help="Keep classes apart that differ by case or form only."
)
@click.option(
    "--ground-truth",
    type=click.Choice(["leave", "expert"]),
    default="leave",
    show_default=True,
    help="What is marked as known to be right: left out and told, or an expert's answer.",
)
@KNOWN
@RATE
@UNIT
@CUT_WITHIN
@LIMITS
def import_work(
    files: tuple[Path, ...], batch: str, answers: Path, items: Path | None, tool: str | None, purpose: str,
    kind: str | None, classes: str | None, separator: str | None, is_as_written: bool, ground_truth: str,
    limits: tuple[str, ...], annotator_columns: str | None, known: Path | None, rate: str | None, unit: str | None,
    cut_within: float | None, **named: Any,
) -> None:  # fmt: skip
    """Read finished work of labeling tools into a file of answers, which `labeling.answers` of a project names.

    FILES are exports of labeling tools, or tables (CSV, JSON Lines, Parquet) of item, annotator and label; which tools:
    docs/how-to/import-finished-work.md. What is not imported is told, and stands in a file beside the answers,
    NAME.left.jsonl. Files of an earlier import are replaced, others never. Exit codes: 0 written, 1 error.
    """
    from cupel.exchange.imports.answers import (
        MEANINGS,
        check_files,
        counts,
        gather,
        left_file,
        write_answers,
        write_items,
        write_left,
    )
    from cupel.printable import printable

    if separator is not None and kind is None:
        raise click.UsageError("--separator goes with --kind")
    if kind in MARK_KINDS:
        named |= {"known": known, "rate": rate, "unit": unit, "cut_within": cut_within}
        exports = read_mark_exports(files, kind, tool, split_names(classes), limits, **named)
    elif any(option is not None for option in (known, rate, unit, cut_within)):
        raise click.UsageError(f"--known, --rate, --unit and --cut-within go with --kind {', '.join(MARK_KINDS)}")
    else:
        named["annotators"] = split_names(annotator_columns)
        exports = _read_exports(files, tool, kind, split_names(classes), separator, limits, **named)
    imported = gather(
        exports, () if kind else split_names(classes), is_as_written=is_as_written or kind is not None,
        purpose=purpose, takes_truths=ground_truth == "expert", are_classes=kind not in MARK_KINDS,
    )  # fmt: skip
    check_files(imported, files, answers, items)
    left = left_file(answers)
    write_answers(imported, batch, purpose, answers)
    write_left(imported.left, left)
    written = write_items(imported, items) if items is not None else None
    for export in exports:
        click.echo(printable(f"{export.path}: {export.tool}"))
    for notice in imported.notices:
        click.echo(printable(f"  {notice}"))
    given = [*imported.annotations, *imported.truths]
    annotators = {one.annotator for one in given if one.annotator is not None}
    count = written if written is not None else len({one.item_id for one in given})
    click.echo(f"{answers}: {len(given):,} answers on {count:,} items by {len(annotators):,} annotators")
    if nameless := sum(one.annotator is None for one in given):
        click.echo(f"{nameless:,} of them name no annotator: nothing can be told of who gave them")
    for reason, number in counts(imported.left):
        click.echo(f"  not imported: {number:,} {reason}: {MEANINGS[reason]}")
    if imported.left:
        click.echo(f"  all of them: {left}")


def _read_exports(
    files: tuple[Path, ...], tool: str | None, kind: str | None, classes: tuple[str, ...], separator: str | None,
    limits: tuple[str, ...], **named: Any,
) -> "list[Export]":  # fmt: skip
    """Return what files hold whose labels are classes, or sets of them."""
    from cupel.exchange.imports.choices import make_reader
    from cupel.exchange.imports.tool import ReadOptions
    from cupel.exchange.imports.tools import read_export
    from cupel.people.tool_annotation import make_class_reader
    from cupel.sources.input_limits import parse_limits

    read = make_class_reader(classes) if kind is None else make_reader(look_up_kind(kind), classes, separator)
    options = ReadOptions(**named, classes=classes, read=read)
    return [read_export(path, tool, options, parse_limits(limits)) for path in files]


@click.command()
@click.argument("file", type=FILE)
@click.option("--against", type=FILE, metavar="FILE", help="Find the file's texts in this one; neither in itself.")
@click.option("--to", type=FILE, required=True, help="Parquet file that the pairs go to.")
@click.option("--text", default="text", show_default=True, metavar="COLUMN", help="Column of the texts.")
@click.option("--id", metavar="COLUMN", help="Column that names them; without one, rows are numbered from 0.")
@click.option(
    "--similarity",
    type=FiniteRange(0, 1, min_open=True),
    default=0.7,
    show_default=True,
    help="Least Jaccard similarity.",
)
@click.option("--characters", type=click.IntRange(1), default=5, show_default=True, help="Characters in a shingle.")
@click.option("--words", type=click.IntRange(1), help="Words in a shingle, instead of characters.")
@click.option(
    "--containment",
    type=click.FloatRange(0, 1, min_open=True),
    help="Find also texts of which one holds this share of the other; by default none.",
)
@click.option("--fold-accents", is_flag=True, help="Compare without the accents of Latin and Greek letters.")
@click.option("--keep-other-digits", is_flag=True, help="Leave out pairs that differ in digits only.")
@LIMITS
def duplicates(
    file: Path, against: Path | None, to: Path, text: str, id: str | None, similarity: float, characters: int,
    words: int | None, containment: float | None, fold_accents: bool, keep_other_digits: bool, limits: tuple[str, ...],
) -> None:  # fmt: skip
    """Find near-duplicates in a Parquet file of texts, or its texts in another file.

    Writes a row a pair: id, like_id (an earlier row, or one of the other file), the exact similarity and containment,
    which of the two is longer, whether they differ in digits only and, within a file, kept_id, the earliest of its
    cluster. Texts are brought to the chain's normal form first. Exit codes: 0 written, 1 error.
    """
    import pyarrow.compute as pc

    from cupel.cleaning.duplicates.file_search import PAIRS, SearchRequest, search_file, write_pairs
    from cupel.cleaning.duplicates.fingerprints import ShingleShape
    from cupel.cleaning.duplicates.near_duplicates import SearchRules
    from cupel.sources.input_limits import parse_limits
    from cupel.store.outputs import Output, check_outputs, is_table

    check_outputs([Output("--to", to, is_table(*PAIRS))], [file] if against is None else [file, against])
    shape = ShingleShape(characters if words is None else words, words is not None, fold_accents)
    rules = SearchRules(similarity, containment, keep_other_digits)
    found = search_file(SearchRequest(file, against, text, id, rules, shape, parse_limits(limits)))
    write_pairs(found.pairs, to)
    where = f"are like an earlier one: {to}" if against is None else f"are in {against}: {to}"
    click.echo(f"{found.alike:,} of {found.documents:,} texts {where}, {found.pairs.num_rows:,} pairs")
    differ = pc.sum(found.pairs["differ_in_digits"]).as_py() or 0
    if differ:
        click.echo(f"{differ:,} pairs differ in digits only; --keep-other-digits leaves them out.")
    if found.other_digits:
        click.echo(f"{found.other_digits:,} pairs that differ in digits only were left out.")
    click.echo(
        f"{found.normalised:,} texts were brought to normal form (NFC, no hidden characters, plain spaces). Not done: "
        "masks and the repairs that a project may ask for."
    )
    if found.not_compared:
        click.echo(f"In crowds of alike texts at most {found.not_compared:,} pairs were not compared.")


@click.command()
@click.argument("release", type=click.Path(path_type=Path, file_okay=False))
@click.option("--key", "keys", type=FILE, help="Who must have signed it: a public key, or a trust file keys.json.")
@click.option("--witness", "roots", type=FILE, help="Who must have witnessed it: root certificates, PEM.")
def verify(release: Path, keys: Path | None, roots: Path | None) -> None:
    """Check a release against its own evidence: hashes, audit draw, certificate, labels, splits.

    Nothing but the release's folder is needed, and, for who made it, --key, for who witnessed its draw, --witness. Exit
    codes: 0 all is as it says, 1 something is not.
    """
    from rich.console import Console
    from rich.markup import escape

    from cupel.contract.format_numbers import RELEASE
    from cupel.release.release_signatures import check_signatures
    from cupel.release.verify import Check, verify_release
    from cupel.release.witnessed_draws import SIGNED_RECEIPTS, check_receipts, describe_receipts
    from cupel.signing.trusted_keys import read_trusted_keys
    from cupel.witness.timestamps import read_roots

    console = Console(highlight=False, soft_wrap=True)
    trusted = None if keys is None else read_trusted_keys(keys)
    found = verify_release(release)
    if trusted is not None:
        found.checks.extend(check_signatures(release, trusted))
    if roots is not None:
        found.checks.append(Check(SIGNED_RECEIPTS, check_receipts(release, read_roots(roots))))
    for check in found.checks:
        sign = "[green]✔[/green]" if check.is_passed else "[red]✘[/red]"
        console.print(f"{sign} {escape(check.name)}")
        if not check.is_passed:
            console.print(f"  {check.problem}", style="red", markup=False)
    passed = sum(check.is_passed for check in found.checks)
    console.print(f"\n{found.release}: {passed} of {len(found.checks)} checks passed.", markup=False)
    if found.format < RELEASE:
        console.print(f"It is of format {found.format}, and was held to what that has; the present is {RELEASE}.")
    for line in describe_receipts(release) if roots is None else ():
        console.print(line, markup=False)
    console.print(f"release_sha256 {found.release_sha256}", markup=False)
    if trusted is None:
        console.print("Compare it with the one that you were given: that is what shows who wrote it.", markup=False)
    sys.exit(0 if found.is_passed else 1)


@click.command()
@click.argument("release", type=click.Path(path_type=Path, file_okay=False))
@click.option("--to", "folder", type=FOLDER, required=True, help="Folder that the files go to.")
@click.option("--format", "name", help="jsonl, csv, or a format of the label kind.  [default: the kind's, or jsonl]")
def export(release: Path, folder: Path, name: str | None) -> None:
    """Write a release's training set as files that trainers read, one a split.

    Any release can be written as jsonl or csv: items, labels, and columns of the label kind. Comparisons are written
    as pairs, JSON Lines of prompt, chosen and rejected: what preference trainers read. What a format has no place for,
    as ties among pairs, is left out and counted. Exit codes: 0 written, 1 error.
    """
    from cupel.exchange.release_export import export_release
    from cupel.kinds import KINDS

    done = export_release(release, folder, name, KINDS)
    for split in done.splits:
        click.echo(f"{split.file}: {split.lines:,} {done.unit}; {split.left_out:,} {done.left_out} left out")


@click.command()
@click.argument("release", type=click.Path(path_type=Path, file_okay=False))
@click.option("--to", "name", required=True, metavar="OWNER/NAME", help="The data set's name at the hub.")
@click.option("--endpoint", metavar="URL", help="Address of the hub.  [default: $HF_ENDPOINT, or the Hugging Face Hub]")
@click.option("--public", "is_public", is_flag=True, help="Let anybody see a data set that this makes.")
def push(release: Path, name: str, endpoint: str | None, is_public: bool) -> None:
    """Push a release that verifies to a hub of data sets, without its report, which names annotators.

    The token is read from the environment variable HF_TOKEN and from nowhere else. A data set that is made is private.
    Pushing the same again changes nothing. Exit codes: 0 pushed or there already, 1 error.
    """
    from cupel.exchange.hub import push_release

    done = push_release(release, name, endpoint, is_public=is_public)
    said = f"{done.files} files" if done.is_new else "already there, nothing was changed"
    click.echo(f"{done.url}: {said}")
    click.echo(f"revision {done.revision}")
