"""Every item has a row, whether anybody answered it or not."""

import pyarrow as pa
import pytest

from cupel.consensus.consensus import consensus
from cupel.contract.tables.labeling import CONSENSUS
from cupel.errors import TableError

ROWS = {
    "item_id": ["a", "a", "b", "b", "d"],
    "annotator": pa.array(["p", "q", "p", None, None], pa.string()),
    "label": ["x", "x", "x", "y", "y"],
}


def test_every_item_has_a_row() -> None:
    found = consensus(pa.table(ROWS), ["d", "c", "b", "a"], ("x", "y"))
    assert found.schema.equals(CONSENSUS.schema)
    assert found["item_id"].to_pylist() == ["a", "b", "c", "d"]
    assert found["votes"].to_pylist() == [2, 2, 0, 1]
    assert found["majority_label"].to_pylist() == ["x", None, None, "y"]
    assert found["is_tie"].to_pylist() == [False, True, False, False]
    assert found["agreement"].to_pylist() == [2 / 2, 1 / 2, None, 1 / 1]


def test_what_nobody_answered_is_null_not_guessed() -> None:
    row = consensus(pa.table(ROWS), ["d", "c", "b", "a"], ("x", "y")).to_pylist()[2]
    assert (row["consensus_label"], row["posterior"], row["is_tie"]) == (None, None, False)


def test_the_posterior_follows_the_order_of_the_classes() -> None:
    one = consensus(pa.table(ROWS), ["a", "b", "d"], ("x", "y"))["posterior"].to_pylist()
    other = consensus(pa.table(ROWS), ["a", "b", "d"], ("y", "x"))["posterior"].to_pylist()
    assert one[0][0] > 0.5
    for left, right in zip(one, other, strict=True):
        assert left == pytest.approx(right[::-1])


def test_a_batch_nobody_answered_has_only_nulls() -> None:
    found = consensus(pa.table(ROWS).slice(0, 0), ["a", "b"], ("x", "y"))
    assert found["votes"].to_pylist() == [0, 0]
    assert found["posterior"].null_count == 2


def test_an_answer_to_an_unknown_item_is_an_error() -> None:
    with pytest.raises(TableError, match="'d' is not known"):
        consensus(pa.table(ROWS), ["a", "b"], ("x", "y"))


def test_the_method_that_a_project_names_makes_the_posterior() -> None:
    rows = {"item_id": ["a"] * 3, "annotator": ["p", "q", "r"], "label": ["x", "x", "y"]}
    by_votes = consensus(pa.table(rows), ["a"], ("x", "y"), "majority").to_pylist()[0]
    # One pair of votes in three agrees, less than blind guesses would: annotators are taken to be right 55 in 100.
    assert by_votes["posterior"] == pytest.approx([0.55, 0.45])
    assert consensus(pa.table(rows), ["a"], ("x", "y")).to_pylist()[0]["posterior"] != by_votes["posterior"]
