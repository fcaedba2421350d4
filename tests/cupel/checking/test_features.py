"""Items that are numbers: out of sample, whatever their scale, and silent where a number is none."""

import numpy as np
import pyarrow as pa
import pytest

from cupel.checking.features import NOT_FINITE, predictions, scaled
from cupel.config.checking import Checking
from cupel.consensus.coding import Reals
from cupel.consensus.consensus import consensus
from cupel.errors import TableError
from cupel.tables import PREDICTIONS

CLASSES = ("x", "y", "z")
SETTINGS = Checking()


def batch(items: int = 300, seed: int = 0) -> tuple[pa.Table, Reals, pa.Table]:
    """Return items, features that tell the class (the number modulo 3), and what three annotators say."""
    rng = np.random.default_rng(seed)
    ids = [f"{item:04}" for item in range(items)]
    truth = np.arange(items) % 3
    features = rng.normal(size=(items, 8)) + 2 * np.eye(3, 8)[truth]
    answers = [(item, truth[item] if rng.random() < 0.8 else rng.integers(3)) for item in range(items) for _ in "abc"]
    annotations = pa.table({
        "item_id": [ids[item] for item, _ in answers],
        "annotator": ["a", "b", "c"] * items,
        "label": [CLASSES[label] for _, label in answers],
    })  # fmt: skip
    return pa.table({"item_id": ids, "group_id": ids}), features, consensus(annotations, ids, CLASSES)


def share_right(found: pa.Table) -> float:
    named = found["predicted_label"].to_pylist()
    return float(
        np.mean(
            [CLASSES[int(item) % 3] == label for item, label in zip(found["item_id"].to_pylist(), named, strict=True)]
        )
    )


def test_it_learns_what_numbers_tell() -> None:
    items, features, people = batch()
    found = predictions(items, features, people, CLASSES, SETTINGS)
    assert found.schema.equals(PREDICTIONS.schema)
    assert share_right(found) > 0.8


def test_a_column_of_large_numbers_that_tell_nothing_drowns_no_other() -> None:
    items, features, people = batch()
    loud = np.column_stack([features, 1e6 + 1e6 * np.random.default_rng(1).normal(size=300)])
    assert share_right(predictions(items, loud, people, CLASSES, SETTINGS)) > 0.8


def test_numbers_that_tell_nothing_give_no_item_away() -> None:
    items, _, people = batch()
    noise = np.random.default_rng(2).normal(size=(300, 400))
    assert 0.2 < share_right(predictions(items, noise, people, CLASSES, SETTINGS)) < 0.5


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_an_item_with_a_number_that_is_none_gets_no_opinion_and_teaches_nothing(value: float) -> None:
    items, features, people = batch()
    features[7, 3] = value
    found = predictions(items, features, people, CLASSES, SETTINGS)
    assert found["abstention"].to_pylist() == [NOT_FINITE if item == 7 else None for item in range(300)]
    assert share_right(found) > 0.8


def test_constant_and_huge_columns_are_no_error() -> None:
    items, features, people = batch()
    odd = np.column_stack([features, np.ones(300), np.zeros(300), np.full(300, 1e300)])
    assert predictions(items, odd, people, CLASSES, SETTINGS)["predicted_label"].null_count == 0
    assert predictions(items, np.zeros((300, 2)), people, CLASSES, SETTINGS).num_rows == 300


def test_rows_are_of_length_1() -> None:
    values = np.random.default_rng(0).normal(size=(50, 4))
    for is_standardised in (False, True):
        np.testing.assert_allclose((scaled(values, is_standardised) ** 2).sum(axis=1), 1)


@pytest.mark.parametrize("shape", [(299, 8), (300, 0), (300,)])
def test_features_that_do_not_fit_the_items_are_refused(shape: tuple[int, ...]) -> None:
    items, _, people = batch()
    with pytest.raises(TableError, match="expected 300 rows"):
        predictions(items, np.zeros(shape), people, CLASSES, SETTINGS)


def test_row_order_changes_no_byte() -> None:
    items, features, people = batch()
    order = np.random.default_rng(1).permutation(300)
    first = predictions(items, features, people, CLASSES, SETTINGS)
    assert predictions(items.take(order), features[order], people.take(order[::-1]), CLASSES, SETTINGS).equals(first)
