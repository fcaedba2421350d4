"""Ratings: biases come off, exact annotators weigh more, medians beat modes in distance."""

import numpy as np
import pyarrow as pa
import pytest

from cupel.consensus.coding import Coded, code
from cupel.consensus.ratings import ordinal, weighted_mean

SCALE = np.arange(1.0, 10.0)
CLASSES = tuple(str(place) for place in range(1, 10))
BIAS = np.array([-1.0, 1.0, 0.0, 0.0, 0.0, 0.0])
SPREAD = np.array([0.5, 0.5, 0.5, 0.5, 2.0, 2.0])


def crowd(seed: int = 1, items: int = 400) -> tuple[Coded, np.ndarray]:
    """Return four ratings of each item by six annotators, whole numbers, and the items' values."""
    rng = np.random.default_rng(seed)
    truth = rng.uniform(3, 7, items)
    rows = []
    for item in range(items):
        for who in rng.choice(6, 4, replace=False):
            rating = np.clip(np.round(truth[item] + BIAS[who] + rng.normal(0, SPREAD[who])), 1, 9)
            rows.append((f"{item:04}", f"w{who}", str(int(rating))))
    table = pa.table({key: [row[n] for row in rows] for n, key in enumerate(("item_id", "annotator", "label"))})
    return code(table, [f"{item:04}" for item in range(items)], CLASSES), truth


def plain_mean(coded: Coded) -> np.ndarray:
    sums = np.bincount(coded.item, SCALE[coded.label], len(coded.item_ids))
    return sums / np.bincount(coded.item, minlength=len(coded.item_ids))


def test_it_finds_biases_and_spreads_and_is_nearer_than_the_mean() -> None:
    coded, truth = crowd()
    found = weighted_mean(coded, SCALE)
    assert found.is_converged
    np.testing.assert_allclose(found.bias - found.bias.mean(), BIAS, atol=0.2)
    np.testing.assert_allclose(found.spread, np.sqrt(SPREAD**2 + 1 / 12), rtol=0.2)
    ours, plain = (np.sqrt(np.mean((value - truth) ** 2)) for value in (found.value, plain_mean(coded)))
    assert ours < 0.7 * plain


def test_the_standard_error_is_what_values_are_off_by() -> None:
    coded, truth = crowd(2, 2_000)
    found = weighted_mean(coded, SCALE)
    off = (found.value - truth - (found.value - truth).mean()) / found.error
    assert 0.85 < off.std() < 1.2


def test_annotators_who_agree_give_their_mean_and_items_without_ratings_nothing() -> None:
    table = pa.table({"item_id": ["a", "a", "b"], "annotator": ["p", "q", "p"], "label": ["3", "3", "7"]})
    found = weighted_mean(code(table, ["a", "b", "c"], CLASSES), SCALE)
    np.testing.assert_allclose(found.value, [3, 7, np.nan])
    assert np.isnan(found.error[2])


def test_nameless_ratings_and_no_ratings_are_no_trouble() -> None:
    table = pa.table({"item_id": ["a", "a"], "annotator": pa.nulls(2, pa.string()), "label": ["2", "4"]})
    np.testing.assert_allclose(weighted_mean(code(table, ["a"], CLASSES), SCALE).value, [3])
    empty = pa.table({key: pa.array([], pa.string()) for key in ("item_id", "annotator", "label")})
    assert np.isnan(weighted_mean(code(empty, ["a"], CLASSES), SCALE).value).all()
    assert ordinal(code(empty, ["a"], CLASSES)).label.tolist() == [-1]


@pytest.mark.parametrize("scale", [np.arange(3.0), np.zeros(9)])
def test_a_scale_that_does_not_fit_is_refused(scale: np.ndarray) -> None:
    with pytest.raises(ValueError, match="9 increasing numbers"):
        weighted_mean(crowd(items=5)[0], scale)


def test_the_ordinal_label_is_nearer_than_the_likeliest_class() -> None:
    coded, truth = crowd(3, 1_000)
    found = ordinal(coded)
    ours, mode = (np.abs(SCALE[at] - truth).mean() for at in (found.label, found.posterior.argmax(axis=1)))
    assert ours <= mode
    beliefs = found.posterior
    for other in range(9):
        distance = (beliefs * np.abs(np.arange(9) - other)).sum(axis=1)
        assert (found.distance <= distance + 1e-8).all()
