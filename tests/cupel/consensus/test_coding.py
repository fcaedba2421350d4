"""Annotations as integers do not depend on the order of rows, and strangers are refused."""

import numpy as np
import pyarrow as pa
import pytest

from cupel.consensus.coding import code, lists_of, sorted_ids, vectors, vote_counts
from cupel.errors import TableError

CLASSES = ("no", "yes")


def annotations(*rows: tuple[str, str | None, str]) -> pa.Table:
    items, names, labels = zip(*rows, strict=True)
    columns = {"item_id": items, "annotator": pa.array(names, pa.string()), "label": labels}
    return pa.table(columns)


def test_the_order_of_rows_does_not_matter() -> None:
    rows = [("b", "p", "yes"), ("a", None, "no"), ("a", "q", "yes"), ("b", None, "no"), ("b", None, "yes")]
    one, other = code(annotations(*rows), ["a", "b"], CLASSES), code(annotations(*rows[::-1]), ["b", "a"], CLASSES)
    for left, right in zip(one[:3], other[:3], strict=True):
        assert left.tolist() == right.tolist()
    assert one.annotators.to_pylist() == ["p", "q", None]


def test_votes_are_counted_for_items_without_answers_too() -> None:
    coded = code(annotations(("b", "p", "yes"), ("b", "q", "yes")), ["c", "b", "a"], CLASSES)
    assert vote_counts(coded).tolist() == [[0, 0], [0, 2], [0, 0]]


@pytest.mark.parametrize(("row", "what"), [(("x", "p", "yes"), "item_id 'x'"), (("a", "p", "maybe"), "label 'maybe'")])
def test_an_unknown_item_or_label_is_named(row: tuple[str, str, str], what: str) -> None:
    with pytest.raises(TableError, match=f"row 1: {what} is not known"):
        code(annotations(("a", "p", "no"), row), ["a"], CLASSES)


def test_an_item_that_stands_twice_is_named() -> None:
    with pytest.raises(TableError, match="'b' stands twice"):
        sorted_ids(["b", "a", "b"])


def test_probabilities_survive_the_way_to_arrow_and_back() -> None:
    values = np.array([[0.25, 0.75], [np.nan, np.nan], [1.0, 0.0]])
    back = vectors(pa.chunked_array([lists_of(values, ~np.isnan(values[:, 0]))]), 2)
    np.testing.assert_array_equal(back, values)


@pytest.mark.parametrize("bad", [[[0.5, 0.5], [1.0]], [[0.5, 0.5], [None, 1.0]]])
def test_probabilities_of_another_length_or_with_a_hole_are_refused(bad: list[list[float]]) -> None:
    with pytest.raises(TableError, match="expected 2"):
        vectors(pa.chunked_array([pa.array(bad, pa.list_(pa.float64()))]), 2)
