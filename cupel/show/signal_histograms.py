"""What `cupel signals` prints and writes: every threshold with the histogram of its signal."""

import json
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
from rich.console import Console
from rich.markup import escape

from cupel.cleaning.cuts import Cut, bars, cuts
from cupel.config.project import Project
from cupel.errors import LakeError
from cupel.lake.lake import Lake
from cupel.store.outputs import write_output


def cuts_of(lake: Lake, project: Project, batches: Sequence[str]) -> list[Cut]:
    """Return the cuts of some batches taken together.

    Raises:
        LakeError: Nothing was measured of a batch yet, or the project has no such batch.
    """
    for batch in batches:
        if lake.commit("item_signals", batch) is None:
            measured = ", ".join(lake.partitions("item_signals")) or "none"
            raise LakeError(
                f"batch {batch!r}: nothing was measured of it yet; measured are {measured}. "
                f"Run the chain first: make run PROJECT={project.project}"
            )

    def read(columns: Sequence[str]) -> pa.Table:
        return pa.concat_tables([lake.read("item_signals", batch, columns) for batch in batches])

    return list(cuts(project.cleaning, read))


def show_cuts(console: Console, found: Sequence[Cut], batches: Sequence[str]) -> None:
    """Print the thresholds that are asked, then those that are not."""
    console.print(
        f"{', '.join(batches)}: {max((cut.items for cut in found), default=0):,} items measured", markup=False
    )
    console.print("bars: the root of the number of items; |: the threshold, on the side that is rejected or not")
    for is_asked, words in ((True, "asked"), (False, "not asked; what they would reject")):
        part = [cut for cut in found if cut.is_asked is is_asked]
        if part:
            console.print(f"\n[bold]{words}[/bold]")
        for cut in part:
            limit = "off" if cut.threshold is None else f"{cut.comparison} {cut.threshold:g}"
            console.print(f"{cut.name:<52} {limit:<16} {cut.rejected:>9,} {cut.rejected_share:>8.2%}", markup=False)
            console.print(f"    {escape(bars(cut))}", style="dim")


def write_cuts(found: Sequence[Cut], file: Path) -> None:
    """Write the thresholds, shares and histograms as JSON."""
    rows = [{**cut._asdict(), "rejected_share": cut.rejected_share} for cut in found]
    write_output("--json", file, (json.dumps(rows, indent=1) + "\n").encode())
