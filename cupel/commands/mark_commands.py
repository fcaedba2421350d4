"""Commands on files of marks: spans of a text, segments of a clip, boxes in a picture."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cupel.commands.options import FILE, LIMITS, FiniteRange, split_names

if TYPE_CHECKING:
    from cupel.exchange.imports.gate import Export
    from cupel.exchange.imports.marks.drawn_answers import MarkTerms

# The kinds of labels that are marks; the names are those of `cupel.marks.canonical_text.FORMS`.
MARK_KINDS = ("spans", "segments", "boxes")
UNITS = ("code-points", "utf-16", "graphemes")

KNOWN = click.option(
    "--known", type=FILE, metavar="FILE",
    help="Table of what is known of items: id, text, duration, frames, rate, frame_times, width, height.",
)  # fmt: skip
RATE = click.option("--rate", metavar="RATE", help="Frames a second at which the tool counted, as 25 or 30000/1001.")
UNIT = click.option(
    "--unit", type=click.Choice(UNITS), help="In which the tool counts characters, where that makes a difference."
)
CUT_WITHIN = click.option(
    "--cut-within", type=FiniteRange(0), metavar="SECONDS",
    help="Cut segments that end beyond their clip by no more than this; others are rejected.",
)  # fmt: skip


def make_terms(
    known: Path | None,
    rate: str | None,
    unit: str | None,
    cut_within: float | None,
    limits: tuple[str, ...],
    **named: Any,
) -> "MarkTerms":
    """Return what to take of files of marks, as options of a command say it.

    Raises:
        SourceError: The table of items cannot be read.
        UsageError: The rate is none.
    """
    from cupel.exchange.imports.bad_marks import BadMarkError
    from cupel.exchange.imports.marks.drawn_answers import MarkTerms
    from cupel.exchange.imports.marks.item_facts import MICROSECONDS, parse_rate
    from cupel.exchange.imports.marks.known_items import read_known_items
    from cupel.sources.input_limits import parse_limits

    try:
        asked = None if rate is None else parse_rate(rate)
    except BadMarkError as bad:
        raise click.UsageError(f"--rate {bad.found}") from None
    items = {} if known is None else read_known_items(known, parse_limits(limits))
    tolerance = 1 if cut_within is None else round(cut_within * MICROSECONDS)
    return MarkTerms(items=items, rate=asked, unit=unit, end_tolerance=tolerance, **named)


def read_mark_exports(
    files: Sequence[Path], kind: str, tool: str | None, classes: tuple[str, ...], limits: tuple[str, ...], **named: Any
) -> "list[Export]":
    """Return what files of marks hold, by the options of `cupel import`.

    Raises:
        SourceError: A file cannot be read, or is of no format that holds such marks.
        UsageError: An option goes with classes only.
    """
    from cupel.exchange.imports.marks.mark_files import read_mark_export
    from cupel.marks.canonical_text import FORMS
    from cupel.sources.input_limits import parse_limits

    for option in ("question", "text", "has_no_ids"):
        if named.pop(option, None):
            raise click.UsageError(f"--{option.replace('has_', '').replace('_', '-')} does not go with --kind {kind}")
    form = next(one for one in FORMS if one.name == kind)
    terms = make_terms(limits=limits, classes=classes, **named)
    return [read_mark_export(path, form, tool, terms, parse_limits(limits)) for path in files]


@click.command()
@click.argument("files", type=FILE, nargs=-1, required=True)
@click.option("--kind", type=click.Choice(MARK_KINDS), required=True, help="What is marked.")
@click.option("--to", type=FILE, required=True, help="File to write.")
@click.option("--format", "name", required=True, help="Format to write: coco, cvat, label-studio, parquet, ...")
@click.option("--lossy", "is_lossy", is_flag=True, help="Write without what the format cannot hold.")
@click.option("--tool", help="Format of the files; told from what they hold without it.")
@click.option("--id", "id_field", metavar="FIELD", help="Field of the item's id.")
@click.option("--annotator", help="Who answered, where a file names nobody.")
@click.option("--classes", metavar="A,B,...", help="The classes that there are; answers with others are left out.")
@KNOWN
@RATE
@UNIT
@CUT_WITHIN
@LIMITS
def convert(
    files: tuple[Path, ...], kind: str, to: Path, name: str, is_lossy: bool, tool: str | None, id_field: str | None,
    annotator: str | None, classes: str | None, limits: tuple[str, ...], **named: Any,
) -> None:  # fmt: skip
    """Write marks of one tool's files as another's: spans, segments or boxes.

    What the format cannot hold is listed, and nothing is written unless --lossy says so. Answers that cannot be read
    are told by their reason. Formats: docs/how-to/marks-in-and-out.md. Exit codes: 0 written, 1 error.
    """
    from cupel.exchange.exports.marks.mark_writers import check_mark_file, write_mark_file
    from cupel.exchange.imports.answers import MEANINGS, counts
    from cupel.exchange.imports.marks.mark_files import read_mark_files
    from cupel.marks.canonical_text import FORMS
    from cupel.printable import printable
    from cupel.sources.input_limits import parse_limits

    terms = make_terms(
        limits=limits, classes=split_names(classes), id_field=id_field, annotator=annotator, **named
    )  # fmt: skip
    form = next(one for one in FORMS if one.name == kind)
    check_mark_file(to, name, form, files)
    found = read_mark_files(files, form, tool, terms, parse_limits(limits))
    for notice in found.imported.notices:
        click.echo(printable(f"  {notice}"))
    for reason, number in counts(found.imported.left):
        click.echo(f"  not read: {number:,} {reason}: {MEANINGS[reason]}")
    for left in found.imported.left[:1]:
        click.echo(printable(f"  the first: {left.file}, record {left.line}: {left.evidence}"))
    losses = write_mark_file(found.tables, to, name, is_lossy=is_lossy)
    for loss in losses:
        click.echo(printable(f"  lost: {loss}"))
    click.echo(f"{to}: {len(found.imported.annotations):,} answers read, written as {name}")
