"""Whether a delivery can be read at all: garbage is refused at the door, before it becomes a batch."""

from pathlib import Path

from cupel.config.project import Project
from cupel.config.raw import Delivery
from cupel.errors import SourceError
from cupel.sources.delivery import Chunk, read_delivery
from cupel.sources.reasons import REASONS

ROWS_AT_ONCE = 1_000
# Reasons of rows that are no text, whatever the file should hold.
NO_TEXT = frozenset({"wrong_encoding", "nul_byte", "unreadable_file"})


def check_readable(name: str, delivery: Delivery, folder: Path, project: Project) -> None:
    """Make sure that a delivery is text, and at least one row becomes an item; how many must is for the raw gate.

    A file of which most of the first rows are no text at all is another kind of file under this name: chance makes
    items of a few of its lines.

    Args:
        name: What the delivery is called.
        delivery: How it is read.
        folder: Where its files are.
        project: Its kind of label says what of a row is read.

    Raises:
        SourceError: No row can be read, or most of a file is no text; it names the first, and the reason.
    """
    count, first = 0, None
    reader = read_delivery(
        name,
        delivery,
        folder,
        rows_per_chunk=ROWS_AT_ONCE,
        text_of=project.modality.read_row,
        endings=project.modality.endings,
    )
    for chunk in reader.first_chunks():
        _check_text(chunk)
    for chunk in reader.chunks():
        if chunk.items.num_rows:
            return
        count += chunk.rejected.num_rows
        if first is None and chunk.rejected.num_rows:
            first = chunk.rejected.slice(0, 1).to_pylist()[0]
    if first is None:
        raise SourceError(f"{name}: there is no row in it; bring a file that holds rows")
    raise SourceError(
        f"{first['source_file']}, line {first['line']}: {REASONS[first['reason']]}; none of the {count:,} rows can be "
        "read. Is it the right file? Fields are named by raw.inbox in the project file; mend it and bring it again"
    )


def _check_text(chunk: Chunk) -> None:
    bad = [row for row in chunk.rejected.to_pylist() if row["reason"] in NO_TEXT]
    rows = chunk.items.num_rows + chunk.rejected.num_rows
    if 2 * len(bad) > rows:
        raise SourceError(
            f"{bad[0]['source_file']}, line {bad[0]['line']}: {REASONS[bad[0]['reason']]}; so are {len(bad):,} of the "
            f"first {rows:,} rows. Is it the right file? Mend it and bring it again"
        )
