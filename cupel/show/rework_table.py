"""Rework by annotator and vendor, in the terminal and as CSV."""

import csv
import io
from collections.abc import Mapping, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from cupel.printable import printable
from cupel.release.facts import BatchFacts
from cupel.release.relabel import guarded
from cupel.release.rework import ReworkCount
from cupel.show.people_views import rework_rows

HEADS = ("who", "quality", "accepted at first", "behind the cut", "sent back", "answered anew", "right afterwards")
CSV_HEADS = ("batch", *ReworkCount._fields)


def show_rework(console: Console, batch: BatchFacts) -> None:
    """Print the rework of a batch, vendors first."""
    rows = rework_rows(batch, most=None)
    if not rows:
        console.print(f"{batch.batch}: nothing was sent back, and experts have checked nothing", markup=False)
        return
    table = Table(*HEADS, box=SIMPLE_HEAD, pad_edge=False, title=batch.batch, title_justify="left")
    for row in rows:
        who = f"{row['who']}, vendor" if row["is_vendor"] else row["who"]
        cells = (who, *(row[name] for name in ("quality", "accepted", "adjudicated", "sent_back", "reworked", "right")))
        table.add_row(*(printable(cell).replace("[", "\\[") for cell in cells))
    console.print(table)


def rework_csv(found: Mapping[str, Sequence[ReworkCount]]) -> bytes:
    """Return the rework of batches as CSV, a row for each annotator and vendor, safe to open in a spreadsheet."""
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\r\n")
    writer.writerow(CSV_HEADS)
    for batch, counts in found.items():
        for one in counts:
            writer.writerow([guarded(cell) if isinstance(cell, str) else cell for cell in (batch, *one)])
    return sink.getvalue().encode()
