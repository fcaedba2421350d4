import random

import pyarrow as pa
import pytest

from cupel.config.release import Release
from cupel.contract.table import from_rows
from cupel.contract.tables.checking import LABELS
from cupel.contract.tables.cleaning import CLEAN_ITEMS, SIMILAR_ITEMS
from cupel.release.freeze import Frozen, freeze, hash_content, items_sha256, items_sha256_without_content

SETTINGS = Release(error_budget=0.01, audit_size=20, max_experts_seen_share=0.5)


def batch(name: str, count: int, seed: int = 0) -> tuple[pa.Table, pa.Table]:
    clean = [
        {
            "batch": name, "item_id": f"i{n}", "source_file": "f", "line": n + 1, "text": f"text {n}",
            "group_id": f"{name}/{n // 2}", "licence": "MIT", "language": "und",
        }
        for n in range(count)
    ]  # fmt: skip
    labels = [
        {
            "item_id": f"i{n}", "label": "a", "log_odds": float(n // 3), "decided_by": "people and checker",
            "route": "accept", "reason": "r", "majority_label": None, "consensus_label": "a", "predicted_label": "b",
        }
        for n in range(count)
    ]  # fmt: skip
    random.Random(seed).shuffle(clean)
    random.Random(seed + 1).shuffle(labels)
    items = from_rows(clean, CLEAN_ITEMS)
    hashes = pa.array(map(hash_content, items["text"].to_pylist()))
    return from_rows(labels, LABELS), items.append_column("content_sha256", hashes)


def frozen(*batches: tuple[pa.Table, pa.Table]) -> Frozen:
    return freeze("r1", [labels for labels, _ in batches], [clean for _, clean in batches], SETTINGS)


def test_the_safest_come_first_and_ranks_have_no_gap() -> None:
    items = frozen(batch("one", 100)).items
    assert items["risk_rank"].to_pylist() == list(range(1, 101))
    odds = items["log_odds"].to_pylist()
    assert odds == sorted(odds, reverse=True)


def test_the_order_of_rows_changes_nothing() -> None:
    one, other = frozen(batch("one", 100, seed=1)), frozen(batch("one", 100, seed=5))
    assert one.items == other.items
    assert one.sha256 == other.sha256


@pytest.mark.parametrize(("column", "other"), [("label", "b"), ("content_sha256", "0" * 64), ("item_id", "i999")])
def test_the_hash_changes_with_a_label_a_content_and_an_id(column: str, other: str) -> None:
    items = frozen(batch("one", 50)).items
    rows = items.to_pylist()
    rows[0][column] = other
    assert items_sha256(pa.Table.from_pylist(rows, schema=items.schema)) != items_sha256(items)
    is_seen = column != "content_sha256"  # up to format 3 of releases contents were not hashed
    before = items_sha256_without_content(pa.Table.from_pylist(rows, schema=items.schema))
    assert (before != items_sha256_without_content(items)) == is_seen


def test_the_hash_changes_with_the_risk_order() -> None:
    items = frozen(batch("one", 50)).items
    rows = items.to_pylist()
    rows[0]["risk_rank"], rows[1]["risk_rank"] = 2, 1
    assert items_sha256(pa.Table.from_pylist(rows, schema=items.schema)) != items_sha256(items)


def test_two_batches_may_use_the_same_ids() -> None:
    items = frozen(batch("one", 10), batch("two", 10)).items
    assert items.num_rows == 20
    assert len(set(zip(items["batch"].to_pylist(), items["item_id"].to_pylist(), strict=True))) == 20


def test_no_group_is_divided_between_splits() -> None:
    items = frozen(batch("one", 200)).items.to_pylist()
    parts: dict[str, set[str]] = {}
    for item in items:
        parts.setdefault(item["group_id"], set()).add(item["split"])
    assert all(len(found) == 1 for found in parts.values())


def test_items_alike_across_batches_are_in_one_split() -> None:
    one, two = batch("one", 40), batch("two", 40)
    pair = {"item_id": "i0", "earlier_batch": "one", "earlier_item_id": "i7", "similarity": 0.6}
    similar = [("two", from_rows([pair], SIMILAR_ITEMS))]
    found = freeze("r1", [one[0], two[0]], [one[1], two[1]], SETTINGS, similar)
    groups = {(row["batch"], row["item_id"]): row["group_id"] for row in found.items.to_pylist()}
    assert groups["two", "i0"] == groups["one", "i7"] == groups["one", "i6"] == groups["two", "i1"]
