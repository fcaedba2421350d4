"""What to relabel next: the items of a release whose labels are wrong or most likely to be, worst first."""

import csv
import io
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cupel.contract.tables.release import RELEASE_ITEMS
from cupel.lake.lake import Lake
from cupel.release.release_audit import ReleaseAudit

MOST = 1_000
RELABEL_SCHEMA = pa.schema(
    [
        pa.field("batch", pa.string(), nullable=False),
        pa.field("item_id", pa.string(), nullable=False),
        pa.field("text", pa.string(), nullable=False),
        pa.field("label", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("risk_rank", pa.int64(), nullable=False),
    ]
)
# A spreadsheet takes a cell that begins with one of these for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001


def relabel_rows(lake: Lake, audit: ReleaseAudit, most: int | None = MOST) -> pa.Table:
    """List the items of a release to relabel next.

    Args:
        lake: The project's lake, which has the items' texts.
        audit: With its items, audit and adjudications, as far as they are there; settled or not.
        most: Rows at most; None for all.

    Returns:
        `RELABEL_SCHEMA`: first the labels that experts found wrong, with what the experts say, the
        riskiest first; then all that no expert has settled, the riskiest first. Items whose label
        experts confirmed, or on which they stay split, are not in it.
    """
    said = audit.verdicts["expert_label"].take(audit.verdict_of)
    is_wrong = pc.fill_null(pc.not_equal(said, audit.items["label"]), False).to_numpy()
    wrong, unseen = np.flatnonzero(is_wrong)[::-1], np.flatnonzero(pc.is_null(audit.verdict_of))[::-1]
    listed = np.concatenate([wrong, unseen])[:most]
    found = by_rank(lake, audit.terms.release, audit.items["risk_rank"].take(pa.array(listed)))
    return pa.Table.from_pylist(_reasoned(found, said.take(pa.array(listed))), schema=RELABEL_SCHEMA)


def as_csv(rows: pa.Table) -> str:
    """Return the list as CSV, safe to open in a spreadsheet.

    Args:
        rows: As `relabel_rows` returns it.

    Returns:
        A header and the rows, in lines that end in CR LF (RFC 4180); a cell that a spreadsheet would take
        for a formula begins with an apostrophe.

    Source: OWASP, CSV Injection.
    """
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\r\n")  # with "\n" a lone carriage return would not be quoted
    writer.writerow(rows.column_names)
    for row in rows.to_pylist():
        writer.writerow([guarded(value) if isinstance(value, str) else value for value in row.values()])
    return sink.getvalue()


def guarded(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula.

    >>> guarded("=HYPERLINK(1)"), guarded(" -1"), guarded("fine")
    ("'=HYPERLINK(1)", "' -1", 'fine')
    """
    return f"'{cell}" if cell.startswith(_FORMULA) or cell.lstrip().startswith(_FORMULA) else cell


def by_rank(lake: Lake, release: str, ranks: pa.ChunkedArray) -> pa.Table:
    """Return the rows of a release's RELEASE_ITEMS that have these risk ranks, in the order given.

    Args:
        lake: The project's lake.
        release: The release.
        ranks: Each once, all of them there.
    """
    wanted = ranks.combine_chunks()
    pieces = [RELEASE_ITEMS.schema.empty_table()]
    if len(wanted):
        pieces += [
            piece.filter(pc.is_in(piece["risk_rank"], value_set=wanted))
            for piece in lake.read_batches(RELEASE_ITEMS.name, release)
        ]
    found = pa.concat_tables(pieces)
    return found.take(pc.index_in(wanted, value_set=found["risk_rank"].combine_chunks()))


def _reasoned(items: pa.Table, said: pa.ChunkedArray) -> list[dict[str, Any]]:
    names = ("batch", "item_id", "text", "label", "risk_rank")
    return [
        {
            **{name: item[name] for name in names},
            "reason": _risk(item) if label is None else f"wrong: the experts say {label}",
        }
        for item, label in zip(items.to_pylist(), said.to_pylist(), strict=True)
    ]


def _risk(item: dict[str, Any]) -> str:
    if item["consensus_label"] is None:
        people = "annotators cannot decide"
    elif item["majority_label"] is None:
        people = "annotators are split"
    elif item["majority_label"] != item["consensus_label"]:
        people = f"most annotators say {item['majority_label']}, weighed by their quality {item['consensus_label']}"
    else:
        people = f"annotators say {item['consensus_label']}"
    checker = "has no opinion" if item["predicted_label"] is None else f"says {item['predicted_label']}"
    return f"at risk: {people}, the checker {checker}"
