"""Whether a delivery can be read at all: garbage is refused at the door, before it becomes a batch."""

from pathlib import Path

from cupel.config.project import Project
from cupel.config.raw import Delivery
from cupel.errors import SourceError
from cupel.sources.delivery import read_delivery
from cupel.sources.reasons import REASONS

ROWS_AT_ONCE = 1_000


def check_readable(name: str, delivery: Delivery, folder: Path, project: Project) -> None:
    """Make sure that at least one row of a delivery becomes an item; how many must is for the gate of raw to say.

    Args:
        name: What the delivery is called.
        delivery: How it is read.
        folder: Where its files are.
        project: Its kind of label says what of a row is read.

    Raises:
        SourceError: No row can be read; it names the first, and the reason.
    """
    count, first = 0, None
    for chunk in read_delivery(
        name,
        delivery,
        folder,
        rows_per_chunk=ROWS_AT_ONCE,
        text_of=project.modality.read_row,
        endings=project.modality.endings,
    ).chunks():
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
