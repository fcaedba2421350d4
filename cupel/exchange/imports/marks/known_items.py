"""What is known of items beside files of marks: a table of texts, sizes, lengths and rates."""

from pathlib import Path

from cupel.errors import SourceError
from cupel.exchange.imports.bad_marks import BadMarkError
from cupel.exchange.imports.file import read_file, records
from cupel.exchange.imports.marks.item_facts import ItemFacts, read_facts
from cupel.people.tool_annotation import as_id
from cupel.sources.input_limits import DEFAULT_LIMITS, InputLimits
from cupel.sources.reasons import BadRow

ID_FIELDS = ("id", "item_id")


def read_known_items(path: Path, limits: InputLimits = DEFAULT_LIMITS) -> dict[str, ItemFacts]:
    """Return what a table says of items, by id.

    Args:
        path: JSON Lines, JSON, CSV or Parquet with `id` and any of `text`, `path`, `duration` (microseconds), `frames`,
            `rate` (as 30000/1001), `frame_times` (microseconds, where the rate varies), `width` and `height` (pixels).
        limits: How much of it is read.

    Raises:
        SourceError: The file cannot be read, or a row is none; with its number, field and value.
    """
    found: dict[str, ItemFacts] = {}
    for row in records(read_file(path, limits)):
        if isinstance(row, BadRow):
            raise SourceError(f"{path}: row {row.line}: {row.reason}: {row.evidence}")
        item = next((name for field in ID_FIELDS if (name := as_id(row.values.get(field))) is not None), None)
        if item is None or item in found:
            what = "no id" if item is None else f"id {item!r} stands twice"
            raise SourceError(f"{path}: row {row.line}: {what}; every item has one row with an id of its own")
        try:
            found[item] = read_facts(row.values)
        except BadMarkError as bad:
            raise SourceError(f"{path}: row {row.line}, item {item!r}: {bad.reason}: {bad.found}") from None
    return found
