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


def in_runs(items: int) -> pa.Table:
    """Return five answers an item, item by item, some without a name."""
    rng = np.random.default_rng(4)
    rows = [
        (f"{item:05}", None if rng.random() < 0.1 else f"w{rng.integers(0, 40)}", CLASSES[rng.integers(0, 2)])
        for item in range(items)
        for _ in range(5)
    ]
    return annotations(*rows)


def by_hand(table: pa.Table, ids: list[str]) -> list[tuple[int, int, int]]:
    """Return items, annotators and labels as places, sorted, from Python's own lists."""
    names = sorted({name for name in table["annotator"].to_pylist() if name is not None})
    return sorted(
        (ids.index(row["item_id"]), len(names) if row["annotator"] is None else names.index(row["annotator"]),
         CLASSES.index(row["label"]))
        for row in table.to_pylist()
    )  # fmt: skip


@pytest.mark.parametrize("form", [pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())], ids=str)
@pytest.mark.parametrize("order", ["item by item", "last item first", "any", "in pieces"])
def test_columns_of_any_form_and_order_give_the_same(form: pa.DataType, order: str) -> None:
    table, ids = in_runs(1_000), [f"{item:05}" for item in range(1_000)]
    expected = by_hand(table, ids)
    table = table.cast(pa.schema([(name, form) for name in table.column_names]))
    if order == "any":
        table = table.take(np.random.default_rng(1).permutation(len(table)))
    elif order == "last item first":
        table = table.take(np.arange(len(table))[::-1])
    elif order == "in pieces":
        table = pa.concat_tables([table[3_333:], table[:7], table[7:3_333]])
    for given in (ids, None):
        coded = code(table, given, CLASSES)
        assert list(zip(*(column.tolist() for column in coded[:3]), strict=True)) == expected
        assert coded.item_ids.to_pylist() == ids


def test_an_item_may_have_any_number_of_answers() -> None:
    rows = [("a", f"w{n % 77:02}", CLASSES[n % 3 % 2]) for n in range(1_000)] + [("b", "w00", "no")]
    coded = code(annotations(*rows), None, CLASSES)
    assert list(zip(*(c.tolist() for c in coded[:3]), strict=True)) == by_hand(annotations(*rows), ["a", "b"])


def test_whole_numbers_are_coded_as_their_texts() -> None:
    table = pa.table({"item_id": [2, 10, 2], "annotator": [7, 7, 3], "label": [1, 0, 1]})
    coded = code(table, None, ("0", "1"))
    assert coded.item_ids.to_pylist() == ["10", "2"]
    assert [column.tolist() for column in coded[:3]] == [[0, 1, 1], [1, 0, 1], [0, 1, 1]]


def test_nothing_is_coded_as_nothing() -> None:
    coded = code(annotations(("a", "p", "no"))[:0], None, CLASSES)
    assert [len(part) for part in coded] == [0, 0, 0, 0, 0, 2]
    assert len(code(annotations(("a", "p", "no"))[:0], ["a"], CLASSES).item_ids) == 1


@pytest.mark.parametrize("names", [pa.nulls(10_000), pa.nulls(10_000, pa.string())], ids=["no type", "text"])
def test_nameless_answers_share_a_place(names: pa.Array) -> None:
    table = pa.table({"item_id": [str(n) for n in range(10_000)], "annotator": names, "label": ["no"] * 10_000})
    coded = code(table, None, CLASSES)
    assert (coded.annotators.to_pylist(), coded.annotator.tolist()) == ([None], [0] * 10_000)


def test_an_annotator_who_stands_twice_in_a_dictionary_is_one() -> None:
    names = pa.DictionaryArray.from_arrays(pa.array([0, 1, 2, None], pa.int8()), pa.array(["p", "p", "q"]))
    coded = code(pa.table({"item_id": list("abcd"), "annotator": names, "label": ["no"] * 4}), None, CLASSES)
    assert coded.annotators.to_pylist() == ["p", "q", None]
    assert coded.annotator.tolist() == [0, 0, 1, 2]


@pytest.mark.parametrize("ids", [None, ["a"]])
def test_an_answer_without_an_item_is_named(ids: list[str] | None) -> None:
    table = pa.table({"item_id": pa.array(["a", None]), "annotator": ["p", "p"], "label": ["no", "no"]})
    with pytest.raises(TableError, match="row 1: item_id None is not known"):
        code(table, ids, CLASSES)


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
