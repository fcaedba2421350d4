"""What a certified release holds: labels repaired where experts spoke, contested items held back."""

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from cupel.answers.places import places
from cupel.contract.columns import TEXT
from cupel.contract.table import conform
from cupel.contract.tables.release import TRAINING_SET, WITHHELD_ITEMS

CONTESTED = "contested: experts stay split on it"

_COPIED = ("release", "batch", "item_id", "source_file", "line", "text", "language", "split", "group_id", "licence")
_NO_TERMS: Mapping[str, str] = {}
_WITHHELD = ("release", "batch", "item_id", "source_file", "line")
# Of AUDIT and ADJUDICATIONS, what is needed here; and of RELEASE_ITEMS, for either table that comes of it.
NEEDED_VERDICTS = ("batch", "item_id", "is_settled", "expert_label")
NEEDED_RELEASED = (*_COPIED, "label", "decided_by")
NEEDED_WITHHELD = _WITHHELD


def settled(audit: pa.Table, adjudications: pa.Table) -> pa.Table:
    """Return what experts settled; where an item was both audited and adjudicated, the audit counts.

    Args:
        audit: AUDIT of a release; the columns `NEEDED_VERDICTS` will do.
        adjudications: ADJUDICATIONS of the release; likewise.

    Returns:
        Columns batch, item_id, expert_label (null: contested) and decided_by; no item twice.
    """
    audited, adjudicated = _settled(audit, "audit"), _settled(adjudications, "expert")
    one, other = places(audited, adjudicated)
    is_audited = pc.is_in(pa.array(other), value_set=pa.array(one))
    return pa.concat_tables([audited, adjudicated.filter(pc.invert(is_audited))])


def released(items: pa.Table, verdicts: pa.Table, terms: Mapping[str, str] = _NO_TERMS) -> pa.Table:
    """Return those of some frozen items that are released, with the experts' labels where they spoke.

    Args:
        items: RELEASE_ITEMS or any rows of them; the columns `NEEDED_RELEASED` will do.
        verdicts: As `settled` returns them.
        terms: The terms in words, by licence.

    Returns:
        TRAINING_SET, in the order of the items.
    """
    row = _verdict_of(items, verdicts)
    is_seen = pc.is_valid(row)
    columns = {name: items[name] for name in _COPIED} | {
        "label": pc.if_else(is_seen, verdicts["expert_label"].take(row), items["label"]),
        "decided_by": pc.if_else(is_seen, verdicts["decided_by"].take(row), items["decided_by"]),
        "terms": _words(items["licence"], terms),
    }
    table = pa.table(columns)
    return conform(table.filter(pc.is_valid(table["label"])), TRAINING_SET)


def withheld(items: pa.Table, verdicts: pa.Table) -> pa.Table:
    """Return those of some frozen items that are held back, because experts stay split on them.

    Args:
        items: RELEASE_ITEMS or any rows of them; the columns `NEEDED_WITHHELD` will do.
        verdicts: As `settled` returns them.

    Returns:
        WITHHELD_ITEMS, in the order of the items.
    """
    split = verdicts.filter(pc.is_null(verdicts["expert_label"]))
    kept = items.select(_WITHHELD).filter(pc.is_valid(_verdict_of(items, split)))
    return conform(kept.append_column("reason", pa.repeat(pa.scalar(CONTESTED, TEXT), kept.num_rows)), WITHHELD_ITEMS)


def release_rows(items: pa.Table, audit: pa.Table, adjudications: pa.Table) -> tuple[pa.Table, pa.Table]:
    """Divide the frozen items into those released and those held back.

    Args:
        items: RELEASE_ITEMS.
        audit: AUDIT of the release, all settled.
        adjudications: ADJUDICATIONS of the release, all settled.

    Returns:
        TRAINING_SET and WITHHELD_ITEMS; every frozen item is in exactly one of them.
    """
    verdicts = settled(audit, adjudications)
    return released(items, verdicts), withheld(items, verdicts)


def _words(licences: pa.ChunkedArray, terms: Mapping[str, str]) -> pa.ChunkedArray:
    place = pc.index_in(licences, value_set=pa.array(list(terms), TEXT))
    return pa.chunked_array([pa.array(list(terms.values()), TEXT).take(chunk) for chunk in place.chunks], TEXT)


def _settled(table: pa.Table, decided_by: str) -> pa.Table:
    rows = table.filter(table["is_settled"]).select(["batch", "item_id", "expert_label"])
    return rows.append_column("decided_by", pa.repeat(pa.scalar(decided_by, TEXT), rows.num_rows))


def _verdict_of(items: pa.Table, verdicts: pa.Table) -> pa.Array:
    """Return of each item the row of its verdict; null where experts settled none."""
    item, judged = places(items, verdicts)
    return pc.index_in(pa.array(item), value_set=pa.array(judged))
