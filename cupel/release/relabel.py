"""What to relabel next: the items of a release whose labels are wrong or most likely to be, worst first."""

import csv
import io
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cupel.answers.places import places
from cupel.contract.tables import TABLES
from cupel.contract.tables.release import ADJUDICATIONS, AUDIT, RELEASE_ITEMS
from cupel.lake import Lake

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
_SAID = ["batch", "item_id", "is_settled", "is_wrong", "expert_label"]
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
    listed = _listed(items, audit, adjudications, most)
    return pa.Table.from_pylist(_reasoned(items.take(listed.row), listed), schema=RELABEL_SCHEMA)


def relabel_rows(lake: Lake, release: str, most: int | None = MOST) -> pa.Table:
    """Return `relabel_next` of a release in the lake; tables that are not there yet count as empty."""
    audit, adjudications = (_read(lake, table.name, release) for table in (AUDIT, ADJUDICATIONS))
    items = _read(lake, RELEASE_ITEMS.name, release, ["batch", "item_id", "risk_rank"])
    listed = _listed(items, audit, adjudications, most)
    found = by_rank(lake, release, items["risk_rank"].take(listed.row))
    return pa.Table.from_pylist(_reasoned(found, listed), schema=RELABEL_SCHEMA)


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


class _Listed(NamedTuple):
    """What is listed: rows of the items, and what experts say where they found the label wrong (else null)."""

    row: pa.Array
    expert_label: pa.Array


def _listed(items: pa.Table, audit: pa.Table, adjudications: pa.Table, most: int | None) -> _Listed:
    settled = audit.filter(audit["is_settled"])
    verdicts = pa.concat_tables([table.select(_SAID) for table in (adjudications, settled)])
    item, judged = places(items, verdicts)
    # Where adjudicators are audited, an item may be judged twice: the auditor's verdict counts.
    last = np.full(max(item.max(initial=-1), judged.max(initial=-1)) + 1, -1)
    last[judged] = np.arange(len(judged))
    order = np.argsort(-items["risk_rank"].to_numpy(), kind="stable")
    verdict = last[item][order]
    is_settled, is_wrong = (
        np.append(pc.fill_null(verdicts[name], False).to_numpy(), False)[verdict] for name in ("is_settled", "is_wrong")
    )
    wrong, unseen = np.flatnonzero(is_settled & is_wrong), np.flatnonzero(~is_settled)
    listed = np.concatenate([wrong, unseen])[:most]
    is_said = np.arange(len(listed)) < len(wrong)
    said = verdicts["expert_label"].combine_chunks().take(pa.array(verdict[listed], mask=~is_said))
    return _Listed(pa.array(order[listed]), said)


def _reasoned(items: pa.Table, listed: _Listed) -> list[dict[str, Any]]:
    names = ("batch", "item_id", "text", "label", "risk_rank")
    return [
        {
            **{name: item[name] for name in names},
            "reason": _risk(item) if said is None else f"wrong: the experts say {said}",
        }
        for item, said in zip(items.to_pylist(), listed.expert_label.to_pylist(), strict=True)
    ]


def _read(lake: Lake, table: str, release: str, columns: Sequence[str] | None = None) -> pa.Table:
    if lake.commit(table, release) is not None:
        return lake.read(table, release, columns)
    content = TABLES[table].schema.empty_table()
    return content if columns is None else content.select(columns)


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
