"""What decisions need of earlier batches."""

import pyarrow as pa

from cupel.cleaning.alike import EARLIER_ITEMS, earlier_items
from cupel.tables import CLEAN_ITEMS, SIGNATURES


def test_kept_items_come_in_the_order_of_their_delivery_and_rejected_ones_after_them() -> None:
    signed = pa.Table.from_pylist(
        [{"batch": "a", "item_id": i, "text_sha256": f"hash of {i}", "shingles": [1], "bands": [2]} for i in "wxyz"],
        SIGNATURES.schema,
    )
    places = {"x": ("b.csv", 1), "z": ("a.csv", 10), "w": ("a.csv", 9)}
    clean = pa.Table.from_pylist(
        [
            {"batch": "a", "item_id": i, "source_file": file, "line": line, "text": i, "group_id": f"g{i}",
             "licence": "MIT"}
            for i, (file, line) in places.items()
        ],
        CLEAN_ITEMS.schema,
    )  # fmt: skip
    found = earlier_items(signed, clean)
    assert found.schema.equals(EARLIER_ITEMS)
    assert [(row["item_id"], row["text_sha256"], row["group_id"]) for row in found.to_pylist()] == [
        ("w", "hash of w", "gw"),
        ("z", "hash of z", "gz"),
        ("x", "hash of x", "gx"),
        ("y", "hash of y", None),
    ]


def test_a_batch_without_items_has_none() -> None:
    assert earlier_items(SIGNATURES.schema.empty_table(), CLEAN_ITEMS.schema.empty_table()).num_rows == 0
