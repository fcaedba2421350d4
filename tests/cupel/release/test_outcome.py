import pyarrow as pa

from cupel.contract.table import from_rows
from cupel.contract.tables.release import ADJUDICATIONS, AUDIT, RELEASE_ITEMS
from cupel.release.outcome import released, withheld
from cupel.release.release_audit import ReleaseAudit
from made_releases import make_terms


def items(*names: str) -> pa.Table:
    return from_rows(
        [
            {
                "release": "r", "batch": "one", "item_id": name, "source_file": "f", "line": n, "text": "t",
                "licence": "MIT", "language": "und",
                "group_id": name, "split": "train", "label": "a", "decided_by": "people and checker",
                "majority_label": "a", "consensus_label": "a", "predicted_label": None, "log_odds": 1.0,
                "risk_rank": n, "is_audited": False,
            }
            for n, name in enumerate(names, 1)
        ],
        RELEASE_ITEMS,
    )  # fmt: skip


def audit(items: pa.Table, **tables: pa.Table) -> ReleaseAudit:
    return ReleaseAudit.of(make_terms(items=items.num_rows), {"release_items": items, **tables})


def said(table: object, **labels: str | None) -> pa.Table:
    return from_rows(
        [
            {
                "release": "r", "batch": "one", "item_id": item, "label": "a", "answers": 1, "is_settled": True,
                "is_contested": label is None, "expert_label": label,
                "is_wrong": None if label is None else label != "a",
            }
            for item, label in labels.items()
        ],
        table,  # type: ignore[arg-type]
    )  # fmt: skip


def test_every_frozen_item_is_released_or_withheld() -> None:
    whole = audit(items("i", "j", "k"), audit=said(AUDIT, i=None), adjudications=said(ADJUDICATIONS, j="b"))
    assert released(whole.items, whole)["item_id"].to_pylist() == ["j", "k"]
    assert withheld(whole.items, whole)["item_id"].to_pylist() == ["i"]


def test_what_experts_found_wrong_is_repaired_and_nothing_else_is_changed() -> None:
    adjudicated = said(ADJUDICATIONS, k="b")
    whole = audit(items("i", "j", "k", "l"), audit=said(AUDIT, i="b", j="a"), adjudications=adjudicated)
    rows = released(whole.items, whole)
    labels = dict(zip(rows["item_id"].to_pylist(), rows["label"].to_pylist(), strict=True))
    assert labels == {"i": "b", "j": "a", "k": "b", "l": "a"}
    assert rows["decided_by"].to_pylist() == ["audit", "audit", "expert", "people and checker"]


def test_an_item_that_experts_have_not_settled_keeps_its_label() -> None:
    unsettled = from_rows(
        [
            {
                "release": "r", "batch": "one", "item_id": "i", "label": "a", "answers": 1, "is_settled": False,
                "is_contested": False, "expert_label": None, "is_wrong": None,
            }
        ],
        AUDIT,
    )  # fmt: skip
    whole = audit(items("i"), audit=unsettled)
    assert (released(whole.items, whole).num_rows, withheld(whole.items, whole).num_rows) == (1, 0)


def test_where_an_item_was_audited_and_adjudicated_the_audit_counts() -> None:
    whole = audit(items("i", "j"), audit=said(AUDIT, j="b"), adjudications=said(ADJUDICATIONS, j="c", i="c"))
    rows = {row["item_id"]: (row["label"], row["decided_by"]) for row in released(whole.items, whole).to_pylist()}
    assert rows == {"i": ("c", "expert"), "j": ("b", "audit")}


def test_a_piece_of_the_items_is_divided_like_all_of_them() -> None:
    whole = audit(items("i", "j", "k"), audit=said(AUDIT, k=None), adjudications=said(ADJUDICATIONS, j="b"))
    piece = whole.items.slice(1)
    assert released(piece, whole)["label"].to_pylist() == ["b"]
    assert withheld(piece, whole)["item_id"].to_pylist() == ["k"]
