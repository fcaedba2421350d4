"""What to relabel next: the items of a release whose labels are wrong or most likely to be, worst first."""

import csv
import io
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from cupel.lake import Lake
from cupel.tables import ADJUDICATIONS, AUDIT, RELEASE_ITEMS, TABLES

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


def relabel_next(items: pa.Table, audit: pa.Table, adjudications: pa.Table, most: int | None = MOST) -> pa.Table:
    """List the items to relabel next.

    Args:
        items: RELEASE_ITEMS.
        audit: AUDIT of the release; settled or not.
        adjudications: ADJUDICATIONS of the release; may be empty.
        most: Rows at most; None for all.

    Returns:
        `RELABEL_SCHEMA`: first the labels that experts found wrong, with what the experts say, the
        riskiest first; then all that no expert has settled, the riskiest first. Items whose label
        experts confirmed, or on which they stay split, are not in it.
    """
    verdicts = {(row["batch"], row["item_id"]): row for row in [*audit.to_pylist(), *adjudications.to_pylist()]}
    wrong: list[dict[str, Any]] = []
    unseen: list[dict[str, Any]] = []
    for item in items.take(pc.sort_indices(items, [("risk_rank", "descending")])).to_pylist():
        verdict = verdicts.get((item["batch"], item["item_id"]))
        row = {name: item[name] for name in ("batch", "item_id", "text", "label", "risk_rank")}
        if verdict is None or not verdict["is_settled"]:
            unseen.append({**row, "reason": _risk(item)})
        elif verdict["is_wrong"]:
            wrong.append({**row, "reason": f"wrong: the experts say {verdict['expert_label']}"})
    return pa.Table.from_pylist((wrong + unseen)[:most], schema=RELABEL_SCHEMA)


def relabel_rows(lake: Lake, release: str, most: int | None = MOST) -> pa.Table:
    """Return `relabel_next` of a release in the lake; tables that are not there yet count as empty."""
    items, audit, adjudications = (_read(lake, table.name, release) for table in (RELEASE_ITEMS, AUDIT, ADJUDICATIONS))
    return relabel_next(items, audit, adjudications, most)


def relabel_csv(lake: Lake, release: str, most: int | None = MOST) -> str:
    """Return what to relabel next of a release in the lake, as CSV; see `relabel_rows` and `as_csv`."""
    return as_csv(relabel_rows(lake, release, most))


def as_csv(rows: pa.Table) -> str:
    """Return the list as CSV, safe to open in a spreadsheet.

    Args:
        rows: As `relabel_next` returns it.

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


def _read(lake: Lake, table: str, release: str) -> pa.Table:
    is_there = lake.commit(table, release) is not None
    return lake.read(table, release) if is_there else TABLES[table].schema.empty_table()


def _risk(item: dict[str, Any]) -> str:
    if item["majority_label"] is None:
        people = "annotators are split"
    elif item["majority_label"] != item["consensus_label"]:
        people = f"most annotators say {item['majority_label']}, weighed by their quality {item['consensus_label']}"
    else:
        people = f"annotators say {item['consensus_label']}"
    checker = "has no opinion" if item["predicted_label"] is None else f"says {item['predicted_label']}"
    return f"at risk: {people}, the checker {checker}"
