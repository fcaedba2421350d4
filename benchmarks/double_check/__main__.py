"""`python -m benchmarks.double_check --data DIR --json FILE`: what a certified error costs, beside other methods."""

import json
from collections.abc import Iterator
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks.double_check.figures import Row
from benchmarks.double_check.over_sets import summarize_sets
from benchmarks.double_check.report import ReportOptions, report
from benchmarks.double_check.sets import find_sets
from benchmarks.double_check.tables import print_over_sets, print_set
from benchmarks.new_file import new_file
from cupel.errors import CupelError
from cupel.store.files import put_file


@click.command()
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    multiple=True,
    required=True,
    help="A folder of a crowd or of a model that labels, or of such folders; may be given again.",
)
@click.option("--json", "json_path", type=new_file, required=True, help="Where to write the figures.")
@click.option("--replays", type=click.IntRange(min=2), default=200, show_default=True, help="Audits drawn.")
@click.option("--items", type=click.IntRange(min=1), help="Draw so many items with replacement (needs counts.npy).")
@click.option("--labels", type=click.IntRange(min=1), help="Keep at most so many labels of each item.")
@click.option(
    "--rare",
    "rare_share",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="Drop items of the rarest class, by gold, until it is such a share: that makes another set.",
)
@click.option(
    "--class-budget",
    "class_share",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="Beside 2% of all, hold the rarest class to so many wrong, and missed, labels; say what that costs.",
)
@click.option("--alone", "is_alone", is_flag=True, help="Leave out all other methods: much faster on redrawn crowds.")
def main(
    data: tuple[Path, ...],
    json_path: Path,
    replays: int,
    items: int | None,
    labels: int | None,
    rare_share: float | None,
    class_share: float | None,
    is_alone: bool,
) -> None:
    """Rank, audit, cut and adjudicate again and again; say what experts see and whether it was right."""
    asked = ReportOptions(replays, items, labels, rare_share, is_alone, class_share)
    try:
        folders = find_sets(data)
        found = []
        for one in _report_all(folders, asked):
            found.append(one)
            # After every set: a long run that is stopped leaves what it has.
            _write(json_path, found, is_single=list(data) == folders and len(folders) == 1)
    except CupelError as error:
        raise click.ClickException(str(error)) from None
    if len(found) > 1:
        print_over_sets(summarize_sets(found))


def _write(path: Path, found: list[Row], is_single: bool) -> None:
    content: Row = found[0] if is_single else {"datasets": found}
    if len(found) > 1:
        content["over_sets"] = summarize_sets(found)
    put_file(path, (json.dumps(content, indent=1, allow_nan=False) + "\n").encode())


def _report_all(folders: list[Path], asked: ReportOptions) -> Iterator[Row]:
    """Yield the report of every folder, with a bar on standard error, and print each as it is done."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        bar = progress.add_task("", total=len(folders))
        for folder in folders:

            def tell(stage: str, name: str = folder.name) -> None:
                progress.update(bar, description=f"{name}: {stage}")

            tell("reading")
            found = report(folder, asked, tell)
            print_set(found)
            yield found
            progress.advance(bar)


if __name__ == "__main__":
    main()
