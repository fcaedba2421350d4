"""What a certified release holds: labels repaired where experts spoke, contested items held back."""

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from cupel.contract.columns import TEXT
from cupel.contract.table import conform
from cupel.contract.tables.release import TRAINING_SET, WITHHELD_ITEMS
from cupel.release.probabilities import find_probabilities
from cupel.release.release_audit import ReleaseAudit
from cupel.release.terms import words_by_licence

CONTESTED = "contested: experts stay split on it"

_COPIED = ("release", "batch", "item_id", "source_file", "line", "text", "language", "split", "group_id", "licence")
_WITHHELD = ("release", "batch", "item_id", "source_file", "line")
# Of RELEASE_ITEMS, what is needed for either table that comes of it.
NEEDED_RELEASED = (*_COPIED, "label", "decided_by", "log_odds", "risk_rank")
NEEDED_WITHHELD = (*_WITHHELD, "risk_rank")


def released(items: pa.Table, audit: ReleaseAudit) -> pa.Table:
    """Return those of some frozen items that are released, with the experts' labels where they spoke.

    Args:
        items: RELEASE_ITEMS or any rows of them; the columns `NEEDED_RELEASED` will do.
        audit: Of the release, all settled.

    Returns:
        TRAINING_SET, in the order of the items.
    """
    row, verdicts, licences = _verdict_of(items, audit), audit.verdicts, audit.terms.licence_terms
    is_seen = pc.is_valid(row)
    columns = {name: items[name] for name in _COPIED} | {
        "label": pc.if_else(is_seen, verdicts["expert_label"].take(row), items["label"]),
        "decided_by": pc.if_else(is_seen, verdicts["decided_by"].take(row), items["decided_by"]),
        "probability": find_probabilities(items["log_odds"], is_seen),
        "terms": _words(items["licence"], {} if licences is None else words_by_licence(licences.licences)),
    }
    table = pa.table(columns)
    return conform(table.filter(pc.is_valid(table["label"])), TRAINING_SET)


def withheld(items: pa.Table, audit: ReleaseAudit) -> pa.Table:
    """Return those of some frozen items that are held back, because experts stay split on them.

    Args:
        items: RELEASE_ITEMS or any rows of them; the columns `NEEDED_WITHHELD` will do.
        audit: Of the release, all settled.

    Returns:
        WITHHELD_ITEMS, in the order of the items.
    """
    row = _verdict_of(items, audit)
    is_split = pc.and_(pc.is_valid(row), pc.is_null(audit.verdicts["expert_label"].take(row)))
    kept = items.select(_WITHHELD).filter(is_split)
    return conform(kept.append_column("reason", pa.repeat(pa.scalar(CONTESTED, TEXT), kept.num_rows)), WITHHELD_ITEMS)


def _words(licences: pa.ChunkedArray, terms: Mapping[str, str]) -> pa.ChunkedArray:
    place = pc.index_in(licences, value_set=pa.array(list(terms), TEXT))
    return pa.chunked_array([pa.array(list(terms.values()), TEXT).take(chunk) for chunk in place.chunks], TEXT)


def _verdict_of(items: pa.Table, audit: ReleaseAudit) -> pa.Array:
    """Return of each item the row of its verdict; null where experts settled none."""
    return audit.verdict_of.take(pc.subtract(items["risk_rank"], 1))
