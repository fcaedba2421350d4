"""What decisions need of earlier batches."""

import pyarrow as pa

from cupel.cleaning.duplicates.kept_items import EARLIER_ITEMS, CleanedBatch, earlier_items
from cupel.contract.tables.cleaning import SIMILAR_ITEMS

NO_PAIRS = SIMILAR_ITEMS.schema.empty_table()
Kept = dict[str, tuple[str, int, str]]


def cleaned(batch: str, texts: dict[str, str], kept: Kept) -> CleanedBatch:
    """Return a batch: the text of each item, and of those that were kept file, line and group."""
    signed = pa.table([pa.array(part, pa.string()) for part in (texts, texts.values())], ["item_id", "text_sha256"])
    rows = [
        {"item_id": item, "group_id": group, "source_file": file, "line": line, "licence": "MIT"}
        for item, (file, line, group) in kept.items()
    ]
    types = dict.fromkeys(("item_id", "group_id", "source_file", "licence"), pa.string()) | {"line": pa.int64()}
    clean = pa.Table.from_pylist(rows, pa.schema(types))
    return CleanedBatch(batch, lambda: signed, lambda: clean)


def texts(*of: str) -> pa.ChunkedArray:
    return pa.chunked_array([list(of)], pa.string())


A = cleaned(
    "a",
    {"w": "one", "x": "one", "y": "one", "z": "two", "v": "three"},
    {"x": ("b.csv", 1, "late"), "z": ("a.csv", 10, "early"), "w": ("a.csv", 9, "late"), "v": ("a.csv", 1, "other")},
)


def found(*arguments: pa.ChunkedArray | pa.Table | list[CleanedBatch]) -> list[tuple[str, str, str | None]]:
    table = earlier_items(*arguments)
    assert table.schema.equals(EARLIER_ITEMS)
    return [(row["batch"], row["item_id"], row["group_id"]) for row in table.to_pylist()]


def test_kept_items_come_in_the_order_of_their_delivery_and_rejected_ones_after_them() -> None:
    assert found(texts("one"), NO_PAIRS, [A]) == [("a", "w", "late"), ("a", "x", "late"), ("a", "y", None)]


def test_only_items_with_a_text_of_the_batch_are_read() -> None:
    assert found(texts("two", "four"), NO_PAIRS, [A]) == [("a", "z", "early")]


def test_all_items_with_the_text_of_an_item_that_a_pair_names_are_read() -> None:
    row = {"item_id": "i", "earlier_batch": "a", "earlier_item_id": "y", "similarity": 0.6}
    pairs = pa.Table.from_pylist([row], SIMILAR_ITEMS.schema)
    other = cleaned("b", {"y": "four", "u": "one"}, {"u": ("c.csv", 1, "late")})
    assert [item for _, item, _ in found(texts("five"), pairs, [A, other])] == ["w", "x", "y", "u"]


def test_groups_are_placed_by_their_first_item_even_where_that_is_not_read() -> None:
    other = cleaned("b", {"p": "five", "q": "six"}, {"p": ("a.csv", 2, "other"), "q": ("a.csv", 1, "new")})
    table = earlier_items(texts("two", "five", "six"), NO_PAIRS, [A, other])
    places = dict(zip(table.column("group_id").to_pylist(), table.column("group_place").to_pylist(), strict=True))
    assert sorted(places, key=places.__getitem__) == ["other", "early", "new"]


def test_a_batch_without_items_has_none() -> None:
    assert found(texts(), NO_PAIRS, []) == []
    assert found(texts("one"), NO_PAIRS, [cleaned("a", {}, {})]) == []
