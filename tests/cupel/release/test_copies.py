"""Copies in several batches: a release holds the one with the better licence, and names it for each left out."""

from typing import Any

import pyarrow as pa
import pytest

from cupel.cleaning.duplicates.kept_items import DuplicateRule
from cupel.contract.table import from_rows
from cupel.contract.tables.cleaning import SIMILAR_ITEMS
from cupel.errors import ReleaseError
from cupel.release.copies import left_out_items, without

ORDER = ("own", "MIT", "bought")


def items(*rows: tuple[str, str]) -> pa.Table:
    """Return items as (batch/item, licence)."""
    names = [name.split("/") for name, _ in rows]
    return pa.table(
        {
            "batch": [batch for batch, _ in names], "item_id": [item for _, item in names],
            "source_file": ["f"] * len(rows), "line": list(range(1, len(rows) + 1)),
            "licence": [licence for _, licence in rows],
        }
    )  # fmt: skip


def signed(**texts: str) -> pa.Table:
    """Return signatures as batch_item=text."""
    names = [name.split("_") for name in texts]
    return pa.table(
        {
            "batch": [batch for batch, _ in names], "item_id": [item for _, item in names],
            "text_sha256": list(texts.values()),
        }
    )  # fmt: skip


def pairs(*rows: tuple[str, str, float]) -> pa.Table:
    """Return similar items as (item, earlier batch/item, similarity)."""
    return from_rows(
        [
            {"item_id": item, "earlier_batch": earlier.split("/")[0], "earlier_item_id": earlier.split("/")[1]}
            | {"similarity": similarity}
            for item, earlier, similarity in rows
        ],
        SIMILAR_ITEMS,
    )


def left_out(
    own: pa.Table, signatures: pa.Table, similar: list[Any] | None = None, least: float | None = 0.8
) -> dict[str, str]:
    found = left_out_items(
        "all-r1", own, signatures, similar or [("a", pairs())], ORDER, DuplicateRule(least)
    ).to_pylist()
    assert {row["reason"] for row in found} <= {"better_licence"}
    return {f"{row['batch']}/{row['item_id']}": row["evidence"] for row in found}


def test_of_equal_texts_the_better_licence_stays_whichever_came_first() -> None:
    own = items(("a/1", "bought"), ("b/1", "own"))
    assert left_out(own, signed(a_1="x", b_1="x")) == {"a/1": "b/1"}


def test_of_three_the_best_stays_and_is_named_for_both() -> None:
    own = items(("a/1", "bought"), ("b/1", "MIT"), ("c/1", "own"))
    assert left_out(own, signed(a_1="x", b_1="x", c_1="x")) == {"a/1": "c/1", "b/1": "c/1"}


def test_a_near_copy_is_left_out_and_what_is_less_alike_is_not() -> None:
    own, names = items(("a/1", "bought"), ("b/1", "own")), signed(a_1="x", b_1="y")
    for similarity, found in ((0.8, {"a/1": "b/1"}), (0.79, {})):
        assert left_out(own, names, [("b", pairs(("1", "a/1", similarity)))]) == found
    assert left_out(own, names, [("b", pairs(("1", "a/1", 0.9)))], least=None) == {}


def test_a_pair_that_names_another_batchs_item_of_the_same_text_counts() -> None:
    # Only the first item with a text is compared, and that one may be in no batch of the release.
    own, names = items(("a/1", "bought"), ("b/1", "own")), signed(a_1="x", b_1="y", z_9="x")
    assert left_out(own, names, [("b", pairs(("1", "z/9", 0.9)))]) == {"a/1": "b/1"}


def test_a_chain_breaks_where_an_item_is_left_out() -> None:
    own, names = items(("a/1", "bought"), ("b/1", "MIT"), ("c/1", "own")), signed(a_1="x", b_1="y", c_1="z")
    similar = [("b", pairs(("1", "a/1", 0.9))), ("c", pairs(("1", "b/1", 0.9)))]
    assert left_out(own, names, similar) == {"b/1": "c/1"}


def test_items_without_copies_stay() -> None:
    assert left_out(items(("a/1", "bought"), ("b/1", "own")), signed(a_1="x", b_1="y")) == {}


def test_an_item_without_a_signature_is_an_error() -> None:
    with pytest.raises(ReleaseError, match="lacks items of the batches"):
        left_out(items(("a/1", "own"), ("b/1", "own")), signed(a_1="x"))


def test_what_is_left_out_is_not_frozen() -> None:
    own = items(("a/1", "bought"), ("b/1", "own"))
    table = left_out_items("all-r1", own, signed(a_1="x", b_1="x"), [("a", pairs())], ORDER, DuplicateRule(0.8))
    assert without(own.slice(0, 1), "a", table).num_rows == 0
    assert without(own.slice(1), "b", table).num_rows == 1
