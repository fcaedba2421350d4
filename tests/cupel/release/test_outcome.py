import pyarrow as pa

from cupel.contract.table import empty, from_rows
from cupel.contract.tables.release import ADJUDICATIONS, AUDIT, RELEASE_ITEMS
from cupel.release.outcome import release_rows


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
    released, withheld = release_rows(items("i", "j", "k"), said(AUDIT, i=None), said(ADJUDICATIONS, j="b"))
    assert released["item_id"].to_pylist() == ["j", "k"]
    assert withheld["item_id"].to_pylist() == ["i"]


def test_what_experts_found_wrong_is_repaired_and_nothing_else_is_changed() -> None:
    released, _ = release_rows(items("i", "j", "k", "l"), said(AUDIT, i="b", j="a"), said(ADJUDICATIONS, k="b"))
    labels = dict(zip(released["item_id"].to_pylist(), released["label"].to_pylist(), strict=True))
    assert labels == {"i": "b", "j": "a", "k": "b", "l": "a"}
    assert released["decided_by"].to_pylist() == ["audit", "audit", "expert", "people and checker"]


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
    released, withheld = release_rows(items("i"), unsettled, empty(ADJUDICATIONS))
    assert (released.num_rows, withheld.num_rows) == (1, 0)
